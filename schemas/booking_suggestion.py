"""Booking suggestions as the care team sees them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validates_schema

from schemas.base import Answer, Body, PageQuery, page_of
from schemas.combining import AtLeastOne
from schemas.fields import Code, Day, Id, Moment, Reason, Whole
from schemas.inbox import PreferredTimeAnswer, SlotAnswer
from schemas.query import QueryFlag
from server.clinical.guards import BlockCode
from server.clinical.maintenance import Reason as WhySuggested
from server.clinical.visit_window import LONGEST_MINUTES, SHORTEST_MINUTES
from server.clinical.vocabulary import AlertClass, Arm, PatientAnswer, SuggestionState


class SuggestionQuery(PageQuery):
    """Which suggestions; all states without `state`."""

    state = Code(SuggestionState)
    patient_id = Id()
    blocked = QueryFlag(
        metadata={"description": "drafts that a clinician has to review because guards hold, or the others"}
    )


class ApprovalBody(Body):
    """An approval; `override_reason` is needed where guards speak against the visit."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"override_reason": "Seen in person this morning."}

    override_reason = Reason(metadata={"example": "Seen today, no acute risk."})


class DismissalBody(Body):
    """A dismissal always says why."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "The patient is away until spring."}

    reason = Reason(required=True, metadata={"example": "Phone call first."})


class ChangeBody(Body):
    """A change by a clinician, with its reason. What is not named stays.

    `override_reason` is needed where the window begins before the plan's shortest interval, or where
    guards speak against a visit that was approved before.
    """

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"latest": "2026-05-20", "reason": "She is away for a week."}
    TOGETHER: ClassVar[AtLeastOne] = AtLeastOne(
        ("earliest", "latest", "urgency", "minutes"), "Names nothing to change."
    )

    earliest = Day(metadata={"example": "2026-05-06"})
    latest = Day(metadata={"example": "2026-05-20"})
    urgency = Code(AlertClass)
    minutes = Whole(low=SHORTEST_MINUTES, high=LONGEST_MINUTES, metadata={"example": 120})
    reason = Reason(required=True, metadata={"example": "She is away for a week."})
    override_reason = Reason(metadata={"example": "Agreed with the team."})

    @validates_schema
    def _changes_something(self, body: Mapping[str, Any], **_: Any) -> None:
        self.TOGETHER.check(body)


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
    minutes = fields.Integer(required=True, metadata={"description": "how long the visit takes"})
    blocks = fields.List(fields.Nested(BlockAnswer), required=True)
    needs_review = fields.Boolean(
        required=True,
        metadata={"description": "a draft that guards hold back: a clinician looks first"},
    )
    decided_by = Id(required=True, allow_none=True)
    decision_reason = fields.String(required=True, allow_none=True)
    external_id = fields.String(required=True, allow_none=True)
    starts_at = Moment(required=True, allow_none=True)
    ends_at = Moment(required=True, allow_none=True)
    proposed_starts_at = Moment(required=True, allow_none=True)
    proposed_ends_at = Moment(required=True, allow_none=True)
    offered_at = Moment(
        required=True, allow_none=True, metadata={"description": "since when the patient sees it"}
    )
    unseen_since = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "since when nobody who makes appointments has looked at it"},
    )
    patient_answer = Code(PatientAnswer, required=True, allow_none=True)
    patient_answered_at = Moment(required=True, allow_none=True)
    preferred_times = fields.List(fields.Nested(PreferredTimeAnswer), required=True)
    treatment_session_id = Id(required=True, allow_none=True)
    responded = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "whether its session helped; null: not known"},
    )
    days_gained = fields.Integer(
        required=True, allow_none=True, metadata={"description": "days the benefit held after its session"}
    )
    gained_at_least = fields.Boolean(
        required=True, allow_none=True, metadata={"description": "it held for longer than was seen"}
    )
    outcome_at = Moment(required=True, allow_none=True)
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
    """One suggestion with its log, and free times of the clinic's calendar."""

    slots = fields.List(fields.Nested(SlotAnswer), required=True)
    events = fields.List(fields.Nested(SuggestionEventAnswer), required=True)


SuggestionPage = page_of(SuggestionAnswer, "BookingSuggestionPage")
