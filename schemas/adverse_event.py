"""Adverse events of a session on the wire."""

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code, Day, Id, Moment
from server.clinical.side_effects import OnsetSource, Window
from server.clinical.vocabulary import AlertClass, EnteredBy, Route


class AdverseEventAnswer(Answer):
    """One effect from its first report to the one that says it is gone."""

    term = fields.String(required=True, attribute="worst.term", metadata={"example": "nausea"})
    label = fields.String(required=True, attribute="worst.label", metadata={"example": "Nausea"})
    onset_hours = fields.Float(
        required=True, metadata={"description": "session to earliest onset; negative: it began before"}
    )
    onset_days = fields.Integer(required=True, metadata={"description": "the same in ended days"})
    onset_source = Code(
        OnsetSource,
        required=True,
        metadata={"description": "stated: the patient said when it began; report: the first report"},
    )
    window = Code(
        Window,
        required=True,
        metadata={"description": "whether it began in the hours it is expected in; no_window: it has none"},
    )
    outlasts_window = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "the last report came when those hours were over; null: it has none"},
    )
    grade = fields.Integer(required=True, attribute="worst.grade", metadata={"description": "the worst"})
    grade_label = fields.String(required=True, attribute="worst.grade_label")
    worst_hours = fields.Float(
        required=True, metadata={"description": "session to the first report of the worst grade"}
    )
    worst_reported_on = Day(required=True, metadata={"description": "the day of that report"})
    triage = Code(AlertClass, required=True, metadata={"description": "the most urgent"})
    first_reported_on = Day(required=True)
    last_reported_on = Day(required=True)
    resolved_on = Day(
        required=True, allow_none=True, metadata={"description": "first later report of grade 0"}
    )
    entered_by = fields.List(
        Code(EnteredBy), required=True, metadata={"description": "whose hands made the entries"}
    )
    entries = fields.List(Id(), required=True)


class AdverseEventsAnswer(Answer):
    """Every effect reported between one session and the next; days are the patient's."""

    patient_id = Id(required=True, attribute="session.patient_id")
    course_id = Id(required=True, attribute="session.course_id")
    treatment_session_id = Id(required=True, attribute="session.id")
    route = Code(
        Route, required=True, attribute="session.route", metadata={"description": "how it was given"}
    )
    at = Moment(required=True, attribute="session.at")
    until = Moment(required=True, allow_none=True, metadata={"description": "the next session"})
    events = fields.List(fields.Nested(AdverseEventAnswer), required=True)
