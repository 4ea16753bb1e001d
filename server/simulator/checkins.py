"""Which days are logged, when, and what is said beside the numbers."""

from types import MappingProxyType

from server.clinical.vocabulary import Route, SafetyAnswer
from server.simulator.cohorts import DROPOUT_PER_30_DAYS, DiaryProcess
from server.simulator.distributions import Exponential
from server.simulator.draws import Draws

# Chance of each effect on the day of a session. Mid-points of published ranges where there are any
# (esketamine label: dissociation 61-75%, sedation 48-61%, raised blood pressure 8-19%; SUSTAIN-1:
# dizziness and altered taste 20-27%); headache, blurred vision and anxiety are named as common
# without a figure, and nausea is usual, so those are proposals.
_AFTER_SESSION = MappingProxyType(
    {
        "dissociation": 0.68,
        "sedation": 0.54,
        "dizziness": 0.24,
        "headache": 0.20,
        "nausea": 0.15,
        "raised_blood_pressure": 0.13,
        "blurred_vision": 0.10,
        "anxiety_panic": 0.08,
    }
)
_ALTERED_TASTE = 0.24
# Grades of an effect that occurs (proposal).
_GRADES = ((1, 0.75), (2, 0.24), (3, 0.01))
_GRADES_WITHOUT_ACCIDENTS = _GRADES[:2]

# Chance of a safety answer other than "no" (proposal): (answer, chance when burdened, otherwise).
# "plan" is never left to chance: a caller asks for it.
_BURDENED_FROM = 7.0
_WHEN_BURDENED = ((SafetyAnswer.PASSING, 0.05), (SafetyAnswer.OFTEN, 0.01), (SafetyAnswer.NO, 0.94))
_OTHERWISE = ((SafetyAnswer.PASSING, 0.001), (SafetyAnswer.NO, 0.999))

_NOTE_CHANCE, _TAG_CHANCE = 0.05, 0.10
_NOTES = (
    "Went for a walk by the river.",
    "Visitors today, a bit tiring.",
    "Slept in, quiet day.",
    "Work was busy.",
    "Rain all day.",
    "Cooked for the first time in weeks.",
)
_TAGS = ("walk", "work", "visitors", "poor sleep", "travel", "cold")


def draw_missed(seed: int, process: DiaryProcess, days: int) -> list[bool]:
    """Return for each day whether it is missed: a two-state Markov chain, started in its long run."""
    draws = Draws(seed, "missed")
    missed = [draws.chance(process.missing_share)]
    for _ in range(days - 1):
        after = process.missing_after_missed if missed[-1] else process.missing_after_seen
        missed.append(draws.chance(after))
    return missed


def draw_dropout(seed: int, first_session: int, days: int) -> int | None:
    """Return the day number from which a patient by chance logs no more, or None."""
    rate = DROPOUT_PER_30_DAYS / 30.0
    lasts = Exponential(rate).quantile(Draws(seed, "dropout").uniform())
    silent_from = first_session + 1 + int(lasts)
    return silent_from if silent_from < days else None


class Checkins:
    """One person's habits of logging, drawn day by day in order.

    Every day takes the same number of draws from each stream, so that one day's answer never moves
    another's.
    """

    def __init__(self, seed: int, route: Route, accidents: bool) -> None:
        self._time = Draws(seed, "time")
        self._safety = Draws(seed, "safety")
        self._words = Draws(seed, "words")
        self._effects = Draws(seed, "effects")
        self._usual_hour = self._time.whole(18, 21)
        self._accidents = accidents
        self._chances = dict(_AFTER_SESSION)
        if route is Route.INTRANASAL:
            self._chances["altered_taste"] = _ALTERED_TASTE

    def time(self, session_hour: int | None) -> tuple[int, int]:
        """Return local hour and minute: in the evening, or three to six hours after a session."""
        spread, minute = self._time.uniform(), self._time.whole(0, 59)
        if session_hour is not None:
            return session_hour + 3 + int(spread * 3), minute
        return self._usual_hour - 1 + int(spread * 3), minute

    def side_effects(self) -> dict[str, int]:
        """Return what a session brought: term -> grade 1-3."""
        grades = _GRADES if self._accidents else _GRADES_WITHOUT_ACCIDENTS
        rolls = [(key, self._effects.uniform(), self._effects.weighted(grades)) for key in self._chances]
        return {key: grade for key, roll, grade in rolls if roll < self._chances[key]}

    def safety(self, burden: float) -> SafetyAnswer:
        """Return the safety answer at ``burden`` (points of 0-10, higher is worse)."""
        answer = self._safety.weighted(_WHEN_BURDENED if burden >= _BURDENED_FROM else _OTHERWISE)
        return answer if self._accidents else SafetyAnswer.NO

    def words(self) -> tuple[str | None, tuple[str, ...]]:
        """Return the free note and the tags, mostly none."""
        noted, note = self._words.chance(_NOTE_CHANCE), self._words.pick(_NOTES)
        tagged, tag = self._words.chance(_TAG_CHANCE), self._words.pick(_TAGS)
        return note if noted else None, (tag,) if tagged else ()


def logged_days(missed: list[bool], silent_from: int | None, always: int | None) -> frozenset[int]:
    """Return the day numbers with an entry; day ``always`` is logged whatever chance says."""
    end = len(missed) if silent_from is None else silent_from
    return frozenset(day for day, gone in enumerate(missed[:end]) if day == always or not gone)
