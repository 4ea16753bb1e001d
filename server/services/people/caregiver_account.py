"""The account of a caregiver lasts as long as somebody lets them look after a diary."""

from uuid import UUID

from sqlalchemy import select, update

from server.clinical.vocabulary import Role
from server.models import Account, Caregiver, Recovery, SignIn
from server.services.people import email_address as addresses
from server.services.people import sign_in as sign_ins
from server.services.people import ticket as tickets
from server.services.work import Work


def end_if_idle(work: Work, account_id: UUID) -> None:
    """Empty and close the account of a caregiver who looks after nobody any more.

    Name, address, password and what their devices are called go; the id stays, for the record of
    who did what.
    """
    work.session.flush()
    account = work.session.get(Account, (work.clinic_id, account_id), with_for_update=True)
    if account is None or account.role is not Role.CAREGIVER or _looks_after(work, account_id):
        return
    tickets.end_all(work, account_id)
    sign_ins.end_all(work, account_id)
    account.name, account.password_hash = "", ""
    account.plain_email = account.sealed_email = account.email_index = None
    account.disabled_at = account.disabled_at or work.now
    devices = update(SignIn).where(SignIn.clinic_id == work.clinic_id, SignIn.account_id == account_id)
    work.session.execute(devices.values(sealed_device=None))
    links = update(Recovery).where(Recovery.clinic_id == work.clinic_id, Recovery.account_id == account_id)
    work.session.execute(links.where(Recovery.used_at.is_(None)).values(used_at=work.now, sealed_code=None))
    work.audit("account.erase", object_id=account_id)


def give_way(work: Work, email: str) -> None:
    """Free ``email`` for somebody of the clinic, where only a caregiver who looks after nobody has it."""
    query = select(Account.id).where(addresses.is_of(work.session, work.clinic_id, email))
    account_id = work.session.scalar(query.where(Account.role == Role.CAREGIVER))
    if account_id is not None:
        end_if_idle(work, account_id)
        work.session.flush()


def _looks_after(work: Work, account_id: UUID) -> bool:
    query = select(Caregiver.id).where(
        Caregiver.clinic_id == work.clinic_id,
        Caregiver.account_id == account_id,
        Caregiver.ended_at.is_(None),
    )
    return work.session.scalar(query.limit(1)) is not None
