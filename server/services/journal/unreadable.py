"""What was refused before it was an entry or a filled scale at all: read what can be read, and heed it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
from server.services.watch import ground_rules
from server.services.work import Work

# What is acted on of one request, the most urgent first: a batch that is refused may be of any length.
_MOST = 200


class Kind(StrEnum):
    """What a patient's phone brings. The names are also the members of a pushed item that hold it."""

    ENTRY = "entry"
    QUESTIONNAIRE_RESPONSE = "questionnaire_response"


@dataclass(frozen=True, slots=True)
class Unread:
    """Something of a ``kind`` that can't be taken: JSON values as they came.

    ``name`` tells it from others that say the same: the id of an item, the row of a file. ``dated``: the
    name says which day it speaks of, so that it never is another report. ``of_other``: it comes with the
    journal of somebody else.
    """

    kind: Kind
    raw: object
    name: str = ""
    dated: bool = False
    of_other: bool = False


def heed(work: Work, patient_id: UUID, *found: Unread) -> Heeded | None:
    """Act on the red flags in each of ``found``, once; return what the patient must see of all of them.

    Raises NotFound where there is no such patient.
    """
    patient = patients.lock(work, patient_id)
    read = [refused for one in found if (refused := _READERS[one.kind](work, patient, one)).flags]
    read.sort(key=lambda refused: min(flag.urgency for flag in refused.flags))
    for refused in read[:_MOST]:
        refusals.act(work, patient, refused)
    if not read:
        return None
    flags = tuple(flag for one in read for flag in one.flags)
    language = ground_rules.of(work).language
    return Heeded(flags, patient.country, patient.zone, language, any(one.contact_today for one in read))


def name_of(row_id: object) -> str:
    """Return what names an item of this id, however the id is spelled; without one, nothing."""
    try:
        return str(UUID(str(row_id)))
    except ValueError:
        return row_id if isinstance(row_id, str) else ""


def _entry(work: Work, patient: Patient, found: Unread) -> Refused:
    flags = redflags.check(legible.entry(found.raw), clinics.policy(work))
    findings = tuple(episodes.findings_of(flags, local_days.of(work, work.now, patient.zone)))
    digest = _digest(work, Entry, patient, found)
    return Refused(flags, findings, digest, False, dated=found.dated, of_other=found.of_other)


def _response(work: Work, patient: Patient, found: Unread) -> Refused:
    triggers = _urgent(found.raw)
    flags = tuple(trigger.flag for trigger in triggers)
    findings = tuple(episodes.findings_of(flags, local_days.of(work, work.now, patient.zone)))
    digest = _digest(work, QuestionnaireResponse, patient, found)
    contact = any(trigger.contact_today for trigger in triggers)
    return Refused(flags, findings, digest, False, contact, found.dated, found.of_other)


def _urgent(raw: object) -> tuple[SafetyTrigger, ...]:
    key = raw.get("instrument") if isinstance(raw, Mapping) else None
    instrument = INSTRUMENTS.get(key) if isinstance(key, str) else None
    if instrument is None:
        return ()
    total = legible.total(raw)
    typed = () if total is None else urgent_total(instrument, total)
    found = (*typed, *urgent(instrument, legible.answers(instrument, raw)))
    return tuple({trigger.flag.code: trigger for trigger in found}.values())


def _digest(
    work: Work, table: type[Entry] | type[QuestionnaireResponse], patient: Patient, found: Unread
) -> str:
    text = json.dumps([found.name, found.raw], sort_keys=True, default=str)
    return vault.digest(work, table, (work.clinic_id, patient.id, patient.id), text)


_READERS: Mapping[Kind, Callable[[Work, Patient, Unread], Refused]] = {
    Kind.ENTRY: _entry,
    Kind.QUESTIONNAIRE_RESPONSE: _response,
}
