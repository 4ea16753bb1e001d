"""What a caregiver reads of a diary: nothing in own words, and no substance use unless that was agreed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from server.clinical import substance_use
from server.clinical.vocabulary import CareScope, Purpose, Sensitivity
from server.models import Entry, QuestionnaireResponse, TreatmentSession
from server.services.journal import timeline as timelines
from server.services.journal import trend as trends
from server.services.journal.trend import Trend
from server.services.people import caregiver as caregivers
from server.services.people import consent as consents
from server.services.work import Work

_SHOWN = (
    *("id", "version", "occurred_at", "zone", "local_day", "recorded_at", "received_at", "source"),
    *("entered_by", "clock_skew_seconds", "clock_suspect", "items", "side_effects", "side_effect_onset"),
    *("hours_since_session", "safety", "medication", "circumstances"),
)


@dataclass(frozen=True, slots=True)
class SharedDay:
    """One day as a caregiver sees it. ``entries``: members by name."""

    day: date
    entries: Sequence[Mapping[str, Any]]
    questionnaire_responses: Sequence[QuestionnaireResponse]
    treatment_sessions: Sequence[TreatmentSession]


def trend(work: Work, patient_id: UUID, first: date | None, last: date | None) -> Trend:
    """Return the trend. Audited; raises as `caregivers.acting` and `trends.read` do."""
    caregivers.note(work, patient_id, CareScope.READ_TREND, "caregiver.trend.read")
    found = trends.read(work, patient_id, first, last)
    if consents.allows(work, patient_id, Purpose.SUBSTANCE_USE):
        return found
    days = [replace(day, items=_without(day.items)) for day in found.days]
    scales = [one for one in found.scales if one.instrument.sensitivity is Sensitivity.ORDINARY]
    return replace(found, days=days, scales=scales)


def days(work: Work, patient_id: UUID, before: date | None, size: int) -> Sequence[SharedDay]:
    """Return up to ``size`` days before ``before``, newest first. Audited; raises as `acting` does."""
    caregivers.note(work, patient_id, CareScope.READ_JOURNAL, "caregiver.timeline.read")
    agreed = consents.allows(work, patient_id, Purpose.SUBSTANCE_USE)
    return [
        SharedDay(
            day=day.day,
            entries=[_shown(entry, agreed) for entry in day.entries],
            questionnaire_responses=[
                one
                for one in day.questionnaire_responses
                if agreed or one.sensitivity is Sensitivity.ORDINARY
            ],
            treatment_sessions=day.treatment_sessions,
        )
        for day in timelines.page(work, patient_id, before, size)
    ]


def _shown(entry: Entry, agreed: bool) -> Mapping[str, Any]:
    said = {name: getattr(entry, name) for name in _SHOWN}
    return said if agreed else substance_use.without(said)


def _without(items: Mapping[str, float]) -> Mapping[str, float]:
    return {key: value for key, value in items.items() if key not in substance_use.ITEMS}
