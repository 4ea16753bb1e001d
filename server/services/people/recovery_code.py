"""Recovery codes: ten, shown once, each good for one sign-in without the factor that was lost."""

import re
import secrets
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, update

from server.models import RecoveryCode
from server.services.people.secrets import fingerprint
from server.services.work import Work

COUNT = 10
# Without letters and digits that look alike. 24 of them are 120 random bits: a plain hash can't be guessed.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUPS, _GROUP = 4, 6
_SEPARATORS = re.compile(r"[\s-]+")


def renew(work: Work, account_id: UUID) -> Sequence[str]:
    """Give ``account_id`` ten new codes and return them; those it had end."""
    work.session.execute(
        delete(RecoveryCode).where(
            RecoveryCode.clinic_id == work.clinic_id, RecoveryCode.account_id == account_id
        )
    )
    codes = [_new_code() for _ in range(COUNT)]
    key = {"clinic_id": work.clinic_id, "account_id": account_id, "created_at": work.now}
    work.session.add_all(RecoveryCode(**key, code_hash=_stored(code)) for code in codes)
    work.session.flush()
    work.audit("recovery-codes.renew", object_id=account_id)
    return codes


def use(work: Work, account_id: UUID, code: str) -> bool:
    """Use a code up. False where there is no such one, or it was used."""
    won = work.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.clinic_id == work.clinic_id,
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash == _stored(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=work.now)
        .returning(RecoveryCode.code_hash)
    ).first()
    return won is not None


def left(work: Work, account_id: UUID) -> int:
    """Return how many codes ``account_id`` can still use."""
    query = select(func.count()).where(
        RecoveryCode.clinic_id == work.clinic_id,
        RecoveryCode.account_id == account_id,
        RecoveryCode.used_at.is_(None),
    )
    return work.session.scalar(query) or 0


def _new_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def _stored(code: str) -> str:
    return fingerprint(_SEPARATORS.sub("", code).lower())
