"""`afterglow replay`: a draft policy tried at once, on a clinic's past or on virtual patients."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import yaml

from jobs.problem import Problem
from jobs.replay_pool import Judged, Pool, chunks, judge
from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY, Policy, PolicyError, policy_from
from server.clinical.vocabulary import Arm
from server.database import Database
from server.diary_import.map_file import Once
from server.isolation import Extent
from server.quality.past import Compared, Question, compare_diary, not_shown
from server.quality.policy_replay import Comparison, Yardstick, comparison
from server.quality.replay import Diary
from server.services.civil_time import civil_day
from server.services.errors import ServiceError
from server.services.journal import past as pasts
from server.services.journal.past import RecordedPast, Tried
from server.services.people import clinic as clinics
from server.services.watch import policy as policies
from server.services.watch.policy_replay import LONGEST_DAYS, USUAL_DAYS
from server.services.work import Work, system
from server.simulator.reference import reference_patient

# Patients read in one transaction.
SLICE = 500
_NOT_A_DRAFT = (
    "The draft must be YAML with the member `values`: threshold keys and numbers; beside it only a `reason`."
)
# What the library raises of a value that is not of the kind it looks like, or is nested too deeply.
_UNREADABLE = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Days:
    """The days to try, both included; None: the last 180 days that are over at the clinic."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared, and how many patients there are."""

    clinic_id: UUID
    question: Question
    current: Policy
    draft: Policy
    patients: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came out. ``not_shown``: what the draft changes and no replay shows."""

    figures: Comparison
    patients: Sequence[Compared]
    set_aside: Sequence[str]
    not_shown: Sequence[str]


class _Loader(Once, yaml.SafeLoader):
    """A threshold that is there twice is refused: one of its two values would be tried unnoticed."""


def read_draft(text: str) -> Mapping[str, float]:
    """Return the values of a draft: the `values` of a YAML (or JSON) file. Problem otherwise."""
    try:
        raw = _Loader(text).get_single_data()
    except _UNREADABLE as error:
        mark, why = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f" (line {mark.line + 1})" if mark else f": {why}" if why else ""
        raise Problem(f"The draft is not YAML{where}.") from None
    values = raw.get("values") if isinstance(raw, dict) else None
    if not isinstance(values, dict) or not set(raw) <= {"values", "reason"}:
        raise Problem(_NOT_A_DRAFT)
    if not all(isinstance(key, str) for key in values):
        raise Problem(_NOT_A_DRAFT)
    _policy(values)
    return values


def ask(database: Database, slug: str, draft: Mapping[str, float], days: Days, now: datetime) -> Asked:
    """Return what a replay at a clinic compares; Problem where there is no such clinic or it can't be."""
    with database.read(Extent.DOOR) as session:
        clinic = clinics.by_slug(session, slug)
        if clinic is None:
            raise Problem(f"There is no clinic {slug}.")
        work = Work(session, now, system(clinic.id))
        first, last = _checked(days, civil_day(now, clinic.zone, clinic.day_start))
        current, policy = policies.in_force(work).row.values, _policy(draft)
        try:
            policies.check_patients(work, policy)
        except ServiceError as error:
            raise Problem(f"{error.detail} {error.extra['errors'][0]['detail']}.") from None
        question = Question(current, draft, first, last)
        return Asked(clinic.id, question, clinics.policy(work), policy, pasts.how_many(work))


def of_clinic(
    database: Database, asked: Asked, now: datetime, workers: Pool, told: Callable[[int], None]
) -> Replayed:
    """Try the draft on everybody of the clinic; ``told`` hears of every few patients. Reading is audited."""
    read = _pasts(database, asked, now)
    judged = []
    for one in workers.map(judge, chunks(asked.question, read)):
        judged.append(one)
        told(len(one.found) + len(one.set_aside))
    return _replayed(judged, asked.question, asked.current, asked.draft)


def of_simulated(
    number: int, draft: Mapping[str, float], workers: Pool, told: Callable[[int], None]
) -> Replayed:
    """Try the draft on ``number`` virtual patients, every second one stable; the defaults are in force."""
    found = []
    for one in workers.map(_simulated, ((seed, draft) for seed in range(number))):
        found.append(one)
        told(1)
    # All of them start on the same day; how long one is followed depends on when symptoms return.
    first = reference_patient(0, True).first_day
    last = first + timedelta(days=max(one.days for one in found) - 1)
    return _replayed([Judged(found)], Question({}, draft, first, last), DEFAULT_POLICY, _policy(draft))


def _replayed(judged: Sequence[Judged], question: Question, current: Policy, draft: Policy) -> Replayed:
    found = [one for chunk in judged for one in chunk.found]
    aside = [one for chunk in judged for one in chunk.set_aside]
    figures = comparison(found, Yardstick(question.first, question.last, current))
    return Replayed(figures, found, aside, not_shown(current, draft))


def _pasts(database: Database, asked: Asked, now: datetime) -> Iterator[RecordedPast]:
    after: UUID | None = None
    while found := _slice(database, asked, now, after):
        yield from found
        after = UUID(found[-1].patient_id)


def _slice(database: Database, asked: Asked, now: datetime, after: UUID | None) -> Sequence[RecordedPast]:
    tried = Tried(asked.question.first, asked.question.last, (asked.current, asked.draft))
    with database.write() as session:
        work = Work(session, now, system(asked.clinic_id))
        found = pasts.read(work, after, SLICE, tried)
        for one in found:
            work.audit("policy-replay.patient", UUID(one.patient_id))
    return found


def _simulated(task: tuple[int, Mapping[str, float]]) -> Compared:
    seed, draft = task
    virtual = reference_patient(seed // 2, seed % 2 == 0)
    sessions = tuple(Treatment(session.day) for session in virtual.sessions)
    diary = Diary(virtual.name, virtual.history(), sessions, virtual.first_day, virtual.last_day)
    full = virtual.truth.full_relapse
    relapses = () if full is None else ((Arm.MOOD, min(full, virtual.last_day)),)
    question = Question({}, draft, diary.first, diary.last)
    return compare_diary(diary, relapses, question)


def _checked(days: Days, today: date) -> tuple[date, date]:
    last = days.last or today - timedelta(days=1)
    first = days.first or last - timedelta(days=USUAL_DAYS - 1)
    if last > today:
        raise Problem(f"The last day lies in the future: it is {today} at the clinic.")
    if first > last:
        raise Problem("The first day lies after the last one.")
    if (last - first).days >= LONGEST_DAYS:
        raise Problem(f"At most {LONGEST_DAYS} days can be tried at once.")
    return first, last


def _policy(values: Mapping[str, Any]) -> Policy:
    try:
        return policy_from(1, values)
    except PolicyError as error:
        raise Problem(f"The draft can't be taken: {'; '.join(error.problems)}.") from None
