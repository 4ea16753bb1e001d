"""What the patient sees at once after an answer that cannot wait: static texts, no inference."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.clinical.crisis_lines import CrisisLines
from server.clinical.patient_text import TEXTS, PatientText
from server.clinical.redflags import Notice, RedFlag
from server.clinical.vocabulary import Language
from server.models import Patient
from server.services.watch import ground_rules
from server.services.work import Work

_GRAVEST_FIRST = (Notice.EMERGENCY, Notice.CRISIS_LINES, Notice.CALL_CLINIC)


@dataclass(frozen=True, slots=True)
class PatientNotice:
    """One notice for the app to show before anything else."""

    kind: Notice
    text: str
    emergency_number: str
    crisis_lines: tuple[str, ...]


def who_reads(work: Work, patient: Patient, language: Language) -> str:
    """Return who reads what ``patient`` reports, to be shown beside the form and every receipt."""
    words = TEXTS[language]
    if patient.team_withdrawn_at is not None:
        return words.team_withdrawn
    return words.clinic_hours if ground_rules.of(work).is_armed else words.not_armed


def for_patient(
    flags: Sequence[RedFlag], lines: CrisisLines, language: Language, contact_today: bool = False
) -> PatientNotice | None:
    """Return the gravest notice among ``flags`` with the lines of the patient's country, or None.

    ``contact_today``: it asks them to contact the clinic today, too, where it does not say so already; and
    so it does where another flag of theirs asks for that.
    """
    kinds = {flag.notice for flag in flags}
    kind = next((k for k in _GRAVEST_FIRST if k in kinds), None)
    if kind is None:
        return None
    words = TEXTS[language]
    text = _told(words, kind)
    if kind is Notice.CRISIS_LINES and (contact_today or Notice.CALL_CLINIC in kinds):
        text = f"{text} {words.contact_today}"
    return PatientNotice(kind, text, lines.emergency, lines.texts)


def _told(words: PatientText, kind: Notice) -> str:
    return {
        Notice.EMERGENCY: words.emergency,
        Notice.CRISIS_LINES: words.crisis_lines,
        Notice.CALL_CLINIC: words.call_clinic,
    }[kind]
