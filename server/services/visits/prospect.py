"""Whose plan or own times may make a visit due: asked of everybody at once, so that few are looked at.

What looking at one patient costs must not be paid for everybody, every hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Row, and_, bindparam, case, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from server import planning
from server.clinical.lifecycle import OPEN_SUGGESTIONS
from server.clinical.maintenance import Chance, Plan, Prospect, chance
from server.clinical.vocabulary import Arm, Condition, SessionStatus
from server.models import BookingSuggestion, Course, Patient, TreatmentSession
from server.services import local_day as local_days
from server.services.people import clinic as clinics
from server.services.visits import suggestion_end as suggestion_ends
from server.services.work import Work

_Found = Row[UUID, str, int, int | None, int | None, date | None, int, date | None]
_PAINS = sorted(one for one in Condition if one.programme is Arm.PAIN)
# First whom to look over, then what they have: as one question it has been planned the other way round.
_WHO = (
    select(Patient.clinic_id, Patient.id, Patient.zone, Patient.policy_version)
    .where(
        Patient.clinic_id == bindparam("clinic"),
        Patient.id > bindparam("after"),
        Patient.leaving_at.is_(None),
        Patient.team_withdrawn_at.is_(None),
    )
    .order_by(Patient.id)
    .limit(bindparam("limit"))
    .subquery("who")
)
_LATER = aliased(Course)
_FOLLOWED = (
    select(_LATER.id)
    .where(
        _LATER.clinic_id == Course.clinic_id,
        _LATER.patient_id == Course.patient_id,
        _LATER.ended_on.is_(None),
        _LATER.started_on <= bindparam("today"),
        _LATER.condition.in_(_PAINS) == Course.condition.in_(_PAINS),
        tuple_(_LATER.started_on, _LATER.id) > tuple_(Course.started_on, Course.id),
    )
    .exists()
)
_ONE_OPEN = (
    select(BookingSuggestion.id)
    .where(
        BookingSuggestion.clinic_id == _WHO.c.clinic_id,
        BookingSuggestion.patient_id == _WHO.c.id,
        # One of the other programme may come too late: that is seen when its patient is looked at.
        BookingSuggestion.programme == case((Course.condition.in_(_PAINS), Arm.PAIN), else_=Arm.MOOD),
        BookingSuggestion.state.in_(sorted(OPEN_SUGGESTIONS)),
        # One whose time has passed is ended when its patient is looked at.
        or_(
            BookingSuggestion.state.not_in(sorted(suggestion_ends.UNBOOKED)),
            BookingSuggestion.latest >= bindparam("yesterday"),
        ),
    )
    .exists()
)
_SESSIONS = (TreatmentSession.clinic_id == _WHO.c.clinic_id, TreatmentSession.patient_id == _WHO.c.id)
_DELIVERED = (*_SESSIONS, TreatmentSession.status == SessionStatus.DELIVERED)
_PLANNED = (
    *_SESSIONS,
    TreatmentSession.status == SessionStatus.PLANNED,
    TreatmentSession.local_day >= bindparam("yesterday"),
)
_DAY = TreatmentSession.local_day
# Without a course there is no plan; where a visit is suggested already, none is as good as that. Two
# programmes are two rows.
_PAGE = (
    select(
        _WHO.c.id,
        _WHO.c.zone,
        _WHO.c.policy_version,
        Course.min_interval_days,
        Course.max_interval_days,
        select(func.max(_DAY)).where(*_DELIVERED).scalar_subquery(),
        select(func.count(_DAY)).where(*_DELIVERED).scalar_subquery(),
        select(func.min(_DAY)).where(*_PLANNED).scalar_subquery(),
    )
    .select_from(_WHO)
    .outerjoin(
        Course,
        and_(
            Course.clinic_id == _WHO.c.clinic_id,
            Course.patient_id == _WHO.c.id,
            Course.ended_on.is_(None),
            # One that is planned ahead says nothing yet, and takes no other one's place.
            Course.started_on <= bindparam("today"),
            ~_FOLLOWED,
            ~_ONE_OPEN,
        ),
    )
    .order_by(_WHO.c.id)
)
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Page:
    """Those of some patients who have the chance asked for, and the last of all; None: nobody is left."""

    ids: Sequence[UUID]
    last: UUID | None


def page(work: Work, wanted: Chance, after: UUID | None, size: int) -> Page:
    """Look over up to ``size`` patients whose id comes after ``after``, in id order.

    Those with thresholds of their own, who are few, count as `Chance.BY_PLAN`.
    """
    planning.anew(work.session)
    today = work.now.date()
    around = {"today": today, "yesterday": today - timedelta(days=1)}
    found = work.rows(_PAGE, after=after or _NOBODY, limit=size, **around)
    ids = dict.fromkeys(row[0] for row in found if _chance(work, row) is wanted)
    return Page([*ids], found[-1][0] if found else None)


def _chance(work: Work, row: _Found) -> Chance:
    _, zone, policy_version, shortest, longest, last, given, planned = row
    if shortest is None or longest is None:
        return Chance.NONE
    if policy_version:
        return Chance.BY_PLAN
    prospect = Prospect(Plan(shortest, longest), last, given, planned)
    return chance(prospect, clinics.policy(work), local_days.of(work, work.now, zone))
