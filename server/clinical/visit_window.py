"""When the window of a suggested visit may lie, where a clinician changes it.

Only a window: no dose, drug or interval is decided by it. Source: docs/clinical.md, "Moves".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.facts import Plan
from server.clinical.guards import Block, BlockCode

FARTHEST = timedelta(days=180)  # the longest interval a plan may have: later is another plan
SHORTEST_MINUTES, LONGEST_MINUTES = 5, 720


@dataclass(frozen=True, slots=True)
class Window:
    """Local days, both included."""

    earliest: date
    latest: date


def problem(window: Window, before: Window, today: date) -> tuple[str, str] | None:
    """Return what is wrong with ``window`` as (member, sentence), None where nothing is.

    A window that has begun already keeps its beginning; a new beginning lies ahead.
    """
    if window.earliest != before.earliest and window.earliest < today:
        return "earliest", "Lies in the past."
    if window.latest < max(window.earliest, today):
        return "latest", "Lies before the window begins, or in the past."
    if window.latest > today + FARTHEST:
        return "latest", f"Lies more than {FARTHEST.days} days ahead."
    return None


def too_soon(earliest: date, plan: Plan | None, sessions: Sequence[date], today: date) -> Block | None:
    """Return a block where a window from ``earliest`` on begins before the plan's shortest interval."""
    given = [day for day in sessions if day <= today]
    if plan is None or not given:
        return None
    soonest = max(given) + timedelta(days=plan.min_days)
    if earliest >= soonest:
        return None
    return Block(BlockCode.INTERVAL, f"the window begins before {soonest}, plan minimum {plan.min_days} days")
