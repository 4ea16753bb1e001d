"""A storm: very many alerts at the same moment, written as the episode writes them, but by the thousand."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import (
    AlertClass,
    AlertFamily,
    AlertState,
    Channel,
    DeliveryState,
    DeliverySubject,
)
from server.database import Database
from server.models import Alert, Delivery, Patient
from server.services import vault
from server.services.work import Work, system

# Of ten patients: one in danger, two who can't wait, seven whose illness returns.
URGENCIES = (AlertClass.P0, *(AlertClass.P1,) * 2, *(AlertClass.P2,) * 7)
Rows = list[dict[str, Any]]


def break_out(database: Database, clinic: tuple[UUID, Sequence[UUID]], now: datetime, number: int) -> None:
    """Let ``number`` patients raise an alert at ``now``; ``clinic``: its id and its clinicians' ids."""
    clinic_id, clinicians = clinic
    with database.write() as session:
        work = Work(session, now, system(clinic_id))
        cases = [_case(work, clinicians[n % len(clinicians)], URGENCIES[n % 10]) for n in range(number)]
        for table, rows in zip((Patient, Alert, Delivery), zip(*cases, strict=True), strict=True):
            session.execute(insert(table), list(rows))


def _case(work: Work, clinician: UUID, urgency: AlertClass) -> Iterator[dict[str, Any]]:
    patient, alert = uuid7(), uuid7()
    yield _patient(work, patient, clinician)
    yield _alert(work, alert, patient, urgency)
    yield _delivery(work, alert, clinician, urgency)


def _patient(work: Work, patient: UUID, clinician: UUID) -> dict[str, Any]:
    return {
        "clinic_id": work.clinic_id,
        "id": patient,
        "name": "Pat",
        "zone": "Europe/Oslo",
        "country": "GB",
        "clinician_id": clinician,
        "change_counter": 0,
        "next_close_at": work.now,
        "policy_version": 0,
        "version": 1,
        "created_at": work.now,
        "bipolar_risk": [],
    }


def _alert(work: Work, alert: UUID, patient: UUID, urgency: AlertClass) -> dict[str, Any]:
    key = (work.clinic_id, alert)
    found = {"codes": ["chest_pain"], "summary": "The patient reported.", "evidence": {}}
    sealed = {f"sealed_{name}": vault.seal(work, Alert, key, name, value) for name, value in found.items()}
    times = dict.fromkeys(("opened_at", "worsened_at", "waiting_since"), work.now)
    return {
        "clinic_id": work.clinic_id,
        "id": alert,
        "patient_id": patient,
        "urgency": urgency,
        "family": AlertFamily.SIDE_EFFECT,
        "state": AlertState.OPEN,
        "level": 0,
        "version": 1,
        "day": work.now.date(),
        "snoozed": False,
        **times,
        **sealed,
    }


def _delivery(work: Work, alert: UUID, clinician: UUID, urgency: AlertClass) -> dict[str, Any]:
    urgent = urgency is AlertClass.P0
    return {
        "clinic_id": work.clinic_id,
        "id": uuid7(),
        "key": f"{alert}:1:0:{clinician}|email",
        "account_id": clinician,
        "channel": Channel.EMAIL,
        "subject": DeliverySubject.ALERT,
        "subject_id": alert,
        "urgency": urgency,
        "state": DeliveryState.QUEUED,
        "attempt": 0,
        "template": "emergency_needs_review" if urgent else "patient_needs_review",
        "due_at": work.now,
        "created_at": work.now,
        "held": False,
        "level": 0,
    }
