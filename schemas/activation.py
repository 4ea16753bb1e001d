"""The activation watch on the wire, for clinicians only."""

from marshmallow import fields, validate

from schemas.base import Answer
from schemas.fields import Code, Day, Moment
from server.clinical.mania import ActivationRule
from server.clinical.vocabulary import AlertClass, BipolarRisk

_RULE = [rule.value for rule in ActivationRule]


class ActivationDay(Answer):
    """What the activation watch said of one day; `urgency` is null where no rule held."""

    day = Day(required=True)
    urgency = Code(AlertClass, required=True, allow_none=True)
    rules = fields.List(fields.String(validate=validate.OneOf(_RULE)), required=True)
    policy_version = fields.Integer(required=True)
    data_version = fields.Integer(required=True)


class ActivationJudgement(ActivationDay):
    """A judgement with what it rests on."""

    text = fields.String(required=True)
    evidence = fields.Dict(required=True)
    made_at = Moment(required=True)


class ChartedItem(Answer):
    """One item on its two-sided chart: own level, the last days, and on which side of it they lie."""

    own_mean = fields.Float(required=True, allow_none=True)
    own_sd = fields.Float(required=True, allow_none=True)
    own_days = fields.Integer(required=True, metadata={"description": "observed days it rests on"})
    own_first_day = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    own_last_day = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    last_days = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        required=True,
        metadata={"description": "the last three days by day; what is missing was not logged"},
    )
    week_mean = fields.Float(required=True, allow_none=True)
    week_days = fields.Integer(required=True, metadata={"description": "logged days of the last seven"})
    side = fields.String(required=True, validate=validate.OneOf(["above", "below", "usual", "unknown"]))


class ActivationAnswer(Answer):
    """The activation watch: newest judgement, the last 30 days oldest first, levels as of today."""

    at_risk = fields.Boolean(
        required=True, metadata={"description": "flagged at enrolment, or treated for bipolar depression"}
    )
    bipolar_risk = fields.List(Code(BipolarRisk), required=True)
    latest = fields.Nested(ActivationJudgement, required=True, allow_none=True)
    history = fields.List(fields.Nested(ActivationDay), required=True)
    levels = fields.Dict(
        keys=fields.String(validate=validate.OneOf(["energy", "sleep_hours", "mood"])),
        values=fields.Nested(ChartedItem),
        required=True,
    )
