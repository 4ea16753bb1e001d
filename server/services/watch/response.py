"""What changed after the latest sessions, from the patient's own entries alone."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from server.clinical import response
from server.clinical.readings import History
from server.clinical.response import Response
from server.clinical.vocabulary import Arm
from server.services import local_day as local_days
from server.services.journal import trend as trends
from server.services.people import patient as patients
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import policy as policies
from server.services.work import Work


def read(work: Work, patient_id: UUID) -> Sequence[Response]:
    """Return one response for each arm. Raises NotFound for the patient."""
    patient = patients.get(work, patient_id)
    today = local_days.of(work, work.now, patient.zone)
    policy = policies.of_patient(work, patient)
    sessions = treatment_sessions.delivered_days(work, patient_id, date.min)
    # A run of sessions may be long, but what is read stays bounded: like the trend, and what is compared.
    spans = (*response.compared(sessions, policy, today), (today - trends.LONGEST, today))
    read = (trends.reliable_history(work, patient_id, first, last) for first, last in spans)
    days = {reading.day: reading for history in read for reading in history.readings}
    history = History(tuple(days[day] for day in sorted(days)))
    return [response.describe(history, arm, sessions, policy, today) for arm in Arm]
