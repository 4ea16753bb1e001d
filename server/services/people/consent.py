"""What a patient agreed to: what is asked, what was said, and what is allowed of it now.

Nothing is remembered between two questions: a withdrawal holds for whatever asks next.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select

from server.clinical import consent as rules
from server.clinical.consent import Said, Standing
from server.clinical.vocabulary import Purpose, Role
from server.models import Consent, ConsentText
from server.services import vault
from server.services.asking import of_patient
from server.services.errors import Withheld
from server.services.people import clinic as clinics
from server.services.people import consent_text as consent_texts
from server.services.people import patient as patients
from server.services.work import Work

_LATEST_FIRST = (Consent.at.desc(), Consent.id.desc())
_LAST_WORD = (
    select(Consent.given, Consent.version)
    .where(*of_patient(Consent), Consent.purpose == bindparam("purpose"))
    .order_by(*_LATEST_FIRST)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One purpose as it stands: the newest text there is (None: none) in the language shown."""

    purpose: Purpose
    standing: Standing
    text: ConsentText | None
    language: str | None
    words: Mapping[str, str] | None
    history: Sequence[Consent]

    @property
    def changed_at(self) -> datetime | None:
        """When the patient last said something about it."""
        return self.history[0].at if self.history else None


def allows(work: Work, patient_id: UUID, purpose: Purpose) -> bool:
    """Return whether the patient's consent to ``purpose`` holds now. Two short questions at the most."""
    said = last_word(work, patient_id, purpose)
    if purpose not in rules.OPT_IN or said is None or not said.given:
        return rules.standing(purpose, said, rules.Texts()).holds
    return rules.standing(purpose, said, consent_texts.of_purpose(work, purpose)).holds


def require(work: Work, patient_id: UUID, *purposes: Purpose) -> None:
    """Raise Withheld where the patient's consent to one of ``purposes`` does not hold now."""
    for purpose in purposes:
        if not allows(work, patient_id, purpose):
            raise Withheld(purpose)


def to_leave(role: Role | None) -> tuple[Purpose, ...]:
    """Return on which consents a copy of the diary leaves: for others than the patient the team's too."""
    return (Purpose.EXPORT,) if role is Role.PATIENT else (Purpose.CARE_TEAM, Purpose.EXPORT)


def rests_on(work: Work, patient_id: UUID) -> tuple[Purpose, ...]:
    """Return on which further consents a copy made now rests: that to what it holds of substance use."""
    held = allows(work, patient_id, Purpose.SUBSTANCE_USE)
    return (Purpose.SUBSTANCE_USE,) if held else ()


def read(work: Work, patient_id: UUID, language: str | None = None) -> Sequence[Asked]:
    """Return every purpose as it stands for a patient, in the vocabulary's order; raises NotFound.

    ``language``: of the texts; by default the clinic's.
    """
    patients.get(work, patient_id)
    own = clinics.get(work).language
    texts, said = consent_texts.known(work), _history(work, patient_id)
    found = []
    for purpose in Purpose:
        history = [one for one in said if one.purpose is purpose]
        last = Said(history[0].given, history[0].version) if history else None
        newest = texts[purpose].newest
        row = consent_texts.get(work, purpose, newest) if newest else None
        told, words = (None, None) if row is None else consent_texts.shown(row, language or own, own)
        standing = rules.standing(purpose, last, texts[purpose])
        found.append(Asked(purpose, standing, row, told, words, history))
    return found


def last_word(work: Work, patient_id: UUID, purpose: Purpose) -> Said | None:
    """Return what the patient said last, and of which text; None: nothing yet."""
    found = work.rows(_LAST_WORD, patient=patient_id, purpose=purpose)
    return next((Said(*row) for row in found), None)


def last_moment(work: Work, patient_id: UUID, purpose: Purpose) -> datetime | None:
    """Return when the patient said something about it last; None: never."""
    mine = (Consent.clinic_id == work.clinic_id, Consent.patient_id == patient_id)
    return work.session.scalar(select(func.max(Consent.at)).where(*mine, Consent.purpose == purpose))


def _history(work: Work, patient_id: UUID) -> Sequence[Consent]:
    query = select(Consent).where(Consent.clinic_id == work.clinic_id, Consent.patient_id == patient_id)
    return vault.opened(work, list(work.session.scalars(query.order_by(*_LATEST_FIRST))))
