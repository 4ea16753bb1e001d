"""What a clinic's suggested visits came to, over its last months.

In a few questions, whatever their number: what is alike is counted where it lies. Only the moments of visits
that took place, for their median, and what was declined, whose code is sealed, are read one at a time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select

from server import isolation
from server.clinical import visit_yield, wall_clock
from server.clinical.lifecycle import SuggestionAction
from server.clinical.visit_yield import Report, Tracked
from server.clinical.vocabulary import DeclineCode, SuggestionState
from server.models import BookingSuggestion, BookingSuggestionEvent, TreatmentSession
from server.services import vault
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work

_A_DAY = timedelta(days=1)
_AT_ONCE = 1000  # rows in memory
_S = BookingSuggestion
_ALIKE = (
    *(_S.reason, _S.state, _S.offered_at.is_not(None).label("approved")),
    *(_S.starts_at.is_not(None).label("booked"), _S.responded, _S.days_gained, _S.gained_at_least),
)

_Made = tuple[ColumnElement[bool], ...]


@dataclass(frozen=True, slots=True)
class VisitYield:
    """The report of suggestions made from the day ``since`` on, to now."""

    since: date
    report: Report


def read(work: Work, months: int) -> VisitYield:
    """Return the yield of the last ``months`` calendar months, the present one among them."""
    isolation.freeze(work.session)  # several questions count the same visits
    zone = clinics.get(work).zone
    since = visit_yield.months_before(work.now.astimezone(ZoneInfo(zone)).date(), months)
    begins = wall_clock.moment(datetime.combine(since, time()), zone)
    made = (_S.clinic_id == work.clinic_id, _S.created_at >= begins, patients.is_here(_S))
    tracked = [*_counted(work, made), *_declined(work, made)]
    return VisitYield(since, visit_yield.report(tracked, _waited(work, made)))


def _counted(work: Work, made: _Made) -> Iterator[Tracked]:
    query = select(*_ALIKE, func.count().label("alike")).where(*made, _S.state != SuggestionState.DECLINED)
    for row in work.session.execute(query.group_by(*_ALIKE)):
        yield _tracked(row, None, row.alike)


def _declined(work: Work, made: _Made) -> Iterator[Tracked]:
    codes = _codes(work, made)
    query = select(_S.id, *_ALIKE).where(*made, _S.state == SuggestionState.DECLINED)
    for row in work.session.execute(query):
        yield _tracked(row, codes.get(row.id))


def _tracked(row: Any, decline: DeclineCode | None, count: int = 1) -> Tracked:
    return Tracked(
        reason=row.reason,
        state=row.state,
        approved=row.approved,
        booked=row.booked,
        decline=decline,
        responded=row.responded,
        days_gained=row.days_gained,
        at_least=bool(row.gained_at_least),
        count=count,
    )


def _waited(work: Work, made: _Made) -> Mapping[str, Sequence[float]]:
    """Return by reason how many days each visit that took place was after its suggestion."""
    session = and_(
        TreatmentSession.clinic_id == _S.clinic_id,
        TreatmentSession.patient_id == _S.patient_id,
        TreatmentSession.id == _S.treatment_session_id,
    )
    visit = func.coalesce(TreatmentSession.at, _S.starts_at).label("visit")
    query = select(_S.reason, _S.created_at, visit).outerjoin(TreatmentSession, session)
    query = query.where(*made, _S.state == SuggestionState.FULFILLED, visit.is_not(None))
    waited: defaultdict[str, list[float]] = defaultdict(list)
    for reason, suggested, at in work.session.execute(query.execution_options(yield_per=_AT_ONCE)):
        waited[reason].append((at - suggested) / _A_DAY)
    return waited


def _codes(work: Work, made: _Made) -> Mapping[UUID, DeclineCode]:
    event = BookingSuggestionEvent
    mine = and_(event.clinic_id == _S.clinic_id, event.suggestion_id == _S.id)
    query = select(event).join(_S, mine).where(*made, _S.state == SuggestionState.DECLINED)
    found = vault.opened(
        work, list(work.session.scalars(query.where(event.action == SuggestionAction.DECLINE.value)))
    )
    return {one.suggestion_id: DeclineCode(one.detail["code"] or DeclineCode.OTHER) for one in found}
