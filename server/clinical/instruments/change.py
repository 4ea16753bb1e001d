"""Two totals of one person on one instrument: did it get better, and does the difference count?

Source: docs/scales.md; every amount is in the instrument's data file.
"""

from dataclasses import dataclass
from enum import StrEnum

from server.clinical.instruments.instrument import Instrument
from server.clinical.instruments.scoring import score_total
from server.clinical.reaching import reaches
from server.clinical.vocabulary import Direction


class Trend(StrEnum):
    """Which way a difference goes, once it is large enough to count."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Change:
    """The difference of two totals. None means: not defined, or nothing established for this scale.

    ``points`` is the improvement (negative is worse) and ``percent`` the same of the first total;
    no percent is defined from a first total of 0, or where the range does not start at 0.
    """

    points: float
    percent: float | None
    meaningful: Trend | None
    reliable: Trend | None
    response: bool | None
    remission: bool | None


def change(instrument: Instrument, before: float, after: float) -> Change:
    """Return what the step from ``before`` to ``after`` means under the instrument's own rule.

    Raises `AnswersError` where one of them is not a total of this instrument.
    """
    for total in (before, after):
        score_total(instrument, total)
    rule = instrument.change
    points = _gain(instrument, before, after)
    percent = 100 * points / before if before > 0 and instrument.scoring.low == 0 else None
    return Change(
        points=points,
        percent=percent,
        meaningful=_trend((points, rule.meaningful_points), (percent, rule.meaningful_percent)),
        reliable=_trend((points, rule.reliable_points)),
        response=_response(instrument, before, after, percent),
        remission=None if rule.remission_at is None else _reached(instrument, after, rule.remission_at),
    )


def _gain(instrument: Instrument, before: float, after: float) -> float:
    return after - before if instrument.direction is Direction.HIGH_GOOD else before - after


def _reached(instrument: Instrument, total: float, mark: float) -> bool:
    """Return whether ``total`` is as good as ``mark`` or better."""
    return reaches(_gain(instrument, mark, total), 0.0)


def _trend(*measures: tuple[float | None, float | None]) -> Trend | None:
    """Return which way (amount, needed) pairs go; one that is large enough decides, None if none applies."""
    known = [(amount, needed) for amount, needed in measures if amount is not None and needed is not None]
    if not known:
        return None
    counting = [amount for amount, needed in known if reaches(abs(amount), needed)]
    if not counting:
        return Trend.SAME
    return Trend.BETTER if counting[0] > 0 else Trend.WORSE


def _response(instrument: Instrument, before: float, after: float, percent: float | None) -> bool | None:
    rule, verdicts = instrument.change, []
    if rule.response_points is not None:
        verdicts.append(reaches(_gain(instrument, before, after), rule.response_points))
    if rule.response_percent is not None and percent is not None:
        verdicts.append(reaches(percent, rule.response_percent))
    if rule.response_at is not None:
        # Whoever was below the mark all along has not responded to anything.
        started_beyond = not _reached(instrument, before, rule.response_at)
        verdicts.append(started_beyond and _reached(instrument, after, rule.response_at))
    return any(verdicts) if verdicts else None
