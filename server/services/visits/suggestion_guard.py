"""The guards of a suggestion, asked about the patient as they are now."""

from collections.abc import Sequence
from dataclasses import asdict

from server.clinical.facts import Facts
from server.clinical.guards import NEVER_OVERRIDDEN, Block, blocks_of
from server.models import BookingSuggestion, Patient
from server.services import local_day as local_days
from server.services.alerts import alert as alerts
from server.services.errors import Blocked, SafetyFirst
from server.services.visits import visit_facts
from server.services.watch import policy as policies
from server.services.work import Work

Plain = list[dict[str, str]]


def facts_of(work: Work, suggestion: BookingSuggestion) -> Facts:
    """Return what the suggestion rests on today, where its patient lives."""
    patient = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id))
    today = local_days.of(work, work.now, patient.zone)
    alert = None if suggestion.alert_id is None else alerts.get(work, suggestion.alert_id)
    return visit_facts.gather(work, patient, suggestion.programme, today, alert)


def blocks_now(work: Work, suggestion: BookingSuggestion, facts: Facts) -> Sequence[Block]:
    """Return the guards that hold for ``facts`` today."""
    patient = work.session.get_one(Patient, (work.clinic_id, suggestion.patient_id))
    return blocks_of(facts, policies.of_patient(work, patient), local_days.of(work, work.now, patient.zone))


def plain(blocks: Sequence[Block]) -> Plain:
    """Return ``blocks`` as they are stored."""
    return [{key: str(value) for key, value in asdict(block).items()} for block in blocks]


def passed(suggestion: BookingSuggestion, blocks: Sequence[Block], reason: str | None) -> str | None:
    """Note ``blocks`` on the suggestion and return the reason that overrides them; None without any.

    Raises Blocked where one is needed and not given (or blank), SafetyFirst where none would do.
    """
    suggestion.blocks = plain(blocks)
    said = (reason or "").strip() or None
    if any(block.code in NEVER_OVERRIDDEN for block in blocks):
        raise SafetyFirst(suggestion)
    if blocks and said is None:
        raise Blocked(suggestion)
    return said
