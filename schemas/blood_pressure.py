"""Blood pressures at rest."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, page_of
from schemas.fields import Id, Moment, Whole


class BloodPressureBody(Body):
    """A blood pressure to record, in mmHg: at rest, not in the hours after a dose."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"systolic": 128, "diastolic": 82}

    systolic = Whole(low=50, high=300, required=True)
    diastolic = Whole(low=20, high=200, required=True)
    measured_at = Moment(metadata={"description": "without it, now"})


class BloodPressureAnswer(Answer):
    """One blood pressure. `withdrawn_at`: since when it counts no more."""

    id = Id(required=True)
    patient_id = Id(required=True)
    systolic = fields.Integer(required=True)
    diastolic = fields.Integer(required=True)
    measured_at = Moment(required=True)
    recorded_by = Id(required=True)
    created_at = Moment(required=True)
    withdrawn_at = Moment(required=True, allow_none=True)
    withdrawn_by = Id(required=True, allow_none=True)
    version = fields.Integer(required=True)


BloodPressurePage = page_of(BloodPressureAnswer, "BloodPressurePage")
