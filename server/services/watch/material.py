"""What a judgement is made from: a bounded part of the patient's history, read once for many days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Row, bindparam, case, select, union

from server.clinical.baseline import Treatment
from server.clinical.mania_levels import watched_days
from server.clinical.policy import Policy
from server.clinical.reach import needed
from server.clinical.readings import History, fold
from server.clinical.redflags import ACTIVATION_TERMS
from server.clinical.vocabulary import Arm
from server.models import Activation, Assessment, Entry, Patient
from server.services import local_day as local_days
from server.services.asking import Span, bounds, of_patient, within
from server.services.journal.incoming import OLDEST
from server.services.scales import scored_day as scored_days
from server.services.scales.scored_day import FilledScale, ScoredDays
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import policy as policies
from server.services.watch import watch_move as watch_moves
from server.services.work import Work

MOST_SPANS = 3  # as many as `needed` names
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


def load(work: Work, patient: Patient, first: date, last: date) -> Material:
    """Read what judging ``first`` .. ``last`` needs: bounded by windows, not by years of history."""
    policy = policies.of_patient(work, patient)
    sessions = treatment_sessions.delivered_days(work, patient.id, date.min)
    wanted = needed(sessions, policy, first, last)
    done = tuple(day for day in sessions if day <= last)
    watched = first - timedelta(days=watched_days(policy)), last
    entries = _entries(work, patient.id, (*wanted.ranges, watched))
    scored = first - watch_moves.LEAD, last
    looked_at = (*wanted.ranges, *scored_days.spans(scored, done, policy))
    filled = scored_days.filled(work, patient.id, looked_at)
    return Material(
        history=fold((day, items) for day, items, _, _ in entries if wanted.holds(day)),
        treatments=wanted.treatments,
        sessions=done,
        scales=scored_days.judged(filled, scored, done, policy),
        policy=policy,
        first=first,
        last=last,
        signs=tuple(
            id_ for _, _, id_, effects in entries if id_ and ACTIVATION_TERMS & (effects or {}).keys()
        ),
        filled=tuple(one for one in filled if wanted.holds(one.local_day)),
    )


def latest_day(work: Work, patient: Patient) -> date:
    """Return the last day that may be judged: a phone's clock may run ahead, and patients travel."""
    return local_days.of(work, work.now, patient.zone) + timedelta(days=1)


def days_to_judge(work: Work, patient: Patient, first: date) -> Sequence[date]:
    """Return ``first`` and the days after it that have an entry or a judgement, oldest first.

    No day is judged before it comes. A clock that was off by years would have all of the past judged
    again; it has no day to judge.
    """
    latest = latest_day(work, patient)
    start = max(min(first, latest), latest - OLDEST)
    known = {day for (day,) in work.rows(_KNOWN_DAYS, patient=patient.id, start=start)}
    return sorted(day for day in {start, *known} if day <= latest)


def _entries(work: Work, patient_id: UUID, spans: Sequence[Span]) -> Sequence[_Entry]:
    """Return what was said on ``spans``, the last of which is watched for signs."""
    return work.rows(_ENTRIES, patient=patient_id, watched=spans[-1][0], **bounds(spans, _SPANS))
