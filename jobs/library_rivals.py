"""The change detectors of river beside the watch: what a team gets that takes a library instead of rules.

river is needed for the page of figures only: it is imported when it is asked for, and where it is
absent there are no such rows (the page says so). Its detectors get the composite of the same diary
from the first day of the baseline on, and signal from the day after its last one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from statistics import fmean
from types import MappingProxyType
from typing import Any, Protocol

from server.clinical.policy import Policy
from server.clinical.series import Points
from server.clinical.vocabulary import Arm
from server.quality.replay import Diary, Replay
from server.quality.rivals import alarms, baseline_window, composite_points, usual_level
from server.quality.scale_rules import WellAgain


class Detector(Protocol):
    """A detector of river: it is told one value after another."""

    @property
    def drift_detected(self) -> bool:
        """Whether the last value made a change."""
        ...

    def update(self, x: float) -> object:
        """Take one value."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """A detector with its options.

    ``centre`` says where a two-sided one sees the series, so that only changes for the worse count;
    None is for one that is one-sided by itself. ``in_sd``: it is told SDs of the baseline, not points.
    """

    kind: str
    options: Mapping[str, Any]
    centre: Callable[[Any], float] | None = None
    in_sd: bool = False

    def make(self) -> Detector:
        """Return a new detector. ModuleNotFoundError where river is absent."""
        from river import drift

        made: Detector = getattr(drift, self.kind)(**self.options)
        return made


def _of_window(kswin: Any) -> float:
    return fmean(kswin.window) if kswin.window else 0.0


def _estimation(adwin: Any) -> float:
    return float(adwin.estimation)


# One-sided and repeatable; everything else is as the library has it.
DEFAULTS: Mapping[str, Setting] = MappingProxyType(
    {
        "river PageHinkley, its defaults": Setting("PageHinkley", {"mode": "up"}),
        "river ADWIN, its defaults": Setting("ADWIN", {}, _estimation),
        "river KSWIN, its defaults": Setting("KSWIN", {"seed": 1}, _of_window),
    }
)


def page_hinkley(delta: float, threshold: float) -> Setting:
    """Return a Page-Hinkley test of SDs of the baseline."""
    options = {"min_instances": 10, "delta": delta, "threshold": threshold, "mode": "up"}
    return Setting("PageHinkley", options, in_sd=True)


def adwin(delta: float, min_window_length: int) -> Setting:
    """Return an ADWIN of SDs of the baseline that looks every day."""
    options = {"delta": delta, "clock": 1, "min_window_length": min_window_length}
    return Setting("ADWIN", options, _estimation, in_sd=True)


# Chosen by `python -m benchmarks.library_rivals`, on other patients than those of the page.
TUNED: Mapping[str, Setting] = MappingProxyType(
    {
        "river PageHinkley, tuned": page_hinkley(0.5, 10.0),
        "river ADWIN, tuned": adwin(0.3, 5),
    }
)
LIBRARY_RIVALS = (*DEFAULTS, *TUNED)


def library_version() -> str | None:
    """Return the version of river, None where it is absent."""
    try:
        return version("river")
    except PackageNotFoundError:
        return None


def library_replays(diary: Diary, arm: Arm, policy: Policy) -> Mapping[str, Replay]:
    """Return what each of `LIBRARY_RIVALS` says of one arm; nothing where river is absent.

    The quiet days after an alarm are those of the watch; without a baseline nothing is said.
    """
    if library_version() is None:
        return {}
    window = baseline_window(diary, arm, policy)
    if window is None:
        return {name: Replay(arm, None, (), 0, 0) for name in LIBRARY_RIVALS}
    points = composite_points(diary, arm, window)
    judged = (diary.last - window[1]).days
    return {
        name: Replay(arm, None, alarms(signals(setting, points, window), name, policy), judged, 0)
        for name, setting in {**DEFAULTS, **TUNED}.items()
    }


def library_scale_replays(person: WellAgain, policy: Policy) -> Mapping[str, Replay]:
    """Return what the defaults say of the scores of ``person``; nothing where river is absent.

    The two scores that made them well have no spread to measure by, so there is nothing to tune.
    """
    if library_version() is None:
        return {}
    first = person.truth.judged_from
    days = (person.truth.last - first).days + 1
    before = [(day, person.level) for day in (first - timedelta(days=14), first - timedelta(days=7))]
    found = {
        name: alarms(_changes(setting, (*before, *person.scores), first), name, policy)
        for name, setting in DEFAULTS.items()
    }
    return {name: Replay(Arm.MOOD, None, said, days, 0) for name, said in found.items()}


def signals(setting: Setting, points: Points, window: tuple[date, date]) -> Iterator[date]:
    """Yield the days after the baseline ``window`` on which ``setting`` sees a change for the worse."""
    told = [point for point in points if window[0] <= point[0]]
    before = tuple(point for point in told if point[0] <= window[1])
    if not before:
        return iter(())
    if setting.in_sd:
        usual = usual_level(before)
        told = [(day, (value - usual.mean) / usual.sd) for day, value in told]
    return _changes(setting, told, window[1] + timedelta(days=1))


def _changes(setting: Setting, told: Sequence[tuple[date, float]], first: date) -> Iterator[date]:
    """Yield the days from ``first`` on that change for the worse."""
    detector = setting.make()
    for day, value in told:
        before = setting.centre(detector) if setting.centre else 0.0
        detector.update(value)
        if day < first or not detector.drift_detected:
            continue
        if setting.centre is None or setting.centre(detector) > before:
            yield day
