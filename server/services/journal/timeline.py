"""A patient's own timeline: entries, filled scales, sessions and looks of the team by day, newest first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical import seen_words
from server.clinical.seen_words import Sight
from server.clinical.vocabulary import Role, SessionStatus
from server.models import Entry, QuestionnaireResponse, TreatmentSession
from server.services import local_day as local_days
from server.services import vault
from server.services.journal import team_view as team_views
from server.services.journal.team_view import Sighting
from server.services.people import patient as patients
from server.services.scales import questionnaire_response as questionnaires
from server.services.work import Work

# The end of every timeline: nothing lies so far ahead (a planned session is at most years away).
_END = date(9999, 1, 1)


@dataclass(frozen=True, slots=True)
class TimelineDay:
    """One day with something on it. ``seen_at``: when an entry or filled scale was first seen, by its id.

    ``sentences``: when the team saw what was reported that day, in words.
    """

    day: date
    entries: Sequence[Entry]
    questionnaire_responses: Sequence[QuestionnaireResponse]
    seen_at: Mapping[UUID, datetime]
    treatment_sessions: Sequence[TreatmentSession]
    seen_by_team: Sequence[Role]
    sentences: Sequence[str]


def page(work: Work, patient_id: UUID, before: date | None, size: int) -> Sequence[TimelineDay]:
    """Return up to ``size`` (>= 1) days before day ``before``, newest first.

    Looks of the team before the first of the patient's own days are left out.
    """
    zone = patients.get(work, patient_id).zone
    days = _reported_days(work, patient_id, before or _END, size)
    if not days:
        return []
    seen = _seen(work, patient_id, (min(days), before), zone)
    chosen = sorted({*days, *seen}, reverse=True)[:size]
    entries = _entries(work, patient_id, chosen)
    sessions = _sessions(work, patient_id, chosen)
    filled = _filled(work, patient_id, chosen)
    sightings = {
        **team_views.sightings(work, patient_id, entries),
        **team_views.sightings(work, patient_id, filled, team_views.RESPONSE_SEEN),
    }
    sights = {key: _sight(work, sighting, zone) for key, sighting in sightings.items()}
    first = team_views.firsts(sightings)
    return [
        TimelineDay(
            day=day,
            entries=_of(day, entries),
            questionnaire_responses=_of(day, filled),
            seen_at=first,
            treatment_sessions=_of(day, sessions),
            seen_by_team=seen.get(day, ()),
            sentences=seen_words.sentences([sights[one.id] for one in _of(day, [*entries, *filled])]),
        )
        for day in chosen
    ]


def _sight(work: Work, sighting: Sighting, zone: str) -> Sight:
    moments = (sighting.opened_at, sighting.handled_at)
    return Sight(*(None if at is None else local_days.of(work, at, zone) for at in moments))


def _reported_days(work: Work, patient_id: UUID, before: date, size: int) -> Sequence[date]:
    """Return the newest ``size`` days with an entry, a filled scale or a session."""
    logged = _own(work, patient_id, Entry).where(Entry.deleted_at.is_(None))
    treated = _own(work, patient_id, TreatmentSession).where(
        TreatmentSession.status != SessionStatus.CANCELLED
    )
    scaled = questionnaires.reported(work, patient_id).order_by(None)
    found: set[date] = set()
    for model, query in ((Entry, logged), (QuestionnaireResponse, scaled), (TreatmentSession, treated)):
        days = query.with_only_columns(model.local_day).where(model.local_day < before).distinct()
        found.update(work.session.scalars(days.order_by(model.local_day.desc()).limit(size)))
    return sorted(found, reverse=True)[:size]


def _seen(
    work: Work, patient_id: UUID, between: tuple[date, date | None], zone: str
) -> Mapping[date, Sequence[Role]]:
    first, before = between
    # From the end of the day two before: a day of the patient may have been another one in another zone.
    since = local_days.end(work, date.fromordinal(first.toordinal() - 2), zone)
    until = work.now if before is None else min(work.now, local_days.end(work, before, zone))
    looks = team_views.looks(work, patient_id, since, until)
    found = team_views.roles_by_day(work, looks, zone)
    return {day: roles for day, roles in found.items() if first <= day < (before or _END)}


def _entries(work: Work, patient_id: UUID, days: Sequence[date]) -> Sequence[Entry]:
    query = _own(work, patient_id, Entry).where(Entry.deleted_at.is_(None), Entry.local_day.in_(days))
    return vault.opened(work, list(work.session.scalars(query.order_by(Entry.occurred_at, Entry.id))))


def _filled(work: Work, patient_id: UUID, days: Sequence[date]) -> Sequence[QuestionnaireResponse]:
    query = questionnaires.reported(work, patient_id).where(QuestionnaireResponse.local_day.in_(days))
    return list(work.session.scalars(query))


def _sessions(work: Work, patient_id: UUID, days: Sequence[date]) -> Sequence[TreatmentSession]:
    query = _own(work, patient_id, TreatmentSession).where(
        TreatmentSession.status != SessionStatus.CANCELLED, TreatmentSession.local_day.in_(days)
    )
    return list(work.session.scalars(query.order_by(TreatmentSession.at, TreatmentSession.id)))


def _own(work: Work, patient_id: UUID, model: Any) -> Any:
    return select(model).where(model.clinic_id == work.clinic_id, model.patient_id == patient_id)


def _of(day: date, rows: Iterable[Any]) -> Sequence[Any]:
    return [row for row in rows if row.local_day == day]
