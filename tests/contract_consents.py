"""The part of the contract's story in which Ana says what may be shared, and lets Gus look after her."""

from collections.abc import Callable
from typing import Any, Protocol

from flask.testing import FlaskClient

from schemas.caregiver import CaregiverBody, ScopesBody
from schemas.consent import ConsentBody, WitnessedConsentBody
from schemas.consent_text import ConsentTextBody
from schemas.entry import ENTRY
from schemas.sign_in import SignInBody
from tests.consents import mailed_code

Ask = Callable[..., Any]
CARED = "/v1/cared-for"


class Tokens(Protocol):
    """Whose tokens it takes."""

    clinician: str
    admin: str


def play(ask: Ask, client: FlaskClient, clinic: Tokens, ana: str, patient: str) -> None:
    """Eli publishes texts; Ana answers, in the app and at the desk; Gus comes in, looks, and is gone."""
    for purpose in ("caregiver", "research"):
        ask(clinic.admin, "post /v1/clinic/consent-texts/{purpose}", ConsentTextBody.EXAMPLE, purpose=purpose)
    ask(clinic.clinician, "get /v1/clinic/consent-texts")
    ask(ana, "get /v1/me/consents")
    ask(ana, "post /v1/me/consents/{purpose}", ConsentBody.EXAMPLE, purpose="caregiver")
    named = {"patient_id": patient, "purpose": "research"}
    recorded = "post /v1/patients/{patient_id}/consents/{purpose}"
    ask(clinic.clinician, recorded, WitnessedConsentBody.EXAMPLE, **named)
    ask(clinic.clinician, "get /v1/patients/{patient_id}/consents", patient_id=patient)
    gus, caregiver = come_in(ask, client, ana)
    _looks_after(ask, gus, patient)
    _is_seen(ask, ana, caregiver)


def come_in(
    ask: Ask, client: FlaskClient, patient: str, email: str = CaregiverBody.EXAMPLE["email"]
) -> tuple[str, str]:
    """Let a patient invite a caregiver who may do everything; return their token and the caregiver's id."""
    scopes = {"scopes": ["log", "read_journal", "read_trend"]}
    row = ask(patient, "post /v1/me/caregivers", {**CaregiverBody.EXAMPLE, **scopes, "email": email})
    said = {"email": email, "password": SignInBody.EXAMPLE["password"], "code": mailed_code(client)}
    said["proof"] = CaregiverBody.EXAMPLE["word"]
    return ask(None, "post /v1/enrolments", said)["access_token"], row["id"]


def look_after_too(ask: Ask, client: FlaskClient, patient: str, caregiver: str, email: str) -> None:
    """Let a further patient agree and invite the same caregiver, who joins with code and word, and leaves."""
    ask(patient, "post /v1/me/consents/{purpose}", {"given": True, "version": 1}, purpose="caregiver")
    ask(patient, "post /v1/me/caregivers", {**CaregiverBody.EXAMPLE, "email": email})
    known = {one["patient_id"] for one in ask(caregiver, f"get {CARED}")["items"]}
    said = {"code": mailed_code(client), "proof": CaregiverBody.EXAMPLE["word"]}
    found = {one["patient_id"] for one in ask(caregiver, f"post {CARED}", said)["items"]}
    (patient_id,) = found - known
    ask(caregiver, f"delete {CARED}/{{patient_id}}", patient_id=patient_id)


def _looks_after(ask: Ask, gus: str, patient: str) -> None:
    one = f"{CARED}/{{patient_id}}"
    ask(gus, f"get {CARED}")
    entry_id = "01a1e8a0-5c00-7000-8000-0000000000c9"
    ask(gus, f"put {one}/entries/{{entry_id}}", ENTRY, patient_id=patient, entry_id=entry_id)
    for what in ("trend", "timeline"):
        ask(gus, f"get {one}/{what}", patient_id=patient)


def _is_seen(ask: Ask, ana: str, caregiver: str) -> None:
    one = "/v1/me/caregivers/{caregiver_id}"
    ask(ana, f"patch {one}", ScopesBody.EXAMPLE, caregiver_id=caregiver)
    ask(ana, f"get {one}/deeds", caregiver_id=caregiver)
    ask(ana, f"delete {one}", caregiver_id=caregiver)
    ask(ana, "get /v1/me/caregivers")
