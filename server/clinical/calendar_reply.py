"""What a clinic's mailbox answered to an invitation, and whether it is news. Pure.

Source: docs/scheduling-calendar.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class CalendarAnswer(StrEnum):
    """What somebody says of an invitation (PARTSTAT), or that they ask for another time (COUNTER)."""

    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    DECLINED = "declined"


class CalendarVerdict(StrEnum):
    """What became of an answer.

    applied: it moved the suggestion, or says what is so already. noted: it changes nothing and is kept for
    people to read. duplicate: it came before. stale: older than one that came before, or than the time
    it answers. review: it can't be, and a person has to look.
    """

    APPLIED = "applied"
    NOTED = "noted"
    DUPLICATE = "duplicate"
    STALE = "stale"
    REVIEW = "review"


class Order(NamedTuple):
    """What orders the objects of one visit (RFC 5546, 2.1.5): the number of the change, then the moment."""

    sequence: int
    stamp: datetime


@dataclass(frozen=True, slots=True)
class CalendarReply:
    """One answer. ``starts_at``, ``ends_at``: the time it names (aware), None where it names days or none.

    ``counter``: the time is the clinic's own; in any other answer it is only what was asked.
    """

    suggestion_id: UUID
    order: Order
    answer: CalendarAnswer
    counter: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None


# A span of whole days is a window, however a program writes it: with a day of 23 hours the shortest one.
SHORTEST_DAYS = timedelta(hours=23)


def names_days(starts_at: datetime, ends_at: datetime) -> bool:
    """Return whether a span says days and no time. Some programs answer days as midnight to midnight."""
    return ends_at - starts_at >= SHORTEST_DAYS


def repeated(order: Order, heard: Iterable[Order], set_at: datetime | None) -> CalendarVerdict | None:
    """Return why an answer is no news: a duplicate or stale; None where it is news.

    ``heard``: the answers that came before. ``set_at``: when the visit last got its days or its time.
    """
    known = list(heard)
    if order in known:
        return CalendarVerdict.DUPLICATE
    answers_the_past = set_at is not None and order.stamp < set_at
    return CalendarVerdict.STALE if answers_the_past or any(order < one for one in known) else None
