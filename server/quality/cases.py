"""What was said of many diaries, by heading and detector, and the figures of real people's diaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean, median

from server.quality.figures import MONTH, Figures, Truth, figures
from server.quality.real_diaries import DAY_ZERO
from server.quality.replay import Replay

# One diary: its truth where that is known, and what each detector said of it.
Case = tuple[Truth | None, Mapping[str, Replay]]
Cases = Mapping[str, Sequence[Case]]

WATCH = "**the watch**, default policy"
# Headings: the curve's begin with this and end with the factor.
CURVE = "curve "
# The relapsing reference patients once more, by what kind of relapse they had.
KIND = "kind "
HEALTHY, ILL = ("pmdata",), ("digibp", "pain", "migraine")
SETS = ("kossakowski", "thinned", *HEALTHY, "enrichd", *ILL)

# The one dated relapse (Kossakowski): stable from .. to, and the day it was there.
STABLE_FROM, STABLE_TO, RELAPSE = 29, 42, 127


@dataclass(frozen=True, slots=True)
class Forewarning:
    """Diaries of the one person who relapsed.

    ``first`` is the median day number of the first alarm of those that have one, ``warned`` the share
    with an alarm after the stable fortnight and before the relapse, ``false`` the mean number of
    alarms in that fortnight.
    """

    first: float | None
    warned: float
    false: float


@dataclass(frozen=True, slots=True)
class Calm:
    """Diaries nobody marked: people, person-months that were judged, alarms in a month, unjudgeable share."""

    people: int
    months: float
    per_month: float | None
    insufficient: float | None


def detectors(cases: Sequence[Case]) -> Sequence[str]:
    """Return the names of the detectors, in the order they were given."""
    return list(cases[0][1]) if cases else []


def known(cases: Sequence[Case], detector: str) -> Figures:
    """Return the figures of one detector where the truth is known."""
    return figures((truth, said[detector]) for truth, said in cases if truth is not None)


def forewarning(cases: Sequence[Case], detector: str) -> Forewarning:
    """Return when one detector warned of the dated relapse; at least one case."""
    replays = [said[detector] for _, said in cases]
    firsts = [(one.alarms[0].day - DAY_ZERO).days for one in replays if one.alarms]
    return Forewarning(
        median(firsts) if firsts else None,
        fmean(_between(one, STABLE_TO + 1, RELAPSE - 1) > 0 for one in replays),
        fmean(_between(one, STABLE_FROM, STABLE_TO) for one in replays),
    )


def calm(cases: Sequence[Case], detector: str) -> Calm:
    """Return how often one detector spoke, over the days it had a baseline."""
    replays = [said[detector] for _, said in cases]
    days = sum(one.judged for one in replays)
    spoken, unsaid = sum(len(one.alarms) for one in replays), sum(one.insufficient for one in replays)
    share = (spoken * MONTH / days, unsaid / days) if days else (None, None)
    return Calm(len(replays), days / MONTH, *share)


def _between(said: Replay, first: int, last: int) -> int:
    return said.alarms_between(DAY_ZERO + timedelta(days=first), DAY_ZERO + timedelta(days=last))
