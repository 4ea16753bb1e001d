"""Side effects: the vocabulary for the app, and what happened after a session for the clinic."""

from typing import Any
from uuid import UUID

from schemas.adverse_event import AdverseEventAnswer, AdverseEventsAnswer
from schemas.side_effect import SideEffectVocabulary
from server.api.body import Blueprint
from server.api.contract_notes import also
from server.api.edge import allow, reading, writing
from server.api.sharing import shares
from server.api.table import csv_answer, wants_csv
from server.clinical.redflags import emergency_from
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.side_effects import GRADES
from server.clinical.vocabulary import Purpose, Role
from server.services.journal import adverse_event as adverse_events
from server.services.people import clinic as clinics
from server.services.people import consent as consents

blueprint = Blueprint("side-effects", __name__, description="Side effects and adverse events")
_EVENTS = AdverseEventsAnswer()
_SESSION_COLUMNS = ("patient_id", "course_id", "treatment_session_id", "route", "at", "until")


@blueprint.route("/side-effects", methods=["GET"])
@allow(Role.PATIENT, Role.CLINICIAN, Role.COORDINATOR)
@blueprint.response(200, SideEffectVocabulary)
def list_side_effects() -> Any:
    """Read what can be reported and how bad it can be, in words to show beside the form."""
    with reading() as work:
        policy = clinics.policy(work)
    terms = [
        {"key": key, "label": found.label, "emergency_from": emergency_from(key, policy)}
        for key, found in SIDE_EFFECTS.items()
    ]
    return {"side_effects": terms, "grades": [*GRADES.values()]}


@blueprint.route(
    "/patients/<uuid:patient_id>/treatment-sessions/<uuid:session_id>/adverse-events", methods=["GET"]
)
@allow(Role.CLINICIAN)
@shares(Purpose.CARE_TEAM)
@also("text/csv")
@blueprint.response(200, AdverseEventsAnswer)
def list_adverse_events(patient_id: UUID, session_id: UUID) -> Any:
    """Read every side effect reported between a delivered session and the next one. Audited.

    With `Accept: text/csv`, one row an event.
    """
    with writing() as work:
        consents.require(work, patient_id, Purpose.CARE_TEAM)
        found = adverse_events.of_session(work, patient_id, session_id)
        if not wants_csv():
            return found
        dumped = _EVENTS.dump(found)
    session = {column: dumped[column] for column in _SESSION_COLUMNS}
    rows = [session | event for event in dumped["events"]]
    columns = (*_SESSION_COLUMNS, *AdverseEventAnswer().fields)
    return csv_answer(columns, rows, f"adverse-events-{session_id}")
