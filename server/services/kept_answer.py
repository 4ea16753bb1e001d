"""The answer to a request that makes something, kept for a day under the key that its client gave it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, update

from server.models import KeptAnswer
from server.services import vault
from server.services.asking import insert_once
from server.services.errors import KeyReused
from server.services.people import patient as patients
from server.services.work import Work

KEPT = timedelta(days=1)
Key = tuple[UUID, UUID, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its client would send it again: the ``key`` it chose, and in ``text`` all it asks for."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: its status, its body as it went out, and those headers that belong to it."""

    status: int
    body: str
    headers: Mapping[str, str]


def take(work: Work, asked: Asked, of_leaving: bool) -> Said | None:
    """Return what was answered to the same request; None where it is new, and `keep` has to follow.

    Whoever sends it while the first is worked on waits for that. Raises KeyReused where the key was given to
    another request, NotFound where it was about a patient who leaves, but for what may be ``of_leaving``.
    """
    if work.actor.patient_id is not None:
        # A row names the account and so holds it: who gives a patient their account back takes it last.
        patients.lock(work, work.actor.patient_id)
    key = _key(work, asked)
    is_over = KeptAnswer.created_at <= work.now - KEPT
    work.session.execute(delete(KeptAnswer).filter_by(**_row(key)).where(is_over))
    if _is_new(work, key, asked):
        return None
    row = work.session.get_one(KeptAnswer, key)
    if row.request != _digest(work, asked.text):
        raise KeyReused
    if row.patient_id is not None and not of_leaving:
        patients.get(work, row.patient_id)
    work.audit("kept-answer.read", row.patient_id, row.digest)
    vault.opened(work, [row])
    return Said(**row.said)


def keep(work: Work, asked: Asked, said: Said, patient_id: UUID | None) -> None:
    """Keep what is answered, in the transaction of what it tells. ``patient_id``: whom it is about."""
    key = _key(work, asked)
    values = {**vault.sealed(work, KeptAnswer, key, {"said": asdict(said)}), "patient_id": patient_id}
    work.session.execute(update(KeptAnswer).filter_by(**_row(key)).values(values))


def _is_new(work: Work, key: Key, asked: Asked) -> bool:
    values = {**_row(key), "request": _digest(work, asked.text), "created_at": work.now}
    # Two at once: the second waits here until the first is through, and adds nothing then.
    added = insert_once(KeptAnswer, work.session.get_bind().dialect.name).returning(KeptAnswer.digest)
    return work.session.scalar(added, values) is not None


def _key(work: Work, asked: Asked) -> Key:
    assert work.actor.account_id is not None, "an account asks"
    return work.clinic_id, work.actor.account_id, _digest(work, asked.key)


def _row(key: Key) -> dict[str, UUID | str]:
    return dict(zip(("clinic_id", "account_id", "digest"), key, strict=True))


def _digest(work: Work, text: str) -> str:
    return vault.digest(work, KeptAnswer, (work.clinic_id, work.actor.account_id), text)
