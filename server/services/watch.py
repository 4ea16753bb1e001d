"""The state of the watch for a clinician: what it says now, on what, and what it said before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from server.clinical.vocabulary import Arm
from server.models import Assessment
from server.services import assessment as assessments
from server.services import local_day as local_days
from server.services import patient as patients
from server.services.work import Work

HISTORY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class WatchedArm:
    """One arm: its newest judgement, and the last word on each judged day of the last 30, oldest first."""

    arm: Arm
    latest: Assessment
    history: Sequence[Assessment]


def read(work: Work, patient_id: UUID) -> Sequence[WatchedArm]:
    """Return the arms that were ever judged. Audited: it is health data."""
    patients.get(work, patient_id)
    work.audit("watch.read", patient_id)
    found = ((arm, assessments.latest(work, patient_id, arm)) for arm in Arm)
    return [
        WatchedArm(arm, latest, _history(work, patient_id, arm))
        for arm, latest in found
        if latest is not None
    ]


def _history(work: Work, patient_id: UUID, arm: Arm) -> Sequence[Assessment]:
    zone = patients.get(work, patient_id).zone
    query = select(Assessment).where(
        Assessment.clinic_id == work.clinic_id,
        Assessment.patient_id == patient_id,
        Assessment.arm == arm,
        Assessment.day > local_days.of(work, work.now, zone) - HISTORY,
    )
    order = (Assessment.day, Assessment.data_version, Assessment.policy_version)
    # Late data make a day judged again: the last judgement of each day is the one that holds.
    return list({row.day: row for row in work.session.scalars(query.order_by(*order))}.values())
