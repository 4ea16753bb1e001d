"""One patient's questionnaire responses, open for writing under the patient's row lock.

Every response goes through `QuestionnaireJournal.store`: scored there, and no way in skips the
safety check. Scores are made once, with the version that was answered, and never made again.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical.redflags import RedFlag
from server.clinical.vocabulary import Source
from server.models import Patient, QuestionnaireResponse, QuestionnaireResponseRevision
from server.services import local_day as local_days
from server.services import vault
from server.services.alerts import answer_source
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from server.services.errors import NotFound, ServiceError, Stale
from server.services.journal import refusal as refusals
from server.services.journal import repeat, unreadable
from server.services.journal.incoming import (
    Incoming,
    canonical,
    check_occurrence,
    clock_columns,
    local_day,
    plain_response,
)
from server.services.journal.refusal import Refused
from server.services.journal.unreadable import Kind, Unread
from server.services.people import patient as patients
from server.services.scales import admission, superseding
from server.services.scales import reliable_day as reliable_days
from server.services.scales import scale as scales
from server.services.scales.scored_response import (
    dangers_of,
    findings_of,
    flags_of,
    safety_of,
    score_columns,
    scored,
)
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class ResponseReceipt:
    """What happened: created, duplicate or updated; the response; its red flags.

    ``contact_today``: the patient is also to be asked to contact the clinic today. ``touched``: the
    local days to judge again.
    """

    outcome: str
    response: QuestionnaireResponse
    flags: tuple[RedFlag, ...]
    patient: Patient
    contact_today: bool
    touched: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class QuestionnaireJournal:
    """A patient's responses under the patient's row lock, until the transaction ends."""

    work: Work
    patient: Patient
    known: dict[UUID, QuestionnaireResponse]

    def store(self, incoming: Incoming) -> ResponseReceipt:
        """Score and store a response, or recognise it: the same id and content again is a duplicate.

        Red flags are acted on here; judging the days is left to the caller, who may have more to store.
        Raises Invalid (a scale that is not offered, answers it cannot have, a moment out of bounds),
        VersionRequired and Stale (other content under an id that exists).
        """
        said = canonical(plain_response(incoming.content))
        digest = vault.digest(self.work, QuestionnaireResponse, self._key(incoming.id), said)
        stored = self.known.get(incoming.id)
        if stored is not None and stored.deleted_at is None and stored.content_hash == digest:
            return self._receipt("duplicate", stored)
        told = {} if stored is None else dangers_of(stored)
        columns = self._readable(incoming) | {"content_hash": digest}
        try:
            admission.admit(self.work, stored, incoming)
            if stored is None or stored.occurrence != columns["occurrence"]:
                check_occurrence(self.work, incoming, columns["local_day"])
        except ServiceError as refusal:
            self._heed(refusal, incoming, columns, told)
            raise
        before = None if stored is None else stored.occurrence
        days = set() if stored is None else {stored.local_day}
        if stored is None:
            response, outcome = self._insert(incoming, columns), "created"
        else:
            response, outcome = self._correct(stored, incoming, columns), "updated"
        self._keep_revision(response, plain_response(incoming.content))
        days |= superseding.settle(self.work, self.patient, before, response.occurrence)
        receipt = self._receipt(outcome, response)
        self._raise(receipt, told)
        if stored is not None:
            still = {flag.family for flag in receipt.flags}
            answer_source.changed(self.work, response, still)
        return replace(receipt, touched=frozenset({*days, response.local_day}))

    def _readable(self, incoming: Incoming) -> dict[str, Any]:
        """Return the columns; what the scale cannot have is refused, and heeded as far as it can be read."""
        try:
            return self._columns(incoming)
        except ServiceError as refusal:
            said = plain_response(incoming.content)
            found = Unread(Kind.QUESTIONNAIRE_RESPONSE, said, str(incoming.id))
            refusal.heeded = unreadable.heed(self.work, self.patient.id, found)
            raise

    def _heed(
        self, refusal: ServiceError, incoming: Incoming, columns: dict[str, Any], told: Mapping[str, object]
    ) -> None:
        keys = {"clinic_id": self.work.clinic_id, "patient_id": self.patient.id, "id": incoming.id}
        (response,) = vault.opened(self.work, [QuestionnaireResponse(**keys, **columns)])
        receipt = self._receipt("refused", response)
        refused = Refused(
            receipt.flags,
            self._news(receipt, told),
            response.content_hash,
            repeat.of_response(self.work, self.patient.id, incoming),
            receipt.contact_today,
        )
        refusals.heed(self.work, self.patient, refusal, refused)

    def _raise(self, receipt: ResponseReceipt, told: Mapping[str, object]) -> None:
        for finding in self._news(receipt, told):
            episodes.raise_alert(self.work, self.patient, finding)

    def _news(self, receipt: ResponseReceipt, told: Mapping[str, object]) -> Iterator[Finding]:
        response = receipt.response
        findings = findings_of(response, receipt.flags, self._heeded_day(response))
        return answer_source.news(self.work, self.patient, findings, told, dangers_of(response))

    def _heeded_day(self, response: QuestionnaireResponse) -> date:
        """Return the day as of which a response is heeded: a clock may run ahead, or mean nothing."""
        named, at = response.local_day, response.received_at
        day = named if reliable_days.holds(response) else local_days.of(self.work, at, response.zone)
        return local_days.so_far(self.work, day, response.zone)

    def remove(self, response_id: UUID, version: int | None, by: Source = Source.APP) -> frozenset[date]:
        """Empty a response and mark it deleted; its revisions stay, and so does what it raised.

        An alert that rests on it says so. Returns the days to judge again. ``by``: whose word it is.
        """
        response = self.known.get(response_id)
        if response is None or response.deleted_at is not None:
            raise NotFound("questionnaire response")
        if (response.source is Source.CLINIC) != (by is Source.CLINIC):
            raise admission.not_yours()
        if response.version != version:
            raise Stale(response)
        response.deleted_at = self.work.now
        self._next_version(response)
        before = response.occurrence
        response.sealed_answers = response.sealed_safety = None
        response.subscores, response.missing, response.safety_missing = {}, [], []
        response.total = response.entered_total = response.band = response.occurrence = None
        response.prorated = response.superseded = False
        self.work.session.flush()
        others = superseding.settle(self.work, self.patient, before)
        self._keep_revision(response, None)
        self.work.audit("questionnaire_response.delete", self.patient.id, response_id)
        answer_source.changed(self.work, response, ())
        return others | {response.local_day}

    def _receipt(self, outcome: str, response: QuestionnaireResponse) -> ResponseReceipt:
        contact_today = any(found["contact_today"] for found in response.safety)
        return ResponseReceipt(outcome, response, flags_of(response), self.patient, contact_today)

    def _next_change(self) -> int:
        self.patient.change_counter += 1
        return self.patient.change_counter

    def _next_version(self, response: QuestionnaireResponse) -> None:
        response.version += 1
        response.sequence = self._next_change()

    def _insert(self, incoming: Incoming, columns: dict[str, Any]) -> QuestionnaireResponse:
        response = QuestionnaireResponse(
            clinic_id=self.work.clinic_id,
            patient_id=self.patient.id,
            id=incoming.id,
            version=1,
            source=incoming.source,
            sequence=self._next_change(),
            superseded=False,
            deleted_at=None,
            **columns,
        )
        self.work.session.add(response)
        self.work.session.flush()
        vault.opened(self.work, [response])
        self.work.audit("questionnaire_response.create", self.patient.id, incoming.id)
        return response

    def _correct(
        self, stored: QuestionnaireResponse, incoming: Incoming, columns: dict[str, Any]
    ) -> QuestionnaireResponse:
        for key, value in columns.items():
            setattr(stored, key, value)
        self._next_version(stored)
        stored.deleted_at = None
        if stored.occurrence is None:
            stored.superseded = False  # nothing was asked that another one could have answered instead
        self.work.session.flush()
        vault.opened(self.work, [stored])
        self.work.audit("questionnaire_response.update", self.patient.id, stored.id)
        return stored

    def _columns(self, incoming: Incoming) -> dict[str, Any]:
        content = incoming.content
        made = scales.edition(
            self.work, content["instrument"], content["instrument_version"], content["locale"]
        )
        admission.check_respondent(made, incoming.source)
        result = scored(made, content)
        return {
            "instrument": made.key,
            "instrument_version": made.version,
            "locale": made.locale,
            "sensitivity": made.sensitivity,
            "occurrence": content.get("occurrence"),
            "occurred_at": content["occurred_at"],
            "zone": content["zone"],
            "local_day": local_day(self.work, incoming, self.known.get(incoming.id)),
            "recorded_at": content.get("recorded_at"),
            "received_at": self.work.now,
            "entered_total": content.get("total"),
            "sealed_answers": self._seal(incoming.id, "answers", dict(content.get("answers", {}))),
            "sealed_safety": self._seal(incoming.id, "safety", [safety_of(found) for found in result.safety]),
            **score_columns(result),
            **clock_columns(incoming, self.work.now, self.known.get(incoming.id)),
        }

    def _keep_revision(self, response: QuestionnaireResponse, content: dict[str, Any] | None) -> None:
        key = (*self._key(response.id), response.version)
        revision = QuestionnaireResponseRevision(
            clinic_id=response.clinic_id,
            patient_id=response.patient_id,
            response_id=response.id,
            version=response.version,
            sealed_content=vault.seal(self.work, QuestionnaireResponseRevision, key, "content", content),
            received_at=self.work.now,
            account_id=self.work.actor.account_id,
        )
        self.work.session.add(revision)

    def _key(self, response_id: UUID) -> tuple[UUID, UUID, UUID]:
        return self.work.clinic_id, self.patient.id, response_id

    def _seal(self, response_id: UUID, name: str, value: Any) -> bytes | None:
        return vault.seal(self.work, QuestionnaireResponse, self._key(response_id), name, value)


def open_questionnaires(work: Work, patient_id: UUID, ids: Iterable[UUID]) -> QuestionnaireJournal:
    """Lock a patient's journal and read the responses ``ids``."""
    patient, wanted = patients.lock(work, patient_id), list(ids)
    query = select(QuestionnaireResponse).where(
        QuestionnaireResponse.clinic_id == work.clinic_id,
        QuestionnaireResponse.patient_id == patient_id,
        QuestionnaireResponse.id.in_(wanted),
    )
    # Most batches hold entries only: no need to ask for nothing.
    rows = vault.opened(work, list(work.session.scalars(query))) if wanted else ()
    return QuestionnaireJournal(work, patient, {row.id: row for row in rows})
