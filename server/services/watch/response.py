"""What changed after the latest sessions, from the patient's own entries alone."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from server.clinical import response
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
    # A run of sessions may be long, but what is read stays bounded like the trend.
    oldest = today - trends.LONGEST
    sessions = treatment_sessions.delivered_days(work, patient_id, oldest)
    first = oldest - timedelta(days=policy.whole("baseline.pre_days"))
    history = trends.history(work, patient_id, first, today)
    return [response.describe(history, arm, sessions, policy, today) for arm in Arm]
