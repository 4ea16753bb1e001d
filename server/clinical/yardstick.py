"""What the totals of one validated scale are measured by. Pure.

Source: docs/clinical.md, "Scale rules"; every number is in the scale's data file.
"""

from dataclasses import dataclass

from server.clinical.confirming import arm_of
from server.clinical.instruments.instrument import Instrument, Method
from server.clinical.vocabulary import Arm, Direction

# What they rank is no benefit of a session: high spirits, a risk, a dose's aftermath, drinking.
_NO_BENEFIT = frozenset({"asrm", "c-ssrs-screener", "cadss", "cadss-6", "audit-c"})


@dataclass(frozen=True, slots=True)
class Yardstick:
    """How bad is bad on one scale, in totals turned so that higher is worse.

    ``cut``: ill again from here on, where the scale has such a total. ``rise``: the smallest
    difference that means something, None where none is established. ``turned``: the sum of the ends
    of the range where the scale itself counts the other way. ``has_percent``: a share of a total means
    something, because 0 is "nothing at all".
    """

    key: str
    arm: Arm
    cut: float | None
    rise: float | None
    turned: float | None = None
    has_percent: bool = True

    def worse(self, total: float) -> float:
        """Return ``total`` so that higher is worse; done twice it is the total again."""
        return total if self.turned is None else self.turned - total


def yardstick(made: Instrument) -> Yardstick | None:
    """Return what ``made`` is measured by; None for a scale that can't tell that a benefit is lost."""
    rule, scoring = made.change, made.scoring
    total_less = scoring.method is Method.PROFILE or made.key in _NO_BENEFIT
    if total_less or (rule.relapse_at is None and rule.meaningful_points is None):
        return None
    arm, turned = arm_of(made.key), None
    if made.direction is Direction.HIGH_GOOD:
        turned = scoring.low + scoring.high
    cut = rule.relapse_at
    if cut is None and arm is Arm.MOOD:
        return None  # of pain the share of the gain says enough; for moods nobody published one
    if cut is not None and turned is not None:
        cut = turned - cut
    has_percent = scoring.low == 0 and turned is None
    return Yardstick(made.key, arm, cut, rule.meaningful_points, turned, has_percent)
