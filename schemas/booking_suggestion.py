"""Booking suggestions as the care team sees them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, PageQuery, page_of
from schemas.fields import Code, Day, Id, Moment, Reason
from server.clinical.guards import BlockCode
from server.clinical.maintenance import Reason as WhySuggested
from server.clinical.vocabulary import AlertClass, Arm, SuggestionState


class SuggestionQuery(PageQuery):
    """Which suggestions; all states without `state`."""

    state = Code(SuggestionState)
    patient_id = Id()


class ApprovalBody(Body):
    """An approval; `override_reason` is needed where guards speak against the visit."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"override_reason": "Seen in person this morning."}

    override_reason = Reason(metadata={"example": "Seen today, no acute risk."})


class DismissalBody(Body):
    """A dismissal always says why."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "The patient is away until spring."}

    reason = Reason(required=True, metadata={"example": "Phone call first."})


class BlockAnswer(Answer):
    """One guard that speaks against a visit."""

    code = Code(BlockCode, required=True)
    detail = fields.String(required=True)


class SuggestionAnswer(Answer):
    """One suggestion. The window is in the patient's local days, both included."""

    id = Id(required=True)
    patient_id = Id(required=True)
    programme = Code(Arm, required=True)
    alert_id = Id(required=True, allow_none=True)
    state = Code(SuggestionState, required=True)
    reason = Code(WhySuggested, required=True)
    urgency = Code(AlertClass, required=True)
    earliest = Day(required=True)
    latest = Day(required=True)
    blocks = fields.List(fields.Nested(BlockAnswer), required=True)
    decided_by = Id(required=True, allow_none=True)
    decision_reason = fields.String(required=True, allow_none=True)
    external_id = fields.String(required=True, allow_none=True)
    starts_at = Moment(required=True, allow_none=True)
    treatment_session_id = Id(required=True, allow_none=True)
    created_at = Moment(required=True)
    changed_at = Moment(required=True)
    version = fields.Integer(required=True)


class SuggestionEventAnswer(Answer):
    """One move: who, when, to which state, why. `account` null: the system itself."""

    number = fields.Integer(required=True)
    action = fields.String(required=True, metadata={"example": "approve"})
    state = Code(SuggestionState, required=True)
    at = Moment(required=True)
    account_id = Id(required=True, allow_none=True)
    account = fields.String(required=True, allow_none=True, metadata={"example": "Bo"})
    detail = fields.Dict(required=True)


class SuggestionDetail(SuggestionAnswer):
    """One suggestion with its log."""

    events = fields.List(fields.Nested(SuggestionEventAnswer), required=True)


SuggestionPage = page_of(SuggestionAnswer, "BookingSuggestionPage")
