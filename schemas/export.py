"""The patient's own export."""

from marshmallow import fields, validate

from schemas.base import Answer, Body
from schemas.fields import Code, Day, Id, Moment, Zone
from server.clinical.vocabulary import Condition, Phase, Route, SessionStatus, Source


class ExportQuery(Body):
    """Which kind of file."""

    format = fields.String(load_default="json", validate=validate.OneOf(["json", "csv"]))


class ExportPatient(Answer):
    """Who it is about."""

    name = fields.String(required=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    zone = Zone(required=True)
    country = fields.String(required=True)


class ExportRevision(Answer):
    """One version of an entry as it was received; `content` is null where it was taken back."""

    version = fields.Integer(required=True)
    received_at = Moment(required=True)
    local_day = Day(required=True, allow_none=True)
    content = fields.Dict(required=True, allow_none=True)


class ExportEntry(Answer):
    """One entry, or one filled scale, with every version it ever had."""

    id = Id(required=True)
    source = Code(Source, required=True)
    recorded_at = Moment(required=True, allow_none=True)
    revisions = fields.List(fields.Nested(ExportRevision), required=True)


class ExportCourse(Answer):
    """A course of sessions."""

    route = Code(Route, required=True)
    condition = Code(Condition, required=True)
    phase = Code(Phase, required=True)
    started_on = Day(required=True)
    ended_on = Day(required=True, allow_none=True)
    min_interval_days = fields.Integer(required=True)
    max_interval_days = fields.Integer(required=True)


class ExportSession(Answer):
    """A session; `course` is the place of its course in the list, from 0."""

    course = fields.Integer(required=True)
    at = Moment(required=True)
    status = Code(SessionStatus, required=True)
    route = Code(Route, required=True)


class ExportAnswer(Answer):
    """Everything the patient reported, as one file that an empty server can take back."""

    format = fields.String(required=True, metadata={"example": "afterglow-export"})
    format_version = fields.Integer(required=True, metadata={"example": 1})
    contract_version = fields.String(required=True)
    exported_at = Moment(required=True)
    patient = fields.Nested(ExportPatient, required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    entries = fields.List(fields.Nested(ExportEntry), required=True)
    questionnaire_responses = fields.List(fields.Nested(ExportEntry), required=True)
    courses = fields.List(fields.Nested(ExportCourse), required=True)
    treatment_sessions = fields.List(fields.Nested(ExportSession), required=True)
