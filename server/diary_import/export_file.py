"""Read and check an export of Afterglow itself. Every problem is named by its place, never by content."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW, SIDE_EFFECTS
from server.clinical.side_effects import onset_problems
from server.clinical.vocabulary import (
    ITEMS,
    Adherence,
    Condition,
    EnteredBy,
    Phase,
    Route,
    SafetyAnswer,
    SessionStatus,
    Source,
)
from server.diary_import.mapping import NOTE_LONGEST

FORMAT, FORMAT_VERSION = "afterglow-export", 1
LARGEST_EXPORT = 100_000_000
PROBLEMS_SHOWN = 20


class ExportError(ValueError):
    """The file can't be used. ``problems`` names what is wrong with it, and where."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of an entry or of a questionnaire response (``entry_id`` is the id of either).

    ``said`` is its content as it stands in the file, None where it was taken back.
    """

    entry_id: UUID
    version: int
    received_at: datetime
    source: Source
    recorded_at: datetime | None
    said: Mapping[str, Any] | None
    is_response: bool = False

    def content(self) -> dict[str, Any]:
        """Return the content as the journal takes it."""
        assert self.said is not None, "a version that was taken back has no content"
        occurred = datetime.fromisoformat(self.said["occurred_at"])
        given = {key: value for key, value in self.said.items() if value is not None or not self.is_response}
        onset = self.said.get("side_effect_onset", {})
        began = {term: datetime.fromisoformat(text) for term, text in onset.items()}
        times = {"occurred_at": occurred, "recorded_at": self.recorded_at}
        return {**given, **times} | ({"side_effect_onset": began} if began else {})


@dataclass(frozen=True, slots=True)
class PastSession:
    """A session; ``course`` is the place of its course in the list."""

    course: int
    at: datetime
    status: SessionStatus
    route: Route


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A checked export. ``courses`` are values of `Course`; ``revisions`` come as they were received."""

    courses: Sequence[Mapping[str, Any]]
    sessions: Sequence[PastSession]
    revisions: Sequence[Revision]


def read_export(data: bytes) -> ExportFile:
    """Return what is in an export; ExportError names its problems, the first 20 at the most."""
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ExportError("is not JSON") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ExportError("is not an export of Afterglow")
    if raw.get("format_version") != FORMAT_VERSION:
        raise ExportError(f"is not of format version {FORMAT_VERSION}")
    try:
        loaded: Any = _File().load(raw)
    except ValidationError as error:
        raise ExportError(*sorted(_flat(error.messages))[:PROBLEMS_SHOWN]) from None
    sessions = [PastSession(**session) for session in loaded["treatment_sessions"]]
    if any(session.course >= len(loaded["courses"]) for session in sessions):
        raise ExportError("has a session of a course that is not in it")
    found = [one for entry in loaded["entries"] for one in _revisions(entry, False)]
    found += [one for response in loaded["questionnaire_responses"] for one in _revisions(response, True)]
    found.sort(key=lambda one: (one.received_at, one.version))
    return ExportFile(loaded["courses"], sessions, found)


def _revisions(entry: Mapping[str, Any], is_response: bool) -> Iterator[Revision]:
    kept = (entry["id"], entry["source"], entry["recorded_at"])
    for one in entry["revisions"]:
        yield Revision(kept[0], one["version"], one["received_at"], *kept[1:], one["content"], is_response)


def _flat(messages: Any, path: str = "") -> Iterator[str]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            # "value", "key" and "_schema" are the library's own levels.
            own = path if key in ("value", "key", "_schema") else f"{path}.{key}".lstrip(".")
            yield from _flat(below, own)
    else:
        yield from (f"{path}: {message}" for message in messages)


class _Part(Schema):
    class Meta:
        unknown = RAISE


class _Number(fields.Float):
    """A JSON number; never a text or true."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("Must be a number.")
        return super()._deserialize(value, attr, data, **kwargs)


class _Truth(fields.Boolean):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class _Medication(_Part):
    adherence = fields.Enum(Adherence, by_value=True)
    rescue_doses = fields.Integer(strict=True, validate=validate.Range(0, 50))
    opioid_changed = _Truth()


class _Content(_Part):
    occurred_at = fields.AwareDateTime(format="iso", required=True)
    zone = fields.String(required=True, validate=validate.OneOf(available_timezones(), error="Is no zone."))
    items = fields.Dict(
        keys=fields.String(validate=validate.OneOf(ITEMS, error="Is not an item.")),
        values=_Number(),
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


class _Filled(_Part):
    """What a filled scale says; whether the scale can have these answers is for the journal to judge."""

    instrument = fields.String(required=True)
    instrument_version = fields.Integer(required=True, strict=True)
    locale = fields.String(required=True)
    answers = fields.Dict(
        keys=fields.String(), values=fields.Integer(strict=True, allow_none=True), allow_none=True
    )
    total = _Number(allow_none=True)
    occurred_at = fields.AwareDateTime(format="iso", required=True)
    zone = fields.String(required=True, validate=validate.OneOf(available_timezones(), error="Is no zone."))
    occurrence = fields.String(allow_none=True, validate=validate.Length(max=200))


class _FilledAsItIs(_Said):
    shape = _Filled


class _Revision(_Part):
    version = fields.Integer(required=True, strict=True)
    received_at = fields.AwareDateTime(format="iso", required=True)
    local_day = fields.Raw(allow_none=True)
    content = _Said(required=True, allow_none=True)


class _Entry(_Part):
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


class _Response(_Entry):
    revisions = fields.List(fields.Nested(_FilledRevision), required=True, validate=validate.Length(min=1))


class _Course(_Part):
    route = fields.Enum(Route, by_value=True, required=True)
    condition = fields.Enum(Condition, by_value=True, required=True)
    phase = fields.Enum(Phase, by_value=True, required=True)
    started_on = fields.Date(required=True)
    ended_on = fields.Date(required=True, allow_none=True)
    min_interval_days = fields.Integer(required=True, strict=True, validate=validate.Range(1, 400))
    max_interval_days = fields.Integer(required=True, strict=True, validate=validate.Range(1, 400))


class _Session(_Part):
    course = fields.Integer(required=True, strict=True, validate=validate.Range(min=0))
    at = fields.AwareDateTime(format="iso", required=True)
    status = fields.Enum(SessionStatus, by_value=True, required=True)
    route = fields.Enum(Route, by_value=True, required=True)


class _File(_Part):
    """A section that this version does not know is refused: taking the rest would lose it in silence."""

    format = fields.Raw()
    format_version = fields.Raw()
    contract_version = fields.Raw()
    exported_at = fields.Raw()
    patient = fields.Raw()
    counts = fields.Dict(keys=fields.String(), values=fields.Integer(strict=True), required=True)
    entries = fields.List(fields.Nested(_Entry), required=True)
    questionnaire_responses = fields.List(fields.Nested(_Response), required=True)
    courses = fields.List(fields.Nested(_Course), required=True)
    treatment_sessions = fields.List(fields.Nested(_Session), required=True)

    @validates_schema
    def is_whole(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a file that does not hold what it says it holds."""
        names = ("entries", "questionnaire_responses", "courses", "treatment_sessions")
        held = {name: len(data[name]) for name in names}
        reported = [*data["entries"], *data["questionnaire_responses"]]
        held["revisions"] = sum(len(one["revisions"]) for one in reported)
        if any(data["counts"].get(name) != count for name, count in held.items()):
            raise ValidationError("Does not agree with what is in the file.", "counts")
