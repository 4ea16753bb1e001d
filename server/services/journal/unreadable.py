"""What was refused before it was an entry or a filled scale at all: read what can be read, and heed it."""

import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from uuid import UUID

from server.clinical import legible, redflags
from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.instruments.scoring import SafetyTrigger, urgent, urgent_total
from server.models import Entry, Patient, QuestionnaireResponse
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts import episode as episodes
from server.services.errors import Heeded
from server.services.journal import refusal as refusals
from server.services.journal.refusal import Refused
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work


class Kind(StrEnum):
    """What a patient's phone brings. The names are also the members of a pushed item that hold it."""

    ENTRY = "entry"
    QUESTIONNAIRE_RESPONSE = "questionnaire_response"


def heed(work: Work, patient_id: UUID, kind: Kind, raw: object) -> Heeded | None:
    """Act on the red flags in ``raw`` (JSON values as they came), once; return what the patient must see.

    Raises NotFound where there is no such patient.
    """
    patient = patients.lock(work, patient_id)
    refused = _READERS[kind](work, patient, raw)
    return refusals.act(work, patient, refused) if refused.flags else None


def _entry(work: Work, patient: Patient, raw: object) -> Refused:
    flags = redflags.check(legible.entry(raw), clinics.policy(work))
    findings = episodes.findings_of(flags, local_days.of(work, work.now, patient.zone))
    return Refused(flags, findings, _digest(work, Entry, patient, raw), False)


def _response(work: Work, patient: Patient, raw: object) -> Refused:
    found = _urgent(raw)
    flags = tuple(trigger.flag for trigger in found)
    day = local_days.of(work, work.now, patient.zone)
    findings = episodes.findings_of(flags, day)
    digest = _digest(work, QuestionnaireResponse, patient, raw)
    return Refused(flags, findings, digest, False, any(trigger.contact_today for trigger in found))


def _urgent(raw: object) -> tuple[SafetyTrigger, ...]:
    key = raw.get("instrument") if isinstance(raw, Mapping) else None
    instrument = INSTRUMENTS.get(key) if isinstance(key, str) else None
    if instrument is None:
        return ()
    total = legible.total(raw)
    typed = () if total is None else urgent_total(instrument, total)
    return urgent(instrument, legible.answers(instrument, raw)) or typed


def _digest(
    work: Work, table: type[Entry] | type[QuestionnaireResponse], patient: Patient, raw: object
) -> str:
    text = json.dumps(raw, sort_keys=True, default=str)
    return vault.digest(work, table, (work.clinic_id, patient.id, patient.id), text)


_READERS: Mapping[Kind, Callable[[Work, Patient, object], Refused]] = {
    Kind.ENTRY: _entry,
    Kind.QUESTIONNAIRE_RESPONSE: _response,
}
