"""The patient's own export."""

from marshmallow import fields, validate

from schemas.base import Answer, Body
from schemas.check_in_plan import PauseBody, ScalePlanAnswer
from schemas.fields import Code, Day, Id, Moment, TimeOfDay, Zone
from server.clinical.vocabulary import Condition, Phase, Route, SessionStatus, Source


class ExportQuery(Body):
    """Which kind of file."""

    format = fields.String(load_default="json", validate=validate.OneOf(["json", "csv", "fhir"]))


class ExportPatient(Answer):
    """Who it is about."""

    name = fields.String(required=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    zone = Zone(required=True)
    country = fields.String(required=True)


class ExportRevision(Answer):
    """One version as it was received; `content` is null where it was taken back."""

    version = fields.Integer(required=True)
    received_at = Moment(required=True)
    local_day = Day(required=True, allow_none=True)
    content = fields.Dict(required=True, allow_none=True)


class ExportEntry(Answer):
    """One entry with every version it ever had."""

    id = Id(required=True)
    source = Code(Source, required=True)
    recorded_at = Moment(required=True, allow_none=True)
    clock_skew_seconds = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "how far the phone's clock was behind when it sent the last version"},
    )
    clock_suspect = fields.Boolean(required=True)
    revisions = fields.List(fields.Nested(ExportRevision), required=True)


class ExportScore(Answer):
    """What the current version was scored as; an import makes it again."""

    total = fields.Float(required=True, allow_none=True)
    subscores = fields.Dict(keys=fields.String(), values=fields.Float(allow_none=True), required=True)
    prorated = fields.Boolean(required=True)
    missing = fields.List(fields.String(), required=True)


class ExportResponse(ExportEntry):
    """One filled scale; `score` is null where it was taken back."""

    score = fields.Nested(ExportScore, required=True, allow_none=True)


class ExportPlan(Answer):
    """How the patient is reminded and which scales are asked; times on the patient's own clock."""

    reminders = fields.Boolean(required=True)
    remind_at = TimeOfDay(required=True)
    every_days = fields.Integer(required=True)
    quiet_from = TimeOfDay(required=True)
    quiet_until = TimeOfDay(required=True)
    pause = fields.Nested(PauseBody, required=True, allow_none=True)
    scales = fields.List(fields.Nested(ScalePlanAnswer), required=True)


class ExportZoneChange(Answer):
    """The patient was in `zone` from `since` on, and said so at `recorded_at`."""

    zone = Zone(required=True)
    since = Moment(required=True)
    recorded_at = Moment(required=True)


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
    format_version = fields.Integer(required=True, metadata={"example": 2})
    contract_version = fields.String(required=True)
    exported_at = Moment(required=True)
    patient = fields.Nested(ExportPatient, required=True)
    substance_use = fields.String(
        required=True,
        validate=validate.OneOf(["included", "left_out"]),
        metadata={"description": "whether rows about substance use are in it", "example": "left_out"},
    )
    redisclosure_notice = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "where they are: this must stay with every copy"},
    )
    check_in_plan = fields.Nested(ExportPlan, required=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    entries = fields.List(fields.Nested(ExportEntry), required=True)
    questionnaire_responses = fields.List(fields.Nested(ExportResponse), required=True)
    courses = fields.List(fields.Nested(ExportCourse), required=True)
    treatment_sessions = fields.List(fields.Nested(ExportSession), required=True)
    zone_changes = fields.List(fields.Nested(ExportZoneChange), required=True)
