"""Patients."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, page_of
from schemas.codes import Codes
from schemas.fields import Country, Id, Moment, Text, Whole, Zone
from server.clinical.vocabulary import BipolarRisk

_RISK = {
    "description": "what is known at enrolment; the activation watch tells the team sooner of whom it names",
    "example": ["family_history"],
}


class PatientBody(Body):
    """A patient to register."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"name": "Ana", "zone": "Europe/Oslo", "birth_year": 1980}

    name = Text(longest=200, shortest=1, required=True, metadata={"example": "Ana"})
    zone = Zone(required=True)
    country = Country(metadata={"description": "of the crisis lines; the clinic's by default"})
    birth_year = Whole(low=1900, high=2200, allow_none=True)
    bipolar_risk = Codes(BipolarRisk, load_default=list, metadata=_RISK)
    clinician_id = Id(allow_none=True, metadata={"description": "who is told first"})


class PatientChanges(Body):
    """What staff may change."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"paused_until": "2026-05-20T00:00:00Z"}

    name = Text(longest=200, shortest=1)
    zone = Zone()
    country = Country()
    birth_year = Whole(low=1900, high=2200, allow_none=True)
    bipolar_risk = Codes(BipolarRisk, metadata=_RISK)
    clinician_id = Id(allow_none=True)
    paused_until = Moment(
        allow_none=True,
        metadata={
            "description": "no reminders and no silence alerts until then; null ends a pause now, and what "
            "is read is when it ended"
        },
    )


class PatientAnswer(Answer):
    """One patient."""

    id = Id(required=True)
    name = fields.String(required=True, metadata={"example": "Ana"})
    zone = Zone(required=True)
    country = fields.String(required=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    bipolar_risk = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata={**_RISK, "description": "known at enrolment; null for the patient themself"},
    )
    clinician_id = Id(required=True, allow_none=True)
    paused_until = Moment(required=True, allow_none=True)
    enrolled_at = Moment(required=True, allow_none=True)
    team_withdrawn_at = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "since when the care team may not read the diary: consent was withdrawn"},
    )
    version = fields.Integer(required=True)


class ListedPatientAnswer(PatientAnswer):
    """One patient on the care team's list."""

    unreachable_since = Moment(
        required=True,
        allow_none=True,
        metadata={
            "description": "since when no message reaches them: refused for good, or no working account; "
            "null while messages arrive, and before the patient has enrolled"
        },
    )

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read what is on the list itself there, everything else from the patient."""
        return super().get_attribute(obj if hasattr(obj, attr) else obj.patient, attr, default)


PatientPage = page_of(ListedPatientAnswer, "PatientPage")
