"""What is otherwise for one patient."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Moment, Reason, Whole
from schemas.policy import NEWEST, SettingAnswer, ThresholdValues
from server.clinical.policy import PATIENT_FAMILIES


class PatientPolicyBody(Body):
    """All that is to be otherwise for this patient. `expected_version`: 0 where you saw none."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "values": {"silence.usual_days": 10},
        "reason": "Logs every second day by agreement.",
        "expected_version": 0,
    }

    values = ThresholdValues(PATIENT_FAMILIES, required=True)
    reason = Reason(required=True)
    expected_version = Whole(low=0, high=NEWEST)


class PatientPolicyAnswer(Answer):
    """What the patient is judged by: defaults, the clinic's values over them, their own over those."""

    clinic_version = fields.Integer(required=True)
    patient_version = fields.Integer(
        required=True, metadata={"description": "0: there never was anything else for this patient"}
    )
    values = fields.Dict(required=True, metadata={"description": "their own"})
    reason = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True, allow_none=True)
    created_by = fields.String(required=True, allow_none=True, metadata={"example": "Bo"})
    thresholds = fields.List(fields.Nested(SettingAnswer), required=True)
