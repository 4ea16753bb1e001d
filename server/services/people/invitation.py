"""Invite somebody; they enrol with the code, from the address, with what only they were told."""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import InvitationProof, Role
from server.models import Account, Invitation, Patient
from server.services import tally, vault
from server.services.cap import INVITATION
from server.services.errors import Conflict, DoesNotFit, NotFound
from server.services.journal import planning
from server.services.people import account as accounts
from server.services.people import account_notice, account_return, caregiver_account, password_rules
from server.services.people import caregiver as caregivers
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.people.secrets import fingerprint, new_secret
from server.services.work import Actor, Work

VALID_FOR = timedelta(hours=72)
# For so long the owner of an account can object to its moving to another address.
MOVES_AFTER = timedelta(hours=24)
MOST_TRIES = 5
_WORD_DIGITS = 6
_BLANKS = re.compile(r"\s+")
_NOT_VALID = "This invitation is not valid any more, or does not fit. Ask your clinic for a new one."


@dataclass(frozen=True, slots=True)
class Invitee:
    """Whom to invite, at which address. ``word``: what they are told by telephone; None: we choose.

    A patient whose year of birth is known is asked for that instead, unless there is a ``word``.
    ``patient_id``: who is invited, or who invites a caregiver.
    """

    role: Role
    name: str
    email: str
    word: str | None = None
    patient_id: UUID | None = None
    birth_year: int | None = None


@dataclass(frozen=True, slots=True)
class Invited:
    """The stored invitation, its code and the word. Both are shown once and never stored.

    ``mailed``: the code goes to the address by e-mail and is for nobody else to see. ``word`` is None
    where the year of birth is asked for.
    """

    invitation: Invitation
    code: str
    word: str | None
    mailed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an invited person shows. ``proof``: their year of birth, or the word."""

    code: str
    email: str
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment(Claim):
    """The same with the password they choose."""

    password: str
    factor_required: bool = False


def invite(work: Work, invitee: Invitee) -> Invited:
    """Make a code that lets one person enrol once within 72 hours; earlier codes of that patient end.

    Raises TooMany where the clinic has invited very many of late, NotFound where the patient is leaving.
    """
    if invitee.patient_id is not None and not patients.stays(work, invitee.patient_id):
        raise NotFound("patient")
    if invitee.role is not Role.CAREGIVER:  # each patient's are counted apart
        tally.take(work.session, work.now, INVITATION, str(work.clinic_id))
    if invitee.role is Role.PATIENT and invitee.patient_id is not None:
        _cancel_earlier(work, invitee.patient_id)
    by_year = invitee.word is None and invitee.birth_year is not None
    word = None if by_year else invitee.word or _new_word()
    code = new_secret()
    invitation = Invitation(
        clinic_id=work.clinic_id,
        id=uuid7(),
        code_hash=fingerprint(code),
        role=invitee.role,
        name=invitee.name,
        patient_id=invitee.patient_id,
        created_by=work.actor.account_id,
        created_at=work.now,
        expires_at=work.now + VALID_FOR,
        proof=InvitationProof.BIRTH_YEAR if by_year else InvitationProof.WORD,
        tries=0,
    )
    invitation.email_digest = _digest(work, invitation, "email", invitee.email)
    invitation.proof_digest = _digest(work, invitation, "proof", word or str(invitee.birth_year))
    work.session.add(invitation)
    work.audit("invitation.create", invitee.patient_id, invitation.id)
    return Invited(invitation, code, word)


def open_ones(work: Work, patient_id: UUID | None) -> Sequence[Invitation]:
    """Return the invitations that can still be used, of one patient or (None) of staff and systems."""
    query = select(Invitation).where(*_is_open(work.now), *_of(work, patient_id))
    return list(work.session.scalars(query.order_by(Invitation.id)))


def cancel(work: Work, invitation_id: UUID, patient_id: UUID | None) -> None:
    """End an invitation that can still be used; raises NotFound for any other."""
    cancelled = work.session.execute(
        update(Invitation)
        .where(Invitation.id == invitation_id, *_is_open(work.now), *_of(work, patient_id))
        .values(cancelled_at=work.now)
        .returning(Invitation.id)
    ).first()
    if cancelled is None:
        raise NotFound("invitation")
    work.audit("invitation.cancel", patient_id, invitation_id)


def enrol(session: Session, now: datetime, enrolment: Enrolment, passwords: Passwords) -> Account | None:
    """Turn a valid code into an account; None where address or proof do not fit, which counts as a try.

    After five such tries the code is dead. The caller commits in each case and tells wrong, used, late
    and cancelled codes alike. A patient who was here before gets their account back.
    """
    invitation = claim(session, now, enrolment)
    if invitation is None:
        return None
    work = Work(session, now, Actor(invitation.clinic_id, role=invitation.role))
    _check_password(work, invitation, enrolment)
    if invitation.role is Role.CAREGIVER:
        return _caregiver(work, invitation, enrolment, passwords)
    return _account(work, invitation, enrolment, passwords)


def claim(session: Session, now: datetime, shown: Claim) -> Invitation | None:
    """Use up a code; None where address or proof do not fit, which counts as a try. Raises as `enrol`."""
    invitation = session.scalar(
        select(Invitation).where(Invitation.code_hash == fingerprint(shown.code), *_is_open(now))
    )
    if invitation is None:
        raise DoesNotFit(_NOT_VALID)
    work = Work(session, now, Actor(invitation.clinic_id, role=invitation.role))
    if not _is_here(work, invitation) or not _tried(work, invitation):
        raise DoesNotFit(_NOT_VALID)
    if not _fits(work, invitation, shown):
        _end_if_worn_out(work, invitation)
        return None
    _use_up(work, invitation)
    return invitation


def is_for(work: Work, invitation: Invitation, email: str) -> bool:
    """Return whether an invitation was made for ``email``."""
    return compare_digest(_digest(work, invitation, "email", email), invitation.email_digest or "")


def refused() -> DoesNotFit:
    """Return what whoever does not fit is told."""
    return DoesNotFit(_NOT_VALID)


def _is_here(work: Work, invitation: Invitation) -> bool:
    # Whoever ends a patient's invitations, or what came of them, begins with the patient: so does this.
    try:
        return invitation.patient_id is None or bool(patients.lock(work, invitation.patient_id))
    except NotFound:
        return False


def _tried(work: Work, invitation: Invitation) -> bool:
    """Count a try before it is looked at, so that many at once are counted too."""
    still = update(Invitation).where(*_is_still(work, invitation), Invitation.tries < MOST_TRIES)
    counted = still.values(tries=Invitation.tries + 1).returning(Invitation.tries)
    return work.session.execute(counted).first() is not None


def _fits(work: Work, invitation: Invitation, shown: Claim) -> bool:
    if invitation.email_digest is None or invitation.proof_digest is None:
        return True  # made before invitations were bound to anything
    email = _digest(work, invitation, "email", shown.email)
    proof = _digest(work, invitation, "proof", shown.proof)
    fits_email = compare_digest(email, invitation.email_digest)
    return compare_digest(proof, _asked(work, invitation) or invitation.proof_digest) and fits_email


def _asked(work: Work, invitation: Invitation) -> str | None:
    """Return the digest of the year of birth as it stands now; None where no year is asked for, or known."""
    if invitation.proof is not InvitationProof.BIRTH_YEAR:
        return None
    year = work.session.get_one(Patient, (work.clinic_id, invitation.patient_id)).birth_year
    return None if year is None else _digest(work, invitation, "proof", str(year))


def _end_if_worn_out(work: Work, invitation: Invitation) -> None:
    work.audit("invitation.refused", invitation.patient_id, invitation.id)
    work.session.refresh(invitation)
    if invitation.tries >= MOST_TRIES:
        invitation.cancelled_at = work.now
        work.audit("invitation.worn-out", invitation.patient_id, invitation.id)


def _use_up(work: Work, invitation: Invitation) -> None:
    claimed = work.session.execute(
        update(Invitation)
        .where(*_is_still(work, invitation))
        .values(used_at=work.now)
        .returning(Invitation.id)
    ).first()
    if claimed is None:
        raise DoesNotFit(_NOT_VALID)


def _check_password(work: Work, invitation: Invitation, enrolment: Enrolment) -> None:
    clinic = clinics.get(work)
    names = (clinic.slug, clinic.name, enrolment.email, invitation.name)
    chooser = password_rules.chooser(invitation.role, names, enrolment.factor_required)
    password_rules.check(enrolment.password, chooser)


def _caregiver(work: Work, invitation: Invitation, enrolment: Enrolment, passwords: Passwords) -> Account:
    invited = caregivers.check_invited(work, invitation.id)
    new = NewAccount(invitation.role, invitation.name, enrolment.email, enrolment.password)
    try:
        account = accounts.create(work, new, passwords)
    except Conflict:  # whoever invites is not to learn who has an account here
        raise DoesNotFit(_NOT_VALID) from None
    caregivers.accept(replace(work, actor=replace(work.actor, account_id=account.id)), invited, account)
    return account


def _account(work: Work, invitation: Invitation, enrolment: Enrolment, passwords: Passwords) -> Account:
    who = (invitation.role, invitation.name, enrolment.email, enrolment.password)
    new = NewAccount(*who, patient_id=invitation.patient_id)
    caregiver_account.give_way(work, enrolment.email)
    if invitation.patient_id is None:
        return account_notice.joined(work, accounts.create(work, new, passwords))
    patient = work.session.get_one(Patient, (work.clinic_id, invitation.patient_id))
    patient.enrolled_at, new = work.now, replace(new, name=patient.name)  # it may have changed meanwhile
    planning.begin(work, patient)
    known = account_return.of_patient(work, invitation.patient_id)
    if known is None:
        return accounts.create(work, new, passwords)
    if account_return.moves(work, known, new.email) and work.now < invitation.created_at + MOVES_AFTER:
        raise Conflict("invitation-waits", "It opens 24 hours after it was made: try again then.")
    return account_return.take_back(work, known, new, passwords)


def _cancel_earlier(work: Work, patient_id: UUID) -> None:
    for invitation in open_ones(work, patient_id):
        invitation.cancelled_at = work.now


def _is_still(work: Work, one: Invitation) -> tuple[ColumnElement[bool], ...]:
    return (Invitation.clinic_id == one.clinic_id, Invitation.id == one.id, *_is_open(work.now))


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Invitation.used_at.is_(None),
        Invitation.cancelled_at.is_(None),
        Invitation.expires_at > now,
    )


def _of(work: Work, patient_id: UUID | None) -> tuple[ColumnElement[bool], ...]:
    """Return what holds for invitations of staff and systems (None) or of one patient, not of caregivers."""
    whose = Invitation.patient_id.is_(None) if patient_id is None else Invitation.patient_id == patient_id
    return Invitation.clinic_id == work.clinic_id, whose, Invitation.role != Role.CAREGIVER


def _digest(work: Work, invitation: Invitation, what: str, text: str) -> str:
    plain = _BLANKS.sub("", unicodedata.normalize("NFC", text)).casefold()
    return vault.digest(work, Invitation, (invitation.clinic_id, invitation.id), f"{what} {plain}")


def _new_word() -> str:
    """Return six random digits: easy to say on the telephone, and five tries find them 1 time in 200,000."""
    return f"{secrets.randbelow(10**_WORD_DIGITS):0{_WORD_DIGITS}d}"
