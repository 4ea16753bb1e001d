"""The copy of what is stored now that a 412 or 428 carries."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from marshmallow import Schema

from schemas.alert import AlertAnswer
from schemas.blood_pressure import BloodPressureAnswer
from schemas.booking_suggestion import SuggestionAnswer
from schemas.check_in_plan import CheckInPlanAnswer
from schemas.course import CourseAnswer
from schemas.erasure import ErasureAnswer
from schemas.inbox import InboxAnswer
from schemas.legal_hold import LegalHoldAnswer
from schemas.offered_visit import OfferedVisitAnswer
from schemas.patient import PatientAnswer
from schemas.precaution import PrecautionAnswer
from schemas.rota import RotaAnswer
from schemas.scheduling_connection import ConnectionAnswer
from schemas.sync import SyncedEntry, SyncedQuestionnaireResponse
from schemas.treatment_session import TreatmentSessionAnswer

# By name of the noun: this layer does not know the tables.
_SHAPES: Mapping[str, Schema] = {
    "Alert": AlertAnswer(),
    "BloodPressure": BloodPressureAnswer(),
    "BookingSuggestion": SuggestionAnswer(),
    "CheckInPlan": CheckInPlanAnswer(),
    "Course": CourseAnswer(),
    # As in a sync: whoever joins theirs with ours must see that theirs was taken back.
    "Entry": SyncedEntry(),
    "Erasure": ErasureAnswer(),
    "InboxItem": InboxAnswer(),
    "LegalHold": LegalHoldAnswer(),
    "OfferedVisit": OfferedVisitAnswer(),
    "Patient": PatientAnswer(),
    "Precaution": PrecautionAnswer(),
    "QuestionnaireResponse": SyncedQuestionnaireResponse(),
    "Rota": RotaAnswer(),
    "SchedulingConnection": ConnectionAnswer(),
    "TreatmentSession": TreatmentSessionAnswer(),
}


def copy_of(stored: object) -> Any:
    """Return ``stored`` in its wire shape. Must run inside the transaction it was read in."""
    return _SHAPES[type(stored).__name__].dump(stored)


def about(stored: Any) -> UUID | None:
    """Return the patient whom ``stored`` is about; None where it is about nobody."""
    whose = stored.id if type(stored).__name__ == "Patient" else getattr(stored, "patient_id", None)
    return whose if isinstance(whose, UUID) else None
