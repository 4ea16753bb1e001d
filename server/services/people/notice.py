"""What the patient sees at once after an answer that cannot wait: static texts, no inference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from server.clinical.crisis_lines import CrisisLines
from server.clinical.redflags import Notice, RedFlag
from server.models import Patient
from server.services.watch import ground_rules
from server.services.work import Work

WHO_READS_THIS = (
    "Your care team reads your diary during clinic hours. It is not watched in real time. "
    "In danger, call the emergency number."
)
NOT_ARMED = (
    "Your clinic has not switched on the monitoring of this diary: nobody may be reading it. "
    "Call your clinic if you are worried. In danger, call the emergency number."
)
TEAM_WITHDRAWN = (
    "You have withdrawn your consent: your care team does not read your diary. Only an answer that cannot "
    "wait still reaches them, and nobody watches in real time. In danger, call the emergency number."
)
NOT_AN_EMERGENCY_SERVICE = (
    "This diary is not an emergency service. If you may come to harm, call the emergency number "
    "or one of the lines here."
)
_TEXTS = {
    Notice.EMERGENCY: "This can be an emergency. Call the emergency number now, "
    "or have someone call for you.",
    Notice.CRISIS_LINES: "You don't have to carry this alone. You can talk to someone now. "
    "Your care team has been told; this is not watched in real time.",
    Notice.CALL_CLINIC: "Please call your clinic today about this. In danger, call the emergency number.",
}
_CONTACT_TODAY = "Please also contact your clinic today."
_GRAVEST_FIRST = (Notice.EMERGENCY, Notice.CRISIS_LINES, Notice.CALL_CLINIC)


@dataclass(frozen=True, slots=True)
class PatientNotice:
    """One notice for the app to show before anything else."""

    kind: Notice
    text: str
    emergency_number: str
    crisis_lines: tuple[str, ...]


def who_reads(work: Work, patient: Patient) -> str:
    """Return who reads what ``patient`` reports, to be shown beside the form and every receipt."""
    if patient.team_withdrawn_at is not None:
        return TEAM_WITHDRAWN
    return WHO_READS_THIS if ground_rules.of(work).is_armed else NOT_ARMED


def for_patient(flags: Sequence[RedFlag], lines: CrisisLines) -> PatientNotice | None:
    """Return the gravest notice among ``flags`` with the lines of the patient's country, or None."""
    kinds = {flag.notice for flag in flags}
    kind = next((k for k in _GRAVEST_FIRST if k in kinds), None)
    if kind is None:
        return None
    return PatientNotice(kind, _TEXTS[kind], lines.emergency, lines.texts)


def asking_for_contact(notice: PatientNotice | None) -> PatientNotice | None:
    """Return ``notice`` with the request to contact the clinic today, where it does not say so already."""
    if notice is None or notice.kind is not Notice.CRISIS_LINES:
        return notice
    return replace(notice, text=f"{notice.text} {_CONTACT_TODAY}")
