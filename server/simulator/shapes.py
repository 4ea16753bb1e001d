"""What a virtual patient is made of. Day numbers count from 0, the first day of the diary."""

from dataclasses import dataclass
from datetime import date

from server.clinical.readings import History, fold
from server.clinical.vocabulary import Arm, Condition, Route, SafetyAnswer


@dataclass(frozen=True, slots=True)
class Traits:
    """What a caller wants of a patient; None leaves that to chance.

    ``relapse_day`` is the day number on which symptoms start to return, ``goes_silent_on`` the first
    of the days without any entry, ``red_flag_on`` a day that is logged with the safety answer "plan".
    A patient with traits has no accidents beside them: no other dropout, safety answer or severe
    side effect.
    """

    responds: bool | None = None
    relapses: bool | None = None
    relapse_day: int | None = None
    goes_silent_on: int | None = None
    red_flag_on: int | None = None

    def wanted_response(self) -> bool | None:
        """Return whether a response is forced; a relapse needs one. ValueError on a contradiction."""
        relapses = self.wanted_relapse()
        if relapses and self.responds is False:
            raise ValueError("a patient who never responds has nothing to relapse from")
        return True if relapses else self.responds

    def wanted_relapse(self) -> bool | None:
        """Return whether a relapse is forced; a relapse day asks for one. ValueError on a contradiction."""
        if self.relapse_day is not None and self.relapses is False:
            raise ValueError("a relapse day was given for a patient who must not relapse")
        return True if self.relapse_day is not None else self.relapses

    def check_days(self, days: int) -> None:
        """Raise ValueError if a wished day is not one of the ``days`` of the diary that can be logged."""
        for name, day in (("goes_silent_on", self.goes_silent_on), ("red_flag_on", self.red_flag_on)):
            if day is not None and not 0 <= day < days:
                raise ValueError(f"{name} must be day 0 to {days - 1}, got {day}")
        silent = self.goes_silent_on
        if silent is not None and self.red_flag_on is not None and self.red_flag_on >= silent:
            raise ValueError("a red flag needs an entry, but the patient is silent by then")


@dataclass(frozen=True, slots=True)
class SimulatedSession:
    """One delivered treatment: local day and hour (9-14)."""

    day: date
    hour: int


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """The one entry of a logged day, with its local time.

    ``items`` maps item key to a whole number within the item's own bounds and in its own direction;
    ``side_effects`` maps term to grade 1-4 and is filled on the days of a session only.
    """

    day: date
    hour: int
    minute: int
    items: dict[str, int]
    side_effects: dict[str, int]
    safety: SafetyAnswer
    note: str | None
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """What really happened to a virtual patient; levels in points of 0-10, higher is worse.

    ``relapse_onset`` is the first day of the return, ``full_relapse`` the first day at its full
    height (``ramp_days`` - 1 later); each is None if the diary ends before it. ``judged_from`` is the
    first day after settling and baseline that follow the last induction session: before it an alarm
    is neither right nor wrong. ``missing_days`` counts gaps before ``silent_from``.
    """

    responded: bool
    relapse_onset: date | None
    full_relapse: date | None
    ramp_days: int | None
    silent_from: date | None
    red_flag_on: date | None
    missing_days: int
    judged_from: date
    pretreatment_level: float
    treated_level: float
    shift: float


@dataclass(frozen=True, slots=True)
class VirtualPatient:
    """A patient who never lived: plan, sessions, the days that were logged, and the truth.

    ``first_day`` and ``last_day`` bound the diary; a day between them without a ``SimulatedDay`` was
    not logged.
    """

    name: str
    zone: str
    cohort: str
    arms: tuple[Arm, ...]
    condition: Condition
    route: Route
    first_day: date
    last_day: date
    sessions: tuple[SimulatedSession, ...]
    diary: tuple[SimulatedDay, ...]
    truth: GroundTruth

    def history(self) -> History:
        """Return the diary as the readings that the clinical rules take."""
        return fold((entry.day, entry.items) for entry in self.diary)
