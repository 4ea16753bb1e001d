"""A patient's word on a purpose: taken in the app, recorded by the clinic, or sent as STOP."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from server.clinical.consent import OPT_IN, Said
from server.clinical.vocabulary import ConsentWay, Language, Purpose
from server.models import Consent
from server.services import vault
from server.services.errors import Conflict, Invalid
from server.services.people import account_notice, withdrawal
from server.services.people import clinic as clinics
from server.services.people import consent as consents
from server.services.people import consent_text as consent_texts
from server.services.people import patient as patients
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said. ``version`` 0: about no text, which only a no can be; ``witness``: the clinic's."""

    given: bool
    version: int
    language: Language | None
    way: ConsentWay
    witness: str | None = None


def record(work: Work, patient_id: UUID, purpose: Purpose, answer: Answer) -> None:
    """Take a patient's word. The same word on the same text again changes nothing.

    A yes is to the newest text: raises Conflict where another one is newest by now. Without any text only
    a no can be said, and a yes to what held from the start; else raises Invalid. What it ends is ended here.
    """
    patients.get(work, patient_id)
    patient = patients.lock(work, patient_id)
    words = _answered(work, purpose, answer)
    if consents.last_word(work, patient_id, purpose) == Said(answer.given, answer.version):
        if answer.way is ConsentWay.CLINIC:  # who says it again is shown every word of the patient's
            work.audit("consent.list", patient_id)
        return
    _keep(work, patient_id, purpose, answer, words)
    withdrawal.follow(work, patient, purpose, answer.given)


def _keep(
    work: Work,
    patient_id: UUID,
    purpose: Purpose,
    answer: Answer,
    words: tuple[str, Mapping[str, str]] | None,
) -> None:
    row = Consent(
        clinic_id=work.clinic_id,
        id=uuid7(),
        patient_id=patient_id,
        purpose=purpose,
        given=answer.given,
        version=answer.version,
        language=words[0] if words else None,
        text_hash=consent_texts.digest(words[1]) if words else None,
        at=_moment(work, patient_id, purpose),
        way=answer.way,
        account_id=work.actor.account_id,
    )
    vault.put(work, row, "witness", answer.witness)
    work.session.add(row)
    work.session.flush()
    did = "consent.give" if answer.given else "consent.withdraw"
    work.audit(did, patient_id, f"{purpose}:{row.version}")
    if answer.given and answer.way is ConsentWay.CLINIC:
        account_notice.consent_recorded(work, patient_id, row.id)


def _moment(work: Work, patient_id: UUID, purpose: Purpose) -> datetime:
    """Return now, or the moment after the word before, where that was said by a clock that was ahead.

    The last word is the one that was said last: no no stands behind a yes for as long as a clock was off.
    """
    before = consents.last_moment(work, patient_id, purpose)
    return work.now if before is None or before <= work.now else before + timedelta.resolution


def _answered(work: Work, purpose: Purpose, answer: Answer) -> tuple[str, Mapping[str, str]] | None:
    """Return the language and the words that were answered; None: there were none."""
    newest = consent_texts.of_purpose(work, purpose).newest
    if answer.given and not newest and purpose in OPT_IN:
        raise Invalid("/version", "Your clinic has no text for this yet: nobody can agree to it.")
    if answer.given and answer.version != newest:
        raise Conflict("consent-text-changed", "There is a newer text. Read it, then answer.")
    if not answer.version:
        return None
    own = clinics.get(work).language
    row = consent_texts.get(work, purpose, answer.version)
    return consent_texts.shown(row, answer.language or own, own)
