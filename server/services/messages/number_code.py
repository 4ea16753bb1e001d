"""A telephone number is used once its owner has shown that it is theirs: six digits, sent there by SMS.

Until then nothing else goes there, so nobody can let the clinic write to strangers.
"""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from server.clinical.vocabulary import AlertClass, Channel, DeliverySubject
from server.models import Account, ContactPoint, Delivery
from server.services import tally, vault
from server.services.cap import NUMBER_CODE, NUMBER_CODES, NUMBER_TRY
from server.services.errors import NotFound
from server.services.messages import contact_point as contact_points
from server.services.messages import delivery as deliveries
from server.services.messages.contact_point import Way
from server.services.messages.delivery import Notice
from server.services.work import Work, system

VALID_FOR = timedelta(minutes=10)
DIGITS = 6
TEMPLATE = "number_code"


def add(work: Work, account_id: UUID, number: str) -> ContactPoint:
    """Give an account a number (E.164) and send its code there; a proven one again changes nothing.

    Raises Conflict where there are too many contact points, TooMany where there were many codes.
    """
    row = contact_points.add(work, account_id, Channel.SMS, number, proven=False)
    if row.code_made_at is not None:
        _send(work, row, number)
    return row


def prove(work: Work, contact_id: UUID, code: str) -> ContactPoint | None:
    """Return the actor's number, proven by its ``code``; None where that is wrong or has run out.

    Every try counts, so the caller commits also then. A proven number stays proven. Raises NotFound,
    TooMany after five tries: another code is needed.
    """
    row = contact_points.locked_own(work, contact_id)
    if row.channel is not Channel.SMS:
        raise NotFound("contact point")
    if row.code_made_at is not None and not _fits(work, row, code):
        work.audit("contact-point.refused", object_id=row.id)
        return None
    if row.code_made_at is not None:
        row.code_made_at = None
        vault.put(work, row, "code", None)
        work.session.flush()
        work.audit("contact-point.prove", object_id=row.id)
    (opened,) = vault.opened(work, [row])
    return opened


def secret_of(session: Session, now: datetime, row: Delivery) -> str | None:
    """Return the code that a delivery tells; None where it tells none."""
    if row.template != TEMPLATE:
        return None
    (point,) = vault.opened(Work(session, now, system(row.clinic_id)), [_point(session, row)])
    code: str | None = point.code
    return code


def is_open(session: Session, row: Delivery) -> bool:
    """Return whether the number that a delivery of a code goes to still waits for it."""
    point = session.get(ContactPoint, (row.clinic_id, row.contact_id))
    return point is not None and point.retired_at is None and point.code_made_at is not None


def _fits(work: Work, row: ContactPoint, code: str) -> bool:
    assert row.code_made_at is not None, "it waits for a code"
    tally.take(work.session, work.now, NUMBER_TRY, str(row.id))
    (opened,) = vault.opened(work, [row])
    is_late = work.now >= row.code_made_at + VALID_FOR
    return not is_late and opened.code is not None and secrets.compare_digest(opened.code, code)


def _send(work: Work, row: ContactPoint, number: str) -> None:
    account_id = row.account_id
    tally.take(work.session, work.now, NUMBER_CODES, str(account_id))
    # By number and not by row: taken away and added again it is the same telephone.
    count = tally.take(work.session, work.now, NUMBER_CODE, str(account_id), number)
    tally.forget(work.session, NUMBER_TRY, str(row.id))
    row.code_made_at = work.now
    vault.put(work, row, "code", f"{secrets.randbelow(10**DIGITS):0{DIGITS}}")
    work.session.flush()
    told = Notice(
        key=f"{TEMPLATE}:{row.id}:{work.now.isoformat()}:{count}",
        template=TEMPLATE,
        subject=DeliverySubject.ACCOUNT,
        subject_id=row.id,
        urgency=AlertClass.P2,
        expires_at=work.now + VALID_FOR,
    )
    account = work.session.get_one(Account, (work.clinic_id, account_id))
    # To the number alone; quiet hours would outlast the code.
    if (sent := deliveries.tell(work, account, told, Way(Channel.SMS, row.id))) is not None:
        sent.due_at, sent.held = work.now, False


def _point(session: Session, row: Delivery) -> ContactPoint:
    return session.get_one(ContactPoint, (row.clinic_id, row.contact_id))
