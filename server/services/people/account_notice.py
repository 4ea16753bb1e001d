"""Tell the owner of an account that something about the way they sign in has changed."""

from uuid import UUID

from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, DeliverySubject
from server.models import Account
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.work import Work

CHANGED, ENDED, TRIED = "sign_in_changed", "sign_in_ended", "sign_in_tried"


def changed(work: Work, account_id: UUID) -> None:
    """Say that a password or a second factor was changed."""
    _tell(work, account_id, CHANGED, str(uuid7()))


def ended(work: Work, account_id: UUID, sign_in_id: UUID) -> None:
    """Say, once, that a sign-in was ended because somebody may hold a copy of it."""
    _tell(work, account_id, ENDED, str(sign_in_id))


def tried(work: Work, account_id: UUID) -> None:
    """Say, once a day, that somebody tries to sign in and fails again and again."""
    _tell(work, account_id, TRIED, work.now.date().isoformat())


def _tell(work: Work, account_id: UUID, template: str, key: str) -> None:
    account = work.session.get_one(Account, (work.clinic_id, account_id))
    told = Notice(f"{template}:{key}", template, DeliverySubject.ACCOUNT, account_id, AlertClass.P2)
    deliveries.call(work, account, told)
