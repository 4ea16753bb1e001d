"""What a map file says: which column is what, on which scale, in which direction (docs/importing.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from server.clinical.vocabulary import Condition, Direction, Phase, Route, SafetyAnswer

# A diary without times was most likely written in the evening, after a session of the day.
EVENING = time(20, 0)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A column that holds a date or a time, and its `strptime` formats, tried in order.

    ``ordinal``: the day is written 1st, 2nd …; ``words`` are texts that stand for a time.
    """

    column: str
    formats: tuple[str, ...]
    ordinal: bool = False
    words: Mapping[str, time] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scale:
    """A column with numbers from ``low`` to ``high``; ``direction`` is None for items without a good end.

    ``words`` are texts that stand for a number; ``where`` says which rows speak of the item: by
    column, texts (``*`` for any) of which the cell must match one.
    """

    column: str
    low: float
    high: float
    direction: Direction | None
    words: Mapping[str, float] = field(default_factory=dict)
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grades:
    """A column with severities: whole numbers 0-4, or the texts that ``grades`` translates.

    ``where`` as in `Scale`.
    """

    column: str
    grades: Mapping[str, int]
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tags:
    """A column with tags, and what stands between them."""

    column: str
    separator: str


@dataclass(frozen=True, slots=True)
class Safety:
    """A column with answers to a safety question, and what each text means."""

    column: str
    answers: Mapping[str, SafetyAnswer]


@dataclass(frozen=True, slots=True)
class CoursePlan:
    """The course that the sessions belong to, made where the patient has none."""

    route: Route
    condition: Condition
    phase: Phase
    min_interval_days: int
    max_interval_days: int


@dataclass(frozen=True, slots=True)
class DiaryMap:
    """A whole map that was checked. ``zone`` None means the patient's own; ``sessions`` are local moments.

    ``also`` are further names of a column, in order; ``optional`` columns may be missing from a file;
    ``source`` names the diary that entries come from.
    """

    day: Stamp
    items: Mapping[str, Scale]
    clock: Stamp | None = None
    default_time: time = EVENING
    zone: str | None = None
    side_effects: Mapping[str, Grades] = field(default_factory=dict)
    safety: Safety | None = None
    note: tuple[str, ...] = ()
    tags: Tags | None = None
    require: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    decimal: str = "."
    encoding: str = "utf-8"
    course: CoursePlan | None = None
    sessions: tuple[datetime, ...] = ()
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    source: str | None = None

    def columns(self) -> tuple[str, ...]:
        """Return every column the map names, in order, each once."""
        named = [self.day.column, *(scale.column for scale in self.items.values())]
        named += [self.clock.column] if self.clock else []
        named += [grades.column for grades in self.side_effects.values()]
        named += [self.safety.column] if self.safety else []
        named += [*self.note, *([self.tags.column] if self.tags else [])]
        named += [column for where in self.wheres() for column in where]
        return tuple(dict.fromkeys(named))

    def wheres(self) -> tuple[Mapping[str, tuple[str, ...]], ...]:
        """Return every condition on rows that the map has."""
        items = [scale.where for scale in self.items.values()]
        effects = [grades.where for grades in self.side_effects.values()]
        return tuple(where for where in (*items, *effects) if where)

    def session_days(self) -> tuple[date, ...]:
        """Return the days of the sessions, as they were written."""
        return tuple(session.date() for session in self.sessions)
