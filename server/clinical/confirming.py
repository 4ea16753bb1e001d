"""When the watch asks for a questionnaire: a rule held, and a validated scale can say more. Pure.

Source: docs/clinical.md, "Asking for a scale".
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType

from server.clinical.checkins import Anchor, ScalePlan
from server.clinical.policy import Policy
from server.clinical.relapse import Assessment
from server.clinical.vocabulary import Arm, WatchState

# What is asked where the care team has planned nothing else for the watch.
USUAL: Mapping[Arm, str] = MappingProxyType({Arm.MOOD: "phq-9", Arm.PAIN: "peg"})
# Every other scale says something about the mood arm's conditions.
_OF_PAIN = frozenset({"peg", "nrs-11", "bpi-sf-severity", "bpi-sf-interference", "promis-pain-interference"})


def arm_of(instrument: str) -> Arm:
    """Return the arm a scale speaks for."""
    return Arm.PAIN if instrument in _OF_PAIN else Arm.MOOD


def calls_for_a_scale(judged: Assessment) -> bool:
    """Return whether a rule held on the judged day of somebody who has a benefit to lose."""
    return bool(judged.rules) and judged.state is not WatchState.NO_RESPONSE


def wanted(scales: Iterable[ScalePlan], arm: Arm, policy: Policy) -> Sequence[ScalePlan]:
    """Return what the watch asks for ``arm``: what the plan has for it, else the usual scale."""
    planned = [s for s in scales if s.anchor is Anchor.WATCH and arm_of(s.instrument) is arm]
    usual = ScalePlan(USUAL[arm], Anchor.WATCH, open_days=policy.whole("confirm.open_days"))
    return planned or [usual]


def is_too_soon(asked: Iterable[date], filled: Iterable[date], day: date, policy: Policy) -> bool:
    """Return whether asking on ``day`` would be once too often.

    ``asked``: days the watch asked for this scale before; ``filled``: days it was filled, asked or
    not. A scale looks back over a week or two: asked again sooner, it repeats itself.
    """
    again = timedelta(days=policy.whole("confirm.again_days"))
    fresh = timedelta(days=policy.whole("confirm.fresh_days"))
    return any(day - before < again for before in asked) or any(day - before < fresh for before in filled)
