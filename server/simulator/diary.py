"""The daily numbers: an autocorrelated process for each item, rounded onto its scale."""

import math
from collections.abc import Iterable, Mapping, Sequence

from server.clinical.vocabulary import ITEMS, Arm, Direction
from server.simulator.cohorts import DiaryProcess
from server.simulator.course import Course, Person
from server.simulator.draws import Draws

MOOD_KEYS = (
    "mood",
    "interest",
    "anxiety",
    "restlessness",
    "sleep_quality",
    "sleep_hours",
    "energy",
    "function",
)
PAIN_KEYS = ("pain_average", "pain_worst", "pain_interference", "function", "sleep_hours")
KEYS_OF = {Arm.MOOD: MOOD_KEYS, Arm.PAIN: PAIN_KEYS}

# The worst pain of a day lies above its average (proposal), and never below it.
_WORST_ABOVE_AVERAGE = 1.5
# Energy: 5 is usual; it sinks a little as symptoms rise (proposal).
_ENERGY_USUAL, _ENERGY_PER_POINT, _ENERGY_SD = 5.0, 0.3, 0.8
# Sleep hours: day-to-day SD 1.6 h without autocorrelation (Sagorac Gruichich 2021); means: proposal.
_SLEEP_MEAN, _SLEEP_MEAN_SD, _SLEEP_SD, _SLEEP_PER_POINT = 7.0, 0.6, 1.6, 0.2
_SLEEP_LOW, _SLEEP_HIGH = 0, 16
_USUAL_BURDEN = 3.0


def keys_for(arms: Sequence[Arm]) -> tuple[str, ...]:
    """Return the items that patients of ``arms`` log, each once."""
    return tuple(dict.fromkeys(key for arm in arms for key in KEYS_OF[arm]))


def simulate_items(
    seed: int, process: DiaryProcess, person: Person, course: Course, keys: Sequence[str]
) -> Mapping[str, list[int]]:
    """Return for each item the stored whole number of every day, logged or not."""
    days = len(course.levels)
    common = Draws(seed, "noise", "common")
    shared = common.normals(days)
    series = {}
    for key in keys:
        if key == "energy":
            series[key] = _energy(seed, person, course)
        elif key == "sleep_hours":
            series[key] = _sleep_hours(seed, person, course)
        else:
            noise = _autocorrelated(Draws(seed, "noise", key), shared, person.phi, process.item_correlation)
            series[key] = _stored(key, _symptoms(Draws(seed, "item", key), process, person, course, noise))
    if "pain_worst" in series and "pain_average" in series:
        pairs = zip(series["pain_worst"], series["pain_average"], strict=True)
        series["pain_worst"] = [max(worst, average) for worst, average in pairs]
    return series


def _autocorrelated(draws: Draws, shared: Sequence[float], phi: float, correlation: float) -> list[float]:
    """Return an AR(1) series of variance 1 whose innovations share ``correlation`` with other items."""
    common_part, own_part = math.sqrt(correlation), math.sqrt(1.0 - correlation)
    kept = math.sqrt(1.0 - phi * phi)
    own = draws.normals(len(shared))
    innovations = [common_part * common + own_part * move for common, move in zip(shared, own, strict=True)]
    series = innovations[:1]
    for innovation in innovations[1:]:
        series.append(phi * series[-1] + kept * innovation)
    return series


def _symptoms(
    draws: Draws, process: DiaryProcess, person: Person, course: Course, noise: Sequence[float]
) -> list[float]:
    """Return one item before rounding, higher is worse, not yet bounded."""
    shift = person.shift * max(0.0, draws.normal(1.0, process.item_factor_sd))
    offset = draws.normal(0.0, process.item_offset_sd)
    first = course.start.weekday()
    days = zip(course.levels, course.relapse_shares, noise, strict=True)
    return [
        level + offset + shift * share + person.weekday[(first + day) % 7] + person.sd * move
        for day, (level, share, move) in enumerate(days)
    ]


def _stored(key: str, symptoms: Sequence[float]) -> list[int]:
    """Return the symptoms as the whole numbers the item stores (high-good items turned round)."""
    above = _WORST_ABOVE_AVERAGE if key == "pain_worst" else 0.0
    whole = _rounded((symptom + above for symptom in symptoms), 0, 10)
    return [10 - value for value in whole] if ITEMS[key].direction is Direction.HIGH_GOOD else whole


def _rounded(values: Iterable[float], low: int, high: int) -> list[int]:
    whole = map(math.floor, [value + 0.5 for value in values])
    return [low if value < low else min(value, high) for value in whole]


def _burden(person: Person, course: Course) -> list[float]:
    """Return how many points each day lies above a usual level."""
    days = zip(course.levels, course.relapse_shares, strict=True)
    return [level + person.shift * share - _USUAL_BURDEN for level, share in days]


def _energy(seed: int, person: Person, course: Course) -> list[int]:
    draws = Draws(seed, "noise", "energy")
    burdens = _burden(person, course)
    moves = zip(burdens, draws.normals(len(burdens)), strict=True)
    levels = (_ENERGY_USUAL - _ENERGY_PER_POINT * burden + _ENERGY_SD * move for burden, move in moves)
    return _rounded(levels, 0, 10)


def _sleep_hours(seed: int, person: Person, course: Course) -> list[int]:
    draws = Draws(seed, "noise", "sleep_hours")
    usual = draws.normal(_SLEEP_MEAN, _SLEEP_MEAN_SD)
    burdens = _burden(person, course)
    moves = zip(burdens, draws.normals(len(burdens)), strict=True)
    hours = (usual - _SLEEP_PER_POINT * burden + _SLEEP_SD * move for burden, move in moves)
    return _rounded(hours, _SLEEP_LOW, _SLEEP_HIGH)
