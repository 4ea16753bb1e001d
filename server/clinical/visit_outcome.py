"""What became of a visit: whether its session helped, and for how long.

Read from the response curve, so that a visit is never judged otherwise than its session. Source:
docs/clinical.md, "Did it work".
"""

from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.durability import SessionCurve
from server.clinical.policy import Policy

FOLLOWED = timedelta(days=365)  # as long as the response curve follows a session


@dataclass(frozen=True, slots=True)
class VisitOutcome:
    """``responded`` None: too few days to say. ``days_gained``: days the benefit held, None where unknown.

    ``at_least``: it held for longer than could be seen (it still holds, another session followed, or the
    patient stopped logging). ``final``: nothing will change it any more.
    """

    responded: bool | None
    days_gained: int | None
    at_least: bool
    final: bool


def outcome_of(curve: SessionCurve, policy: Policy, today: date) -> VisitOutcome | None:
    """Return what is known of a session as of ``today``; None before the days that decide it are over."""
    settle, mean = policy.whole("baseline.settle_days"), policy.whole("relapse.mean_days")
    best = policy.whole("durability.best_days") + mean // 2
    decided = curve.session + timedelta(days=settle + max(best, policy.whole("baseline.window_days")))
    over = curve.retreated or today > curve.session + FOLLOWED
    if today < decided and not over:
        return None
    if curve.held is None:
        gained = None if curve.responded is None else 0
        return VisitOutcome(curve.responded, gained, False, over or curve.responded is not None)
    lost_by = curve.held.lost_by
    # A better week soon after takes a loss back, and that week has days after its middle.
    lost_for_good = lost_by is not None and (today - curve.session).days - lost_by >= mean + mean // 2
    return VisitOutcome(curve.responded, curve.held.until, lost_by is None, over or lost_for_good)
