"""Adverse events of a session on the wire."""

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code, Day, Id, Moment
from server.clinical.vocabulary import AlertClass


class AdverseEventAnswer(Answer):
    """One effect from its first report to the one that says it is gone."""

    term = fields.String(required=True, attribute="worst.term", metadata={"example": "nausea"})
    label = fields.String(required=True, attribute="worst.label", metadata={"example": "Nausea"})
    grade = fields.Integer(required=True, attribute="worst.grade", metadata={"description": "the worst"})
    grade_label = fields.String(required=True, attribute="worst.grade_label")
    onset_hours = fields.Float(required=True, metadata={"description": "session to first report"})
    in_window = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "every report is inside the hours it is expected in"},
    )
    triage = Code(AlertClass, required=True, metadata={"description": "the most urgent"})
    first_reported_on = Day(required=True)
    last_reported_on = Day(required=True)
    resolved_on = Day(
        required=True, allow_none=True, metadata={"description": "first later report of grade 0"}
    )
    entries = fields.List(Id(), required=True)


class AdverseEventsAnswer(Answer):
    """Every effect reported between one session and the next; days are the patient's."""

    treatment_session_id = Id(required=True, attribute="session.id")
    at = Moment(required=True, attribute="session.at")
    until = Moment(required=True, allow_none=True, metadata={"description": "the next session"})
    events = fields.List(fields.Nested(AdverseEventAnswer), required=True)
