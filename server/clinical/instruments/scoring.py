"""Score answers: values in, a `Score` out. Nothing is guessed beyond what the data file allows.

Source: docs/scales.md, and the ``source`` of each data file.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import floor
from statistics import fmean
from types import MappingProxyType

from server.clinical.instruments.instrument import (
    TOTAL,
    AnswersError,
    Band,
    Fold,
    Instrument,
    Item,
    Method,
    SafetyRule,
)
from server.clinical.redflags import RedFlag

_FOLDS: Mapping[Fold, Callable[[list[int]], float]] = MappingProxyType(
    {Fold.SUM: sum, Fold.MEAN: fmean, Fold.MAX: max}
)
_NO_TOTAL = (Method.PROFILE, Method.ENTERED)


@dataclass(frozen=True, slots=True)
class SafetyTrigger:
    """An answer that cannot wait. ``answer`` is what was given to ``item`` ("total" for the total)."""

    item: str
    answer: float
    flag: RedFlag
    until_screened: bool
    contact_today: bool


@dataclass(frozen=True, slots=True)
class Score:
    """What a set of answers amounts to.

    ``total`` is None where too much is missing, or where the instrument has none. ``missing`` names
    the scored items without an answer that were not rightly skipped; ``complete`` says there are none.
    ``safety`` is most urgent first. ``safety_missing`` names the safety items nobody answered: never
    read their absence as a "no".
    """

    total: float | None
    subscores: Mapping[str, float | None]
    band: Band | None
    prorated: bool
    missing: tuple[str, ...]
    complete: bool
    safety: tuple[SafetyTrigger, ...]
    safety_missing: tuple[str, ...]


def score(instrument: Instrument, answers: Mapping[str, int | None]) -> Score:
    """Return the score of ``answers`` (item id to whole number; None or absent means unanswered).

    Raises `AnswersError` for an unknown item, a value that is not a whole number within the item's
    range, and for an instrument that takes an entered total only. Safety rules look at every answer
    there is, also where no total can be made.
    """
    if instrument.scoring.method is Method.ENTERED:
        raise AnswersError(instrument.name, TOTAL, "takes an entered total, not answers")
    given = _given(instrument, answers)
    values = {**_skipped(instrument, given), **given}
    missing = _missing(instrument, values)
    total = _total(instrument, values, missing)
    return Score(
        total=total,
        subscores=MappingProxyType(_subscores(instrument, values, missing)),
        band=band(instrument, total),
        prorated=total is not None and bool(missing),
        missing=missing,
        complete=not missing,
        safety=_safety(instrument, values, total),
        safety_missing=tuple(name for name in _safety_items(instrument) if name not in values),
    )


def score_total(instrument: Instrument, total: float) -> Score:
    """Return the score of a ``total`` that was made elsewhere, from answers we never saw.

    Raises `AnswersError` where ``total`` is outside the range, is not a total that the items can
    make, or where the instrument has no total.
    """
    scoring = instrument.scoring
    if scoring.method is Method.PROFILE:
        raise AnswersError(instrument.name, TOTAL, "has no total")
    if isinstance(total, bool) or not scoring.low <= total <= scoring.high:
        raise AnswersError(instrument.name, TOTAL, f"must be {scoring.low:g}..{scoring.high:g}")
    if scoring.whole and total % scoring.factor:
        raise AnswersError(instrument.name, TOTAL, f"must be a multiple of {scoring.factor}")
    return Score(
        total=total,
        subscores=MappingProxyType({part.id: None for part in scoring.subscores}),
        band=band(instrument, total),
        prorated=False,
        missing=(),
        complete=True,
        safety=_safety(instrument, {}, total),
        safety_missing=_safety_items(instrument),
    )


def urgent(instrument: Instrument, values: Mapping[str, int]) -> tuple[SafetyTrigger, ...]:
    """Return what cannot wait among single answers that ``instrument`` can have, most urgent first."""
    return _safety(instrument, values, None)


def urgent_total(instrument: Instrument, total: float) -> tuple[SafetyTrigger, ...]:
    """Return what cannot wait in a total that was typed in; nothing in one that the scale can't have.

    Also of a scale that is filled answer by answer, where a total is refused: it says so all the same.
    """
    try:
        return score_total(instrument, total).safety
    except AnswersError:
        return ()


def at_least(instrument: Instrument, values: Mapping[str, int]) -> float | None:
    """Return what the total of some answers is at the least, whatever was left open.

    None where answers do not add up.
    """
    scoring = instrument.scoring
    if scoring.method is not Method.SUM:
        return None
    return float(scoring.factor * sum(values.get(item.id, item.low) for item in instrument.scored_items))


def band(instrument: Instrument, total: float | None) -> Band | None:
    """Return the band of ``total``; an edge that two bands share belongs to the upper one."""
    if total is None:
        return None
    reached = [band for band in instrument.bands if band.low <= total]
    return reached[-1] if reached else None


def _given(instrument: Instrument, answers: Mapping[str, int | None]) -> dict[str, int]:
    items = {item.id: item for item in instrument.items}
    for name in answers:
        if name not in items:
            raise AnswersError(instrument.name, name, "is not an item")
    given = {name: value for name, value in answers.items() if value is not None}
    for name, value in given.items():
        _in_range(instrument, items[name], value)
    return given


def _in_range(instrument: Instrument, item: Item, value: object) -> None:
    # bool is an int in Python; True is not an answer. The value itself stays out of the message.
    if isinstance(value, bool) or not isinstance(value, int) or not item.low <= value <= item.high:
        raise AnswersError(instrument.name, item.id, f"must be a whole number {item.low}..{item.high}")


def _skipped(instrument: Instrument, given: Mapping[str, int]) -> dict[str, int]:
    skips = [skip for skip in instrument.scoring.skips if given.get(skip.item) == skip.equals]
    return {name: 0 for skip in skips for name in skip.items}


def _missing(instrument: Instrument, values: Mapping[str, int]) -> tuple[str, ...]:
    absent = [item.id for item in instrument.scored_items if item.id not in values]
    answered = [group for group in instrument.scoring.alternatives if any(name in values for name in group)]
    return tuple(name for name in absent if not any(name in group for group in answered))


def _total(instrument: Instrument, values: Mapping[str, int], missing: tuple[str, ...]) -> float | None:
    scoring = instrument.scoring
    if scoring.method in _NO_TOTAL or len(missing) > scoring.allowed_missing:
        return None
    if any(name in scoring.never_impute for name in missing):
        return None
    counted = [values[item.id] for item in instrument.scored_items if item.id in values]
    if scoring.method is Method.MEAN:
        return fmean(counted)
    if scoring.method is Method.TIER:
        reached = (t.value for t in scoring.tiers if any(values[name] for name in t.items))
        return float(max(reached, default=0))
    if scoring.method is Method.DOMAIN_MAX:
        return float(sum(_fold(part.items, Fold.MAX, values) for part in scoring.subscores))
    exact = sum(counted) * scoring.factor * len(instrument.scored_items) / len(counted)
    # Half up, as clinics round: 9.5 is nearer to the worse band, and Python would round it to even.
    return float(floor(exact + 0.5))


def _subscores(
    instrument: Instrument, values: Mapping[str, int], missing: tuple[str, ...]
) -> dict[str, float | None]:
    return {
        part.id: None if any(name in missing for name in part.items) else _fold(part.items, part.fold, values)
        for part in instrument.scoring.subscores
    }


def _fold(names: tuple[str, ...], fold: Fold, values: Mapping[str, int]) -> float:
    return float(_FOLDS[fold]([values[name] for name in names if name in values]))


def _safety_items(instrument: Instrument) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.item for rule in instrument.safety if rule.item != TOTAL))


def _safety(
    instrument: Instrument, values: Mapping[str, int], total: float | None
) -> tuple[SafetyTrigger, ...]:
    known: dict[str, float] = dict(values)
    reached = at_least(instrument, values) if total is None else total
    if reached is not None:
        known[TOTAL] = reached
    first: dict[str, SafetyTrigger] = {}
    for rule in _holding(instrument, known):
        trigger = SafetyTrigger(
            rule.item, known[rule.item], rule.flag, rule.until_screened, rule.contact_today
        )
        first.setdefault(rule.item, trigger)
    return tuple(sorted(first.values(), key=lambda trigger: (trigger.flag.urgency, trigger.flag.code)))


def _holding(instrument: Instrument, known: Mapping[str, float]) -> Iterator[SafetyRule]:
    """Yield the rules that hold, in the order of the file: gravest first for each item."""
    for rule in instrument.safety:
        unless = rule.while_missing is not None and rule.while_missing in known
        if not unless and rule.item in known and known[rule.item] >= rule.at_least:
            yield rule
