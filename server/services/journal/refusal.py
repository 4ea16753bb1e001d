"""What can't be stored is heeded all the same: no way in skips the safety check, not even one that is shut.

An entry may be refused because it changed elsewhere, or because the phone's clock is a year off. What
it says about danger is true all the same: the care team is told, and the patient sees whom to call.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select

from server.clinical.redflags import RedFlag
from server.models import AuditEvent, Patient
from server.services import local_day as local_days
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.errors import Heeded, ServiceError
from server.services.work import Work

HEEDED = "refused.heed"
_NOT_STORED = "It stands in something that could not be stored: ask the patient."


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that can't be stored: its red flags, what they amount to, and what stands for its content.

    ``is_repeat``: it was stored once and corrected since; what it says was acted on then.
    """

    flags: tuple[RedFlag, ...]
    findings: Iterable[Finding]
    digest: str
    is_repeat: bool
    contact_today: bool = False


def heed(work: Work, patient: Patient, refusal: ServiceError, refused: Refused) -> None:
    """Act on the red flags of ``refused``, and note on ``refusal`` what the patient must see."""
    if refused.flags:
        refusal.heeded = act(work, patient, refused)


def act(work: Work, patient: Patient, refused: Refused) -> Heeded:
    """Raise what ``refused`` amounts to, once; return what the patient must see."""
    if not refused.is_repeat:
        _raise_once(work, patient, refused)
    return Heeded(refused.flags, patient.country, refused.contact_today)


def _raise_once(work: Work, patient: Patient, refused: Refused) -> None:
    """A phone may send the same again and again. A day in the future counts as today."""
    known = select(AuditEvent.id).where(
        AuditEvent.clinic_id == work.clinic_id,
        AuditEvent.patient_id == patient.id,
        AuditEvent.action == HEEDED,
        AuditEvent.object_id == refused.digest,
    )
    if work.session.scalar(known.limit(1)) is not None:
        return
    today = local_days.of(work, work.now, patient.zone)
    for finding in refused.findings:
        summary, evidence = f"{finding.summary} {_NOT_STORED}", {**finding.evidence, "stored": False}
        told = replace(finding, day=min(finding.day, today), summary=summary, evidence=evidence)
        episodes.raise_alert(work, patient, told)
    work.audit(HEEDED, patient.id, refused.digest)
