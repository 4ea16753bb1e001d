"""Precautions: what the care team knows that speaks against a visit."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, page_of
from schemas.fields import Code, Day, Id, Moment, Reason
from server.clinical.vocabulary import PrecautionCode


class PrecautionBody(Body):
    """A precaution to record. It holds on local days: from `since` (today) to `until`, both included."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"code": "pregnancy", "note": "Test on Monday."}

    code = Code(PrecautionCode, required=True)
    since = Day(metadata={"example": "2026-05-02"})
    until = Day(metadata={"description": "its last day; without it, until it is ended"})
    note = Reason(metadata={"example": "Test on Monday."})


class PrecautionAnswer(Answer):
    """One precaution. `ended_at` null: nobody has ended it."""

    id = Id(required=True)
    patient_id = Id(required=True)
    code = Code(PrecautionCode, required=True)
    since = Day(required=True)
    until = Day(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    recorded_by = Id(required=True)
    created_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_by = Id(required=True, allow_none=True)
    version = fields.Integer(required=True)


PrecautionPage = page_of(PrecautionAnswer, "PrecautionPage")
