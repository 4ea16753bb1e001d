"""One patient's questionnaire responses, open for writing under the patient's row lock.

Every response goes through `QuestionnaireJournal.store`: scored there, and no way in skips the
safety check. Scores are made once, with the version that was answered, and never made again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.clinical.instruments.instrument import AnswersError, Content, Instrument, Respondent
from server.clinical.instruments.scoring import SafetyTrigger, Score, score, score_total
from server.clinical.redflags import Notice, RedFlag
from server.clinical.vocabulary import AlertClass, AlertFamily, Source
from server.models import Patient, QuestionnaireResponse, QuestionnaireResponseRevision
from server.services import episode as episodes
from server.services import patient as patients
from server.services import scale as scales
from server.services import superseding, vault
from server.services.episode import Finding
from server.services.errors import Conflict, Invalid, NotFound, Stale, VersionRequired
from server.services.incoming import Incoming, canonical, check_moment, clock_of, local_day
from server.services.work import Work

_CONTENT = (
    *("instrument", "instrument_version", "locale", "answers", "total"),
    *("occurred_at", "zone", "occurrence"),
)


@dataclass(frozen=True, slots=True)
class ResponseReceipt:
    """What happened: created, duplicate or updated; the response; its red flags.

    ``contact_today``: the patient is also to be asked to contact the clinic today.
    """

    outcome: str
    response: QuestionnaireResponse
    flags: tuple[RedFlag, ...]
    patient: Patient
    contact_today: bool


@dataclass(frozen=True, slots=True)
class QuestionnaireJournal:
    """A patient's responses under the patient's row lock, until the transaction ends."""

    work: Work
    patient: Patient
    known: dict[UUID, QuestionnaireResponse]

    def store(self, incoming: Incoming) -> ResponseReceipt:
        """Score and store a response, or recognise it: the same id and content again is a duplicate.

        Raises Invalid (a scale that is not offered, answers it cannot have, a moment out of bounds),
        VersionRequired and Stale (other content under an id that exists).
        """
        said = canonical(_plain(incoming.content))
        digest = vault.digest(self.work, QuestionnaireResponse, self._key(incoming.id), said)
        stored = self.known.get(incoming.id)
        if stored is not None and stored.deleted_at is None and stored.content_hash == digest:
            return self._receipt("duplicate", stored)
        check_moment(self.work, incoming)
        columns = self._columns(incoming) | {"content_hash": digest}
        before = None if stored is None else stored.occurrence
        if stored is None:
            response, outcome = self._insert(incoming, columns), "created"
        else:
            response, outcome = self._correct(stored, incoming, columns), "updated"
        self._keep_revision(response, _plain(incoming.content))
        superseding.settle(self.work, self.patient, before, response.occurrence)
        receipt = self._receipt(outcome, response)
        for finding in _findings(response, receipt.flags):
            episodes.raise_alert(self.work, self.patient, finding)
        return receipt

    def remove(self, response_id: UUID, version: int | None) -> None:
        """Empty a response and mark it deleted; its revisions stay, and so does what it raised."""
        response = self.known.get(response_id)
        if response is None or response.deleted_at is not None:
            raise NotFound("questionnaire response")
        if response.version != version:
            raise Stale(response)
        if response.source is Source.CLINIC:
            raise _not_yours()
        response.deleted_at = self.work.now
        self._next_version(response)
        before = response.occurrence
        response.sealed_answers = response.sealed_safety = None
        response.subscores, response.missing, response.safety_missing = {}, [], []
        response.total = response.entered_total = response.band = response.occurrence = None
        response.prorated = response.superseded = False
        self.work.session.flush()
        superseding.settle(self.work, self.patient, before)
        self._keep_revision(response, None)
        self.work.audit("questionnaire_response.delete", self.patient.id, response_id)

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
        if incoming.base_version is None:
            raise VersionRequired(stored)
        if incoming.base_version != stored.version:
            raise Stale(stored)
        if (stored.source is Source.CLINIC) != (incoming.source is Source.CLINIC):
            raise _not_yours()
        for key, value in columns.items():
            setattr(stored, key, value)
        self._next_version(stored)
        stored.deleted_at = None
        self.work.session.flush()
        vault.opened(self.work, [stored])
        self.work.audit("questionnaire_response.update", self.patient.id, stored.id)
        return stored

    def _columns(self, incoming: Incoming) -> dict[str, Any]:
        content = incoming.content
        made = scales.edition(
            self.work, content["instrument"], content["instrument_version"], content["locale"]
        )
        _check_respondent(made, incoming.source)
        scored = _scored(made, content)
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
            "sealed_safety": self._seal(incoming.id, "safety", [_safety(found) for found in scored.safety]),
            **_score_columns(scored),
            **clock_of(incoming.sent_at, self.work.now),
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


def flags_of(response: QuestionnaireResponse) -> tuple[RedFlag, ...]:
    """Return the red flags of a response as they were found when it was scored."""
    return tuple(
        RedFlag(
            found["code"],
            AlertClass(found["urgency"]),
            AlertFamily(found["family"]),
            Notice(found["notice"]),
        )
        for found in response.safety
    )


def _check_respondent(made: Instrument, source: Source) -> None:
    if made.respondent is Respondent.CLINICIAN and source is not Source.CLINIC:
        raise Invalid("/instrument", "Is rated by a clinician.")


def _not_yours() -> Conflict:
    """Patients do not change what the clinic rated, nor the clinic what patients said."""
    return Conflict("other-author", "Somebody else filled this one. Send your own under a new id.")


def _scored(made: Instrument, content: Mapping[str, Any]) -> Score:
    if content.get("total") is not None and made.content is not Content.SCORE:
        raise Invalid("/total", "Is made here, from the answers.")
    try:
        if content.get("total") is not None:
            return score_total(made, content["total"])
        return score(made, content["answers"])
    except AnswersError as error:
        at_total = error.field == "total"
        pointer = "/total" if at_total else f"/answers/{error.field}"
        raise Invalid(pointer, f"{error.problem[:1].upper()}{error.problem[1:]}.") from None


def _score_columns(made: Score) -> dict[str, Any]:
    return {
        "total": made.total,
        "subscores": dict(made.subscores),
        "band": made.band.key if made.band else None,
        "prorated": made.prorated,
        "missing": list(made.missing),
        "safety_missing": list(made.safety_missing),
    }


def _safety(trigger: SafetyTrigger) -> dict[str, Any]:
    return {
        "item": trigger.item,
        "code": trigger.flag.code,
        "urgency": trigger.flag.urgency,
        "family": trigger.flag.family,
        "notice": trigger.flag.notice,
        "until_screened": trigger.until_screened,
        "contact_today": trigger.contact_today,
    }


def _findings(response: QuestionnaireResponse, flags: Sequence[RedFlag]) -> Iterator[Finding]:
    """Yield one finding per family for the red flags of one response."""
    for family in dict.fromkeys(flag.family for flag in flags):
        mine = [flag for flag in flags if flag.family is family]
        codes = tuple(flag.code for flag in mine)
        yield Finding(
            family=family,
            urgency=min(flag.urgency for flag in mine),
            day=response.local_day,
            codes=codes,
            summary=f"An answer to {response.instrument} cannot wait: {', '.join(codes)}.",
            evidence={
                "questionnaire_responses": [str(response.id)],
                "instrument": f"{response.instrument}.{response.instrument_version}",
                "flags": [dict(found) for found in response.safety if found["family"] == family],
                "safety_missing": list(response.safety_missing),
            },
        )


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response's content as JSON values: moments with their offset."""
    found = {key: content.get(key) for key in _CONTENT}
    return {key: v.isoformat() if isinstance(v, datetime) else v for key, v in found.items()}
