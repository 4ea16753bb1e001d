"""Rules for a scale filled about once a week, measured on people who got well. Pure.

Well is two scores in a row of at most 9 on the BDI; ill again is two in a row of at least 14 after
that. The baseline is the mean of the two scores that made them well. The watch's own row are R5 and
R6 under the policy it is given, with the cut and the meaningful change of the BDI.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from statistics import fmean
from types import MappingProxyType

from server.clinical.policy import Policy
from server.clinical.scale_watch import Score, signals
from server.clinical.vocabulary import Arm
from server.clinical.yardstick import Yardstick
from server.quality.cases import WATCH
from server.quality.figures import Truth
from server.quality.replay import Replay
from server.quality.rivals import alarms

WELL, ILL = 9.0, 14.0
RISE = 5.0
WEIGHT = 0.4
# The band of mild depression begins at 14 on the BDI-II; the rise is that of the rules beside it. The cut
# is that of the relapses themselves, which is easy to hit, so the rule is shown with lower ones too.
CUT, LOWER_CUTS = 14.0, (12.0, 10.0)

Scores = Sequence[tuple[date, float]]
Rule = Callable[[Scores, float], Iterator[date]]


@dataclass(frozen=True, slots=True)
class WellAgain:
    """One person from the day they were well: the scores after it, the level, what happened then."""

    scores: Scores
    level: float
    truth: Truth


def one_score(scores: Scores, level: float) -> Iterator[date]:
    """Yield the days of scores 5 points above the level."""
    return (day for day, score in scores if score >= level + RISE)


def two_in_a_row(scores: Scores, level: float) -> Iterator[date]:
    """Yield the days of the second of two such scores in a row."""
    limit = level + RISE
    return (day for (_, before), (day, score) in pairwise(scores) if min(before, score) >= limit)


def scale_ewma(scores: Scores, level: float) -> Iterator[date]:
    """Yield the days whose moving average (weight 0.4 for a score) lies 5 points above the level."""
    gap = 0.0
    for day, score in scores:
        gap += WEIGHT * (score - level - gap)
        if gap >= RISE:
            yield day


SCALE_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "one score + 5": one_score,
        "two in a row + 5": two_in_a_row,
        "EWMA 0.4, + 5": scale_ewma,
    }
)


def watched(scores: Scores, level: float, cut: float, policy: Policy) -> Iterator[date]:
    """Yield the days on which R5 or R6 holds on a BDI whose cut is ``cut``."""
    bdi = Yardstick("bdi", Arm.MOOD, cut, RISE)
    known: list[Score] = []
    for day, value in scores:
        known.append(Score(day, value))
        if signals(known, level, bdi, policy):
            yield day


def one_a_day(scores: Scores) -> Scores:
    """Return the last score of each day: the file repeats some rows, and the watch takes one a day."""
    return sorted(dict(scores).items())


def well_again(scores: Scores) -> WellAgain | None:
    """Return the person from the day they were well; None for those who never were, or not watched after."""
    for number, ((_, before), (_, score)) in enumerate(pairwise(scores)):
        later = scores[number + 2 :]
        if max(before, score) <= WELL and later:
            ill = next(((a, b) for (a, x), (b, y) in pairwise(later) if min(x, y) >= ILL), (None, None))
            return WellAgain(later, fmean((before, score)), Truth(later[0][0], later[-1][0], *ill))
    return None


def scale_replays(person: WellAgain, policy: Policy) -> Mapping[str, Replay]:
    """Return what each rule says of ``person``, with the quiet days of ``policy`` after an alarm."""
    days = (person.truth.last - person.truth.judged_from).days + 1
    found = {WATCH: watched(person.scores, person.level, CUT, policy)}
    found |= {name: rule(person.scores, person.level) for name, rule in SCALE_RULES.items()}
    for cut in LOWER_CUTS:
        found[f"the watch, were the cut {cut:g}"] = watched(person.scores, person.level, cut, policy)
    return {name: Replay(Arm.MOOD, None, alarms(said, name, policy), days, 0) for name, said in found.items()}
