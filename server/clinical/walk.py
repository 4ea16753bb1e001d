"""From daily rule hits to a state that does not flicker.

A signal starts when several of the last watched days hit, and ends after a longer run of calm ones.
Source: docs/clinical.md, "States".
"""

from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from server.clinical.baseline import Baseline, Treatment
from server.clinical.columns import Columns, Logged, logged
from server.clinical.detectors import Mark, Rule, RuleHit, Scan
from server.clinical.era import Era
from server.clinical.line import Line
from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.series import COMPOSITE, UNREST
from server.clinical.vocabulary import WatchState

Span = tuple[date, date]
_BLENDS = (COMPOSITE, UNREST)
ALARMED = frozenset({WatchState.FADING, WatchState.RELAPSED})


class WatchedDay(NamedTuple):
    """One observed day: the state after it, its hits, since when it is not calm."""

    day: date
    state: WatchState
    hits: tuple[RuleHit, ...]
    since: date | None


class _Said(NamedTuple):
    """The same without a look at what the rules saw: the state, since when, whether a rule held."""

    state: WatchState
    since: date | None
    hit: bool


@dataclass(frozen=True, slots=True)
class Walk:
    """The watched days of an era and where each series stood on any of them.

    What it says of a day rests on nothing later: a walk to a later day says the same of it, as long as
    the baseline has the same series on both. Only the days from the first hit on are told; before it
    nothing but calm can be.
    """

    since: date
    _days: Sequence[int]
    _told: Mapping[int, _Said]
    _scans: Mapping[str, Scan]
    _first: Baseline
    _policy: Policy

    @property
    def days(self) -> tuple[WatchedDay, ...]:
        """Every watched day, oldest first."""
        return tuple(map(self._on, self._days))

    def last(self, day: date) -> WatchedDay | None:
        """Return the last watched day up to ``day``; None before the first."""
        place = bisect_right(self._days, day.toordinal())
        return self._on(self._days[place - 1]) if place else None

    def signals(self) -> Sequence[date]:
        """Return the days on which a rule held and that call for attention, oldest first."""
        told = self._told.items()
        return [date.fromordinal(day) for day, said in told if said.hit and said.state in ALARMED]

    def marks(self, day: date, baseline: Baseline) -> Mapping[str, Mark]:
        """Return where each series reported since the baseline stood on ``day``, against ``baseline``."""
        found = ((name, scan.mark(day, baseline.levels[name])) for name, scan in self._scans.items())
        return {name: mark for name, mark in found if mark is not None and mark.day > self.since}

    def _on(self, ordinal: int) -> WatchedDay:
        day, said = date.fromordinal(ordinal), self._told.get(ordinal)
        if said is None:
            return WatchedDay(day, calm(self._first, day, self._policy), (), None)
        return WatchedDay(day, said.state, self._hits(day) if said.hit else (), said.since)

    def _hits(self, day: date) -> tuple[RuleHit, ...]:
        return _agreed([hit for scan in self._scans.values() for hit in scan.hits(day)], self._policy)


def walk(history: History, era: Era, policy: Policy, span: Span, treatments: Sequence[Treatment]) -> Walk:
    """Return the watched days of ``era`` within ``span``, of which nothing earlier is looked at.

    Session days and the days right after them are not watched.
    """
    return walk_of(logged(history, (t.day for t in treatments), policy), era, policy, span)


def walk_of(said: Logged, era: Era, policy: Policy, span: Span) -> Walk:
    """Return the same of what is in columns already."""
    return followed(lines_of(said, era, policy, span), era, policy, said.given(era.since, span[1]))


def lines_of(said: Logged, era: Era, policy: Policy, span: Span) -> Mapping[str, Line]:
    """Return each series of ``era`` within ``span``, from where its baseline began."""
    seen = said.settled.between(max(era.stages[0].first_day, span[0]), span[1])
    return {name: _line_of(seen, name, era.stages[0], policy) for name in era.stages[-1].levels}


def followed(lines: Mapping[str, Line], era: Era, policy: Policy, sessions: Set[date]) -> Walk:
    """Return the walk along these series of ``era`` since its baseline began; ``sessions``: those since."""
    since, first = era.since.toordinal(), era.stages[0]
    reported = {name: line for name, line in lines.items() if line.days and line.days[-1] > since}
    # A series that filled its baseline later than others is judged from then on.
    scans = {
        name: Scan(line, name, [stage for stage in era.stages if name in stage.levels], policy)
        for name, line in reported.items()
    }
    observed = {day.toordinal() for day in sessions}.union(*(line.days for line in reported.values()))
    days = sorted(day for day in observed if day > since)
    told = _told(days, sessions, _held(scans, policy), _Episode(policy, first))
    return Walk(era.since, days, told, scans, first, policy)


def calm(baseline: Baseline, day: date, policy: Policy) -> WatchState:
    """Return what a day without a signal is called."""
    held = (day - baseline.anchor_day).days > policy["relapse.holding_after_days"]
    return WatchState.HOLDING if held else WatchState.RESPONDING


def _line_of(seen: Columns, name: str, baseline: Baseline, policy: Policy) -> Line:
    """Return one series of ``baseline``."""
    if name in baseline.blends:
        return seen.blend(baseline.blends[name], policy["composite.min_share"])
    return seen.item(name)


class _Held(NamedTuple):
    """Days on which rules held that count, and those of them on which R3 did."""

    days: Set[int]
    grave: Set[int]


def _held(scans: Mapping[str, Scan], policy: Policy) -> _Held:
    """Return the same of all series; of single items only days count on which several agree."""
    singles = Counter(
        day for name, scan in scans.items() if name not in _BLENDS for day in scan.held[Rule.R1]
    )
    blends = [scans[name].held for name in _BLENDS if name in scans]
    agreed = {day for day, count in singles.items() if count >= policy["relapse.items_needed"]}
    days = agreed.union(*(found for held in blends for found in held.values()))
    return _Held(days, {day for held in blends for day in held.get(Rule.R3, ())})


def _told(days: Sequence[int], sessions: Set[date], held: _Held, episode: "_Episode") -> Mapping[int, _Said]:
    """Return what is said of the watched days from the first on that a rule held."""
    told: dict[int, _Said] = {}
    for ordinal in days[bisect_left(days, min(held.days)) :] if held.days else ():
        day, hit = date.fromordinal(ordinal), ordinal in held.days
        if day in sessions:
            # The session that answers a signal changes the state at once, not with the next watched day.
            episode.treat(day)
        else:
            episode.step(day, hit, ordinal in held.grave)
        told[ordinal] = episode.said(day, hit and day not in sessions)
    return told


def _agreed(hits: Sequence[RuleHit], policy: Policy) -> tuple[RuleHit, ...]:
    """Return the hits of a day, gravest rule first, single items only where several agree.

    Each item is one more chance of a false alarm; asking for agreement pays for watching many.
    """
    singles = {hit.series for hit in hits}.difference(_BLENDS)
    if len(singles) < policy["relapse.items_needed"]:
        hits = [hit for hit in hits if hit.series not in singles]
    return tuple(sorted(hits, key=lambda h: (h.series not in _BLENDS, h.series, -int(h.rule[1:]))))


class _Episode:
    """The hysteresis. ``state`` is None while nothing calls for attention."""

    __slots__ = ("_baseline", "_calm_days", "_policy", "_recent", "_treated", "since", "state")

    def __init__(self, policy: Policy, baseline: Baseline) -> None:
        self._policy, self._baseline = policy, baseline
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

    def step(self, day: date, hit: bool, grave: bool) -> None:
        """Take one watched day."""
        if self._treated is not None:
            if (day - self._treated).days < self._policy["relapse.retreated_days"]:
                return
            self.state, self._treated = None, None
        self._recent.append((day, hit, grave))
        if hit:
            self._calm_days = 0
            self._enter()
            return
        self._calm_days += 1
        if self._calm_days >= self._policy["relapse.leave_days"]:
            self.state, self.since = None, None

    def said(self, day: date, hit: bool) -> _Said:
        """Return what there is to say of ``day``, the last one taken."""
        if self.state is WatchState.RE_TREATED:
            hit = False  # means of these days reach back to before the session that answered them
        return _Said(self.state or calm(self._baseline, day, self._policy), self.since, hit)

    def _enter(self) -> None:
        need = self._policy["relapse.enter_hits"]
        if sum(grave for _, _, grave in self._recent) >= need:
            self.state = WatchState.RELAPSED
        elif sum(hit for _, hit, _ in self._recent) >= need and self.state is None:
            self.state = WatchState.FADING
        if self.state is not None and self.since is None:
            self.since = min(day for day, hit, _ in self._recent if hit)
