"""The state of the watch, for clinicians only."""

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code, Day, Moment
from server.clinical.vocabulary import Arm, WatchState


class JudgedDay(Answer):
    """What the watch said of one day."""

    day = Day(required=True)
    state = Code(WatchState, required=True)
    signal = fields.Boolean(required=True)
    policy_version = fields.Integer(required=True)
    data_version = fields.Integer(required=True)


class JudgementAnswer(JudgedDay):
    """A judgement with what it rests on, so that it can be checked."""

    rules = fields.List(fields.String(), required=True, metadata={"example": ["R2:composite"]})
    text = fields.String(required=True)
    evidence = fields.Dict(required=True)
    made_at = Moment(required=True)


class WatchedArmAnswer(Answer):
    """One arm: the newest judgement and the states of the last 30 days, oldest first."""

    arm = Code(Arm, required=True)
    latest = fields.Nested(JudgementAnswer, required=True)
    history = fields.List(fields.Nested(JudgedDay), required=True)


class WatchAnswer(Answer):
    """The arms that were ever judged."""

    arms = fields.List(fields.Nested(WatchedArmAnswer), required=True)
