"""Read and check a map file. Every problem is named, not only the first."""

from collections.abc import Hashable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import yaml
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates_schema

from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW, SIDE_EFFECTS
from server.clinical.vocabulary import ITEMS, Condition, Direction, Phase, Route, SafetyAnswer
from server.clinical.zones import ZONES
from server.diary_import.diary_map import EVENING, CoursePlan, DiaryMap, Grades, Safety, Scale, Stamp, Tags
from server.diary_import.map_checks import date_problem, direction_problem, name_problems, tells

LONGEST_MAP = 100_000
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "-")
ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1")
MOST_DAYS = 400
LONGEST_SOURCE = 40
_SESSION_TIME = "10:00"


class MapError(ValueError):
    """The map can't be used. ``problems`` names everything that is wrong with it."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Once(yaml.constructor.BaseConstructor):
    """What a YAML loader takes on that is to read no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that is there twice: one of the two would silently win."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(problem=f"{twice} is there twice")
        return super().construct_mapping(node, deep)


class _Loader(Once, yaml.BaseLoader):
    """Every value stays the text it is: `no` is an answer here, not False, and a day is not a date yet."""


@lru_cache(maxsize=32)  # a list of many diaries names few maps, and reading one takes milliseconds
def read_map(text: str) -> DiaryMap:
    """Return the map that ``text`` (YAML) describes; MapError names all of its problems."""
    if len(text) > LONGEST_MAP:
        raise MapError(f"is longer than {LONGEST_MAP} characters")
    try:
        raw = yaml.load(text, _Loader)  # noqa: S506 (a BaseLoader: texts, lists and mappings only)
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        raise MapError(f"is not YAML: {_place(error)}") from None
    if not isinstance(raw, dict):
        raise MapError("must be a mapping with at least date and items")
    try:
        found = _MapFile().load(raw)
    except ValidationError as error:
        raise MapError(*sorted(_flat(error.messages))) from None
    assert isinstance(found, DiaryMap)
    return found


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it is nested too deeply or has a key that is no text"
    return f"{problem} (line {mark.line + 1})" if mark else str(problem)


def _flat(messages: Any, path: str = "") -> Iterator[str]:
    if not isinstance(messages, Mapping):
        yield from (f"{path}: {message}" for message in messages)
        return
    for key, below in messages.items():
        # "value" and "_schema" are the library's own levels; a person wrote neither.
        own = path if key in ("value", "_schema") else f"{path}.{key}".lstrip(".")
        yield from _flat(below, own or "map")


def _column() -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1, error="Name a column."))


class _Patterns(fields.Field[Any]):
    """One text or several."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[str, ...]:
        found = value if isinstance(value, list) else [value]
        if not found or not all(isinstance(text, str) and text for text in found):
            raise ValidationError("Must be a text or a list of texts.")
        return tuple(found)


def _by_column() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=_Patterns(), load_default=dict)


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _Stamp(_Strict):
    """`{column, format}` of a date or time; a format must be able to read what it writes."""

    column = _column()
    format = fields.String()
    also = fields.List(fields.String(), load_default=list)
    ordinal = fields.String(load_default="no", validate=validate.OneOf(["yes", "no"]))
    words = fields.Dict(keys=fields.String(), values=fields.Time(format="%H:%M"), load_default=dict)

    def __init__(self, default: str, **parts: Any) -> None:
        super().__init__(**parts)
        self.default = default

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Stamp:
        """Return the stamp."""
        formats = (data.get("format", self.default), *data["also"])
        if not all(tells(pattern, self._wanted()) for pattern in formats):
            wanted = self._wanted().replace("%", "")
            said = f"Must be able to tell {wanted}, with a percent sign before each letter as in strptime."
            raise ValidationError(said, "format")
        words = {text.lower(): at for text, at in data["words"].items()}
        return Stamp(data["column"], formats, data["ordinal"] == "yes", words)

    def _wanted(self) -> str:
        return "%H:%M" if "H" in self.default else "%Y-%m-%d"


class _Scale(_Strict):
    column = _column()
    low = fields.Float(required=True)
    high = fields.Float(required=True)
    direction = fields.Enum(Direction, by_value=True, load_default=None)
    words = fields.Dict(keys=fields.String(), values=fields.Float(), load_default=dict)
    where = _by_column()

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Scale:
        """Return the scale."""
        if data["low"] >= data["high"]:
            raise ValidationError("low must be less than high.")
        outside = [word for word, value in data["words"].items() if not data["low"] <= value <= data["high"]]
        if outside:
            raise ValidationError(f"{', '.join(outside)} must be between low and high.", "words")
        return Scale(**data | {"words": {word.lower(): value for word, value in data["words"].items()}})


class _Grades(_Strict):
    column = _column()
    grades = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(validate=validate.Range(SEVERITY_LOW, SEVERITY_HIGH)),
        load_default=dict,
    )
    where = _by_column()

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Grades:
        """Return the grades."""
        return Grades(**data)


class _Safety(_Strict):
    column = _column()
    answers = fields.Dict(
        keys=fields.String(),
        values=fields.Enum(SafetyAnswer, by_value=True),
        required=True,
        validate=validate.Length(min=1),
    )

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Safety:
        """Return the answers."""
        return Safety(**data)


class _Note(_Strict):
    column = _column()
    title = fields.String(load_default=None)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> tuple[str, ...]:
        """Return the columns of the note: its title first."""
        return tuple(column for column in (data["title"], data["column"]) if column)


class _Tags(_Strict):
    column = _column()
    separator = fields.String(load_default="|", validate=validate.Length(min=1))

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> Tags:
        """Return the tags."""
        return Tags(**data)


def _interval(days: int) -> fields.Integer:
    return fields.Integer(load_default=days, validate=validate.Range(1, MOST_DAYS))


class _Course(_Strict):
    route = fields.Enum(Route, by_value=True, required=True)
    condition = fields.Enum(Condition, by_value=True, required=True)
    phase = fields.Enum(Phase, by_value=True, load_default=Phase.INDUCTION)
    min_interval_days = _interval(7)
    max_interval_days = _interval(28)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> CoursePlan:
        """Return the plan."""
        if data["min_interval_days"] > data["max_interval_days"]:
            raise ValidationError("min_interval_days must not be more than max_interval_days.")
        return CoursePlan(**data)


class _MapFile(_Strict):
    date = fields.Nested(lambda: _Stamp("%Y-%m-%d"), required=True, attribute="day")
    time = fields.Nested(lambda: _Stamp("%H:%M"), load_default=None, attribute="clock")
    default_time = fields.Time(format="%H:%M", load_default=EVENING)
    zone = fields.String(load_default=None, validate=validate.OneOf(ZONES, error="Is not an IANA zone."))
    items = fields.Dict(
        keys=fields.String(validate=validate.OneOf(ITEMS, error="Is not an item of the diary.")),
        values=fields.Nested(_Scale),
        required=True,
        validate=validate.Length(min=1, error="Map at least one item."),
    )
    side_effects = fields.Dict(
        keys=fields.String(validate=validate.OneOf(SIDE_EFFECTS, error="Is not a term of the vocabulary.")),
        values=fields.Nested(_Grades),
        load_default=dict,
    )
    safety = fields.Nested(_Safety, load_default=None)
    note = fields.Nested(_Note, load_default=())
    tags = fields.Nested(_Tags, load_default=None)
    require = fields.List(fields.String(), load_default=list)
    missing = fields.List(fields.String(), load_default=list(MISSING))
    decimal = fields.String(load_default=".", validate=validate.OneOf([".", ","]))
    encoding = fields.String(load_default="utf-8", validate=validate.OneOf(ENCODINGS))
    course = fields.Nested(_Course, load_default=None)
    sessions = fields.List(fields.String(), load_default=list)
    also = _by_column()
    optional = fields.List(fields.String(), load_default=list)
    source = fields.String(load_default=None, validate=validate.Length(1, LONGEST_SOURCE))

    @validates_schema(skip_on_field_errors=False)
    def fits_together(self, data: Mapping[str, Any], **_: Any) -> None:
        """Name what contradicts itself across the map, also where a single value is wrong too."""
        wrong: dict[str, Any] = {}
        items = data.get("items") or {}
        for key in sorted(set(data.get("require") or ()) - set(items)):
            wrong.setdefault("require", []).append(f"{key} is not mapped under items.")
        for key, scale in items.items():
            if isinstance(scale, Scale) and (problem := direction_problem(key, scale)):
                wrong.setdefault("items", {})[key] = {"direction": [problem]}
        for text in data.get("sessions") or ():
            if _session(text) is None:
                wrong.setdefault("sessions", []).append(f"{text} is not YYYY-MM-DD or YYYY-MM-DD HH:MM.")
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def made(self, data: dict[str, Any], **_: Any) -> DiaryMap:
        """Return the map."""
        sessions = sorted(moment for text in data["sessions"] if (moment := _session(text)))
        missing = frozenset(text.strip() for text in data["missing"])
        data |= {"sessions": tuple(sessions), "missing": missing, "optional": frozenset(data["optional"])}
        made = DiaryMap(**data | {"require": tuple(data["require"])})
        wrong = name_problems(made)
        if problem := date_problem(made):
            wrong["date"] = [problem]
        if wrong:
            raise ValidationError(wrong)
        return made


def _session(text: str) -> datetime | None:
    whole = text if " " in text else f"{text} {_SESSION_TIME}"
    try:
        return datetime.strptime(whole, "%Y-%m-%d %H:%M")  # noqa: DTZ007 (a wall clock; the zone follows)
    except ValueError:
        return None
