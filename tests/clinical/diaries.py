"""Ana's diaries: short ways to write down weeks of them. Day 0 is the day of her session."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

from server.clinical.baseline import Treatment
from server.clinical.readings import History, Items, fold

SESSION = date(2026, 5, 2)
ONE_SESSION = (Treatment(SESSION),)

# A small, repeating unevenness: real days are never flat, and tests must not need luck.
_RIPPLE = (0, 1, 0, -1, 1, 0, -1)


def day(n: int) -> date:
    """Return the day ``n`` days after the session."""
    return SESSION + timedelta(days=n)


def sessions(*days: int) -> tuple[Treatment, ...]:
    """Return sessions on these days."""
    return tuple(Treatment(day(n)) for n in days)


def mood_day(symptom: float) -> Items:
    """Return the mood items of a day whose every symptom is ``symptom`` (0-10)."""
    return {
        "mood": 10 - symptom,
        "interest": 10 - symptom,
        "anxiety": symptom,
        "restlessness": symptom,
        "sleep_quality": 10 - symptom,
    }


def unrest_day(symptom: float, unrest: float) -> Items:
    """Return a mood day with its own level of unrest."""
    return {
        **mood_day(symptom),
        "restlessness": unrest,
        "irritability": unrest,
        "agitation": unrest,
    }


def pain_day(pain: float) -> Items:
    """Return the pain items of a day."""
    return {"pain_average": pain, "pain_interference": pain}


def ripple(n: int) -> int:
    """Return the unevenness of day ``n``: -1, 0 or 1 point."""
    return _RIPPLE[n % len(_RIPPLE)]


def diary(
    days: Iterable[int], level: Callable[[int], float], write: Callable[[float], Items] = mood_day
) -> History:
    """Return Ana's diary of ``days``, at ``level`` of the day, give or take the ripple."""
    return fold((day(n), write(min(10.0, max(0.0, level(n) + ripple(n))))) for n in days)


def steps(*changes: tuple[int, float]) -> Callable[[int], float]:
    """Return a level that changes on given days: ``steps((0, 3), (40, 6))``."""

    def level(n: int) -> float:
        return [value for first, value in changes if n >= first][-1]

    return level


def joined(*parts: History) -> History:
    """Return several stretches of a diary as one."""
    return fold((r.day, r.items) for part in parts for r in part.readings)


def without(history: History, days: Sequence[int]) -> History:
    """Return ``history`` with these days never logged."""
    gone = {day(n) for n in days}
    return History(tuple(r for r in history.readings if r.day not in gone))
