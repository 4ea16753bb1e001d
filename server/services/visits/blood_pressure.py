"""Blood pressures at rest, as the clinic measured or took them over."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from uuid_utils.compat import uuid7

from server.clinical.facts import Pressure
from server.clinical.recorded_guards import pressure_at_once
from server.clinical.vocabulary import AlertClass, AlertFamily
from server.models import Alert, BloodPressure, Patient
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts import answer_source
from server.services.alerts import episode as episodes
from server.services.alerts.alert_source import sources_of
from server.services.alerts.episode import Finding
from server.services.asking import of_patient
from server.services.errors import Invalid, NotFound, Stale
from server.services.people import patient as patients
from server.services.watch import policy as policies
from server.services.work import Work

_NEWEST_ROW = (
    select(BloodPressure)
    .where(
        *of_patient(BloodPressure),
        BloodPressure.withdrawn_at.is_(None),
        BloodPressure.local_day <= bindparam("today"),
    )
    .order_by(BloodPressure.measured_at.desc(), BloodPressure.id.desc())
    .limit(1)
)
_NEWEST = _NEWEST_ROW.with_only_columns(
    BloodPressure.systolic, BloodPressure.diastolic, BloodPressure.local_day
)
# An alert's day is that of the newest of what it rests on.
_EMERGENCIES = select(Alert).where(
    *of_patient(Alert),
    Alert.family == AlertFamily.SIDE_EFFECT,
    Alert.urgency == AlertClass.P0,
    Alert.day >= bindparam("since"),
)


def create(
    work: Work, patient_id: UUID, systolic: int, diastolic: int, measured_at: datetime | None
) -> BloodPressure:
    """Record a blood pressure in mmHg, measured now unless ``measured_at`` says when.

    The newest one that needs care at once opens an alert, or joins the open one.
    """
    patient = patients.lock(work, patient_id)
    at = measured_at or work.now
    if at > work.now:
        raise Invalid("/measured_at", "Lies in the future.")
    if diastolic >= systolic:
        raise Invalid("/diastolic", "Is not below the systolic one.")
    assert work.actor.account_id is not None, "a blood pressure is recorded by a person"
    pressure = BloodPressure(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient_id,
        measured_at=at,
        local_day=local_days.of(work, at, patient.zone),
        systolic=systolic,
        diastolic=diastolic,
        recorded_by=work.actor.account_id,
        created_at=work.now,
        version=1,
    )
    work.session.add(pressure)
    work.session.flush()
    work.audit("blood-pressure.create", patient_id, pressure.id)
    _heed(work, patient, pressure)
    return pressure


def withdraw(work: Work, patient_id: UUID, pressure_id: UUID, version: int) -> BloodPressure:
    """Let one that was recorded by mistake count no more. Again is harmless; raises Stale, NotFound.

    The one that is the newest by now is heeded where it was passed over beside the mistake.
    """
    patient = patients.lock(work, patient_id)
    key = (work.clinic_id, pressure_id)
    pressure = work.session.get(BloodPressure, key, with_for_update={"key_share": True})
    if pressure is None or pressure.patient_id != patient_id:
        raise NotFound("blood pressure")
    if pressure.withdrawn_at is not None:
        work.audit("blood-pressure.read", patient_id, pressure.id)
        return pressure
    if pressure.version != version:
        raise Stale(pressure)
    pressure.withdrawn_at, pressure.withdrawn_by = work.now, work.actor.account_id
    pressure.version += 1
    work.audit("blood-pressure.withdraw", patient_id, pressure.id)
    answer_source.changed(work, pressure, ())
    work.session.flush()
    today = local_days.of(work, work.now, patient.zone)
    for left in work.objects(_NEWEST_ROW, patient=patient_id, today=today):
        if not _was_told(work, left):
            _heed(work, patient, left)
    return pressure


def page(work: Work, patient_id: UUID, after: UUID | None, size: int) -> Sequence[BloodPressure]:
    """Return blood pressures in the order they were recorded, withdrawn ones among them."""
    patients.get(work, patient_id)
    query = select(BloodPressure).where(
        BloodPressure.clinic_id == work.clinic_id, BloodPressure.patient_id == patient_id
    )
    if after is not None:
        query = query.where(BloodPressure.id > after)
    return list(work.session.scalars(query.order_by(BloodPressure.id).limit(size)))


def newest(work: Work, patient_id: UUID, today: date) -> Pressure | None:
    """Return the one that was measured last, up to ``today`` (a local day)."""
    found = work.rows(_NEWEST, patient=patient_id, today=today)
    return Pressure(*found[0]) if found else None


def _was_told(work: Work, pressure: BloodPressure) -> bool:
    """Return whether an alert, closed or not, rests on ``pressure``: it is told once."""
    told = work.objects(_EMERGENCIES, patient=pressure.patient_id, since=pressure.local_day)
    return any(str(pressure.id) in sources_of(alert.evidence) for alert in vault.opened(work, told))


def _heed(work: Work, patient: Patient, pressure: BloodPressure) -> None:
    """Let the care team hear of one that needs care at once. One taken over late beside a newer one says
    nothing of now.
    """
    today = local_days.of(work, work.now, patient.zone)
    measured = Pressure(pressure.systolic, pressure.diastolic, pressure.local_day)
    said = pressure_at_once(measured, policies.of_patient(work, patient), today)
    if said is None or measured != newest(work, patient.id, today):
        return
    flag = {"code": "blood_pressure", "urgency": AlertClass.P0}
    finding = Finding(
        family=AlertFamily.SIDE_EFFECT,
        urgency=AlertClass.P0,
        day=pressure.local_day,
        codes=("blood_pressure",),
        summary=f"The clinic recorded {said}.",
        evidence={"blood_pressures": [str(pressure.id)], "flags": [flag]},
    )
    episodes.raise_alert(work, patient, finding)
