"""What the suggestion of a visit rests on, as values. Source: docs/clinical.md, "Guards"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from server.clinical.holding_time import ExpectedLoss
from server.clinical.vocabulary import AlertClass, AlertFamily, PrecautionCode


@dataclass(frozen=True, slots=True)
class Trouble:
    """One reported side effect: a term of the vocabulary, its grade 0-4, the local day.

    ``hours``: from the last session to the report, by each clock where the phone's was off, and to when it
    began where the patient said so. None where no session is known before.
    """

    term: str
    grade: int
    day: date
    hours: tuple[float | None, ...] = (None,)


@dataclass(frozen=True, slots=True)
class Plan:
    """The active plan of the course: shortest and longest interval between sessions, in days."""

    min_days: int
    max_days: int


@dataclass(frozen=True, slots=True)
class Known:
    """A precaution that the care team recorded: from the local day ``since`` to ``until``, both included.

    ``until`` None: until somebody ends it.
    """

    code: PrecautionCode
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Pressure:
    """A blood pressure at rest as the clinic measured it, in mmHg, and the local day."""

    systolic: int
    diastolic: int
    day: date


@dataclass(frozen=True, slots=True)
class Screen:
    """What a filled scale came to, and its local day. Not ``is_whole``: at the least, some of it is open."""

    day: date
    total: float
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the suggestion of a visit rests on.

    ``plan`` None: no active plan. ``signal_since``: since when the watch sees symptoms return, None
    without a signal. ``early_returns``: relapse signals on the present schedule. ``usual_loss``:
    when the benefit of the last session was expected to be half lost, None where there is none to
    lose. ``emergency``: day of the newest P0 alert, closed or not. ``craving``: highest recent answer.
    ``asrm``, ``audit_c``: newest first, those of late that were left too open, then the newest whole one.
    ``opioid_changed``: the newest day on which the diary said so. ``pressure``: the newest one. ``age``
    None: the clinic keeps no birth date and vouches for the age itself.
    """

    plan: Plan | None
    sessions: Sequence[date] = ()
    planned: Sequence[date] = ()
    signal_since: date | None = None
    early_returns: int = 0
    usual_loss: ExpectedLoss | None = None
    responded: bool | None = None
    age: int | None = None
    open_alerts: Sequence[tuple[AlertClass, AlertFamily]] = ()
    emergency: date | None = None
    troubles: Sequence[Trouble] = ()
    craving: float | None = None
    days_logged_last_week: int = 0
    questionnaire_day: date | None = None
    asrm: Sequence[Screen] = ()
    audit_c: Sequence[Screen] = ()
    opioid_changed: date | None = None
    precautions: Sequence[Known] = ()
    pressure: Pressure | None = None
