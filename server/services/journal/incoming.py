"""What comes in: an entry or a filled scale on its way, its bounds in time, and its one canonical text."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from server.clinical.vocabulary import EnteredBy, Source
from server.models import Entry, QuestionnaireResponse
from server.services import local_day as local_days
from server.services.errors import AllInvalid, Invalid, Stale, VersionRequired
from server.services.work import Work

# Until it is written down: memory fades. Arriving later than that, it was dated by a wrong clock.
BACKFILL, OLDEST = timedelta(days=30), timedelta(days=400)
AHEAD = timedelta(days=2)
# What is asked stays open for a week at most. The day ahead is the other side of the date line.
ASKED_BEFORE, ASKED_AHEAD = timedelta(days=31), timedelta(days=1)
# Networks are slow and phones drift; further off than this, the times an entry gives may be wrong.
CLOCK_TRUSTED = timedelta(minutes=10)
_A_DAY = 24 * 60 * 60
_CONTENT = ("occurred_at", "zone", "items", "side_effects", "safety", "medication", "tags", "note")
_RESPONSE_CONTENT = (
    *("instrument", "instrument_version", "locale", "answers", "total"),
    *("occurred_at", "zone", "occurrence"),
)

Stored = Entry | QuestionnaireResponse


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
    """Raise Invalid for what lies ahead of, or more than `BACKFILL` before, its being written down.

    When that was, the phone's clock at the writing says, or that at the sending, or ours: good by one
    of them is good. A phone may be offline for months and its clock off by years; what was logged by
    it is taken as it is dated, and marked (`clock_columns`).
    """
    occurred = incoming.content["occurred_at"]
    written = [work.now]
    if incoming.source is Source.APP:
        told = (incoming.content.get("recorded_at"), incoming.sent_at)
        written += [moment for moment in told if moment is not None]
    longest = BACKFILL if incoming.source is Source.APP else timedelta.max
    if any(-AHEAD <= moment - occurred <= longest for moment in written):
        return
    if occurred > max(written) + AHEAD:
        raise Invalid("/occurred_at", "Lies in the future.")
    raise Invalid("/occurred_at", f"Was written down more than {BACKFILL.days} days later.")


def admit(work: Work, stored: Entry | None, incoming: Incoming) -> None:
    """Raise for an entry that can't be taken as it is, or not over ``stored``; ServiceErrors all."""
    if stored is None or not _keeps_its_moment(incoming, stored):
        check_moment(work, incoming)  # what was taken in time may be corrected for ever
    if stored is not None:
        check_version(stored, incoming.base_version)
    if work.actor.account_id is not None:  # an import is taken as it was
        _check_whole({} if stored is None else stored.items, incoming.content["items"])


def _check_whole(stored: Mapping[str, float], items: Mapping[str, float]) -> None:
    """Raise AllInvalid for fractions but those that an import brought, told again to the digit."""
    broken = [key for key, value in items.items() if value != value // 1 and stored.get(key) != value]
    if broken:
        raise AllInvalid([(f"/items/{key}", "Must be a whole number.") for key in broken])


def check_occurrence(work: Work, incoming: Incoming, day: date) -> None:
    """Raise Invalid where a response of local ``day`` names an occurrence that it can't answer.

    What was asked is named by our clock: good by the phone's or by ours is good, or a phone whose clock is
    off could answer nothing. An import is taken as it was: it writes as the clinic itself, with no account.
    """
    named = incoming.content.get("occurrence")
    if named is None or work.actor.account_id is None:
        return
    asked = date.fromisoformat(named.rpartition(":")[2])
    if any(
        filled - ASKED_BEFORE <= asked <= filled + ASKED_AHEAD
        for filled in (day, *_by_our_clock(work, incoming))
    ):
        return
    if asked > day + ASKED_AHEAD:
        raise Invalid("/occurrence", "Lies after the day of the response.")
    raise Invalid("/occurrence", f"Lies more than {ASKED_BEFORE.days} days before the response.")


def _by_our_clock(work: Work, incoming: Incoming) -> Iterator[date]:
    """Yield the local days on which something may have been filled: when it came in, and when it was felt."""
    occurred, zone = incoming.content["occurred_at"], incoming.content["zone"]
    yield local_days.of(work, work.now, zone)
    if incoming.sent_at is not None:
        yield local_days.of(work, occurred + (work.now - incoming.sent_at), zone)


def check_version(stored: Stored, base_version: int | None) -> None:
    """Raise VersionRequired or Stale where a change does not name the version that is stored."""
    if base_version is None:
        raise VersionRequired(stored)
    if base_version != stored.version:
        raise Stale(stored)


def local_day(work: Work, incoming: Incoming, stored: Stored | None) -> date:
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


def clock_columns(incoming: Incoming, received_at: datetime, stored: Stored | None) -> dict[str, Any]:
    """Return what is kept of the phone's clock: an impossible date is as suspect as a clock that is off.

    ``stored`` is what a correction changes. Where that keeps the moment, the clock that gave it is what
    counts: what was dated well stays so however late it is corrected, and what was not does not become so.
    """
    if stored is not None and _keeps_its_moment(incoming, stored):
        return {
            "clock_skew_seconds": stored.clock_skew_seconds,
            "clock_suspect": stored.clock_suspect,
        }
    told = clock_of(incoming.sent_at, received_at)
    return told | {"clock_suspect": told["clock_suspect"] or not _is_possible(incoming, received_at)}


def day_reliable(incoming: Incoming, received_at: datetime, stored: Entry | None) -> bool:
    """Return whether the day of an entry can be relied on: no clock was off by a day or more."""
    if stored is not None and _keeps_its_moment(incoming, stored):
        return stored.day_reliable
    skew = clock_of(incoming.sent_at, received_at)["clock_skew_seconds"] or 0
    return abs(skew) <= _A_DAY and _is_possible(incoming, received_at)


def _keeps_its_moment(incoming: Incoming, stored: Stored) -> bool:
    return bool(stored.occurred_at == incoming.content["occurred_at"])


def _is_possible(incoming: Incoming, received_at: datetime) -> bool:
    age = received_at - incoming.content["occurred_at"]
    return incoming.source is not Source.APP or -AHEAD <= age <= OLDEST


def canonical(content: Mapping[str, Any]) -> str:
    """Return what an entry says as one text, the same whatever order its members came in."""
    return json.dumps(content, sort_keys=True)


def plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry's content as JSON values: moments with their offset, codes as text."""
    found = {key: content.get(key) for key in _CONTENT}
    found["entered_by"] = content.get("entered_by") or EnteredBy.PATIENT
    if onset := onset_of(content):  # absent where nothing was stated
        found["side_effect_onset"] = {term: began.isoformat() for term, began in onset.items()}
    if circumstances := circumstances_of(content):
        found["circumstances"] = circumstances
    return {key: v.isoformat() if isinstance(v, datetime) else v for key, v in found.items()}


def circumstances_of(content: Mapping[str, Any]) -> list[str]:
    """Return what else happened, in one order: it is a set. An imported diary has no such member at all."""
    return sorted({str(what) for what in content.get("circumstances") or ()})


def texts_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an entry is sealed, by the name it is read by."""
    return {
        "tags": list(content["tags"]) or None,
        "circumstances": circumstances_of(content) or None,
        "note": content.get("note"),
    }


def onset_of(content: Mapping[str, Any]) -> Mapping[str, datetime]:
    """Return when effects began, by term. An imported diary has no such member at all."""
    return content.get("side_effect_onset") or {}


def plain_response(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response's content as JSON values: moments with their offset."""
    found = {key: content.get(key) for key in _RESPONSE_CONTENT}
    return {key: v.isoformat() if isinstance(v, datetime) else v for key, v in found.items()}
