"""Replays of draft policies over the clinic's own past."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validates_schema

from schemas.base import Answer, Body, PageQuery, page_of
from schemas.combining import ExactlyOne
from schemas.fields import Code, Day, Id, Moment, Whole
from schemas.policy import NEWEST, ThresholdValues
from server.clinical.vocabulary import Arm, ReplayState


class ReplayBody(Body):
    """A draft: its `version`, or `values` that were never kept. Days: by default the last 180."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"version": 2}
    TOGETHER: ClassVar[ExactlyOne] = ExactlyOne(
        ("values", "version"), "Send either values or the version of a draft.", "values"
    )

    values = ThresholdValues()
    version = Whole(low=1, high=NEWEST)
    first = Day()
    last = Day()

    @validates_schema
    def one_draft(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a replay of no draft, or of two."""
        self.TOGETHER.check(data)


class ReplayQuery(PageQuery):
    """Paging, newest first."""


class LoadAnswer(Answer):
    """Figures of one policy. Null: there was nothing to take it from. Definitions: docs/policy.md."""

    alarms = fields.Integer(required=True)
    alarms_per_week = fields.Float(required=True)
    alarms_per_patient_month = fields.Float(required=True, allow_none=True)
    false_alarms = fields.Integer(required=True)
    undecided = fields.Integer(
        required=True, metadata={"description": "alarms too late in the period to be followed up"}
    )
    missed_relapses = fields.Integer(required=True)
    missed_retreatments = fields.Integer(required=True)
    lead_relapse_days = fields.Float(required=True, allow_none=True)
    lead_retreatment_days = fields.Float(required=True, allow_none=True)
    staff_minutes_per_week = fields.Float(required=True)
    insufficient_share = fields.Float(required=True, allow_none=True)


class ComparisonAnswer(Answer):
    """The draft beside the policy that was in force when the replay was asked for."""

    patients = fields.Integer(required=True)
    patient_days = fields.Integer(required=True)
    differing = fields.Integer(required=True, metadata={"description": "patients alarmed on other days"})
    relapses = fields.Integer(required=True)
    retreatments = fields.Integer(required=True)
    current = fields.Nested(LoadAnswer, required=True)
    draft = fields.Nested(LoadAnswer, required=True)
    not_shown = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "what the draft changes and no replay shows", "example": []},
    )


class ReplayAnswer(Answer):
    """One replay; `done` of `total` patients so far. `result` once it is done."""

    id = Id(required=True)
    state = Code(ReplayState, required=True)
    draft_version = fields.Integer(required=True, allow_none=True)
    base_version = fields.Integer(required=True)
    values = fields.Dict(required=True)
    first = Day(required=True)
    last = Day(required=True)
    done = fields.Integer(required=True)
    total = fields.Integer(required=True)
    failure = fields.String(required=True, allow_none=True, metadata={"description": "a code"})
    result = fields.Nested(ComparisonAnswer, required=True, allow_none=True)
    created_at = Moment(required=True)
    created_by = Id(required=True, allow_none=True)
    finished_at = Moment(required=True, allow_none=True)


class ReplayedArmAnswer(Answer):
    """Alarms of one arm under both policies, and the days of the first ones."""

    arm = Code(Arm, required=True)
    current_alarms = fields.Integer(required=True)
    draft_alarms = fields.Integer(required=True)
    current_first = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    draft_first = fields.String(required=True, allow_none=True, metadata={"format": "date"})


class ReplayedPatientAnswer(Answer):
    """One patient who would have been alarmed on other days."""

    patient_id = Id(required=True)
    arms = fields.List(fields.Nested(ReplayedArmAnswer), required=True)


ReplayPage = page_of(ReplayAnswer, "PolicyReplayPage")
ReplayedPatientPage = page_of(ReplayedPatientAnswer, "ReplayedPatientPage")
