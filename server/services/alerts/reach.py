"""Patients nobody can write to: the care team has to find another way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy import func as sql
from sqlalchemy.orm import aliased

from server.clinical.vocabulary import TAKEN, Channel, DeliveryState, Role
from server.models import Account, Delivery, Patient
from server.services.people import patient as patients
from server.services.work import Work

_LATER = aliased(Delivery)


@dataclass(frozen=True, slots=True)
class ListedPatient:
    """A patient on the care team's list. ``unreachable_since``: None while messages arrive."""

    patient: Patient
    unreachable_since: datetime | None

    @property
    def id(self) -> UUID:
        """The patient's id: the list's order."""
        return self.patient.id


def listed(work: Work, after: UUID | None, size: int) -> Sequence[ListedPatient]:
    """Return up to ``size`` patients whose id comes after ``after``, in id order: three queries in all."""
    found = patients.page(work, after, size)
    since = unreachable(work, [one for one in found if one.enrolled_at is not None])
    return [ListedPatient(one, since.get(one.id)) for one in found]


def unreachable(work: Work, enrolled: Sequence[Patient]) -> Mapping[UUID, datetime]:
    """Return since when messages can't reach those of ``enrolled`` they can't reach, by patient.

    Nobody can write to a patient without a working account. With one, it is since the first message
    that the mail server refused for good, unless a later one was taken.
    """
    accounts = _accounts(work, [patient.id for patient in enrolled])
    working = {one.patient_id: one.id for one in reversed(accounts) if one.disabled_at is None}
    closed = {one.patient_id: one.disabled_at for one in accounts if one.disabled_at is not None}
    known = refused(work, working.values())
    found = {
        patient.id: known.get(working[patient.id])
        if patient.id in working
        else closed.get(patient.id, patient.enrolled_at)
        for patient in enrolled
    }
    return {patient_id: since for patient_id, since in found.items() if since is not None}


def _accounts(work: Work, patient_ids: Sequence[UUID]) -> Sequence[Row[UUID | None, UUID, datetime | None]]:
    """Return patient, id and end of the patients' accounts; of one patient the one written to comes first."""
    query = select(Account.patient_id, Account.id, Account.disabled_at).where(
        Account.clinic_id == work.clinic_id, Account.role == Role.PATIENT, Account.patient_id.in_(patient_ids)
    )
    return work.session.execute(query.order_by(Account.patient_id, Account.id)).all()


def refused(
    work: Work, account_ids: Iterable[UUID], channels: Iterable[Channel] = tuple(Channel)
) -> Mapping[UUID, datetime]:
    """Return for each account when the first message was refused after which none was delivered.

    Only messages by one of ``channels`` count, and none to an address that is not the account's own.
    """
    by = list(channels)
    delivered = select(_LATER.id).where(
        _LATER.clinic_id == Delivery.clinic_id,
        _LATER.account_id == Delivery.account_id,
        _LATER.channel.in_(by),
        _LATER.sealed_to.is_(None),
        _LATER.state.in_(TAKEN),
        _LATER.finished_at > Delivery.finished_at,
    )
    query = (
        select(Delivery.account_id, sql.min(Delivery.finished_at))
        .where(Delivery.clinic_id == work.clinic_id, Delivery.account_id.in_(list(account_ids)))
        .where(Delivery.channel.in_(by), Delivery.sealed_to.is_(None))
        .where(Delivery.state == DeliveryState.GIVEN_UP, ~delivered.exists())
        # What a message itself is refused for (`gateways.email`); a mail server that is away says nothing.
        .where(or_(Delivery.failure == "address", Delivery.failure.startswith("refused_", autoescape=True)))
        .group_by(Delivery.account_id)
    )
    return {account_id: since for account_id, since in work.session.execute(query) if since is not None}
