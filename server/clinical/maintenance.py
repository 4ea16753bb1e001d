"""Whether a visit is worth suggesting, in which window, and what a clinician must look at first.

Never a dose, a drug or a change of interval; nothing here books anything. A block does not refuse a
visit: it turns the suggestion into a review by a clinician. Source: docs/clinical.md, "Maintenance".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from server.clinical.curve_words import tell_loss
from server.clinical.facts import Facts, Plan, Trouble
from server.clinical.guards import Block, blocks_of
from server.clinical.policy import Policy
from server.clinical.vocabulary import AlertClass

__all__ = [
    "FEWEST_GIVEN",
    "Block",
    "Chance",
    "Facts",
    "Plan",
    "Proposal",
    "Prospect",
    "Reason",
    "Trouble",
    "chance",
    "review",
]


# The first session's own loss says nothing of what is usual.
FEWEST_GIVEN = 2


class Reason(StrEnum):
    """Why a visit is suggested."""

    RELAPSE_SIGNAL = "relapse_signal"
    MAINTENANCE_DUE = "maintenance_due"
    LOSS_EXPECTED = "loss_expected"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A window of local days, both included. With ``blocks`` it is a task for a clinician."""

    earliest: date
    latest: date
    urgency: AlertClass
    reason: Reason
    blocks: tuple[Block, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is known of everybody at little cost: enough to say of most that no visit can be due.

    ``last``: the day of the last delivered session, ``given`` how many there were. ``planned``: the next
    day that has one planned.
    """

    plan: Plan
    last: date | None
    given: int
    planned: date | None


class Chance(StrEnum):
    """Whether `review` could suggest a visit without a relapse signal.

    by_plan: the longest interval is nearly over. early: before that, from the shortest interval on, only
    the patient's own times can make it due.
    """

    NONE = "none"
    EARLY = "early"
    BY_PLAN = "by_plan"


def chance(prospect: Prospect, policy: Policy, today: date) -> Chance:
    """Return what chance there is of a visit being due on ``today``.

    A session of tomorrow, which a patient who travels west may have had, counts already.
    """
    if prospect.last is None:
        return Chance.NONE
    since, lead = (today - prospect.last).days, policy.whole("maintenance.lead_days")
    if since < prospect.plan.min_days - lead:
        return Chance.NONE
    # No window ends before that, whatever the patient's own times are.
    ends = lead + max(prospect.plan.min_days - since, 0)
    if prospect.planned is not None and 0 <= (prospect.planned - today).days <= ends:
        return Chance.NONE
    if since >= prospect.plan.max_days - lead:
        return Chance.BY_PLAN
    return Chance.EARLY if prospect.given >= FEWEST_GIVEN else Chance.NONE


def review(facts: Facts, policy: Policy, today: date) -> Proposal | None:
    """Return what to suggest on ``today``, or None where nothing is due or a visit is planned.

    A relapse signal asks for a visit soon, but not before the shortest interval of the plan; without
    one, a visit is due towards the end of the longest interval, or before the day on which the
    patient's own times say that half of the benefit is lost, where that is sooner.
    """
    window = _window(facts, policy, today)
    if window is None:
        return None
    earliest, latest, reason = window
    if any(today <= day <= latest for day in facts.planned):
        return None
    signal = reason is Reason.RELAPSE_SIGNAL
    return Proposal(
        earliest=earliest,
        latest=latest,
        urgency=AlertClass.P2 if signal else AlertClass.P3,
        reason=reason,
        blocks=blocks_of(facts, policy, today),
        text=_text(facts, today, window),
    )


def _window(facts: Facts, policy: Policy, today: date) -> tuple[date, date, Reason] | None:
    last = _last(facts.sessions, today)
    shortest, longest = _interval(facts, policy)
    earliest = max(today, last + timedelta(days=shortest)) if last else today
    if facts.signal_since is not None:
        within = timedelta(days=policy.whole("maintenance.relapse_within_days"))
        return earliest, earliest + within, Reason.RELAPSE_SIGNAL
    lead = timedelta(days=policy.whole("maintenance.lead_days"))
    held = _held(facts, policy)
    reason = Reason.MAINTENANCE_DUE
    if held is not None and held < longest:
        longest, reason = max(shortest, held), Reason.LOSS_EXPECTED
    if last is None or today < last + timedelta(days=longest) - lead:
        return None
    return earliest, earliest + lead, reason


def _interval(facts: Facts, policy: Policy) -> tuple[int, int]:
    """Return the shortest and longest interval of the plan in days."""
    if facts.plan is not None:
        return facts.plan.min_days, facts.plan.max_days
    return (
        policy.whole("maintenance.default_interval_days"),
        policy.whole("maintenance.default_max_interval_days"),
    )


def _held(facts: Facts, policy: Policy) -> int | None:
    """Return after how many days the benefit is usually half lost; None without enough own losses.

    What other people's benefits did is no reason to see this patient sooner than planned.
    """
    loss = facts.usual_loss
    if loss is None or loss.time.lost < policy["maintenance.own_losses"]:
        return None
    return int(loss.time.median)


def _last(sessions: Sequence[date], today: date) -> date | None:
    return max((day for day in sessions if day <= today), default=None)


def _text(facts: Facts, today: date, window: tuple[date, date, Reason]) -> str:
    earliest, latest, _ = window
    last = _last(facts.sessions, today)
    parts = [
        _why(facts, window[2]),
        f"last session {(today - last).days} days ago" if last else "no session known",
        f"window {earliest} to {latest}",
    ]
    return ", ".join(parts)


def _why(facts: Facts, reason: Reason) -> str:
    if reason is Reason.RELAPSE_SIGNAL:
        return f"symptoms returning since {facts.signal_since}"
    if reason is Reason.LOSS_EXPECTED and facts.usual_loss is not None:
        return tell_loss(facts.usual_loss)
    return "planned interval due"
