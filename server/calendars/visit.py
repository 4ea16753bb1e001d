"""A suggested visit as an invitation (iTIP, RFC 5546) and as an entry of a calendar (CalDAV).

No line says for whom, why or with what: title, window or time, and a reference.
Source: docs/scheduling-calendar.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from icalendar import Calendar, Event, vCalAddress

from server.calendars.parts import calendar, put_times, put_window, put_zones, ref_of, uid_of, utc, written
from server.calendars.words import Words, words
from server.clinical.visit import Proposed
from server.clinical.vocabulary import Language, SuggestionState


class Method(StrEnum):
    """What a calendar mail asks for (RFC 5546, 1.4)."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    PUBLISH = "PUBLISH"


TENTATIVE, CONFIRMED, CANCELLED = "TENTATIVE", "CONFIRMED", "CANCELLED"
_S = SuggestionState
# A draft has no row: it never leaves. Who needs attention was never booked.
STATUS: Mapping[SuggestionState, str] = MappingProxyType(
    {
        **dict.fromkeys((_S.SUGGESTED, _S.SENT, _S.ACKNOWLEDGED, _S.NEEDS_ATTENTION), TENTATIVE),
        **dict.fromkeys((_S.BOOKED, _S.ARRIVED, _S.FULFILLED, _S.NOSHOW), CONFIRMED),
        **dict.fromkeys((_S.DECLINED, _S.EXPIRED, _S.WITHDRAWN, _S.SUPERSEDED, _S.CANCELLED), CANCELLED),
    }
)


@dataclass(frozen=True, slots=True)
class Parties:
    """Who invites whom: mailboxes, the same at every change. ``sent_by``: who really sends, if another."""

    organizer: str
    attendee: str
    sent_by: str = ""
    language: Language = Language.EN


def method_of(state: SuggestionState) -> Method:
    """Return what a mail about a visit in ``state`` asks for."""
    return Method.REQUEST if status_of(state) != CANCELLED else Method.CANCEL


def status_of(state: SuggestionState) -> str:
    """Return the STATUS of a visit in ``state``; ValueError for a draft, which stays in the house."""
    if state not in STATUS:
        raise ValueError("a draft stays in the house")
    return STATUS[state]


def invitation(proposed: Proposed, method: Method, parties: Parties, stamp: datetime) -> bytes:
    """Return the calendar part of a mail: one event, asked for or taken back.

    ``stamp``: when it is made (aware). Its SEQUENCE is the suggestion's version, which rises with every
    change. ValueError where ``method`` does not fit the state.
    """
    taken_back = method is Method.CANCEL
    if not taken_back and status_of(proposed.state) == CANCELLED:
        raise ValueError("what is over can only be taken back")
    told = event(proposed, words(parties.language), stamp)
    if taken_back:
        told["STATUS"] = CANCELLED
    told.add("organizer", _organizer(parties))
    told.add("attendee", _attendee(parties.attendee, taken_back))
    return _whole(calendar(method), told)


def entry(proposed: Proposed, language: Language, stamp: datetime) -> bytes:
    """Return the visit as an object of a CalDAV calendar.

    It has no METHOD (RFC 4791, 4.1), and nobody is invited in it: a server that sends invitations by itself
    (RFC 6638) would write to people.
    """
    return _whole(calendar(None), event(proposed, words(language), stamp))


def revised(kept: Calendar, proposed: Proposed, language: Language, stamp: datetime) -> bytes:
    """Return ``kept``, an object as it lies in a calendar, with what is ours of it brought up to date.

    Notes, alarms and whatever else the clinic's staff put there stay. Their program may have counted on: the
    SEQUENCE rises all the same.
    """
    (mine,) = [found for found in kept.events if "RECURRENCE-ID" not in found]
    fresh = event(proposed, words(language), stamp)
    sequence = max(proposed.version, int(mine.get("SEQUENCE", 0)) + 1)
    for name in ("SUMMARY", "STATUS", "DTSTAMP", "LAST-MODIFIED"):
        mine[name] = fresh[name]
    mine.pop("SEQUENCE", None)
    mine.add("sequence", sequence)
    put_window(mine, proposed)
    put_times(mine, proposed)
    put_zones(kept)
    return written(kept)


def event(proposed: Proposed, said: Words, stamp: datetime) -> Event:
    """Return the event alone, with nobody in it; ValueError for a draft."""
    status = status_of(proposed.state)
    title = {TENTATIVE: said.suggestion, CONFIRMED: said.visit, CANCELLED: said.ended}[status]
    made = Event()
    made.add("uid", uid_of(proposed.id))
    made.add("sequence", proposed.version)
    made.add("dtstamp", utc(stamp))
    made.add("created", utc(proposed.created_at))
    made.add("last-modified", utc(proposed.changed_at))
    made.add("summary", f"{title} {ref_of(proposed.id)}")
    made.add("description", f"{said.reference}: {proposed.id}")
    made.add("status", status)
    put_window(made, proposed)
    put_times(made, proposed)
    return made


def _whole(made: Calendar, told: Event) -> bytes:
    made.add_component(told)
    put_zones(made)
    return written(made)


def _organizer(parties: Parties) -> vCalAddress:
    organizer = vCalAddress(f"mailto:{parties.organizer}")
    if parties.sent_by not in ("", parties.organizer):
        organizer.params["SENT-BY"] = f"mailto:{parties.sent_by}"
    return organizer


def _attendee(mailbox: str, taken_back: bool) -> vCalAddress:
    attendee = vCalAddress(f"mailto:{mailbox}")
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    if not taken_back:
        attendee.params["PARTSTAT"] = "NEEDS-ACTION"
        attendee.params["RSVP"] = "TRUE"
    return attendee
