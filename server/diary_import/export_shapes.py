"""The shape of an export's file, format by format. Every problem is named by its place, never by content."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from server.clinical import checkins
from server.clinical.checkins import Anchor, ScalePlan
from server.clinical.instruments.catalog import INSTRUMENTS, RATED
from server.clinical.reminders import RAREST_EVERY
from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW, SIDE_EFFECTS
from server.clinical.side_effects import onset_problems
from server.clinical.vocabulary import (
    ITEMS,
    Adherence,
    Circumstance,
    Condition,
    EnteredBy,
    Phase,
    Route,
    SafetyAnswer,
    SessionStatus,
    Source,
)
from server.clinical.zones import ZONES
from server.diary_import.mapping import NOTE_LONGEST
from server.diary_import.shape_parts import Number, Part, Truth

ZONE = validate.OneOf(ZONES, error="Is no zone.")
# Between these, and with a clock this far off, a phone's time can be worked out.
MOMENTS = validate.Range(datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
SKEW_MOST = 10_000_000_000


class _Medication(Part):
    adherence = fields.Enum(Adherence, by_value=True)
    rescue_doses = fields.Integer(strict=True, validate=validate.Range(0, 50))
    opioid_changed = Truth()


class _Content(Part):
    occurred_at = fields.AwareDateTime(format="iso", required=True)
    zone = fields.String(required=True, validate=ZONE)
    items = fields.Dict(
        keys=fields.String(validate=validate.OneOf(ITEMS, error="Is not an item.")),
        values=Number(),
        required=True,
    )
    side_effects = fields.Dict(
        keys=fields.String(validate=validate.OneOf(SIDE_EFFECTS, error="Is not a term.")),
        values=fields.Integer(strict=True, validate=validate.Range(SEVERITY_LOW, SEVERITY_HIGH)),
        required=True,
    )
    side_effect_onset = fields.Dict(
        keys=fields.String(validate=validate.OneOf(SIDE_EFFECTS, error="Is not a term.")),
        values=fields.AwareDateTime(format="iso"),
        load_default=dict,
    )
    safety = fields.Enum(SafetyAnswer, by_value=True, required=True, allow_none=True)
    medication = fields.Nested(_Medication, required=True)
    circumstances = fields.List(fields.Enum(Circumstance, by_value=True), load_default=list)
    entered_by = fields.Enum(EnteredBy, by_value=True, required=True)
    tags = fields.List(
        fields.String(validate=validate.Length(1, 40)), required=True, validate=validate.Length(max=20)
    )
    note = fields.String(required=True, allow_none=True, validate=validate.Length(max=NOTE_LONGEST))

    @validates_schema
    def bounded(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a number outside its item's range."""
        outside = [k for k, v in data["items"].items() if not ITEMS[k].low <= v <= ITEMS[k].high]
        if outside:
            raise ValidationError({key: ["Is outside its range."] for key in outside}, "items")

    @validates_schema
    def began_before(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse an onset of what was not there, after the report, or too long before it."""
        onsets, side_effects = data["side_effect_onset"], data["side_effects"]
        problems = {t: [why] for t, why in onset_problems(onsets, side_effects, data["occurred_at"])}
        if problems:
            raise ValidationError(problems, "side_effect_onset")


class _Said(fields.Field[Any]):
    """Content that is checked, but kept as it is written: 7 must stay 7 and not become 7.0."""

    shape: type[Schema] = _Content

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        self.shape().load(value)
        return value


class _Filled(Part):
    """What a filled scale says; whether the scale can have these answers is for the journal to judge."""

    instrument = fields.String(
        required=True, validate=validate.NoneOf(RATED, error="Is rated by a clinician: no export has it.")
    )
    instrument_version = fields.Integer(required=True, strict=True)
    locale = fields.String(required=True)
    answers = fields.Dict(
        keys=fields.String(), values=fields.Integer(strict=True, allow_none=True), allow_none=True
    )
    total = Number(allow_none=True)
    occurred_at = fields.AwareDateTime(format="iso", required=True)
    zone = fields.String(required=True, validate=ZONE)
    occurrence = fields.String(allow_none=True, validate=validate.Length(max=200))

    @validates_schema
    def says_something(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a scale that nobody filled in: there is nothing to score."""
        if data.get("answers") is None and data.get("total") is None:
            raise ValidationError("Are missing, and so is a total.", "answers")


class _FilledAsItIs(_Said):
    shape = _Filled


class _Revision(Part):
    version = fields.Integer(required=True, strict=True)
    received_at = fields.AwareDateTime(format="iso", required=True, validate=MOMENTS)
    local_day = fields.Raw(allow_none=True)
    content = _Said(required=True, allow_none=True)


class ReportedEntry(Part):
    """An entry with every version of it."""

    id = fields.UUID(required=True)
    source = fields.Enum(Source, by_value=True, required=True)
    recorded_at = fields.AwareDateTime(format="iso", required=True, allow_none=True)
    revisions = fields.List(fields.Nested(_Revision), required=True, validate=validate.Length(min=1))

    @validates_schema
    def follow_each_other(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse versions that are missing, or received out of order."""
        history = data["revisions"]
        numbered = [one["version"] for one in history] == list(range(1, len(history) + 1))
        ordered = all(a["received_at"] <= b["received_at"] for a, b in pairwise(history))
        if not (numbered and ordered) or history[0]["content"] is None:
            raise ValidationError("Must be every version from 1 on, in order.", "revisions")


class _FilledRevision(_Revision):
    content = _FilledAsItIs(required=True, allow_none=True)


class ReportedResponse(ReportedEntry):
    """A filled scale with every version of it."""

    revisions = fields.List(fields.Nested(_FilledRevision), required=True, validate=validate.Length(min=1))


class _Clocked(Part):
    clock_skew_seconds = fields.Integer(
        required=True, allow_none=True, strict=True, validate=validate.Range(-SKEW_MOST, SKEW_MOST)
    )
    clock_suspect = Truth(required=True)


class _ClockedEntry(_Clocked, ReportedEntry):
    pass


class _ClockedResponse(_Clocked, ReportedResponse):
    score = fields.Raw(required=True, allow_none=True)


class _Course(Part):
    route = fields.Enum(Route, by_value=True, required=True)
    condition = fields.Enum(Condition, by_value=True, required=True)
    phase = fields.Enum(Phase, by_value=True, required=True)
    started_on = fields.Date(required=True)
    ended_on = fields.Date(required=True, allow_none=True)
    min_interval_days = fields.Integer(required=True, strict=True, validate=validate.Range(1, 400))
    max_interval_days = fields.Integer(required=True, strict=True, validate=validate.Range(1, 400))


class _Session(Part):
    course = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))
    at = fields.AwareDateTime(format="iso", required=True)
    status = fields.Enum(SessionStatus, by_value=True, required=True)
    route = fields.Enum(Route, by_value=True, required=True)


class _Pause(Part):
    first = fields.Date(required=True)
    last = fields.Date(required=True)

    @validates_schema
    def forward(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a pause that runs backward."""
        if data["first"] > data["last"]:
            raise ValidationError("Lies before the first day.", "last")


class _Scale(Part):
    instrument = fields.String(required=True, validate=validate.OneOf(INSTRUMENTS, error="Is no scale."))
    anchor = fields.Enum(Anchor, by_value=True, required=True)
    offsets = fields.List(
        fields.Integer(
            strict=True, validate=validate.Range(checkins.EARLIEST_OFFSET, checkins.LATEST_OFFSET)
        ),
        required=True,
        validate=validate.Length(max=checkins.MOST_OFFSETS),
    )
    every_days = fields.Integer(
        required=True, allow_none=True, strict=True, validate=validate.Range(1, checkins.LONGEST_EVERY)
    )
    first_day = fields.Date(required=True, allow_none=True)
    open_days = fields.Integer(required=True, strict=True, validate=validate.Range(1, checkins.LONGEST_OPEN))

    @validates_schema
    def fits_its_anchor(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse members that the anchor has no use for, and miss none that it needs."""
        misfit = checkins.misfit(ScalePlan(**{**data, "offsets": tuple(data["offsets"])}))
        if misfit is not None:
            member, problem = misfit
            raise ValidationError(problem, member)


class Plan(Part):
    """A check-in plan."""

    reminders = Truth(required=True)
    remind_at = fields.Time(format="%H:%M", required=True)
    every_days = fields.Integer(required=True, strict=True, validate=validate.Range(1, RAREST_EVERY))
    quiet_from = fields.Time(format="%H:%M", required=True)
    quiet_until = fields.Time(format="%H:%M", required=True)
    pause = fields.Nested(_Pause, required=True, allow_none=True)
    scales = fields.List(
        fields.Nested(_Scale), required=True, validate=validate.Length(max=checkins.MOST_SCALES)
    )


class ZoneChange(Part):
    """A change of zone, and when it was told."""

    zone = fields.String(required=True, validate=ZONE)
    since = fields.AwareDateTime(format="iso", required=True, validate=MOMENTS)
    recorded_at = fields.AwareDateTime(format="iso", required=True, validate=MOMENTS)

    @validates_schema
    def was_then(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a change that was reported before it took place: it would have been taken as of then."""
        if data["since"] > data["recorded_at"]:
            raise ValidationError("Lies after it was reported.", "since")


class FirstFile(Part):
    """Format 1. A section that it does not know is refused: taking the rest would lose it in silence."""

    lists: tuple[str, ...] = ("entries", "questionnaire_responses", "courses", "treatment_sessions")
    format = fields.Raw()
    format_version = fields.Raw()
    contract_version = fields.Raw()
    exported_at = fields.Raw()
    patient = fields.Raw()
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True), required=True)
    entries = fields.List(fields.Nested(ReportedEntry), required=True)
    questionnaire_responses = fields.List(fields.Nested(ReportedResponse), required=True)
    courses = fields.List(fields.Nested(_Course), required=True)
    treatment_sessions = fields.List(fields.Nested(_Session), required=True)

    @validates_schema
    def is_whole(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a file that does not hold what it says it holds."""
        held = {name: len(data[name]) for name in self.lists}
        reported = [*data["entries"], *data["questionnaire_responses"]]
        held["revisions"] = sum(len(one["revisions"]) for one in reported)
        if any(data["counts"].get(name) != count for name, count in held.items()):
            raise ValidationError("Does not agree with what is in the file.", "counts")


class SecondFile(FirstFile):
    """Format 2: with the phone's clock, the plan and the zones."""

    lists = (*FirstFile.lists, "zone_changes")
    entries = fields.List(fields.Nested(_ClockedEntry), required=True)
    questionnaire_responses = fields.List(fields.Nested(_ClockedResponse), required=True)
    substance_use = fields.Raw()
    redisclosure_notice = fields.Raw(allow_none=True)
    check_in_plan = fields.Nested(Plan, required=True)
    zone_changes = fields.List(fields.Nested(ZoneChange), required=True)


FORMATS: Mapping[int, type[FirstFile]] = MappingProxyType({1: FirstFile, 2: SecondFile})
