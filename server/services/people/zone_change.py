"""A patient came into another time zone: an event with a time. Days already lived are never moved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from uuid_utils.compat import uuid7

from server.models import Entry, Patient, ZoneChange
from server.services import local_day as local_days
from server.services.asking import of_patient
from server.services.journal import planning
from server.services.journal.incoming import CLOCK_TRUSTED
from server.services.work import Work

_MINUTE = timedelta(minutes=1)
_HISTORY = (
    select(ZoneChange)
    .where(*of_patient(ZoneChange))
    .order_by(ZoneChange.since, ZoneChange.recorded_at, ZoneChange.id)
)
# In the order of an index; the clock decides which entries are from before.
_WRITTEN_IN = (
    select(Entry.zone)
    .where(*of_patient(Entry), Entry.occurred_at < bindparam("before"))
    .order_by(Entry.local_day.desc(), Entry.id.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class PastZone:
    """A report of a zone that was made earlier, elsewhere: ``since`` then, at ``recorded_at``."""

    zone: str
    since: datetime
    recorded_at: datetime


def history(work: Work, patient_id: UUID) -> Sequence[ZoneChange]:
    """Return every report of a patient's zones, the latest last."""
    return work.objects(_HISTORY, patient=patient_id)


def journeys(work: Work, patient_id: UUID) -> Sequence[ZoneChange]:
    """Return the reports of a patient that name another zone than the one before them.

    The first may only say where they have been all along: it counts where the diary before it lay elsewhere.
    """
    reports = history(work, patient_id)
    if not reports:
        return []
    at_home = work.value(_WRITTEN_IN, patient=patient_id, before=reports[0].since)
    zones = (at_home or reports[0].zone, *(one.zone for one in reports))
    return [one for one, (before, now) in zip(reports, pairwise(zones), strict=True) if before != now]


def noticed_at(work: Work, since: datetime | None, sent_at: datetime | None) -> datetime:
    """Return since when a report holds by our clock; None: now. ``sent_at``: the phone's clock at sending.

    A slow clock would make every report look older than the one before, and move the patient nowhere.
    """
    off = timedelta() if sent_at is None else work.now - sent_at
    if since is None or abs(off) <= CLOCK_TRUSTED:
        return since or work.now
    # To the minute: the same report again is the same, however long either was on its way.
    return since + round(off / _MINUTE) * _MINUTE


def record(work: Work, patient: Patient, zone: str, since: datetime) -> bool:
    """Record that the patient is in ``zone`` from ``since`` on; return whether their zone is another now.

    The caller holds the patient's row lock. The same report again changes nothing. One that is older
    than what is known is kept and changes nothing else. One that is newer is kept also where it names the
    zone they are in: it says that they are back, and what comes late, from before it, moves nothing.
    ``since`` in the future means now.
    """
    since = min(since, work.now)
    latest = _latest(work, patient)
    if latest is not None and since < latest.since:
        _keep_late(work, patient, zone, since)
        return False
    if latest is None or (latest.zone, latest.since) != (zone, since):
        _add(work, patient, zone, since)
    if zone == patient.zone:
        return False
    _move(work, patient, zone)
    return True


def restore(work: Work, patient: Patient, past: Sequence[PastZone]) -> int:
    """Put back reports with the times they had; return how many of them were not there yet.

    The caller holds the patient's row lock. The patient is in the zone of the latest one, as ever.
    """
    known = {(one.zone, one.since, one.recorded_at) for one in history(work, patient.id)}
    missing = [one for one in past if (one.zone, one.since, one.recorded_at) not in known]
    for one in missing:
        _add(replace(work, now=one.recorded_at), patient, one.zone, one.since)
    latest = _latest(work, patient)
    if missing and latest is not None and latest.zone != patient.zone:
        _move(work, patient, latest.zone)
    return len(missing)


def _move(work: Work, patient: Patient, zone: str) -> None:
    # The day that was to be closed next is so still: who flies east, or while no job runs, skips none.
    running = local_days.ended(work, patient)
    patient.zone = zone
    patient.next_close_at = local_days.end(work, running, zone)
    planning.replan(work, patient)


def _keep_late(work: Work, patient: Patient, zone: str, since: datetime) -> None:
    known = _of(work, patient.id).where(ZoneChange.since == since, ZoneChange.zone == zone)
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
    order = (ZoneChange.since.desc(), ZoneChange.recorded_at.desc(), ZoneChange.id.desc())
    latest: ZoneChange | None = work.session.scalar(_of(work, patient.id).order_by(*order).limit(1))
    return latest


def _of(work: Work, patient_id: UUID) -> Select[Any]:
    return select(ZoneChange).where(
        ZoneChange.clinic_id == work.clinic_id, ZoneChange.patient_id == patient_id
    )
