"""From the words of a system of the generic HTTP kind to ours: a visit, a free time, a message."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from server.clinical.visit import Proposed, SchedulingEvent, Seen, Slot
from server.clinical.vocabulary import DeclineCode, PeerStatus, SuggestionState
from server.gateways.exchange import Reply
from server.gateways.message import SendError
from server.gateways.scheduling.http_answer import LONGEST_NAME, Part, Unreadable, parsed
from server.gateways.scheduling.http_config import Operation, Settings

OVER = (PeerStatus.CANCELLED, PeerStatus.DECLINED)
# Only what is booked has a time; before, a system may show one it only thinks of.
_TIMED = (PeerStatus.BOOKED, PeerStatus.ARRIVED, PeerStatus.FULFILLED, PeerStatus.NOSHOW)
_BOOKED = (SuggestionState.BOOKED, SuggestionState.ARRIVED)


@contextmanager
def reading() -> Iterator[None]:
    """Turn what can't be read into a `SendError`: what was asked for was done, or was not."""
    try:
        yield
    except ValueError:
        raise SendError(False, "unreadable", in_doubt=True) from None


def said(reply: Reply) -> Any:
    """Return the JSON of an answer, None for an empty one; raise ValueError."""
    if not reply.whole:
        raise ValueError("cut off")
    return parsed(reply.body) if reply.body.strip() else None


def visit(settings: Settings, operation: Operation, reply: Reply, proposed: Proposed) -> Seen | None:
    """Return how the visit stands by an answer; None where it names none. Raise ValueError, `SendError`."""
    part = Part(said(reply), operation.pointers, settings.clock)
    external_id = part.name("external_id") or proposed.external_id
    if external_id is None:
        return None
    status = _status(settings, part, proposed)
    starts_at = part.time("starts_at") if status in _TIMED else None
    return Seen(
        external_id=external_id,
        status=status,
        starts_at=starts_at,
        ends_at=part.time("ends_at") if starts_at else None,
        version=part.name("version") if "version" in operation.pointers else _etag(reply),
        changed_at=part.time("changed_at"),
        decline=_decline(settings, part) if status is PeerStatus.DECLINED else None,
    )


def slot(part: Part, minutes: int) -> Slot:
    """Return a free time; raise ValueError. Without an end it is as long as the visit."""
    starts_at = part.time("starts_at")
    if starts_at is None:
        raise Unreadable("starts_at")
    ends_at = part.time("ends_at") or starts_at + timedelta(minutes=minutes)
    link = part.found("link")
    # Somebody is to click on it.
    safe = isinstance(link, str) and link.startswith("https://") and link.isprintable()
    return Slot(starts_at, ends_at, part.name("external_id"), str(link) if safe else None)


def event(part: Part) -> SchedulingEvent:
    """Return what a message points at; raise ValueError where it points at nothing."""
    external_id, suggestion_id = part.name("external_id"), _uuid(part.name("suggestion_id"))
    if external_id is None and suggestion_id is None:
        raise ValueError("a message names a visit")
    return SchedulingEvent(external_id, suggestion_id, _hinted(part))


def _status(settings: Settings, part: Part, proposed: Proposed) -> PeerStatus:
    word = part.name("status")
    if word is None:
        if "status" in part.pointers and part.raw is not None:
            raise Unreadable("status")
        return PeerStatus.PROPOSED
    if word not in settings.statuses:
        raise SendError(True, "status_unmapped")
    status = settings.statuses[word]
    if status not in OVER:
        return status
    # Many systems have one word for both; which it is, we know.
    return PeerStatus.CANCELLED if proposed.state in _BOOKED else PeerStatus.DECLINED


def _decline(settings: Settings, part: Part) -> DeclineCode | None:
    word = part.name("decline")
    return settings.declines.get(word, DeclineCode.OTHER) if word else None


def _etag(reply: Reply) -> str | None:
    etag = reply.headers.get("etag", "")
    return etag if etag and len(etag) <= LONGEST_NAME and etag.isprintable() else None


def _uuid(name: str | None) -> UUID | None:
    try:
        return UUID(name) if name else None
    except ValueError:
        return None


def _hinted(part: Part) -> datetime | None:
    try:
        return part.time("changed_at")
    except Unreadable:
        return None
