"""A suggested visit as both sides speak of it: what leaves our house, and what a scheduling system says.

Pure values, the same for every kind of system. Nothing here says why a visit is suggested: reason, score,
drug and diagnosis never leave. Source: docs/scheduling.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from server.clinical.vocabulary import AlertClass, DeclineCode, PatientAnswer, PeerStatus, SuggestionState

MAINTENANCE_VISIT = "maintenance_visit"  # the one kind of visit there is, as integrations read it
MOST_SLOTS = 5  # candidate times attached to one suggestion


@dataclass(frozen=True, slots=True)
class Slot:
    """One candidate time, both ends aware. ``external_id`` and ``link``: the source's, if it has any."""

    starts_at: datetime
    ends_at: datetime
    external_id: str | None = None
    link: str | None = None


LONGEST_VISIT = timedelta(days=1)
# Nobody books further ahead; a year that was mistyped would hold back every later visit.
FURTHEST_AHEAD = timedelta(days=2 * 366)


def is_plausible(starts_at: datetime, ends_at: datetime | None, made_at: datetime, now: datetime) -> bool:
    """Return whether a visit can be then: after it was suggested, within two years, for a day at most.

    All aware. Dates at the ends of the calendar, which can't be counted with, are refused before anything.
    """
    if not all(1970 < when.year < 2200 for when in (starts_at, ends_at or starts_at)):
        return False
    if not made_at <= starts_at <= now + FURTHEST_AHEAD:
        return False
    return ends_at is None or starts_at < ends_at <= starts_at + LONGEST_VISIT


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the clinic's system calls the same things; empty where the clinic has mapped nothing."""

    patient: str = ""
    appointment_type: str = ""
    provider: str = ""
    room: str = ""


@dataclass(frozen=True, slots=True)
class Proposed:
    """An approved suggestion on its way out. No health data.

    ``earliest``, ``latest``: days of ``zone``, both included. ``minutes``: length of a visit. ``version``
    rises with every change. ``external_id``, ``etag``: the system's own, once it has it. ``starts_at``,
    ``ends_at``: the booked time (aware), None while there is none. ``changed_at``: its last change.
    ``patient_answer``: what the patient said to it, None while they have not. ``clinic_zone``: whose clock
    a time without a zone means that the clinic's system writes.
    """

    id: UUID
    clinic_id: UUID
    patient_id: UUID
    version: int
    state: SuggestionState
    urgency: AlertClass
    earliest: date
    latest: date
    zone: str
    minutes: int
    created_at: datetime
    changed_at: datetime
    mapped: Mapped = Mapped()
    slots: tuple[Slot, ...] = ()
    external_id: str | None = None
    etag: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    patient_answer: PatientAnswer | None = None
    clinic_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the clinic's system says of a visit.

    ``version`` names its state there (an ETag, a version id) where the system has such names;
    ``changed_at`` orders its changes: an older one never overwrites a newer one.
    """

    external_id: str
    status: PeerStatus
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    version: str | None = None
    changed_at: datetime | None = None
    decline: DeclineCode | None = None


@dataclass(frozen=True, slots=True)
class SchedulingEvent:
    """What an incoming message of a system points at. It is a hint: the state is fetched.

    At least one of ``external_id`` and ``suggestion_id`` is there.
    """

    external_id: str | None = None
    suggestion_id: UUID | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a scheduling system can do.

    ``pending``: it has a state between proposed and booked. ``hold``: it keeps a time for a short while.
    ``slots``: it tells free times. ``cancel``: we may withdraw a proposal there. ``reschedule``: a booked
    visit may move there. ``asynchronous``: it answers later. ``fetches``: it can be asked how a visit
    stands. ``events``: it sends messages. ``once``: it makes one visit of the same proposal sent twice
    by itself; without it the adapter has to search first. ``follows``: it has no words of its own for a
    booked visit, so what is booked is written there, too.
    """

    pending: bool = False
    hold: bool = False
    slots: bool = False
    cancel: bool = True
    reschedule: bool = True
    asynchronous: bool = False
    fetches: bool = True
    events: bool = False
    once: bool = False
    follows: bool = False


NO_TEXT: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One incoming message as it was signed: header names in small letters, the body's raw bytes."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: NO_TEXT)
