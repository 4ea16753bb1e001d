"""The address with which somebody signs in: sealed, and found by a blind index.

A clinic from before this keeps its addresses as they were until they are sealed (`contact_sealing`): reading
and finding know both ways, so nobody has to wait for it.
"""

import unicodedata
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, false, or_
from sqlalchemy.orm import Session

from server.models import Account
from server.models.sealed import place_of
from server.services import clinic_key as clinic_keys
from server.services import vault
from server.services.people import clinic as clinics
from server.services.work import Work


def normalised(email: str) -> str:
    """Return what two spellings of one address have in common: NFC, without case or blanks at the ends."""
    folded = unicodedata.normalize("NFC", email.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def is_of(session: Session, clinic_id: UUID, email: str) -> ColumnElement[bool]:
    """Return what holds for the account of a clinic that has the address ``email``."""
    plain = and_(Account.email_index.is_(None), Account.plain_email == email.strip().lower())
    index = index_of(session, clinic_id, email)
    known = false() if index is None else Account.email_index == index
    return and_(Account.clinic_id == clinic_id, or_(known, plain))


def index_of(session: Session, clinic_id: UUID, email: str) -> str | None:
    """Return the blind index of ``email`` at a clinic, None where it has no key for it."""
    return clinic_keys.blind_index(session, clinic_id, normalised(email), _place(clinic_id))


def keep(work: Work, account: Account, email: str) -> None:
    """Give ``account``, which has its key already, the address ``email``, as its clinic keeps addresses."""
    clinic_keys.ensure_digest_keys(work)
    written = email.strip().lower()
    vault.put(work, account, "email", written)
    account.email_index = index_of(work.session, work.clinic_id, email)
    account.plain_email = None if clinics.get(work).contacts_sealed else written


def of(work: Work, account: Account) -> str:
    """Return the address of an account of the actor's clinic; raises SealError where it does not open."""
    if account.sealed_email is None:
        return account.plain_email or ""
    (opened,) = vault.opened(work, [account])
    return str(opened.email)


def _place(clinic_id: UUID) -> str:
    return place_of(cast(Table, Account.__table__), "email_index", (clinic_id,))
