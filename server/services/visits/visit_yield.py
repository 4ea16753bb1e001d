"""What a clinic's suggested visits came to, over its last months. In two questions, whatever their number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, and_, select

from server.clinical import visit_yield, wall_clock
from server.clinical.lifecycle import SuggestionAction
from server.clinical.visit_yield import Report, Tracked
from server.clinical.vocabulary import DeclineCode, SuggestionState
from server.models import BookingSuggestion, BookingSuggestionEvent, TreatmentSession
from server.services import vault
from server.services.people import clinic as clinics
from server.services.work import Work

_A_DAY = timedelta(days=1)
_S = BookingSuggestion


@dataclass(frozen=True, slots=True)
class VisitYield:
    """The report of suggestions made from the day ``since`` on, to now."""

    since: date
    report: Report


def read(work: Work, months: int) -> VisitYield:
    """Return the yield of the last ``months`` calendar months, the present one among them."""
    zone = clinics.get(work).zone
    since = visit_yield.months_before(work.now.astimezone(ZoneInfo(zone)).date(), months)
    begins = wall_clock.moment(datetime.combine(since, time()), zone)
    declined = _declined(work, begins)
    rows = work.session.execute(_tracked(work, begins)).all()
    return VisitYield(since, visit_yield.report([_row(row, declined) for row in rows]))


def _tracked(work: Work, begins: datetime) -> Any:
    session = and_(
        TreatmentSession.clinic_id == _S.clinic_id,
        TreatmentSession.patient_id == _S.patient_id,
        TreatmentSession.id == _S.treatment_session_id,
    )
    columns = (
        *(_S.id, _S.reason, _S.state, _S.offered_at, _S.starts_at, _S.created_at),
        *(_S.responded, _S.days_gained, _S.gained_at_least),
    )
    query = select(*columns, TreatmentSession.at.label("given_at")).outerjoin(TreatmentSession, session)
    return query.where(_S.clinic_id == work.clinic_id, _S.created_at >= begins)


def _row(row: Row[Any], declined: Mapping[UUID, DeclineCode]) -> Tracked:
    visit = (row.given_at or row.starts_at) if row.state is SuggestionState.FULFILLED else None
    return Tracked(
        reason=row.reason,
        state=row.state,
        approved=row.offered_at is not None,
        booked=row.starts_at is not None,
        waited_days=None if visit is None else (visit - row.created_at) / _A_DAY,
        decline=declined.get(row.id),
        responded=row.responded,
        days_gained=row.days_gained,
        at_least=bool(row.gained_at_least),
    )


def _declined(work: Work, begins: datetime) -> Mapping[UUID, DeclineCode]:
    event = BookingSuggestionEvent
    mine = and_(event.clinic_id == _S.clinic_id, event.suggestion_id == _S.id)
    query = (
        select(event)
        .join(_S, mine)
        .where(_S.clinic_id == work.clinic_id, _S.created_at >= begins, _S.state == SuggestionState.DECLINED)
        .where(event.action == SuggestionAction.DECLINE.value)
    )
    found = vault.opened(work, list(work.session.scalars(query)))
    return {one.suggestion_id: DeclineCode(one.detail["code"]) for one in found}
