"""What a patient is asked on a day: the diary always, scales by their anchors. Pure.

An occurrence's key is made of what is asked and the patient's local day, so planning twice, or
changing the plan, never asks the same thing of the same day twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

DIARY = "diary"
# Bounds of a plan. Proposal: wide enough for every schedule of clinical.md 1.3, narrow enough for a slip.
EARLIEST_OFFSET, LATEST_OFFSET = -14, 90
LONGEST_EVERY, LONGEST_OPEN, MOST_OFFSETS, MOST_SCALES = 365, 7, 12, 20


class Anchor(StrEnum):
    """What a scale's days are counted from."""

    SESSION = "session"
    CALENDAR = "calendar"
    ONCE = "once"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class ScalePlan:
    """One scale and its days.

    session: on each of ``offsets`` (days from a session; 0 is its day) and then every ``every_days``
    after the last delivered one. calendar: ``first_day`` and every ``every_days`` after it. once: on
    ``first_day``. watch: on no day of its own, only when the watch asks (see `confirming`). An
    occurrence stays open for ``open_days`` days, at the longest until the next one.
    """

    instrument: str
    anchor: Anchor
    offsets: tuple[int, ...] = ()
    every_days: int | None = None
    first_day: date | None = None
    open_days: int = 1


@dataclass(frozen=True, slots=True)
class SessionDays:
    """Local days of a patient's treatment sessions. A planned one may yet not take place."""

    delivered: Sequence[date] = ()
    planned: Sequence[date] = ()


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One thing asked once. ``day``: the local day it fell due; ``last_day``: the last it can be done."""

    what: str
    day: date
    last_day: date

    @property
    def key(self) -> str:
        """The identity of this occurrence among all of one patient's."""
        return f"{self.what}:{self.day.isoformat()}"

    @property
    def instrument(self) -> str | None:
        """The scale that is asked, None for the diary."""
        return None if self.what == DIARY else self.what


def misfit(scale: ScalePlan) -> tuple[str, str] | None:
    """Return which member of ``scale`` its anchor has no use for, or misses, and why; None where all fit."""
    by_session, repeats = scale.anchor is Anchor.SESSION, scale.every_days is not None
    dated = scale.anchor in (Anchor.CALENDAR, Anchor.ONCE)
    if by_session and not scale.offsets and not repeats:
        return "offsets", "Needs offsets, every_days or both."
    if dated != (scale.first_day is not None):
        return "first_day", "Goes with calendar and once, and only with them."
    if not by_session and scale.offsets:
        return "offsets", "Goes with session only."
    if not by_session and repeats != (scale.anchor is Anchor.CALENDAR):
        return "every_days", "Goes with calendar and session."
    return None


def due(scales: Iterable[ScalePlan], sessions: SessionDays, day: date) -> Sequence[Occurrence]:
    """Return what falls due on ``day``: the diary first, then each scale at most once."""
    found = {DIARY: Occurrence(DIARY, day, day)}
    for scale in (scale for scale in scales if _falls_on(scale, sessions, day)):
        made = Occurrence(scale.instrument, day, day + timedelta(days=scale.open_days - 1))
        # Two rules for one scale that meet on a day ask once, for the longer time.
        found[made.what] = max(found.get(made.what, made), made, key=lambda o: o.last_day)
    return tuple(found.values())


def still_open(
    scales: Sequence[ScalePlan], sessions: SessionDays, day: date, asked: Iterable[Occurrence] = ()
) -> Sequence[Occurrence]:
    """Return what can be done on ``day``: what falls due then, and scales of days before still open.

    ``asked`` are those the watch asked for. Of each scale only the newest occurrence: the one before
    it is over when the next one falls due.
    """
    found: dict[str, Occurrence] = {}
    for occurrence in (*_recent(scales, sessions, day), *asked):
        if occurrence.day <= day <= occurrence.last_day:
            found[occurrence.what] = max(found.get(occurrence.what, occurrence), occurrence, key=_newest)
    return tuple(found.values())


def _newest(occurrence: Occurrence) -> tuple[date, date]:
    return occurrence.day, occurrence.last_day


def _recent(scales: Sequence[ScalePlan], sessions: SessionDays, day: date) -> Iterator[Occurrence]:
    """Yield the occurrences of the last days, newest day first."""
    for back in range(LONGEST_OPEN):
        yield from due(scales, sessions, day - timedelta(days=back))


def _falls_on(scale: ScalePlan, sessions: SessionDays, day: date) -> bool:
    if scale.anchor is Anchor.SESSION:
        return _offset_falls_on(scale, sessions, day) or _repeat_falls_on(scale, sessions, day)
    if scale.anchor is Anchor.WATCH:
        return False
    if scale.first_day is None or scale.anchor is Anchor.ONCE or scale.every_days is None:
        return scale.first_day == day
    return day >= scale.first_day and (day - scale.first_day).days % scale.every_days == 0


def _offset_falls_on(scale: ScalePlan, sessions: SessionDays, day: date) -> bool:
    """Before and on the day a plan is enough; after it only what took place counts."""
    expected = {*sessions.delivered, *sessions.planned}
    delivered = set(sessions.delivered)
    return any(day - timedelta(days=o) in (expected if o <= 0 else delivered) for o in scale.offsets)


def _repeat_falls_on(scale: ScalePlan, sessions: SessionDays, day: date) -> bool:
    last = max((s for s in sessions.delivered if s <= day), default=None)
    if last is None or scale.every_days is None:
        return False
    since = (day - last).days
    return since > max((*scale.offsets, 0)) and since % scale.every_days == 0
