"""Missed check-ins as a signal, weighed by what came before them.

Source: docs/clinical.md, "Silence". A paused patient is never silent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from server.clinical.policy import Policy
from server.clinical.vocabulary import AlertClass, WatchState

_DECLINE = frozenset({WatchState.FADING, WatchState.RELAPSED})


@dataclass(frozen=True, slots=True)
class SilenceFacts:
    """What weighs a silence. ``watched_from`` is the first day a check-in was expected.

    ``last_state`` is the gravest state of the arms on the last assessed day before the silence,
    ``days_since_flag`` the age of the latest P0 or P1 flag; each None where there is none. ``unended``:
    too little was said on that day to call it a decline, but the signal of days before had not ended.
    """

    watched_from: date
    paused: bool = False
    last_state: WatchState | None = None
    unended: bool = False
    days_since_flag: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """``missed`` ended days without an entry, from ``since`` on."""

    since: date
    missed: int
    urgency: AlertClass
    text: str


def check(days_logged: Sequence[date], facts: SilenceFacts, policy: Policy, today: date) -> Silence | None:
    """Return the silence as of the end of ``today``, or None while it is still short.

    ``days_logged`` in any order; days after ``today`` are ignored. After an urgent flag or a
    decline patience is shorter and the silence is P2; otherwise it is P3 until it is long.
    """
    if facts.paused:
        return None
    logged = [day for day in days_logged if facts.watched_from <= day <= today]
    since = max(logged) + timedelta(days=1) if logged else facts.watched_from
    missed = (today - since).days + 1
    why = _why(facts, policy)
    if missed < policy["silence.short_days" if why else "silence.usual_days"]:
        return None
    grave = bool(why) or missed >= policy["silence.long_days"]
    text = f"no entry for {missed} days, since {since}" + (f", after {why}" if why else "")
    return Silence(since, missed, AlertClass.P2 if grave else AlertClass.P3, text)


def _why(facts: SilenceFacts, policy: Policy) -> str | None:
    """Return what makes this silence worse than another, or None."""
    if facts.days_since_flag is not None and facts.days_since_flag <= policy["silence.flag_days"]:
        return "an urgent flag"
    if facts.unended or facts.last_state in _DECLINE:
        return "a decline"
    return None
