"""Leave to take a patient's journal away by a link, for a day. The file is made while it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, DeliverySubject, ExportFormat, Role
from server.models import Account, Delivery, ExportLink, Patient
from server.services import vault
from server.services.errors import Conflict, NotFound
from server.services.journal import export as exports
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from server.services.people import consent as consents
from server.services.people import patient as patients
from server.services.work import Actor, Work

VALID_FOR = timedelta(hours=24)
MOST_OPEN = 5
_TEMPLATE = "export_ready"
_HOUR = timedelta(hours=1)

# Built once: a running answer asks it with every piece. Who asked must still be welcome.
_OPEN = (
    select(ExportLink.patient_id, ExportLink.asked_by)
    .join(Account, (Account.clinic_id == ExportLink.clinic_id) & (Account.id == ExportLink.asked_by))
    .join(Patient, (Patient.clinic_id == ExportLink.clinic_id) & (Patient.id == ExportLink.patient_id))
    .where(
        ExportLink.clinic_id == bindparam("clinic"),
        ExportLink.id == bindparam("export"),
        ExportLink.revoked_at.is_(None),
        Account.disabled_at.is_(None),
        Patient.leaving_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: which files, and why where that is not the patient."""

    formats: Sequence[ExportFormat]
    reason: str | None = None


def ask(work: Work, patient_id: UUID, asked: Asked) -> ExportLink:
    """Give leave to take a patient's journal away; the patient is told.

    Raises NotFound, Conflict, Withheld without the patient's consent, TooMany where there were many.
    """
    patients.lock(work, patients.get(work, patient_id).id)
    consents.require(work, patient_id, *consents.to_leave(work.actor.role))
    assert work.actor.account_id is not None, "a person asks"
    if len(_open(work, patient_id)) >= MOST_OPEN:
        raise Conflict("too-many-exports", f"There are {MOST_OPEN} open ones at the most. Take one back.")
    exports.count(work)
    link = ExportLink(clinic_id=work.clinic_id, id=uuid7(), patient_id=patient_id, taken=0)
    link.asked_by, link.formats = work.actor.account_id, [one.value for one in asked.formats]
    # Whole seconds: the address says no less than the row.
    link.created_at = work.now
    link.expires_at = (work.now + VALID_FOR).replace(microsecond=0)
    vault.put(work, link, "reason", asked.reason)
    work.session.add(link)
    work.session.flush()
    work.audit("export.ask", patient_id, link.id)
    _tell(work, link)
    return link


def listed(work: Work, patient_id: UUID) -> Sequence[ExportLink]:
    """Return the open links to a patient's journal, also those that the clinic asked for; newest first."""
    patients.get(work, patient_id)
    return vault.opened(work, _open(work, patient_id))


def revoke(work: Work, patient_id: UUID, link_id: UUID) -> None:
    """Take a leave back: from now on, and in the middle of a running answer. Raises NotFound."""
    link = work.session.get(ExportLink, (work.clinic_id, link_id), with_for_update=True)
    if link is None or link.patient_id != patient_id:
        raise NotFound("export")
    if link.revoked_at is None:
        link.revoked_at = work.now
        work.audit("export.revoke", patient_id, link.id)


def end_all(work: Work, patient_id: UUID, of_others: bool = False) -> None:
    """Take back every open link to a patient's journal; ``of_others``: only those that staff asked for."""
    mine = accounts.of_patient(work, patient_id)
    for link in _open(work, patient_id):
        if not (of_others and mine is not None and link.asked_by == mine.id):
            revoke(work, patient_id, link.id)


def end_asked_by(work: Work, account_id: UUID) -> None:
    """Take back every open link that an account asked for."""
    query = select(ExportLink).where(
        ExportLink.clinic_id == work.clinic_id,
        ExportLink.asked_by == account_id,
        ExportLink.revoked_at.is_(None),
        ExportLink.expires_at > work.now,
    )
    for link in work.session.scalars(query.order_by(ExportLink.id).with_for_update()).all():
        revoke(work, link.patient_id, link.id)


def note_refused(work: Work, link_id: UUID) -> None:
    """Put on record that a link that there is was tried and led nowhere; of one there never was, nothing."""
    link = work.session.get(ExportLink, (work.clinic_id, link_id))
    if link is not None:
        work.audit("export-link.refused", link.patient_id, link.id)


def take(work: Work, link_id: UUID, kind: str) -> Actor:
    """Record that a link is followed; return who reads: the patient as far as what is shown goes.

    It counts as one more export of whoever asked for it. Raises NotFound where it has run out, was taken
    back, or was never given; TooMany.
    """
    link = work.session.get(ExportLink, (work.clinic_id, link_id), with_for_update=True)
    if link is None or link.expires_at <= work.now or kind not in link.formats:
        raise NotFound("export")
    found = check(work.session.connection(), work.clinic_id, link_id)
    link.taken, link.taken_at = link.taken + 1, work.now
    reader = Actor(work.clinic_id, found.account_id, Role.PATIENT, link.patient_id)
    as_reader = Work(work.session, work.now, reader)
    exports.count(as_reader)
    as_reader.audit("export.take", link.patient_id, link.id)
    return reader


def check(connection: Connection, clinic_id: UUID, link_id: UUID) -> Actor:
    """Raise NotFound once a link was taken back, or who asked for it or is meant by it has left."""
    found = connection.execute(_OPEN, {"clinic": clinic_id, "export": link_id}).first()
    if found is None:
        raise NotFound("export")
    return Actor(clinic_id, found.asked_by, Role.PATIENT, found.patient_id)


def _open(work: Work, patient_id: UUID) -> list[ExportLink]:
    query = select(ExportLink).where(
        ExportLink.clinic_id == work.clinic_id,
        ExportLink.patient_id == patient_id,
        ExportLink.revoked_at.is_(None),
        ExportLink.expires_at > work.now,
    )
    return list(work.session.scalars(query.order_by(ExportLink.id.desc())))


def _tell(work: Work, link: ExportLink) -> None:
    """Tell the patient: one message an hour. What the clinic asked for is told in the next at the latest."""
    account = accounts.of_patient(work, link.patient_id)
    if account is None:
        return
    hour = work.now.replace(minute=0, second=0, microsecond=0)
    if not _is_told(work, account, hour):
        deliveries.call(work, account, _notice(link, hour))
    elif link.asked_by != account.id and not _is_told(work, account, hour + _HOUR):
        later = deliveries.call(work, account, _notice(link, hour + _HOUR))
        assert later is not None, "nobody was told of that hour"
        later.due_at, later.held = max(later.due_at, hour + _HOUR), True


def _is_told(work: Work, account: Account, hour: datetime) -> bool:
    """Say whether there is a message of that hour, over whichever way."""
    query = select(Delivery.id).where(
        Delivery.clinic_id == work.clinic_id,
        Delivery.account_id == account.id,
        Delivery.template == _TEMPLATE,
        Delivery.key.startswith(f"{_key(account.patient_id, hour)}|", autoescape=True),
    )
    return work.session.scalar(query.limit(1)) is not None


def _key(patient_id: UUID | None, hour: datetime) -> str:
    return f"export:{patient_id}:{hour:%Y%m%d%H}"


def _notice(link: ExportLink, hour: datetime) -> Notice:
    return Notice(
        key=_key(link.patient_id, hour),
        template=_TEMPLATE,
        subject=DeliverySubject.EXPORT,
        subject_id=link.id,
        urgency=AlertClass.P3,
        expires_at=link.expires_at,
    )
