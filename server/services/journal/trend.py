"""The patient's own numbers by day, filled scales and the sessions on them. Nothing here is a judgement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import fsum
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from server.clinical.instruments import told
from server.clinical.instruments.catalog import edition_of
from server.clinical.instruments.instrument import Instrument
from server.clinical.policy import Policy
from server.clinical.readings import History, Items, fold
from server.clinical.series import COMPOSITE_ITEMS, blend_points, item_points
from server.clinical.vocabulary import Arm, SessionStatus
from server.models import Entry, QuestionnaireResponse, TreatmentSession
from server.services import local_day as local_days
from server.services.errors import Invalid
from server.services.people import patient as patients
from server.services.scales import questionnaire_response as questionnaires
from server.services.watch import policy as policies
from server.services.work import Work

USUAL, LONGEST = timedelta(days=90), timedelta(days=400)


@dataclass(frozen=True, slots=True)
class TrendDay:
    """One day. ``items``: folded values in their own units, only those reported.

    ``composites``: symptom composite per arm in points 0-10, higher is worse, None where the day
    does not say enough. ``treatment_sessions``: planned and delivered ones of that day.
    """

    day: date
    items: Items
    composites: Mapping[Arm, float | None]
    treatment_sessions: Sequence[TreatmentSession]


@dataclass(frozen=True, slots=True)
class FilledScale:
    """One filling: its total (None where too much was left open) and how many questions were answered.

    ``answered`` is None where a total was typed in.
    """

    id: UUID
    day: date
    occurred_at: datetime
    total: float | None
    prorated: bool
    answered: int | None


@dataclass(frozen=True, slots=True)
class ScaleSeries:
    """One scale in one version, oldest filling first; totals of two versions are never mixed."""

    instrument: Instrument
    responses: list[FilledScale]


@dataclass(frozen=True, slots=True)
class Trend:
    """Every day from ``first`` to ``last``, both included; a day without entries is a gap."""

    first: date
    last: date
    days: Sequence[TrendDay]
    scales: Sequence[ScaleSeries]


def read(work: Work, patient_id: UUID, first: date | None, last: date | None) -> Trend:
    """Return the trend of ``first`` .. ``last``: by default 90 days up to the patient's today.

    At most 400 days; raises Invalid for a longer or backward range, NotFound for the patient.
    """
    patient = patients.get(work, patient_id)
    last = last or local_days.of(work, work.now, patient.zone)
    first = first or last - USUAL + timedelta(days=1)
    _check_range(first, last)
    readings = history(work, patient_id, first, last)
    policy = policies.of_patient(work, patient)
    composites = {arm: _composite(readings, arm, policy) for arm in Arm}
    items = {reading.day: reading.items for reading in readings.readings}
    sessions = _sessions(work, patient_id, first, last)
    days = (first + timedelta(days=k) for k in range((last - first).days + 1))
    return Trend(
        first,
        last,
        [
            TrendDay(
                day=day,
                items=items.get(day, {}),
                composites={arm: points.get(day) for arm, points in composites.items()},
                treatment_sessions=[session for session in sessions if session.local_day == day],
            )
            for day in days
        ],
        _scales(work, patient_id, first, last),
    )


def _check_range(first: date, last: date) -> None:
    if first > last:
        raise Invalid("/first", "Lies after the last day.")
    if last - first >= LONGEST:
        raise Invalid("/first", f"Ask for {LONGEST.days} days at the most.")


def _composite(history: History, arm: Arm, policy: Policy) -> Mapping[date, float]:
    """Return the composite by day, of the items the patient answered in this range."""
    points = {key: item_points(history, key) for key in COMPOSITE_ITEMS[arm]}
    means = {key: fsum(v for _, v in found) / len(found) for key, found in points.items() if found}
    return dict(blend_points(history, means, policy["composite.min_share"])) if means else {}


def history(work: Work, patient_id: UUID, first: date, last: date) -> History:
    """Return one reading a day of ``first`` .. ``last``, both included, of all that is shown."""
    return _folded(work, _said(work, patient_id, first, last))


def reliable_history(work: Work, patient_id: UUID, first: date, last: date) -> History:
    """Return the same of entries whose day can be relied on: of those alone anything is concluded."""
    return _folded(work, _said(work, patient_id, first, last).where(Entry.day_reliable))


def _folded(work: Work, query: Select[date, dict[str, float]]) -> History:
    return fold((row.local_day, row.items) for row in work.session.execute(query))


def _said(work: Work, patient_id: UUID, first: date, last: date) -> Select[date, dict[str, float]]:
    return select(Entry.local_day, Entry.items).where(
        Entry.clinic_id == work.clinic_id,
        Entry.patient_id == patient_id,
        Entry.deleted_at.is_(None),
        Entry.local_day.between(first, last),
    )


def _scales(work: Work, patient_id: UUID, first: date, last: date) -> Sequence[ScaleSeries]:
    """Return every scale that makes a total and was filled in the range, by key and version.

    One query, and no answers: they stay sealed. Of an occurrence answered twice the answer that counts.
    """
    query = questionnaires.reported(work, patient_id).where(
        QuestionnaireResponse.local_day.between(first, last), ~QuestionnaireResponse.superseded
    )
    found: dict[tuple[str, int], ScaleSeries] = {}
    for row in work.session.execute(query.with_only_columns(*_FILLED)):
        made = edition_of(row.instrument, row.instrument_version, row.locale)
        if told.has_total(made):
            series = found.setdefault((made.key, made.version), ScaleSeries(made, []))
            series.responses.append(_filling(made, row))
    return [found[key] for key in sorted(found)]


def _filling(made: Instrument, row: Any) -> FilledScale:
    return FilledScale(
        id=row.id,
        day=row.local_day,
        occurred_at=row.occurred_at,
        total=row.total,
        prorated=row.prorated,
        answered=told.answered(made, row.missing) if row.entered_total is None else None,
    )


_FILLED = (
    QuestionnaireResponse.id,
    QuestionnaireResponse.instrument,
    QuestionnaireResponse.instrument_version,
    QuestionnaireResponse.locale,
    QuestionnaireResponse.local_day,
    QuestionnaireResponse.occurred_at,
    QuestionnaireResponse.total,
    QuestionnaireResponse.prorated,
    QuestionnaireResponse.missing,
    QuestionnaireResponse.entered_total,
)


def _sessions(work: Work, patient_id: UUID, first: date, last: date) -> Sequence[TreatmentSession]:
    query = select(TreatmentSession).where(
        TreatmentSession.clinic_id == work.clinic_id,
        TreatmentSession.patient_id == patient_id,
        TreatmentSession.status != SessionStatus.CANCELLED,
        TreatmentSession.local_day.between(first, last),
    )
    return list(work.session.scalars(query.order_by(TreatmentSession.at, TreatmentSession.id)))
