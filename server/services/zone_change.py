"""A patient came into another time zone: an event with a time. Days already lived are never moved."""

from datetime import datetime

from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.models import Patient, ZoneChange
from server.services import local_day as local_days
from server.services import planning
from server.services.work import Work


def record(work: Work, patient: Patient, zone: str, since: datetime) -> bool:
    """Record that the patient is in ``zone`` from ``since`` on; return whether their zone is another now.

    The caller holds the patient's row lock. The same report again changes nothing. One that is older
    than what is known is kept and changes nothing else. ``since`` in the future means now.
    """
    since = min(since, work.now)
    latest = _latest(work, patient)
    if latest is not None and since < latest.since:
        _keep_late(work, patient, zone, since)
        return False
    if zone == patient.zone:
        return False
    _add(work, patient, zone, since)
    patient.zone = zone
    patient.next_close_at = local_days.end(work, local_days.of(work, work.now, zone), zone)
    planning.replan(work, patient)
    return True


def _keep_late(work: Work, patient: Patient, zone: str, since: datetime) -> None:
    known = select(ZoneChange.id).where(
        ZoneChange.clinic_id == work.clinic_id,
        ZoneChange.patient_id == patient.id,
        ZoneChange.since == since,
        ZoneChange.zone == zone,
    )
    if work.session.scalar(known.limit(1)) is None:
        _add(work, patient, zone, since)


def _add(work: Work, patient: Patient, zone: str, since: datetime) -> None:
    work.session.add(
        ZoneChange(
            clinic_id=work.clinic_id,
            id=uuid7(),
            patient_id=patient.id,
            zone=zone,
            since=since,
            recorded_at=work.now,
            account_id=work.actor.account_id,
        )
    )
    work.audit("zone.change", patient.id)
    work.session.flush()


def _latest(work: Work, patient: Patient) -> ZoneChange | None:
    query = select(ZoneChange).where(
        ZoneChange.clinic_id == work.clinic_id, ZoneChange.patient_id == patient.id
    )
    return work.session.scalar(query.order_by(ZoneChange.since.desc(), ZoneChange.id.desc()).limit(1))
