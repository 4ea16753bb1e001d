"""What comes in: an entry or a filled scale on its way, its bounds in time, and its one canonical text."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_

from server.clinical.vocabulary import EnteredBy, Source
from server.models import Entry, QuestionnaireResponse
from server.services import local_day as local_days
from server.services.errors import Invalid, Stale, VersionRequired
from server.services.work import Work

# Until it is written down: memory fades. Until it arrives: a phone may be offline for long.
BACKFILL, OLDEST = timedelta(days=30), timedelta(days=400)
AHEAD = timedelta(days=2)
# Networks are slow and phones drift; further off than this, the times an entry gives may be wrong.
CLOCK_TRUSTED = timedelta(minutes=10)
_A_DAY = 24 * 60 * 60
_CONTENT = ("occurred_at", "zone", "items", "side_effects", "safety", "medication", "tags", "note")
_RESPONSE_CONTENT = (
    *("instrument", "instrument_version", "locale", "answers", "total"),
    *("occurred_at", "zone", "occurrence"),
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One entry on its way in. ``content`` is the loaded body; ``base_version`` the version it changes.

    ``sent_at`` is the phone's clock when it sent the entry, where it said so.
    """

    id: UUID
    content: Mapping[str, Any]
    base_version: int | None = None
    source: Source = Source.APP
    sent_at: datetime | None = None


def check_moment(work: Work, incoming: Incoming) -> None:
    """Raise Invalid for what lies in the future or, from the app, was written down too late.

    What was written down in time (by the phone's clock) is taken although it arrives late. Where the
    phone says what its clock shows, a moment is also good that is good by the server's clock: a phone's
    may be off by years, and what was logged by it must not be lost.
    """
    behind = timedelta() if incoming.sent_at is None else work.now - incoming.sent_at
    problem = _problem(work, incoming, timedelta())
    if problem is not None and (not behind or _problem(work, incoming, behind) is not None):
        raise Invalid("/occurred_at", problem)


def _problem(work: Work, incoming: Incoming, behind: timedelta) -> str | None:
    """Return what speaks against the moment if the phone's clock was ``behind`` by that much, or None."""
    occurred = incoming.content["occurred_at"] + behind
    if occurred > work.now + AHEAD:
        return "Lies in the future."
    if incoming.source is not Source.APP:
        return None
    recorded_at = incoming.content.get("recorded_at")
    written = work.now if recorded_at is None else min(recorded_at + behind, work.now)
    if occurred < written - BACKFILL:
        return f"Was written down more than {BACKFILL.days} days later."
    return f"Lies more than {OLDEST.days} days back." if occurred < work.now - OLDEST else None


def check_version(stored: Entry | QuestionnaireResponse, base_version: int | None) -> None:
    """Raise VersionRequired or Stale where a change does not name the version that is stored."""
    if base_version is None:
        raise VersionRequired(stored)
    if base_version != stored.version:
        raise Stale(stored)


def local_day(work: Work, incoming: Incoming, stored: Entry | QuestionnaireResponse | None) -> date:
    """Return the day of what comes in: the one it was given once, where moment and zone are the same."""
    occurred, zone = incoming.content["occurred_at"], incoming.content["zone"]
    if stored is not None and (stored.occurred_at, stored.zone) == (occurred, zone):
        return stored.local_day
    return local_days.of(work, occurred, zone)


def clock_of(sent_at: datetime | None, received_at: datetime) -> dict[str, Any]:
    """Return the columns that say how far a phone's clock was off: noted, never corrected or refused."""
    if sent_at is None:
        return {"clock_skew_seconds": None, "clock_suspect": False}
    # Judged by what is kept: an export holds whole seconds, and must come back to the same mark.
    skew = round((received_at - sent_at).total_seconds())
    return {"clock_skew_seconds": skew, "clock_suspect": abs(skew) > CLOCK_TRUSTED.total_seconds()}


def has_its_day() -> ColumnElement[bool]:
    """Return what holds for entries whose day can be relied on: the phone's clock was not off by a day."""
    skew = Entry.clock_skew_seconds
    return or_(skew.is_(None), skew.between(-_A_DAY, _A_DAY))


def canonical(content: Mapping[str, Any]) -> str:
    """Return what an entry says as one text, the same whatever order its members came in."""
    return json.dumps(content, sort_keys=True)


def plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's content as JSON values: moments with their offset, codes as text."""
    found = {key: content.get(key) for key in _CONTENT}
    found["entered_by"] = content.get("entered_by") or EnteredBy.PATIENT
    if onset := onset_of(content):  # absent where nothing was stated
        found["side_effect_onset"] = {term: began.isoformat() for term, began in onset.items()}
    return {key: v.isoformat() if isinstance(v, datetime) else v for key, v in found.items()}


def onset_of(content: Mapping[str, Any]) -> Mapping[str, datetime]:
    """Return when effects began, by term. An imported diary has no such member at all."""
    return content.get("side_effect_onset") or {}


def plain_response(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response's content as JSON values: moments with their offset."""
    found = {key: content.get(key) for key in _RESPONSE_CONTENT}
    return {key: v.isoformat() if isinstance(v, datetime) else v for key, v in found.items()}
