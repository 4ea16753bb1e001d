"""Days that a clock which was ahead has closed before they were over: they end once more, when they do."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select

from server.models import Patient
from server.services import clock_ahead
from server.services import local_day as local_days
from server.services.work import Work

_DAY = timedelta(days=1)


def closed(work: Work) -> Sequence[UUID]:
    """Return the patients of the clinic whose present day counts as closed, and perhaps days to come."""
    rows = work.session.execute(select(Patient.id, Patient.zone, Patient.next_close_at).where(*_far(work)))
    # Who flew west over the date line has the same day twice, and it was closed there.
    return [
        patient_id
        for patient_id, zone, at in rows
        if at > local_days.end(work, local_days.of(work, work.now, zone) + _DAY, zone)
        and clock_ahead.wrote(work, at)
    ]


def end_anew(work: Work, ids: Sequence[UUID]) -> None:
    """Let the present day of each of ``ids`` be closed when it ends."""
    mine = select(Patient).where(*_far(work), Patient.id.in_(ids)).order_by(Patient.id)
    for patient in work.session.scalars(mine.with_for_update(skip_locked=True, key_share=True)):
        today = local_days.of(work, work.now, patient.zone)
        patient.next_close_at = local_days.end(work, today, patient.zone)


def _far(work: Work) -> tuple[ColumnElement[bool], ...]:
    return Patient.clinic_id == work.clinic_id, Patient.next_close_at > work.now + 2 * _DAY
