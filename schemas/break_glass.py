"""Opening a patient's record in an emergency."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, page_of
from schemas.fields import Id, Moment, Reason


class BreakGlassBody(Body):
    """Why it can't wait for somebody who may read the record anyway."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "Nobody of the care team can be reached."}

    reason = Reason(required=True)


class BreakGlassAnswer(Answer):
    """One opening: whose record, by whom, why, and until when."""

    id = Id(required=True)
    account_id = Id(required=True)
    patient_id = Id(required=True)
    reason = fields.String(required=True)
    opened_at = Moment(required=True)
    expires_at = Moment(required=True)


BreakGlassPage = page_of(BreakGlassAnswer, "BreakGlassPage")
