"""What of an old log is verified today: each block of it in its turn, by its number alone.

Whose turn it is stands nowhere, so nobody can put it off: not who rules the database, and not who writes the
file of noted ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from server.services.audit import audit_seal as seals
from server.services.audit.verifying import Found, late
from server.services.work import Work

_A_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pace:
    """How much of what was verified before is verified again.

    ``days``: in so many everything is. ``block``: so many lines have their turn together. ``again``: the
    newest lines, walked every day.
    """

    days: int = 30
    block: int = 1_000
    again: int = 5_000


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is on day ``today`` and on days after ``since`` that were missed, counted from 1970."""

    days: int
    since: int
    today: int

    def has(self, number: int) -> bool:
        """Say whether it is the turn of block ``number`` (from 0): it comes every `days` days."""
        return (self.today - number) % self.days < max(1, self.today - self.since)


def turn_of(pace: Pace, verified_at: datetime, now: datetime) -> Turn:
    """Return the turn of a log that was last verified at ``verified_at``."""
    return Turn(pace.days, day_of(verified_at), day_of(now))


def day_of(moment: datetime) -> int:
    """Return the day (UTC) of a moment, counted from 1970."""
    return (moment - _EPOCH) // _A_DAY


def stretches(pace: Pace, turn: Turn, until: int) -> Iterator[tuple[int, int]]:
    """Yield which positions of those up to ``until`` have their turn, as after .. up to."""
    for number in range(-(-until // pace.block)):
        if turn.has(number):
            yield number * pace.block, min((number + 1) * pace.block, until)


def late_today(work: Work, turn: Turn) -> Found | None:
    """Return the first row without a link of those that have their turn, by the day that their ids say.

    What says that it is of the last days, or from before all others, is looked for every day.
    """
    for after, until in _spans(work, turn):
        found = late(work, after, until)
        if found is not None:
            return found
    return None


def _spans(work: Work, turn: Turn) -> Iterator[tuple[UUID, UUID]]:
    oldest = seals.oldest(work)
    if oldest is None:
        return
    first = day_of(seals.time_of(oldest))
    yield UUID(int=0), _beginning(first)
    for day in range(first, day_of(work.now) + 1):
        if day >= turn.since - 1 or turn.has(day):
            yield _beginning(day), _beginning(day + 1)


def _beginning(day: int) -> UUID:
    return seals.lowest_id(_EPOCH + day * _A_DAY)
