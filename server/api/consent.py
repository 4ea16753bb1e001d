"""Consent: what a patient is asked, what they say, and what the clinic records for them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from schemas.consent import (
    ConsentAnswer,
    ConsentBody,
    ConsentList,
    ConsentQuery,
    ConsentWordAnswer,
    WitnessedConsentBody,
)
from server.api.body import Blueprint
from server.api.edge import allow, reading, writing
from server.api.entry import own_patient
from server.api.shapes import joined
from server.api.spoken import language_of
from server.clinical.patient_text import TEXTS
from server.clinical.vocabulary import ConsentState, ConsentWay, Language, Purpose, Role
from server.services.errors import NotFound
from server.services.people import consent as consents
from server.services.people import consent_answer
from server.services.people.consent import Asked
from server.services.people.consent_answer import Answer
from server.services.work import Work

blueprint = Blueprint("consents", __name__, description="What a patient agreed to, and what they withdrew")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/me/consents", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.arguments(ConsentQuery, location="query")
@blueprint.response(200, ConsentList)
def list_own_consents(query: Mapping[str, Any]) -> Any:
    """Read what you are asked to agree to, what you said, and what holds now."""
    with reading() as work:
        return _listed(work, own_patient(), query.get("language"))


@blueprint.route("/me/consents/<string:purpose>", methods=["POST"])
@allow(Role.PATIENT)
@blueprint.arguments(ConsentBody)
@blueprint.response(200, ConsentList)
def answer_consent(body: Mapping[str, Any], purpose: str) -> Any:
    """Agree, refuse or withdraw. It holds at once; the same again changes nothing.

    A yes names the version of the text that you read; where another one is newest by now, 409
    `consent-text-changed`.
    """
    with writing() as work:
        said = Answer(**body, way=ConsentWay.APP)
        consent_answer.record(work, own_patient(), _known(purpose), said)
        return _listed(work, own_patient(), body["language"])


@blueprint.route("/patients/<uuid:patient_id>/consents", methods=["GET"])
@allow(*CARE)
@blueprint.arguments(ConsentQuery, location="query")
@blueprint.response(200, ConsentList)
def list_consents(query: Mapping[str, Any], patient_id: UUID) -> Any:
    """Read what a patient agreed to, with every word they said. Audited."""
    with writing() as work:
        work.audit("consent.list", patient_id)
        return _listed(work, patient_id, query.get("language"))


@blueprint.route("/patients/<uuid:patient_id>/consents/<string:purpose>", methods=["POST"])
@allow(*CARE)
@blueprint.arguments(WitnessedConsentBody)
@blueprint.response(200, ConsentList)
def record_consent(body: Mapping[str, Any], patient_id: UUID, purpose: str) -> Any:
    """Record a patient's word that was given on paper or by mouth, with who saw it. It holds at once."""
    with writing() as work:
        said = Answer(**body, way=ConsentWay.CLINIC)
        consent_answer.record(work, patient_id, _known(purpose), said)
        return _listed(work, patient_id, body["language"])


def _known(purpose: str) -> Purpose:
    try:
        return Purpose(purpose)
    except ValueError:
        raise NotFound("purpose") from None


def _listed(work: Work, patient_id: UUID, language: Language | None) -> dict[str, Any]:
    found = consents.read(work, patient_id, language)
    told = TEXTS[language or language_of(work)].team_withdrawn if _has_no_team(found) else None
    return {"items": [_shown(one) for one in found], "told": told}


def _has_no_team(found: Sequence[Asked]) -> bool:
    return any(
        one.purpose is Purpose.CARE_TEAM and one.standing.state is ConsentState.WITHDRAWN for one in found
    )


def _shown(one: Asked) -> dict[str, Any]:
    told = None
    if one.text is not None and one.words is not None:
        told = {"version": one.text.version, "language": one.language, **one.words}
    return joined(
        one,
        ConsentAnswer,
        state=one.standing.state,
        holds=one.standing.holds,
        asks=one.standing.asks,
        text=told,
        history=[joined(row, ConsentWordAnswer) for row in one.history],
    )
