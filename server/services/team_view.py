"""When the care team opened a patient's diary, from the audit log: days, moments and roles, no judgement.

An audited read says that somebody opened the diary or an alert of this patient, not which lines
they read: "seen" here means opened at or after the entry had come in.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import Role
from server.models import Account, AuditEvent, Entry, QuestionnaireResponse
from server.services import local_day as local_days
from server.services.work import Work

# The audited readings that show an entry, and those that show a filled scale.
ENTRY_SEEN = ("entry.list", "alert.read")
RESPONSE_SEEN = ("questionnaire_response.list", "alert.read")
TEAM = (Role.CLINICIAN, Role.COORDINATOR)


@dataclass(frozen=True, slots=True)
class Look:
    """One time that somebody of the care team opened the diary or an alert, and as what."""

    at: datetime
    role: Role


def looks(
    work: Work,
    patient_id: UUID,
    since: datetime,
    until: datetime,
    seeing: Sequence[str] = (*ENTRY_SEEN, *RESPONSE_SEEN),
) -> Sequence[Look]:
    """Return the looks of ``since`` .. ``until``, oldest first: one range of one index."""
    query = (
        select(AuditEvent.at, Account.role)
        .join(Account, (Account.clinic_id == AuditEvent.clinic_id) & (Account.id == AuditEvent.account_id))
        .where(
            AuditEvent.clinic_id == work.clinic_id,
            AuditEvent.patient_id == patient_id,
            AuditEvent.at.between(since, until),
            AuditEvent.action.in_(seeing),
            Account.role.in_(TEAM),
        )
        .order_by(AuditEvent.at)
    )
    return [Look(row.at, row.role) for row in work.session.execute(query)]


def first_seen(
    work: Work,
    patient_id: UUID,
    entries: Sequence[Entry | QuestionnaireResponse],
    seeing: Sequence[str] = ENTRY_SEEN,
) -> Mapping[UUID, datetime]:
    """Return when each of ``entries`` was first seen, by id; what was not seen is left out.

    A correction has to be seen again: what counts is when the current version came in.
    """
    if not entries:
        return {}
    oldest = min(entry.received_at for entry in entries)
    moments = [look.at for look in looks(work, patient_id, oldest, work.now, seeing)]
    places = {entry.id: bisect_left(moments, entry.received_at) for entry in entries}
    return {entry_id: moments[place] for entry_id, place in places.items() if place < len(moments)}


def roles_by_day(work: Work, found: Sequence[Look], zone: str) -> Mapping[date, Sequence[Role]]:
    """Return for each of the patient's days as what the team looked, each role once."""
    days: dict[date, set[Role]] = {}
    for look in found:
        days.setdefault(local_days.of(work, look.at, zone), set()).add(look.role)
    return {day: sorted(roles) for day, roles in days.items()}
