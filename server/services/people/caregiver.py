"""Caregivers: what a patient lets them do, what they did, and the end of it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, select, update

from server.clinical.vocabulary import CareScope, Purpose, Role
from server.models import Account, AuditEvent, Caregiver, Invitation, Patient
from server.services import vault
from server.services.errors import DoesNotFit, NotFound, OutOfScope, StepUpRequired
from server.services.people import caregiver_account
from server.services.people import consent as consents
from server.services.people import patient as patients
from server.services.people import sign_in as sign_ins
from server.services.work import Work

# Nobody else could see what a caregiver does and end it. Closing an account ends its caregivers, but those
# of accounts that an earlier version has closed are there until `end_unseen`.
_CAN_END_IT = exists().where(
    Account.clinic_id == Caregiver.clinic_id,
    Account.patient_id == Caregiver.patient_id,
    Account.role == Role.PATIENT,
    Account.disabled_at.is_(None),
)
_IS_LEAVING = exists().where(
    Patient.clinic_id == Caregiver.clinic_id,
    Patient.id == Caregiver.patient_id,
    Patient.leaving_at.is_not(None),
)
# What the audit calls it, and what the patient is told of it.
DEEDS: Mapping[str, str] = MappingProxyType(
    {
        "caregiver.accept": "{name} accepted your invitation.",
        "caregiver.timeline.read": "{name} read your days, without notes and tags.",
        "caregiver.trend.read": "{name} looked at your trend.",
        "entry.create": "{name} made an entry for you.",
    }
)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing a caregiver did, as the patient is told of it."""

    id: UUID
    at: datetime
    sentence: str


@dataclass(frozen=True, slots=True)
class CaredFor:
    """Somebody whom the signed-in caregiver looks after."""

    patient_id: UUID
    name: str
    scopes: Sequence[CareScope]
    since: datetime | None


def of_patient(work: Work, patient_id: UUID) -> Sequence[Caregiver]:
    """Return everybody a patient ever invited, the newest first."""
    return vault.opened(work, list(work.session.scalars(_of(work, patient_id).order_by(Caregiver.id.desc()))))


def change_scopes(work: Work, patient_id: UUID, caregiver_id: UUID, scopes: Sequence[CareScope]) -> Caregiver:
    """Let a caregiver do other things from now on. Raises NotFound, also for one that has ended.

    Less is taken at once; more raises StepUpRequired where the actor's sign-in is not fresh. What is
    more is said against what holds once others who change it are done.
    """
    patients.lock(work, patient_id)
    row = _own(work, patient_id, caregiver_id)
    if row.ended_at is not None:
        raise NotFound("caregiver")
    if {*scopes} - {*row.scopes} and not sign_ins.is_fresh(work.actor, work.now):
        raise StepUpRequired
    row.scopes = sorted({*scopes})
    work.audit("caregiver.change", patient_id, caregiver_id)
    return row


def end(work: Work, patient_id: UUID, caregiver_id: UUID) -> None:
    """End what a caregiver may do, and their invitation, at once. Again is harmless.

    Who is coming in by that invitation has the patient's lock: they are waited for, and then seen.
    """
    patients.lock(work, patient_id)
    _end(work, _own(work, patient_id, caregiver_id))


def end_all(work: Work, patient_id: UUID) -> None:
    """End every caregiver of a patient, and every open invitation. The caller holds the patient's lock."""
    for row in work.session.scalars(_of(work, patient_id).where(Caregiver.ended_at.is_(None))).all():
        _end(work, row)


def end_invited(work: Work, patient_id: UUID) -> None:
    """End whoever was invited and has not come in yet. The caller holds the patient's lock."""
    waiting = (Caregiver.ended_at.is_(None), Caregiver.account_id.is_(None))
    for row in work.session.scalars(_of(work, patient_id).where(*waiting)).all():
        _end(work, row)


def end_with(work: Work, account: Account) -> None:
    """End every caregiver, and open invitation of one, of the patient whose ``account`` this is; else none.

    What a patient lets others do holds while they can see it and end it.
    """
    if account.patient_id is not None:
        patients.lock(work, account.patient_id)
        end_all(work, account.patient_id)


def end_unseen(work: Work) -> int:
    """End the caregivers of whose patient the account is closed; return how many patients' these were.

    An earlier version left them, and with them their names, addresses and accounts.
    """
    unseen = (Caregiver.clinic_id == work.clinic_id, Caregiver.ended_at.is_(None), ~_CAN_END_IT)
    query = select(Caregiver.patient_id).where(*unseen, ~_IS_LEAVING).distinct()
    return sum(_end_unseen(work, one) for one in work.session.scalars(query).all())


def _end_unseen(work: Work, patient_id: UUID) -> bool:
    with suppress(NotFound):  # their erasure was confirmed a moment ago: all of it goes
        patients.lock(work, patient_id)
        still = _of(work, patient_id).where(Caregiver.ended_at.is_(None), ~_CAN_END_IT)
        if work.session.scalar(still.limit(1)) is not None:
            end_all(work, patient_id)
            return True
    return False


def leave(work: Work, patient_id: UUID) -> None:
    """End what the signed-in caregiver may do for a patient: they want it no more. Again is harmless.

    With the last patient their account goes.
    """
    query = select(Caregiver).where(*_mine(work), Caregiver.patient_id == patient_id)
    for row in work.session.scalars(query).all():
        _end(work, row)


def check_invited(work: Work, invitation_id: UUID) -> Caregiver:
    """Return whom a claimed invitation was for; raises DoesNotFit unless that holds.

    Claiming it took the patient's lock: nobody ends it before the invited person is in.
    """
    query = select(Caregiver).where(
        Caregiver.clinic_id == work.clinic_id,
        Caregiver.invitation_id == invitation_id,
        Caregiver.ended_at.is_(None),
        _CAN_END_IT,
    )
    row = work.session.scalar(query)
    if row is None or not consents.allows(work, row.patient_id, Purpose.CAREGIVER):
        raise DoesNotFit("This invitation is not valid any more. Ask your clinic for a new one.")
    return row


def accept(work: Work, row: Caregiver, account: Account) -> None:
    """Let the invited person in; the actor is their own account.

    What they may have done for that patient so far ends: the patient's newest word holds, and alone. Their
    account stays, so it is not locked: who comes in to two patients at once would wait in a circle.
    """
    row.account_id, row.accepted_at, row.seen_at = account.id, work.now, work.now
    work.session.flush()
    before = _of(work, row.patient_id).where(Caregiver.account_id == account.id, Caregiver.id != row.id)
    for earlier in work.session.scalars(before.where(Caregiver.ended_at.is_(None))).all():
        _let_go(work, earlier)
    work.audit("caregiver.accept", row.patient_id, row.id)


def acting(work: Work, patient_id: UUID, scope: CareScope) -> Caregiver:
    """Return what lets the signed-in caregiver act for a patient now.

    Raises NotFound where nothing does, OutOfScope where it is not this, Withheld where the patient's
    consent to caregivers does not hold.
    """
    query = select(Caregiver).where(*_mine(work), Caregiver.patient_id == patient_id, _CAN_END_IT)
    row = work.session.scalar(query.limit(1))
    if row is None:
        raise NotFound("patient")
    consents.require(work, patient_id, Purpose.CAREGIVER)
    if scope not in row.scopes:
        raise OutOfScope
    return row


def note(work: Work, patient_id: UUID, scope: CareScope, what: str | None = None) -> None:
    """Record that the caregiver acts now; ``what`` they read, as `DEEDS` has it. Raises as `acting` does."""
    row = acting(work, patient_id, scope)
    row.seen_at = work.now
    if what is not None:
        work.audit(what, patient_id, row.id)


def cared_for(work: Work) -> Sequence[CaredFor]:
    """Return whom the signed-in caregiver looks after."""
    query = (
        select(Caregiver, Patient.name)
        .join(Patient, (Patient.clinic_id == Caregiver.clinic_id) & (Patient.id == Caregiver.patient_id))
        .where(*_mine(work), _CAN_END_IT)
        .order_by(Caregiver.id)
    )
    found = work.session.execute(query).all()
    return [
        CaredFor(row.patient_id, name, [CareScope(one) for one in row.scopes], row.accepted_at)
        for row, name in found
        if consents.allows(work, row.patient_id, Purpose.CAREGIVER)
    ]


def deeds(work: Work, patient_id: UUID, caregiver_id: UUID, before: UUID | None, size: int) -> Sequence[Deed]:
    """Return what a caregiver did with the patient's diary, newest first, in plain words."""
    row = _own(work, patient_id, caregiver_id)
    if row.account_id is None:
        return []
    query = select(AuditEvent).where(
        AuditEvent.clinic_id == work.clinic_id,
        AuditEvent.patient_id == patient_id,
        AuditEvent.account_id == row.account_id,
        AuditEvent.action.in_(DEEDS),
    )
    if before is not None:
        query = query.where(AuditEvent.id < before)
    found = work.session.scalars(query.order_by(AuditEvent.id.desc()).limit(size))
    return [Deed(one.id, one.at, DEEDS[one.action].format(name=row.name)) for one in found]


def _end(work: Work, row: Caregiver) -> None:
    if row.ended_at is not None:
        return
    _let_go(work, row)
    if row.account_id is not None:
        caregiver_account.end_if_idle(work, row.account_id)


def _let_go(work: Work, row: Caregiver) -> None:
    row.ended_at, row.ended_by = work.now, work.actor.account_id
    work.session.execute(
        update(Invitation)
        .where(
            Invitation.clinic_id == work.clinic_id,
            Invitation.id == row.invitation_id,
            Invitation.used_at.is_(None),
        )
        .values(cancelled_at=work.now)
    )
    work.audit("caregiver.end", row.patient_id, row.id)


def _own(work: Work, patient_id: UUID, caregiver_id: UUID) -> Caregiver:
    row = work.session.get(Caregiver, (work.clinic_id, caregiver_id))
    if row is None or row.patient_id != patient_id:
        raise NotFound("caregiver")
    return vault.opened(work, [row])[0]


def _of(work: Work, patient_id: UUID) -> Select[Caregiver]:
    return select(Caregiver).where(Caregiver.clinic_id == work.clinic_id, Caregiver.patient_id == patient_id)


def _mine(work: Work) -> tuple[ColumnElement[bool], ...]:
    assert work.actor.role is Role.CAREGIVER, "only a caregiver looks after somebody"
    return (
        Caregiver.clinic_id == work.clinic_id,
        Caregiver.account_id == work.actor.account_id,
        Caregiver.ended_at.is_(None),
    )
