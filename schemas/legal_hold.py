"""Legal holds: a reason in law to keep what there is of a patient."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, page_of
from schemas.fields import Day, Id, Moment, Reason


class LegalHoldBody(Body):
    """Why, and up to which day (included); without one, until it is released."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "reason": "A court has asked for the record, case 12/2026.",
        "until": "2027-12-31",
    }

    reason = Reason(longest=500, required=True)
    until = Day()


class LegalHoldAnswer(Answer):
    """A hold. `released_at` null: it stands, up to `until` where it has a last day."""

    id = Id(required=True)
    patient_id = Id(required=True)
    reason = fields.String(required=True)
    until = Day(required=True, allow_none=True)
    placed_by = Id(required=True)
    placed_at = Moment(required=True)
    released_at = Moment(required=True, allow_none=True)
    released_by = Id(required=True, allow_none=True)
    version = fields.Integer(required=True)


LegalHoldPage = page_of(LegalHoldAnswer, "LegalHoldPage")
