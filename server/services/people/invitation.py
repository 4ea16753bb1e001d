"""Invite a patient or a colleague; enrol with the code."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Role
from server.models import Account, Invitation, Patient
from server.services.errors import NotSignedIn
from server.services.people import account as accounts
from server.services.people import caregiver as caregivers
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.people.secrets import fingerprint, new_secret
from server.services.work import Actor, Work

VALID_FOR = timedelta(hours=72)
NOT_VALID = "This invitation is not valid any more. Ask your clinic for a new one."


@dataclass(frozen=True, slots=True)
class Invited:
    """The stored invitation and its code. The code is shown once and never stored."""

    invitation: Invitation
    code: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the invited person sends back."""

    code: str
    email: str
    password: str


def invite(work: Work, role: Role, name: str, patient_id: UUID | None = None) -> Invited:
    """Make a code that lets one person enrol once within 72 hours; earlier codes of that patient end."""
    if patient_id is not None:
        _cancel_earlier(work, patient_id)
    code = new_secret()
    invitation = Invitation(
        clinic_id=work.clinic_id,
        id=uuid7(),
        code_hash=fingerprint(code),
        role=role,
        name=name,
        patient_id=patient_id,
        created_by=work.actor.account_id,
        created_at=work.now,
        expires_at=work.now + VALID_FOR,
    )
    work.session.add(invitation)
    work.audit("invitation.create", patient_id, invitation.id)
    return Invited(invitation, code)


def enrol(session: Session, now: datetime, enrolment: Enrolment, passwords: Passwords) -> Account:
    """Turn a valid code into an account. Wrong, used, late and cancelled codes are told alike."""
    invitation = claim(session, now, enrolment.code)
    work = Work(session, now, Actor(invitation.clinic_id, role=invitation.role))
    is_caregiver = invitation.role is Role.CAREGIVER
    cared = caregivers.check_invited(work, invitation.id, enrolment.email) if is_caregiver else None
    account = accounts.create(work, _new_account(invitation, enrolment), passwords)
    if invitation.patient_id is not None:
        session.get_one(Patient, (invitation.clinic_id, invitation.patient_id)).enrolled_at = now
    if cared is not None:
        caregivers.accept(replace(work, actor=replace(work.actor, account_id=account.id)), cared, account)
    return account


def claim(session: Session, now: datetime, code: str) -> Invitation:
    """Use up a code and return its invitation; raises NotSignedIn for every one that is not valid."""
    claimed = session.execute(
        update(Invitation)
        .where(
            Invitation.code_hash == fingerprint(code),
            Invitation.used_at.is_(None),
            Invitation.cancelled_at.is_(None),
            Invitation.expires_at > now,
        )
        .values(used_at=now)
        .returning(Invitation.clinic_id, Invitation.id)
    ).first()
    if claimed is None:
        raise NotSignedIn(NOT_VALID)
    return session.get_one(Invitation, tuple(claimed))


def _new_account(invitation: Invitation, enrolment: Enrolment) -> NewAccount:
    return NewAccount(
        role=invitation.role,
        name=invitation.name,
        email=enrolment.email,
        password=enrolment.password,
        patient_id=invitation.patient_id,
    )


def _cancel_earlier(work: Work, patient_id: UUID) -> None:
    open_ones = select(Invitation).where(
        Invitation.clinic_id == work.clinic_id,
        Invitation.patient_id == patient_id,
        Invitation.used_at.is_(None),
        Invitation.cancelled_at.is_(None),
    )
    for invitation in work.session.scalars(open_ones):
        invitation.cancelled_at = work.now
