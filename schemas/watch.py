"""The state of the watch, for clinicians only."""

from marshmallow import fields

from schemas.activation import ActivationAnswer
from schemas.base import Answer
from schemas.fields import Code, Day, Id, Moment
from schemas.response_curve import ExpectedLossAnswer
from server.clinical.vocabulary import Arm, MovedBy, Stage, WatchState


class JudgedDay(Answer):
    """What the watch said of one day."""

    day = Day(required=True)
    state = Code(WatchState, required=True)
    signal = fields.Boolean(required=True)
    policy_version = fields.Integer(required=True)
    patient_policy_version = fields.Integer(
        required=True, metadata={"description": "0: nothing was otherwise for this patient"}
    )
    data_version = fields.Integer(required=True)


class JudgementAnswer(JudgedDay):
    """A judgement with what it rests on, so that it can be checked."""

    rules = fields.List(fields.String(), required=True, metadata={"example": ["R2:composite"]})
    text = fields.String(required=True)
    evidence = fields.Dict(required=True)
    made_at = Moment(required=True)


class AskedScaleAnswer(Answer):
    """A scale the watch asked the patient for. It is done with an answer to this occurrence."""

    instrument = fields.String(required=True, metadata={"example": "phq-9"})
    day = Day(required=True)
    last_day = Day(required=True, metadata={"description": "the last local day it can be filled"})
    done = fields.Boolean(required=True)


class WatchMoveAnswer(Answer):
    """One move of the stage. `after` equal to `before`: by late data nothing moves on this day any more."""

    day = Day(required=True)
    by = Code(MovedBy, required=True)
    before = Code(Stage, required=True)
    after = Code(Stage, required=True)
    corrects = fields.Boolean(
        required=True, metadata={"description": "an earlier move of this day no longer stands: late data"}
    )
    text = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True, metadata={"description": "the clinician's"})
    evidence = fields.Dict(required=True)
    data_version = fields.Integer(required=True)
    policy_version = fields.Integer(required=True)
    patient_policy_version = fields.Integer(required=True)
    alert_id = Id(required=True, allow_none=True)
    account_id = Id(required=True, allow_none=True)
    made_at = Moment(required=True)


class WatchedArmAnswer(Answer):
    """One arm: the newest judgement; states and scales asked for of the last 30 days, oldest first.

    `expected_loss` is null where there is no benefit to lose, where it is lost, or where nobody can say.
    The stage, the day of the move that led to it (null: none did), and the newest 30 moves, newest first.
    """

    arm = Code(Arm, required=True)
    latest = fields.Nested(JudgementAnswer, required=True)
    expected_loss = fields.Nested(ExpectedLossAnswer, required=True, allow_none=True)
    history = fields.List(fields.Nested(JudgedDay), required=True)
    asked = fields.List(fields.Nested(AskedScaleAnswer), required=True)
    stage = Code(Stage, required=True)
    since = Day(required=True, allow_none=True)
    moves = fields.List(fields.Nested(WatchMoveAnswer), required=True)


class WatchAnswer(Answer):
    """The arms that were ever judged, and the activation watch."""

    arms = fields.List(fields.Nested(WatchedArmAnswer), required=True)
    activation = fields.Nested(ActivationAnswer, required=True)
