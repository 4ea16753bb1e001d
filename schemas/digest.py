"""The care team's week."""

from marshmallow import fields

from schemas.alert import OpenCounts
from schemas.base import Answer
from schemas.fields import Code, Day, Id, Moment
from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState


class AlertLineAnswer(Answer):
    """One alert, without what it found: read it for that."""

    id = Id(required=True)
    patient_id = Id(required=True)
    patient = fields.String(required=True, metadata={"example": "Ana"})
    family = Code(AlertFamily, required=True)
    urgency = Code(AlertClass, required=True)
    state = Code(AlertState, required=True)
    day = Day(required=True, metadata={"description": "newest local day of its findings"})
    opened_at = Moment(required=True)
    snoozed = fields.Boolean(required=True)
    assigned_to = Id(required=True, allow_none=True)
    acknowledged_by = Id(required=True, allow_none=True)
    exhausted_at = Moment(required=True, allow_none=True)
    mine = fields.Boolean(required=True, metadata={"description": "your patient, or in your hands"})


class SilentLineAnswer(Answer):
    """A patient who has not logged since the alert about it."""

    alert_id = Id(required=True)
    patient_id = Id(required=True)
    patient = fields.String(required=True, metadata={"example": "Ana"})
    last_day = Day(required=True, allow_none=True, metadata={"description": "their last day with an entry"})
    mine = fields.Boolean(required=True)


class UnreachableLineAnswer(Answer):
    """An enrolled patient whom no message reaches."""

    patient_id = Id(required=True)
    patient = fields.String(required=True, metadata={"example": "Ana"})
    since = Moment(required=True)
    mine = fields.Boolean(required=True)


def _listed(shape: type[Answer]) -> type[Answer]:
    """Return the shape of a list cut after its first lines."""
    name = shape.__name__.replace("LineAnswer", "List")
    members = {
        "count": fields.Integer(required=True, metadata={"description": "all of them"}),
        "items": fields.List(
            fields.Nested(shape), required=True, metadata={"description": "the first, yours before others"}
        ),
    }
    return type(name, (Answer,), {"__doc__": "The first lines, and how many there are.", **members})


AlertList = _listed(AlertLineAnswer)
SilentList = _listed(SilentLineAnswer)
UnreachableList = _listed(UnreachableLineAnswer)


class BecameAnswer(Answer):
    """How many of the alerts opened in the week ended how, or are not closed yet."""

    contacted = fields.Integer(required=True)
    visit_arranged = fields.Integer(required=True)
    plan_changed = fields.Integer(required=True)
    emergency_care = fields.Integer(required=True)
    no_action_needed = fields.Integer(required=True)
    false_alarm = fields.Integer(required=True)
    open = fields.Integer(required=True)
    acknowledged = fields.Integer(required=True)


class DigestAnswer(Answer):
    """One week. `p3` and `became` are of the alerts opened in it; everything else is as it is now."""

    week = fields.String(required=True, metadata={"example": "2026-W10"})
    since = Moment(required=True)
    until = Moment(required=True)
    p3 = fields.Nested(AlertList, required=True, metadata={"description": "told in no other message"})
    became = fields.Nested(BecameAnswer, required=True)
    waiting = fields.Nested(OpenCounts, required=True)
    open = fields.Nested(
        AlertList, required=True, metadata={"description": "nobody has them; by urgency, then age"}
    )
    acknowledged = fields.Nested(AlertList, required=True, metadata={"description": "and not closed"})
    exhausted = fields.Nested(
        AlertList, required=True, metadata={"description": "everybody was told, nobody answered"}
    )
    silent = fields.Nested(SilentList, required=True)
    unreachable = fields.Nested(UnreachableList, required=True)
