"""From daily rule hits to a state that does not flicker.

A signal starts when several of the last watched days hit, and ends after a longer run of calm ones.
Source: docs/clinical.md, "States".
"""

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from server.clinical.baseline import Baseline, Treatment, settled
from server.clinical.detectors import Mark, Rule, RuleHit, Scan, scan
from server.clinical.era import Era
from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.series import COMPOSITE, UNREST, Points, blend_points, item_points
from server.clinical.vocabulary import WatchState

Span = tuple[date, date]
_DAY = itemgetter(0)
ALARMED = frozenset({WatchState.FADING, WatchState.RELAPSED})


class WatchedDay(NamedTuple):
    """One observed day: the state after it, its hits, since when it is not calm."""

    day: date
    state: WatchState
    hits: tuple[RuleHit, ...]
    since: date | None


@dataclass(frozen=True, slots=True)
class Walk:
    """The watched days of an era, oldest first, and where each series stood on any of them.

    What it says of a day rests on nothing later: a walk to a later day says the same of it, as long as
    the baseline has the same series on both.
    """

    days: tuple[WatchedDay, ...]
    scans: Mapping[str, Scan]
    since: date

    def last(self, day: date) -> WatchedDay | None:
        """Return the last watched day up to ``day``; None before the first."""
        place = bisect_right(self.days, day, key=_DAY)
        return self.days[place - 1] if place else None

    def marks(self, day: date, baseline: Baseline) -> Mapping[str, Mark]:
        """Return where each series reported since the baseline stood on ``day``, against ``baseline``."""
        found = ((name, scan.mark(day, baseline.levels[name])) for name, scan in self.scans.items())
        return {name: mark for name, mark in found if mark is not None and mark.day > self.since}


def walk(history: History, era: Era, policy: Policy, span: Span, treatments: Sequence[Treatment]) -> Walk:
    """Return the watched days of ``era`` within ``span``, of which nothing earlier is looked at.

    Session days and the days right after them are not watched.
    """
    first, last = max(era.stages[0].first_day, span[0]), span[1]
    seen = settled(history.between(first, last), [t.day for t in treatments], policy)
    hits, scans = _scanned(seen, era, policy)
    days = {r.day for r in seen.readings if r.day > era.since and r.day in hits}
    sessions = {t.day for t in treatments if era.since < t.day <= last}
    episode = _Episode(policy)
    watched = []
    for day in sorted(days | sessions):
        found: tuple[RuleHit, ...] = ()
        if day in sessions:
            # The session that answers a signal changes the state at once, not with the next watched day.
            episode.treat(day)
        else:
            found = _agreed(hits[day], policy)
            episode.step(day, found)
            if episode.state is WatchState.RE_TREATED:
                found = ()  # means of these days reach back to before the session that answered them
        state = episode.state or calm(era.stages[0], day, policy)
        watched.append(WatchedDay(day, state, found, episode.since))
    return Walk(tuple(watched), scans, era.since)


def calm(baseline: Baseline, day: date, policy: Policy) -> WatchState:
    """Return what a day without a signal is called."""
    held = (day - baseline.anchor_day).days > policy["relapse.holding_after_days"]
    return WatchState.HOLDING if held else WatchState.RESPONDING


def points_of(history: History, name: str, baseline: Baseline, policy: Policy) -> Points:
    """Return the days of one series of ``baseline``."""
    if name in baseline.blends:
        return blend_points(history, baseline.blends[name], policy["composite.min_share"])
    return item_points(history, name)


def _scanned(
    history: History, era: Era, policy: Policy
) -> tuple[Mapping[date, Sequence[RuleHit]], Mapping[str, Scan]]:
    """Return the hits of every day that has a point of some series, and what each series says."""
    hits: dict[date, list[RuleHit]] = defaultdict(list)
    observed: set[date] = set()
    scans: dict[str, Scan] = {}
    for name in era.stages[-1].levels:
        points = points_of(history, name, era.stages[0], policy)
        if not points or points[-1][0] <= era.since:
            continue
        # A series that filled its baseline later than others is judged from then on.
        found = scan(points, name, [stage for stage in era.stages if name in stage.levels], policy)
        scans[name] = found
        observed.update(map(_DAY, points))
        for day, held in found.hits.items():
            hits[day] += held
    return {day: hits.get(day, ()) for day in observed}, scans


def _agreed(hits: Sequence[RuleHit], policy: Policy) -> tuple[RuleHit, ...]:
    """Return the hits of a day, gravest rule first, single items only where several agree.

    Each item is one more chance of a false alarm; asking for agreement pays for watching many.
    """
    if not hits:
        return ()
    order = (COMPOSITE, UNREST)
    singles = {hit.series for hit in hits}.difference(order)
    if len(singles) < policy["relapse.items_needed"]:
        hits = [hit for hit in hits if hit.series not in singles]
    return tuple(sorted(hits, key=lambda h: (h.series not in order, h.series, -int(h.rule[1:]))))


class _Episode:
    """The hysteresis. ``state`` is None while nothing calls for attention."""

    __slots__ = ("_calm_days", "_policy", "_recent", "_treated", "since", "state")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._recent: deque[tuple[date, bool, bool]] = deque(maxlen=policy.whole("relapse.enter_days"))
        self._calm_days = 0
        self._treated: date | None = None
        self.state: WatchState | None = None
        self.since: date | None = None

    def treat(self, day: date) -> None:
        """Note a session: one given for a signal starts a quiet time, any other changes nothing."""
        if self.state in ALARMED:
            self.state, self.since, self._treated = WatchState.RE_TREATED, None, day
            self._recent.clear()

    def step(self, day: date, hits: tuple[RuleHit, ...]) -> None:
        """Take one watched day."""
        if self._treated is not None:
            if (day - self._treated).days < self._policy["relapse.retreated_days"]:
                return
            self.state, self._treated = None, None
        self._recent.append((day, bool(hits), any(hit.rule is Rule.R3 for hit in hits)))
        if hits:
            self._calm_days = 0
            self._enter()
            return
        self._calm_days += 1
        if self._calm_days >= self._policy["relapse.leave_days"]:
            self.state, self.since = None, None

    def _enter(self) -> None:
        need = self._policy["relapse.enter_hits"]
        if sum(grave for _, _, grave in self._recent) >= need:
            self.state = WatchState.RELAPSED
        elif sum(hit for _, hit, _ in self._recent) >= need and self.state is None:
            self.state = WatchState.FADING
        if self.state is not None and self.since is None:
            self.since = min(day for day, hit, _ in self._recent if hit)
