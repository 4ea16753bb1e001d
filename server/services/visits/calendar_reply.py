"""What the clinic's mailbox answered to an invitation, as a move of the suggestion.

Only the clinic books: an answer with a time of the clinic's own is a booking, one without is not. Every
answer that is news stands in the suggestion's log, also one that changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from server.clinical.calendar_reply import CalendarAnswer, CalendarReply, CalendarVerdict, Order, repeated
from server.clinical.lifecycle import OPEN_SUGGESTIONS, SuggestionAction
from server.clinical.visit import is_plausible
from server.clinical.vocabulary import DeclineCode, ReviewCode, SuggestionState
from server.models import BookingSuggestion, BookingSuggestionEvent
from server.services.errors import Invalid
from server.services.people import clinic as clinics
from server.services.visits import inbox
from server.services.visits import review_task as review_tasks
from server.services.visits.inbox import Appointment
from server.services.visits.inbox_item import InboxItem
from server.services.visits.review_task import Finding
from server.services.visits.suggestion_move import events, locked, note
from server.services.work import Work

# Its name in the suggestion's log.
LOGGED_AS = "calendar_reply"
# What gives a visit its days or its time, beside an answer itself.
_SETS = frozenset({SuggestionAction.BOOK.value, SuggestionAction.RESCHEDULE.value, "change"})
_V, _A = CalendarVerdict, CalendarAnswer
CLOCKS_APART = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an answer, and how the suggestion stands now."""

    verdict: CalendarVerdict
    suggestion: InboxItem


def zone(work: Work) -> str:
    """Return whose clock a time without a zone means: it is the clinic's mailbox that answers."""
    return clinics.get(work).zone


def take(work: Work, reply: CalendarReply, name: str) -> Taken:
    """Take one answer in. Again, or late, is harmless.

    ``name``: what the visit is called in calendars, its external id where it has none yet. Raises NotFound
    for a suggestion that was never approved here, Invalid for an answer to what was never sent.
    """
    suggestion = locked(work, reply.suggestion_id)
    item = inbox.get(work, suggestion.id)
    if reply.order.sequence > suggestion.version:
        raise Invalid("", "It answers a change that was never sent.")
    if reply.order.stamp > work.now + CLOCKS_APART:
        # It would make every later answer look old.
        raise Invalid("", "It says that it was made in the future.")
    verdict = _no_news(events(work, suggestion.id), reply)
    if verdict is None:
        verdict, item = _MEANS[_stage(work, suggestion, reply)](work, item, reply, name)
    if verdict is not _V.DUPLICATE:
        note(work, suggestion, LOGGED_AS, _detail(reply, verdict))
    if verdict is _V.REVIEW:
        _ask_for_review(work, suggestion, reply)
    return Taken(verdict, item)


def _no_news(log: Sequence[BookingSuggestionEvent], reply: CalendarReply) -> CalendarVerdict | None:
    answers = [event for event in log if event.action == LOGGED_AS]
    # What an answer moved happened when it was given, not when its mail came in.
    by_answer = {event.at for event in answers}
    set_at = [event.at for event in log if event.action in _SETS and event.at not in by_answer]
    heard = [
        Order(event.detail["sequence"], datetime.fromisoformat(event.detail["stamp"])) for event in answers
    ]
    return repeated(reply.order, heard, max(set_at, default=None))


def _stage(work: Work, suggestion: BookingSuggestion, reply: CalendarReply) -> str:
    if suggestion.state not in OPEN_SUGGESTIONS:
        return "over"
    stage = "booked" if suggestion.state in (SuggestionState.BOOKED, SuggestionState.ARRIVED) else "open"
    sets_time = reply.answer is _A.ACCEPTED and (reply.counter or stage == "open")
    return "amiss" if sets_time and not _can_be_then(work, suggestion, reply) else stage


def _can_be_then(work: Work, suggestion: BookingSuggestion, reply: CalendarReply) -> bool:
    """Say whether the visit can be when an answer wants it; who is there already comes at no other time."""
    if reply.starts_at is None:
        return True
    if suggestion.state is SuggestionState.ARRIVED:
        wanted = (reply.starts_at, reply.ends_at or suggestion.ends_at)
        return wanted == (suggestion.starts_at, suggestion.ends_at)
    return is_plausible(reply.starts_at, reply.ends_at, suggestion.created_at, work.now)


Outcome = tuple[CalendarVerdict, InboxItem]


def _while_open(work: Work, item: InboxItem, reply: CalendarReply, name: str) -> Outcome:
    accepted, declined = reply.answer is _A.ACCEPTED, reply.answer is _A.DECLINED
    if accepted and reply.starts_at is not None:
        return _booked(work, item, reply, name)
    # Who declines the days and asks for others wants to be talked to.
    if declined and not reply.counter:
        return _V.APPLIED, inbox.decline(work, item.id, item.version, DeclineCode.OTHER, None)
    return _V.APPLIED, inbox.acknowledge(work, item.id, item.version)


def _while_booked(work: Work, item: InboxItem, reply: CalendarReply, name: str) -> Outcome:
    if reply.answer is _A.DECLINED and not reply.counter:
        return _V.APPLIED, inbox.cancel(work, item.id, item.version)
    # In any other answer the time is the one that was asked about, which may be an old one.
    if reply.answer is _A.ACCEPTED and reply.counter and reply.starts_at is not None:
        return _booked(work, item, reply, name)
    return (_V.APPLIED if reply.answer is _A.ACCEPTED and not reply.counter else _V.NOTED), item


def _for_a_person(_work: Work, item: InboxItem, reply: CalendarReply, _name: str) -> Outcome:
    # The clinic expects somebody, and nobody was told to come.
    return (_V.REVIEW if reply.answer is _A.ACCEPTED else _V.NOTED), item


_MEANS: Mapping[str, Callable[[Work, InboxItem, CalendarReply, str], Outcome]] = MappingProxyType(
    {"open": _while_open, "booked": _while_booked, "over": _for_a_person, "amiss": _for_a_person}
)


def _booked(work: Work, item: InboxItem, reply: CalendarReply, name: str) -> Outcome:
    assert reply.starts_at is not None
    appointment = Appointment(item.external_id or name, reply.starts_at, ends_at=reply.ends_at)
    return _V.APPLIED, inbox.book(work, item.id, item.version, appointment)


def _detail(reply: CalendarReply, verdict: CalendarVerdict) -> dict[str, Any]:
    return {
        "answer": reply.answer.value,
        "counter": reply.counter,
        "starts_at": None if reply.starts_at is None else reply.starts_at.isoformat(),
        "sequence": reply.order.sequence,
        "stamp": reply.order.stamp.isoformat(),
        "verdict": verdict.value,
    }


def _ask_for_review(work: Work, suggestion: BookingSuggestion, reply: CalendarReply) -> None:
    """Leave one task for the same finding, however many answers say it."""
    starts_at = None if reply.starts_at is None else reply.starts_at.isoformat()
    detail = {"state": suggestion.state.value, "answer": reply.answer.value, "starts_at": starts_at}
    wanted = f":{starts_at}" if suggestion.state in OPEN_SUGGESTIONS else ""
    key = f"{LOGGED_AS}:{suggestion.id}:{suggestion.state.value}{wanted}"
    review_tasks.raise_(work, Finding(ReviewCode.ILLEGAL_MOVE, key, suggestion.id, None, detail))
