"""Reads at once what taking each of several deliveries asks for, so that it is asked for once."""

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from server.clinical.vocabulary import DeliverySubject
from server.models import Account, Alert, Clinic, Delivery, Patient


def read_ahead(session: Session, rows: Sequence[Delivery]) -> Sequence[object]:
    """Return recipients, alerts with their patients, and clinics of ``rows``.

    The session knows them as long as they are held.
    """
    if len(rows) < 2:
        return ()
    people = {(row.clinic_id, row.account_id) for row in rows}
    about = {(row.clinic_id, row.subject_id) for row in rows if row.subject is DeliverySubject.ALERT}
    alert = tuple_(Alert.clinic_id, Alert.id).in_(about)
    with_patient = (Patient.clinic_id == Alert.clinic_id) & (Patient.id == Alert.patient_id)
    return [
        *session.scalars(select(Clinic).where(Clinic.id.in_({row.clinic_id for row in rows}))),
        *session.scalars(select(Account).where(tuple_(Account.clinic_id, Account.id).in_(people))),
        *chain.from_iterable(
            session.execute(select(Alert, Patient).join(Patient, with_patient).where(alert))
        ),
    ]


def patients_of(session: Session, bundle: Sequence[Delivery]) -> int:
    """Return of how many patients a bundle speaks: one may have several alerts."""
    if len(bundle) == 1:
        return 1
    ids = [one.subject_id for one in bundle]
    mine = (Alert.clinic_id == bundle[0].clinic_id, Alert.id.in_(ids))
    return session.scalar(select(func.count(Alert.patient_id.distinct())).where(*mine)) or 1
