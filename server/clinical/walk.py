"""From daily rule hits to a state that does not flicker.

A signal starts when several of the last watched days hit, and ends after a longer run of calm ones.
Source: docs/clinical.md, "States".
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.baseline import Baseline, Treatment, settled
from server.clinical.detectors import Mark, Rule, RuleHit, marks
from server.clinical.policy import Policy
from server.clinical.readings import History
from server.clinical.series import COMPOSITE, UNREST, Points, blend_points, item_points
from server.clinical.vocabulary import WatchState

ALARMED = frozenset({WatchState.FADING, WatchState.RELAPSED})


@dataclass(frozen=True, slots=True)
class WatchedDay:
    """One observed day: the state after it, its hits, its marks, since when it is not calm."""

    day: date
    state: WatchState
    hits: tuple[RuleHit, ...]
    since: date | None
    marks: Mapping[str, Mark]


def walk(
    history: History, baseline: Baseline, policy: Policy, today: date, treatments: Sequence[Treatment]
) -> Iterator[WatchedDay]:
    """Yield every watched day after the baseline up to ``today``, oldest first.

    Looks at no more than ``relapse.window_days`` days, so its cost does not grow with the years.
    Session days and the days right after them are not watched.
    """
    first = max(
        baseline.last_day + timedelta(days=1), today - timedelta(days=policy.whole("relapse.window_days") - 1)
    )
    sessions = sorted({t.day for t in treatments if baseline.last_day < t.day <= today})
    seen = settled(history.between(first, today), [t.day for t in treatments], policy)
    by_day = _by_day(seen, baseline, policy)
    episode = _Episode(policy)
    for day in sorted(by_day):
        while sessions and sessions[0] <= day:
            episode.treat(sessions.pop(0))
        hits = _agreed(by_day[day], policy)
        episode.step(day, hits)
        yield WatchedDay(day, episode.state or calm(baseline, day, policy), hits, episode.since, by_day[day])
    if sessions:
        # The session that answers a signal changes the state at once, not with the next watched day.
        episode.treat(sessions[0])
        state = episode.state or calm(baseline, sessions[-1], policy)
        yield WatchedDay(sessions[-1], state, (), episode.since, by_day[max(by_day)] if by_day else {})


def calm(baseline: Baseline, day: date, policy: Policy) -> WatchState:
    """Return what a day without a signal is called."""
    held = (day - baseline.anchor_day).days > policy["relapse.holding_after_days"]
    return WatchState.HOLDING if held else WatchState.RESPONDING


def points_of(history: History, name: str, baseline: Baseline, policy: Policy) -> Points:
    """Return the days of one series of ``baseline``."""
    if name in (COMPOSITE, UNREST):
        return blend_points(history, baseline.means(name), policy["composite.min_share"])
    return item_points(history, name)


def _by_day(history: History, baseline: Baseline, policy: Policy) -> Mapping[date, Mapping[str, Mark]]:
    found: dict[date, dict[str, Mark]] = defaultdict(dict)
    for name in baseline.levels:
        for mark in marks(points_of(history, name, baseline, policy), name, baseline, policy):
            found[mark.day][name] = mark
    return found


def _agreed(day: Mapping[str, Mark], policy: Policy) -> tuple[RuleHit, ...]:
    """Return the hits of a day, gravest rule first, single items only where several agree.

    Each item is one more chance of a false alarm; asking for agreement pays for watching many.
    """
    hits = [hit for mark in day.values() for hit in mark.hits]
    singles = {hit.series for hit in hits} - {COMPOSITE, UNREST}
    if len(singles) < policy["relapse.items_needed"]:
        hits = [hit for hit in hits if hit.series not in singles]
    order = (COMPOSITE, UNREST)
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
        self._calm_days = 0 if hits else self._calm_days + 1
        self._enter()
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
