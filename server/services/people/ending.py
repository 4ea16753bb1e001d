"""What somebody has ended and a restored backup knows nothing of: withdrawn consents, closed accounts.

Erasures, too, that were confirmed and have not come to their end, which the list of erasures tells of. And
the ways in that a restore brings back, known and stolen ones alike: they all end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Update, exists, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server import isolation
from server.clinical.vocabulary import ConsentWay, Purpose
from server.models import (
    Account,
    AuditEvent,
    BreakGlass,
    Clinic,
    Consent,
    Erasure,
    ExportLink,
    Invitation,
    Patient,
    Recovery,
    RefreshToken,
    SignIn,
    Ticket,
)
from server.services.alerts import release
from server.services.people import caregiver as caregivers
from server.services.people import erasure as erasures
from server.services.people import sign_in as sign_ins
from server.services.people import withdrawal
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class Ending:
    """Of a consent: whose (`object_id`, the patient), for which purpose, and how; of an account: its id.

    ``leaves``: it is a patient whose erasure was confirmed.
    """

    clinic_id: UUID
    object_id: UUID
    at: datetime
    purpose: Purpose | None = None
    way: ConsentWay | None = None
    leaves: bool = False


def since(session: Session, moment: datetime) -> Sequence[Ending]:
    """Return what was ended at any clinic since ``moment``, oldest first."""
    isolation.expect_all(session)
    withdrawn = select(Consent).where(Consent.given.is_(False), Consent.at >= moment)
    closed = select(Account.clinic_id, Account.id, Account.disabled_at).where(Account.disabled_at >= moment)
    found = [
        Ending(one.clinic_id, one.patient_id, one.at, one.purpose, one.way)
        for one in session.scalars(withdrawn)
    ]
    found += [
        Ending(clinic_id, account_id, at)
        for clinic_id, account_id, at in session.execute(closed)
        if at is not None
    ]
    leaving = select(Erasure).where(Erasure.confirmed_at >= moment)
    found += [
        Ending(one.clinic_id, one.patient_id, one.confirmed_at, leaves=True)
        for one in session.scalars(leaving)
        if one.confirmed_at is not None
    ]
    return sorted(found, key=lambda one: one.at)


def again(work: Work, ending: Ending) -> bool:
    """End again what a restore has brought back; False where the database knows of it, or of later."""
    clinic = work.session.get(Clinic, work.clinic_id)
    if clinic is None or clinic.erased_at is not None:
        return False
    if ending.leaves:
        return _leave(work, ending.object_id)
    return _close(work, ending) if ending.purpose is None else _withdraw(work, ending, ending.purpose)


def end_ways_in(session: Session, now: datetime) -> int:
    """End every sign-in, link, invitation, recovery and opening of all clinics; return how many sign-ins."""
    isolation.expect_all(session)
    ended = update(SignIn).where(SignIn.revoked_at.is_(None)).values(revoked_at=now)
    sign_ins_ended = session.execute(ended.returning(SignIn.id)).all()
    for change in _other_ways_in(now):
        session.execute(change)
    return len(sign_ins_ended)


def _other_ways_in(now: datetime) -> tuple[Update, ...]:
    return (
        update(RefreshToken).where(RefreshToken.expires_at > now).values(expires_at=now),
        update(Ticket).where(Ticket.used_at.is_(None)).values(used_at=now),
        update(ExportLink).where(ExportLink.revoked_at.is_(None)).values(revoked_at=now),
        update(Invitation)
        .where(Invitation.used_at.is_(None), Invitation.cancelled_at.is_(None))
        .values(cancelled_at=now),
        update(Recovery).where(Recovery.looked_at.is_(None)).values(looked_at=now),
        update(Recovery).where(Recovery.used_at.is_(None)).values(used_at=now, sealed_code=None),
        update(BreakGlass).where(BreakGlass.expires_at > now).values(expires_at=now),
    )


def _leave(work: Work, patient_id: UUID) -> bool:
    patient = work.session.get(Patient, (work.clinic_id, patient_id))
    if patient is None or patient.leaving_at is not None:
        return False
    # A hold that was placed since the backup is lost with it: the clinic has time to place it again.
    erasures.again(work, patient_id, erasures.PEERS_GRACE)
    return True


def _withdraw(work: Work, ending: Ending, purpose: Purpose) -> bool:
    patient = work.session.get(Patient, (work.clinic_id, ending.object_id), with_for_update=True)
    if patient is None or patient.leaving_at is not None:
        return False
    said = select(Consent.at).where(
        Consent.clinic_id == work.clinic_id, Consent.patient_id == patient.id, Consent.purpose == purpose
    )
    last = work.session.scalar(said.order_by(Consent.at.desc()).limit(1))
    if last is not None and last >= ending.at:
        return False
    # A no can be said about no text: which one it was is lost with the rest.
    word = Consent(clinic_id=work.clinic_id, id=uuid7(), patient_id=patient.id, purpose=purpose)
    word.given, word.version, word.at, word.way = False, 0, ending.at, ending.way or ConsentWay.CLINIC
    work.session.add(word)
    work.session.flush()
    work.audit("consent.withdraw", patient.id, f"{purpose}:0")
    withdrawal.follow(work, patient, purpose, given=False)
    return True


def _close(work: Work, ending: Ending) -> bool:
    account = work.session.get(Account, (work.clinic_id, ending.object_id), with_for_update=True)
    if account is None or account.disabled_at is not None or _was_opened_since(work, ending):
        return False
    account.disabled_at = ending.at
    work.session.flush()
    sign_ins.end_all(work, account.id)
    release.of_account(work, account.id)
    caregivers.end_with(work, account)
    work.audit("account.disable", account.patient_id, account.id)
    return True


def _was_opened_since(work: Work, ending: Ending) -> bool:
    opened = exists().where(
        AuditEvent.clinic_id == work.clinic_id,
        AuditEvent.action == "account.enable",
        AuditEvent.object_id == str(ending.object_id),
        AuditEvent.at >= ending.at,
    )
    return bool(work.session.scalar(select(opened)))
