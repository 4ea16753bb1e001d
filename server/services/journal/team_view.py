"""When the care team saw what a patient reported, from the audit log: days, moments and roles, no judgement.

An audited read says that somebody opened the diary or an alert of this patient, not which lines
they read: "opened" here means at or after the entry had come in. Whoever takes on, puts off, passes on,
judges or closes an alert has seen the days that it is about: "handled".
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, literal, select

from server.clinical.vocabulary import Role
from server.models import Account, Alert, AuditEvent, Entry, QuestionnaireResponse
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts.alert_source import sources_of
from server.services.asking import of_patient
from server.services.work import Work

# The audited readings that show an entry, and those that show a filled scale.
ENTRY_SEEN = ("entry.list", "alert.read")
RESPONSE_SEEN = ("questionnaire_response.list", "alert.read")
# What is done with one alert. Not a hand-over: that takes all of them at once, looked at or not.
HANDLED = (
    *("alert.acknowledge", "alert.snooze", "alert.assigned", "alert.resolve", "alert.reopen"),
    *("alert.confirmed", "alert.feedback"),
)
TEAM = (Role.CLINICIAN, Role.COORDINATOR)
_NOBODY = UUID(int=0)
Reported = Entry | QuestionnaireResponse


@dataclass(frozen=True, slots=True)
class Look:
    """One time that somebody of the care team opened or did something, as what, and to what."""

    at: datetime
    role: Role
    action: str
    object_id: str | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """When the diary was first open before the team, and when an alert about it was first handled."""

    opened_at: datetime | None
    handled_at: datetime | None

    @property
    def first(self) -> datetime | None:
        """The earlier of the two."""
        if self.opened_at is None or self.handled_at is None:
            return self.opened_at or self.handled_at
        return min(self.opened_at, self.handled_at)


def looks(
    work: Work,
    patient_id: UUID,
    since: datetime,
    until: datetime,
    seeing: Sequence[str] = (*ENTRY_SEEN, *RESPONSE_SEEN),
) -> Sequence[Look]:
    """Return the looks of ``since`` .. ``until``, oldest first: one range of one index."""
    query = _looks((*seeing, *HANDLED))
    asked = {"patient": patient_id, "since": since, "until": until, "reader": _reader(work)}
    return [Look(*row) for row in work.rows(query, **asked)]


def _reader(work: Work) -> UUID:
    """Return whose own lines are no looks of the team; nobody's where the team itself asks, or a job."""
    return _NOBODY if work.actor.role in TEAM else work.actor.account_id or _NOBODY


@cache
def _looks(actions: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    """Return the question for looks of these kinds, each a parameter: a list is written anew every time."""
    return (
        select(AuditEvent.at, Account.role, AuditEvent.action, AuditEvent.object_id)
        .join(Account, (Account.clinic_id == AuditEvent.clinic_id) & (Account.id == AuditEvent.account_id))
        .where(
            *of_patient(AuditEvent),
            AuditEvent.at.between(bindparam("since"), bindparam("until")),
            # Whoever reads their diary every day leaves most of the lines: they need no look at an account.
            AuditEvent.account_id != bindparam("reader"),
            AuditEvent.action.in_([literal(action) for action in actions]),
            Account.role.in_([literal(role, Account.role.type) for role in TEAM]),
        )
        .order_by(AuditEvent.at)
    )


def sightings(
    work: Work, patient_id: UUID, reported: Sequence[Reported], seeing: Sequence[str] = ENTRY_SEEN
) -> Mapping[UUID, Sighting]:
    """Return when each of ``reported`` was seen, by id.

    A correction has to be seen again: what counts is when the current version came in.
    """
    return _sighted(work, reported, _looks_at(work, patient_id, reported, seeing), seeing)


def first_seen(
    work: Work, patient_id: UUID, reported: Sequence[Reported], seeing: Sequence[str] = ENTRY_SEEN
) -> Mapping[UUID, datetime]:
    """Return when each of ``reported`` was first seen, by id; what was not seen is left out."""
    found = _looks_at(work, patient_id, reported, seeing)
    return firsts(_sighted(work, reported, found, seeing)) if found else {}


def _looks_at(
    work: Work, patient_id: UUID, reported: Sequence[Reported], seeing: Sequence[str]
) -> Sequence[Look]:
    if not reported:
        return []
    return looks(work, patient_id, min(one.received_at for one in reported), work.now, seeing)


def _sighted(
    work: Work, reported: Sequence[Reported], found: Sequence[Look], seeing: Sequence[str]
) -> Mapping[UUID, Sighting]:
    opened = [look.at for look in found if look.action in seeing]
    handled = _handled_days(work, [look for look in found if look.action in HANDLED])
    return {one.id: Sighting(_first(opened, one), _first(_about(handled, one), one)) for one in reported}


def firsts(found: Mapping[UUID, Sighting]) -> Mapping[UUID, datetime]:
    """Return the first moment of each sighting; what was not seen is left out."""
    return {key: sighting.first for key, sighting in found.items() if sighting.first is not None}


def roles_by_day(work: Work, found: Sequence[Look], zone: str) -> Mapping[date, Sequence[Role]]:
    """Return for each of the patient's days as what the team looked, each role once."""
    days: dict[date, set[Role]] = {}
    for look in found:
        days.setdefault(local_days.of(work, look.at, zone), set()).add(look.role)
    return {day: sorted(roles) for day, roles in days.items()}


def _first(moments: Sequence[datetime], one: Reported) -> datetime | None:
    place = bisect_left(moments, one.received_at)
    return moments[place] if place < len(moments) else None


@dataclass(frozen=True, slots=True)
class _Handled:
    """An alert about the days ``first`` .. ``last`` was handled; ``named``: what it rests on, by its id.

    What it names may lie on another day: that of a clock that ran ahead.
    """

    at: datetime
    first: date
    last: date
    named: frozenset[str]


def _handled_days(work: Work, found: Iterable[Look]) -> Sequence[_Handled]:
    moments: defaultdict[UUID, list[datetime]] = defaultdict(list)
    for look in found:
        moments[UUID(look.object_id)].append(look.at)
    if not moments:
        return []
    query = select(Alert).where(Alert.clinic_id == work.clinic_id, Alert.id.in_(moments))
    alerts = vault.opened(work, list(work.session.scalars(query)))
    found_each = (
        _Handled(at, _first_day(alert), alert.day, sources_of(alert.evidence))
        for alert in alerts
        for at in moments[alert.id]
    )
    return sorted(found_each, key=lambda one: one.at)


def _first_day(alert: Alert) -> date:
    """Return the first day that an alert's evidence is about; one that never comes for the clinic's figures.

    Whoever takes on a blood pressure that the clinic recorded has seen nothing of the diary.
    """
    if "blood_pressures" in alert.evidence:
        return date.max
    said = (alert.evidence.get(name) for name in ("since", "first_day"))
    return min([alert.day, *(date.fromisoformat(day) for day in said if day is not None)])


def _about(handled: Iterable[_Handled], one: Reported) -> Sequence[datetime]:
    return [
        look.at for look in handled if look.first <= one.local_day <= look.last or str(one.id) in look.named
    ]
