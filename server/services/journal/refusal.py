"""What can't be stored is heeded all the same: no way in skips the safety check, not even one that is shut.

An entry may be refused because it changed elsewhere, or because the phone's clock is a year off. What
it says about danger is true all the same: the care team is told, and the patient sees whom to call.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select

from server.clinical.redflags import RedFlag
from server.models import UNRESOLVED, Alert, AuditEvent, Patient
from server.services import local_day as local_days
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.errors import Heeded, ServiceError
from server.services.watch import ground_rules
from server.services.watch import policy as policies
from server.services.work import Work

HEEDED = "refused.heed"
_NOT_STORED = "It stands in something that could not be stored: ask the patient."
_OF_OTHER = "It came from a phone that holds somebody else's journal, and was not stored: ask who said it."


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that can't be stored: its red flags, what they amount to, and what stands for its content.

    ``is_repeat``: it was stored once and corrected since; what it says was acted on then.
    ``dated``: its digest tells one day from another, so it never is a new report.
    ``of_other``: another patient may have said it.
    """

    flags: tuple[RedFlag, ...]
    findings: Iterable[Finding]
    digest: str
    is_repeat: bool
    contact_today: bool = False
    dated: bool = False
    of_other: bool = False


def heed(work: Work, patient: Patient, refusal: ServiceError, refused: Refused) -> None:
    """Act on the red flags of ``refused``, and note on ``refusal`` what the patient must see."""
    if refused.flags:
        refusal.heeded = act(work, patient, refused)


def act(work: Work, patient: Patient, refused: Refused) -> Heeded:
    """Raise what ``refused`` amounts to, once; return what the patient must see."""
    if not refused.is_repeat:
        _raise_once(work, patient, refused)
    language = ground_rules.of(work).language
    return Heeded(refused.flags, patient.country, patient.zone, language, refused.contact_today)


def _raise_once(work: Work, patient: Patient, refused: Refused) -> None:
    """A phone may send the same again and again. A day in the future counts as today.

    What comes again after somebody closed its alert, and then nothing for a while, is told anew.
    """
    known = _is_known(work, patient, refused)
    if known and refused.dated:
        return
    news = [one for one in refused.findings if not (known and _in_hand(work, patient, one))]
    if not news:
        return
    today = local_days.of(work, work.now, patient.zone)
    doubt = _OF_OTHER if refused.of_other else _NOT_STORED
    marks = {"stored": False, **({"other_journal": True} if refused.of_other else {})}
    for finding in news:
        summary, evidence = f"{finding.summary} {doubt}", {**finding.evidence, **marks}
        told = replace(finding, day=min(finding.day, today), summary=summary, evidence=evidence)
        episodes.raise_alert(work, patient, told)
    work.audit(HEEDED, patient.id, refused.digest)


def _is_known(work: Work, patient: Patient, refused: Refused) -> bool:
    known = select(AuditEvent.id).where(
        AuditEvent.clinic_id == work.clinic_id,
        AuditEvent.patient_id == patient.id,
        AuditEvent.action == HEEDED,
        AuditEvent.object_id == refused.digest,
    )
    return work.session.scalar(known.limit(1)) is not None


def _in_hand(work: Work, patient: Patient, finding: Finding) -> bool:
    """Return whether an alert as urgent is open, or was closed so lately that a phone only repeats itself."""
    quiet = timedelta(days=policies.of_patient(work, patient)["alert.return_days"])
    alike = select(Alert.id).where(
        Alert.clinic_id == work.clinic_id,
        Alert.patient_id == patient.id,
        Alert.family == finding.family,
        Alert.urgency <= finding.urgency,
        UNRESOLVED | (Alert.resolved_at > work.now - quiet),
    )
    return work.session.scalar(alike.limit(1)) is not None
