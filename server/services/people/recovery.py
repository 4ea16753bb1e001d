"""The way back in for whoever forgot their password. The same answer and the same work for any address.

Who asks is told nothing and nothing is looked up: a job does that later, and writes to the address where
there is such an account. The link does not sign in and does not stand in for a second factor.
"""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, Channel, DeliverySubject, Role
from server.keys.sealing import SealError
from server.models import Account, Clinic, Delivery, Recovery
from server.services import apart, vault
from server.services.messages import delivery as deliveries
from server.services.messages.contact_point import Way
from server.services.messages.delivery import Notice
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.people.secrets import fingerprint, new_secret
from server.services.work import Work, system

VALID_FOR = timedelta(minutes=15)
# Nobody's mailbox is to be filled by a stranger who asks again and again. From then on the next link goes out
# when the last one is good no more, so that no stranger keeps its owner out for longer than one is good.
MOST, WITHIN = 3, timedelta(hours=1)
KEPT = timedelta(days=7)
TEMPLATE = "password_recovery"


def ask(session: Session, now: datetime, clinic: str, email: str) -> None:
    """Write down that somebody wants back in at ``email``, alike whether there is such an account or not."""
    # A clinic that was closed has no key to seal the address with, and nobody who could come back.
    clinic_id = session.scalar(select(Clinic.id).where(Clinic.slug == clinic, Clinic.erased_at.is_(None)))
    if clinic_id is None:
        return
    work = Work(session, now, system(clinic_id))
    row = Recovery(clinic_id=clinic_id, id=uuid7(), requested_at=now)
    vault.put(work, row, "email", email)
    session.add(row)
    session.flush()


def look(session: Session, now: datetime, limit: int = 50) -> int:
    """Answer what was asked: write to addresses that have an account. Return how many were looked at.

    Each by itself: one over which that fails is logged, counts as looked at, and keeps no other waiting.
    """
    query = select(Recovery).where(Recovery.looked_at.is_(None)).order_by(Recovery.requested_at, Recovery.id)
    rows = list(session.scalars(query.limit(limit).with_for_update(skip_locked=True)))
    for row in rows:
        failed = f"recovery {row.id} of clinic {row.clinic_id} can't be answered"
        apart.alone(session, failed, partial(_look_at, Work(session, now, system(row.clinic_id)), row))
        row.looked_at = now
    return len(rows)


def secret_of(session: Session, now: datetime, row: Delivery) -> str | None:
    """Return the code that the link of a delivery leads on with; None where it is about something else."""
    if row.subject is not DeliverySubject.RECOVERY:
        return None
    work = Work(session, now, system(row.clinic_id))
    (found,) = vault.opened(work, [session.get_one(Recovery, (row.clinic_id, row.subject_id))])
    code: str | None = found.code
    return code


def is_open(session: Session, row: Delivery) -> bool:
    """Return whether the link of a delivery still leads somewhere."""
    found = session.get(Recovery, (row.clinic_id, row.subject_id))
    return found is not None and found.used_at is None


def end_links(work: Work, account_id: UUID) -> None:
    """Let the open links of an account end: only the newest is good, and none once one was used."""
    work.session.execute(
        update(Recovery)
        .where(
            Recovery.clinic_id == work.clinic_id,
            Recovery.account_id == account_id,
            Recovery.used_at.is_(None),
        )
        .values(used_at=work.now, sealed_code=None)
    )


def forget(session: Session, now: datetime) -> int:
    """Forget what was asked more than a week ago; return how many."""
    gone = session.execute(
        delete(Recovery).where(Recovery.requested_at < now - KEPT).returning(Recovery.id)
    ).all()
    return len(gone)


def _look_at(work: Work, row: Recovery) -> None:
    row.looked_at = work.now
    try:
        (row,) = vault.opened(work, [row])
    except SealError:
        return  # it was asked while the clinic was being closed: nobody can come back there
    account = work.session.scalar(
        select(Account)
        .where(
            addresses.is_of(work.session, work.clinic_id, row.email),
            Account.disabled_at.is_(None),
            Account.role != Role.INTEGRATION,
        )
        .with_for_update(read=True)  # nobody closes it before the message to it stands
    )
    vault.put(work, row, "email", "")  # nobody needs it any more
    if clinics.is_operations(work):
        return  # nobody signs in there
    if account is not None and not _is_flood(work, account.id):
        _write_to(work, row, account)


def _write_to(work: Work, row: Recovery, account: Account) -> None:
    end_links(work, account.id)
    code = new_secret()
    row.account_id, row.code_hash, row.expires_at = account.id, fingerprint(code), work.now + VALID_FOR
    vault.put(work, row, "code", code)
    work.session.flush()
    told = Notice(
        key=f"{TEMPLATE}:{row.id}",
        template=TEMPLATE,
        subject=DeliverySubject.RECOVERY,
        subject_id=row.id,
        urgency=AlertClass.P2,
        expires_at=row.expires_at,
    )
    # To the address alone, whatever other ways there are; quiet hours would outlast the link.
    if (sent := deliveries.tell(work, account, told, Way(Channel.EMAIL))) is not None:
        sent.due_at, sent.held = work.now, False
    work.audit("recovery.send", account.patient_id, row.id)


def _is_flood(work: Work, account_id: UUID) -> bool:
    """Say whether many links went out lately, and the last of them is good still."""
    mine = Recovery.clinic_id == work.clinic_id, Recovery.account_id == account_id
    # What lies further ahead was written by a clock that has been set back since.
    lately = Recovery.looked_at.between(work.now - WITHIN, work.now + WITHIN)
    is_good = Recovery.used_at.is_(None), Recovery.expires_at > work.now
    ahead = Recovery.expires_at <= work.now + VALID_FOR
    asked = work.session.scalar(select(func.count()).where(*mine, lately)) or 0
    return asked >= MOST and work.session.scalar(select(exists().where(*mine, *is_good, ahead))) is True


def claim(session: Session, now: datetime, code: str) -> tuple[UUID, UUID] | None:
    """Use up the code of a link; return clinic and account, None where it is good no more."""
    open_one = (
        *(Recovery.code_hash == fingerprint(code), Recovery.used_at.is_(None)),
        Recovery.expires_at > now,
    )
    claimed = session.execute(
        update(Recovery)
        .where(*open_one)
        .values(used_at=now, sealed_code=None)
        .returning(Recovery.clinic_id, Recovery.account_id)
    ).first()
    return None if claimed is None else (claimed.clinic_id, claimed.account_id)
