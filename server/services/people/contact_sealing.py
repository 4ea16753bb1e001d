"""Seal the addresses of who was there before: first beside the version before, then for good."""

from uuid import UUID

from sqlalchemy import select, update

from server.models import Account
from server.services import clinic_key as clinic_keys
from server.services import vault
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.work import Work

BATCH = 200


def seal_some(work: Work, after: UUID | None = None, size: int = BATCH) -> tuple[UUID | None, int]:
    """Seal up to ``size`` addresses; return the last account looked at (None: all were) and how many.

    What lies plain stays beside it for the version before. Two accounts whose addresses differ in case
    alone can't both be found by an index: the later one goes on being found as it is written.
    """
    clinic_keys.ensure_digest_keys(work)
    query = select(Account).where(Account.clinic_id == work.clinic_id, Account.email_index.is_(None))
    query = query.where(Account.plain_email.is_not(None))  # not one that was emptied
    if after is not None:
        query = query.where(Account.id > after)
    found = list(work.session.scalars(query.order_by(Account.id).limit(size).with_for_update()))
    done = [_seal(work, account) for account in found]
    return (found[-1].id if len(found) == size else None), sum(done)


def finish(work: Work) -> int:
    """Forget the plain addresses of the clinic, for good; return how many there were.

    Only once no process of the version before runs: it finds nobody any more.
    """
    clinics.lock(work).contacts_sealed = True
    sealed = (Account.clinic_id == work.clinic_id, Account.email_index.is_not(None))
    ids = list(work.session.scalars(select(Account.id).where(*sealed, Account.plain_email.is_not(None))))
    work.session.execute(update(Account).where(*sealed).values(plain_email=None))
    work.audit("contacts.sealed", object_id=str(len(ids)))
    return len(ids)


def plain_left(work: Work) -> int:
    """Return how many accounts of the clinic still have their address as it is."""
    query = select(Account.id).where(Account.clinic_id == work.clinic_id, Account.plain_email.is_not(None))
    return len(list(work.session.scalars(query)))


def _seal(work: Work, account: Account) -> bool:
    assert account.plain_email is not None, "an account has an address"
    index = addresses.index_of(work.session, work.clinic_id, account.plain_email)
    taken = select(Account.id).where(Account.clinic_id == work.clinic_id, Account.email_index == index)
    if work.session.scalar(taken) is not None:
        return False
    vault.put(work, account, "email", account.plain_email)
    account.email_index = index
    work.session.flush()
    return True
