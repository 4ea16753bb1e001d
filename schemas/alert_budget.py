"""The clinic's alert budget, in figures."""

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Moment, Rounded
from schemas.query import QueryWhole
from server.clinical.alert_budget import MOST_WEEKS, WEEKS
from server.clinical.vocabulary import AlertClass


class AlertBudgetQuery(Body):
    """Over how many weeks, up to now."""

    weeks = QueryWhole(low=1, high=MOST_WEEKS, load_default=WEEKS)


class ClassLoadAnswer(Answer):
    """Alerts of one urgency. An alert counts with the urgency it has now."""

    urgency = Code(AlertClass, required=True)
    alerts = fields.Integer(required=True)
    per_week = Rounded(required=True)
    expected_per_week = Rounded(required=True, metadata={"description": "by the policy, for these patients"})
    over_budget = fields.Boolean(required=True)


class PrecisionAnswer(Answer):
    """Which share (0-1) of the judged alerts was useful; null where none was judged.

    `low` and `high` are a 90 % Wilson interval.
    """

    useful = fields.Integer(required=True)
    judged = fields.Integer(required=True, metadata={"description": "closed, or something was said of it"})
    share = Rounded(required=True, allow_none=True)
    low = Rounded(required=True, allow_none=True)
    high = Rounded(required=True, allow_none=True)


class RuleLoadAnswer(Answer):
    """One rule. An alert in which several rules spoke counts for each of them."""

    code = fields.String(required=True, metadata={"example": "R2:composite"})
    alerts = fields.Integer(required=True)
    share = Rounded(required=True, metadata={"description": "of all alerts, 0-1"})
    per_week = Rounded(required=True)
    per_clinician_week = Rounded(required=True, allow_none=True)
    closed_useful = fields.Integer(required=True)
    closed_false = fields.Integer(
        required=True, metadata={"description": "closed as a false alarm or without need of action"}
    )
    said_useful = fields.Integer(required=True)
    said_noise = fields.Integer(required=True)
    precision = fields.Nested(PrecisionAnswer, required=True)
    over_budget = fields.Boolean(
        required=True, metadata={"description": "uses more of an urgency's budget than one rule may"}
    )
    imprecise = fields.Boolean(
        required=True, metadata={"description": "its precision is surely below what the policy asks"}
    )


class BudgetAnswer(Answer):
    """All alerts of the clinic. Per clinician: null where none works."""

    alerts = fields.Integer(required=True)
    per_week = Rounded(required=True)
    expected_per_week = Rounded(required=True)
    per_clinician_week = Rounded(required=True, allow_none=True)
    minutes_per_clinician_week = Rounded(
        required=True, allow_none=True, metadata={"description": "at `replay.alert_minutes` an alert"}
    )
    classes = fields.List(fields.Nested(ClassLoadAnswer), required=True)
    rules = fields.List(
        fields.Nested(RuleLoadAnswer), required=True, metadata={"description": "most alerts first"}
    )


class AlertBudgetAnswer(Answer):
    """The budget of the last weeks, and what it was measured by."""

    since = Moment(required=True)
    until = Moment(required=True)
    weeks = fields.Integer(required=True)
    patients = fields.Integer(required=True, metadata={"description": "enrolled"})
    clinicians = fields.Integer(required=True, metadata={"description": "who work now"})
    policy_version = fields.Integer(required=True)
    budget = fields.Nested(BudgetAnswer, required=True)
