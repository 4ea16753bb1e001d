"""Take, correct, delete and read questionnaire responses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from server.clinical.instruments.catalog import RATED
from server.clinical.vocabulary import Purpose, Role, Source
from server.models import QuestionnaireResponse, QuestionnaireResponseRevision
from server.services import vault
from server.services.errors import NotFound
from server.services.journal.incoming import Incoming
from server.services.people import consent as consents
from server.services.scales.questionnaire_journal import ResponseReceipt, open_questionnaires
from server.services.watch import assessment as assessments
from server.services.work import Work


def put(work: Work, patient_id: UUID, incoming: Incoming) -> ResponseReceipt:
    """Score and store a response and judge its days again. Raises as `QuestionnaireJournal.store` does."""
    receipt = open_questionnaires(work, patient_id, [incoming.id]).store(incoming)
    if receipt.touched:
        assessments.reassess(work, receipt.patient, receipt.touched)
    return receipt


def delete(work: Work, patient_id: UUID, response_id: UUID, version: int, by: Source = Source.APP) -> None:
    """Take a response back and judge its days again. Raises as `QuestionnaireJournal.remove` does."""
    journal = open_questionnaires(work, patient_id, [response_id])
    assessments.reassess(work, journal.patient, journal.remove(response_id, version, by))


def get(work: Work, patient_id: UUID, response_id: UUID) -> QuestionnaireResponse:
    """Return one response for the patient; a deleted one, and one that a clinician rated, is not found."""
    response = work.session.get(QuestionnaireResponse, (work.clinic_id, patient_id, response_id))
    if response is None or response.deleted_at is not None or response.instrument in RATED:
        raise NotFound("questionnaire response")
    vault.opened(work, [response])
    return response


def check_readable(work: Work, patient_id: UUID, response_id: UUID) -> None:
    """Raise Withheld where this is something of the patient's that the care team may not read now."""
    found = work.session.get(QuestionnaireResponse, (work.clinic_id, patient_id, response_id))
    if found is not None and found.source is not Source.CLINIC:
        consents.require(work, patient_id, Purpose.CARE_TEAM)


@dataclass(frozen=True, slots=True)
class ResponseRange:
    """Which responses to read: days (both included), of which scale, after which one, how many."""

    first: date | None
    last: date | None
    instrument: str | None
    after: UUID | None
    size: int


def page(work: Work, patient_id: UUID, wanted: ResponseRange) -> Sequence[QuestionnaireResponse]:
    """Return responses in the order of their ids (which is that of their making).

    The patient reads none that a clinician rated: it is theirs to explain.
    """
    query = select(QuestionnaireResponse).where(*_there(work, patient_id))
    if work.actor.role is Role.PATIENT:
        query = query.where(QuestionnaireResponse.instrument.not_in(RATED))
    if wanted.first is not None:
        query = query.where(QuestionnaireResponse.local_day >= wanted.first)
    if wanted.last is not None:
        query = query.where(QuestionnaireResponse.local_day <= wanted.last)
    if wanted.instrument is not None:
        query = query.where(QuestionnaireResponse.instrument == wanted.instrument)
    if wanted.after is not None:
        query = query.where(QuestionnaireResponse.id > wanted.after)
    found = work.session.scalars(query.order_by(QuestionnaireResponse.id).limit(wanted.size))
    return vault.opened(work, list(found))


def revisions(work: Work, patient_id: UUID, response_id: UUID) -> Sequence[QuestionnaireResponseRevision]:
    """Return every version a response ever had, first to last, also of a deleted one."""
    query = select(QuestionnaireResponseRevision).where(
        QuestionnaireResponseRevision.clinic_id == work.clinic_id,
        QuestionnaireResponseRevision.patient_id == patient_id,
        QuestionnaireResponseRevision.response_id == response_id,
    )
    found = list(work.session.scalars(query.order_by(QuestionnaireResponseRevision.version)))
    if not found:
        raise NotFound("questionnaire response")
    return vault.opened(work, found)


def own_revisions(work: Work, patient_id: UUID, response_id: UUID) -> Sequence[QuestionnaireResponseRevision]:
    """Return the same for the patient: NotFound for what a clinician rated.

    Nor of what the clinic took back: it may be another's.
    """
    found = work.session.get(QuestionnaireResponse, (work.clinic_id, patient_id, response_id))
    taken_back = found is not None and found.deleted_at is not None and found.source is Source.CLINIC
    if taken_back or (found is not None and found.instrument in RATED):
        raise NotFound("questionnaire response")
    return revisions(work, patient_id, response_id)


def reported(work: Work, patient_id: UUID) -> Select[Any]:
    """Return a query of what the patient reported, oldest first: without what a clinician rated."""
    mine = select(QuestionnaireResponse).where(
        *_there(work, patient_id), QuestionnaireResponse.instrument.not_in(RATED)
    )
    return mine.order_by(QuestionnaireResponse.occurred_at, QuestionnaireResponse.id)


def _there(work: Work, patient_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        QuestionnaireResponse.clinic_id == work.clinic_id,
        QuestionnaireResponse.patient_id == patient_id,
        QuestionnaireResponse.deleted_at.is_(None),
    )
