"""What a judgement is made from: a bounded part of the patient's history, read once for many days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, case, func, select, union

from server.clinical.baseline import Treatment
from server.clinical.mania_levels import watched_days
from server.clinical.policy import Policy
from server.clinical.reach import Reach, needed
from server.clinical.readings import History, fold
from server.clinical.redflags import ACTIVATION_TERMS
from server.clinical.vocabulary import Arm
from server.models import Activation, Assessment, Entry, Patient
from server.services import local_day as local_days
from server.services.asking import Span, bounds, of_patient, within
from server.services.foresight import Foresight
from server.services.journal.incoming import OLDEST
from server.services.scales import scored_day as scored_days
from server.services.scales.scored_day import FilledScale, ScoredDays
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import policy as policies
from server.services.watch import watch_move as watch_moves
from server.services.work import Work

MOST_SPANS = 6  # as many as `needed` names
_SPANS = MOST_SPANS + 1  # and the days on which signs of activation are watched for
_Entry = Row[date, dict[str, float], UUID | None, dict[str, int] | None]
_IS_WATCHED = Entry.local_day >= bindparam("watched")
_ENTRIES = select(
    Entry.local_day,
    Entry.items,
    # Only the days watched for signs are asked for these: of a long history they would cost as much again.
    case((_IS_WATCHED, Entry.id)),
    case((_IS_WATCHED, Entry.side_effects)),
).where(
    *of_patient(Entry),
    Entry.deleted_at.is_(None),
    Entry.day_reliable,
    within(Entry.local_day, _SPANS),
)
_BEGUN = select(func.min(Entry.local_day)).where(
    *of_patient(Entry), Entry.deleted_at.is_(None), Entry.day_reliable
)
_KNOWN_DAYS = union(
    select(Entry.local_day).where(*of_patient(Entry), Entry.local_day > bindparam("start")),
    # Its key has the arm before the day: without it every judgement there ever was would be looked at.
    select(Assessment.day).where(
        *of_patient(Assessment), Assessment.day > bindparam("start"), Assessment.arm.in_(Arm)
    ),
    select(Activation.day).where(*of_patient(Activation), Activation.day > bindparam("start")),
)


@dataclass(frozen=True, slots=True)
class Material:
    """What the days ``first`` .. ``last`` are judged from.

    ``signs``: the entries that name an effect which may be one of activation, of the days watched for it.
    ``filled``: the scales filled on the days that count.
    """

    history: History
    treatments: tuple[Treatment, ...]
    sessions: tuple[date, ...]
    scales: ScoredDays
    policy: Policy
    first: date
    last: date
    signs: tuple[UUID, ...]
    filled: tuple[FilledScale, ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be read of a patient to judge the days of ``span``.

    ``done``: the days of the sessions delivered by then. ``said``: the days whose entries are read, the last
    of them watched for signs. ``scored``: whose scores are told; ``filled``: whose scales are read for it.
    """

    patient_id: UUID
    policy: Policy
    span: Span
    reach: Reach
    done: tuple[date, ...]
    said: Sequence[Span]
    scored: Span
    filled: Sequence[Span]

    def entries(self) -> dict[str, Any]:
        """Return what is asked for the entries."""
        watched, _ = self.said[-1]
        return {"patient": self.patient_id, "watched": watched, **bounds(self.said, _SPANS)}


def load(work: Work, patient: Patient, first: date, last: date, begun: date | None = None) -> Material:
    """Read what judging ``first`` .. ``last`` needs: bounded by windows, not by years of history.

    ``begun``: the day of the first entry, where it may come to matter.
    """
    return _read(work, _wanted(work, patient, (first, last), begun))


def first_day(work: Work, patient_id: UUID) -> date:
    """Return the day of the first entry, the first there is where there is no entry."""
    return work.value(_BEGUN, patient=patient_id) or date.min


def foresee(ahead: Foresight, patient: Patient, first: date) -> date:
    """Ask ahead for what judging ``first`` and the days after it needs, where it can travel with the rest.

    Returns what `load` is given as ``begun``.
    """
    work = ahead.work
    begun = _begun(work, patient.id)
    span = _start(work, patient, first), latest_day(work, patient)
    wanted = _wanted(work, patient, span, begun)
    ahead.ask(_ENTRIES, [wanted.entries()])
    scored_days.foresee(ahead, [(patient.id, wanted.filled)])
    return begun


def load_each(ahead: Foresight, days: Sequence[tuple[Patient, date]]) -> Sequence[Material]:
    """Read what judging a day of each of several patients needs."""
    work = ahead.work
    treatment_sessions.foresee(ahead, (patient.id for patient, _ in days))
    several = (patient.id for patient, _ in days if _has_several(work, patient.id))
    ahead.ask(_BEGUN, [{"patient": patient_id} for patient_id in several])
    each = [_wanted(work, patient, (day, day), None) for patient, day in days]
    ahead.ask(_ENTRIES, [wanted.entries() for wanted in each])
    scored_days.foresee(ahead, ((wanted.patient_id, wanted.filled) for wanted in each))
    return [_read(work, wanted) for wanted in each]


def _wanted(work: Work, patient: Patient, span: Span, begun: date | None) -> _Wanted:
    first, last = span
    policy = policies.of_patient(work, patient)
    sessions = treatment_sessions.delivered_days(work, patient.id, date.min)
    reach = needed(sessions, policy, first, last, _begun(work, patient.id) if begun is None else begun)
    done = tuple(day for day in sessions if day <= last)
    scored = first - watch_moves.LEAD, last
    return _Wanted(
        patient_id=patient.id,
        policy=policy,
        span=span,
        reach=reach,
        done=done,
        said=(*reach.ranges, (first - timedelta(days=watched_days(policy)), last)),
        scored=scored,
        filled=(*reach.ranges, *scored_days.spans(scored, done, policy)),
    )


def _begun(work: Work, patient_id: UUID) -> date:
    """Return the day of the first entry where it matters, else the first there is."""
    return first_day(work, patient_id) if _has_several(work, patient_id) else date.min


def _has_several(work: Work, patient_id: UUID) -> bool:
    """Return whether the patient had more than one session."""
    return len(treatment_sessions.delivered_days(work, patient_id, date.min)) > 1


def _read(work: Work, wanted: _Wanted) -> Material:
    reach, policy, done = wanted.reach, wanted.policy, wanted.done
    entries: Sequence[_Entry] = work.rows(_ENTRIES, **wanted.entries())
    filled = scored_days.filled(work, wanted.patient_id, wanted.filled)
    return Material(
        history=fold((day, items) for day, items, _, _ in entries if reach.holds(day)),
        treatments=reach.treatments,
        sessions=done,
        scales=scored_days.judged(filled, wanted.scored, done, policy),
        policy=policy,
        first=wanted.span[0],
        last=wanted.span[1],
        signs=tuple(
            id_ for _, _, id_, effects in entries if id_ and ACTIVATION_TERMS & (effects or {}).keys()
        ),
        filled=tuple(one for one in filled if reach.holds(one.local_day)),
    )


def latest_day(work: Work, patient: Patient) -> date:
    """Return the last day that may be judged: a phone's clock may run ahead, and patients travel."""
    return local_days.of(work, work.now, patient.zone) + timedelta(days=1)


def days_to_judge(work: Work, patient: Patient, first: date) -> Sequence[date]:
    """Return ``first`` and the days after it that have an entry or a judgement, oldest first.

    No day is judged before it comes. A clock that was off by years would have all of the past judged
    again; it has no day to judge.
    """
    latest, start = latest_day(work, patient), _start(work, patient, first)
    known = {day for (day,) in work.rows(_KNOWN_DAYS, patient=patient.id, start=start)}
    return sorted(day for day in {start, *known} if day <= latest)


def _start(work: Work, patient: Patient, first: date) -> date:
    latest = latest_day(work, patient)
    return max(min(first, latest), latest - OLDEST)
