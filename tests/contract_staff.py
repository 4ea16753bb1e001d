"""What staff and a second caregiver do beside the story, for the contract: factors, corrections and more."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flask.testing import FlaskClient

from schemas.alert_handling import AssignmentBody, VerdictBody
from schemas.break_glass import BreakGlassBody
from schemas.entry import ENTRY
from schemas.factor import FactorBody
from schemas.password_change import PasswordChangeBody
from schemas.patient import PatientChanges
from schemas.questionnaire_response import RESPONSE
from schemas.sign_in import SignInBody
from schemas.treatment_session import TreatmentSessionChanges
from server.api.edge import Surroundings
from server.services.people import totp
from tests.authenticator import Authenticator
from tests.cast import PASSWORD
from tests.contract_consents import CARED, come_in, look_after_too
from tests.contract_visits import GAIL

Ask = Callable[..., Any]
PATIENT = "/v1/patients/{patient_id}"
HAL = "hal@home.example"
BO = {"clinic": "demo", "email": "Bo@clinic.example", "password": PASSWORD}
# Ids the phone, or the desk, makes.
RATED, LOGGED = (f"01a1e8a0-5c00-7000-8000-0000000000{last}" for last in ("ca", "cb"))


class Tokens(Protocol):
    """Whose tokens it takes."""

    clinician: str
    coordinator: str
    admin: str


def play(ask: Ask, client: FlaskClient, clinic: Tokens, patient: str) -> None:
    """Bo corrects, judges and hands over; Eli opens a record; Hal cares for two; Bo adds two factors."""
    _is_corrected(ask, clinic, patient)
    _is_judged(ask, clinic)
    ask(clinic.admin, f"post {PATIENT}/break-glass", BreakGlassBody.EXAMPLE, patient_id=patient)
    ask(clinic.admin, "get /v1/clinic/break-glass")
    ask(clinic.admin, "get /v1/audit-events/export", query="?format=csv")
    _is_cared_for_by_hal(ask, client)
    _has_factors(ask, client, clinic.clinician)


def _is_corrected(ask: Ask, clinic: Tokens, patient: str) -> None:
    """Bo rates a scale, twice the same; a planned session takes place; Dee pauses the reminders."""
    named = {"patient_id": patient}
    rated = {key: value for key, value in RESPONSE.items() if key not in ("answers", "occurrence")}
    put = f"put {PATIENT}/questionnaire-responses/{{response_id}}"
    for _ in range(2):
        ask(clinic.clinician, put, {**rated, "instrument": "madrs", "total": 12}, response_id=RATED, **named)
    course = ask(clinic.clinician, f"get {PATIENT}/courses", **named)["items"][0]["id"]
    path, at = f"{PATIENT}/treatment-sessions", "2026-05-02T10:00:00+02:00"
    planned = {"course_id": course, "status": "planned", "at": at}
    session = ask(clinic.clinician, f"post {path}", planned, **named)["id"]
    body = TreatmentSessionChanges.EXAMPLE
    ask(clinic.clinician, f"patch {path}/{{session_id}}", body, session_id=session, version=1, **named)
    ask(clinic.clinician, f"get {PATIENT}/trend.svg", query="?first=2026-05-01&last=2026-05-02", **named)
    version = ask(clinic.coordinator, f"get {PATIENT}", **named)["version"]
    ask(clinic.coordinator, f"patch {PATIENT}", PatientChanges.EXAMPLE, version=version, **named)


def _is_judged(ask: Ask, clinic: Tokens) -> None:
    """Bo says of a relapse what she said by closing it, takes another alert on, and ends her shift."""
    bo, one = clinic.clinician, "post /v1/alerts/{alert_id}"
    alerts = ask(bo, "get /v1/alerts", query="?state=resolved")["items"]
    (relapse,) = [alert for alert in alerts if alert["family"] == "mood_relapse"]
    ask(bo, f"{one}/verdict", VerdictBody.EXAMPLE, alert_id=relapse["id"], version=relapse["version"])
    waiting = ask(bo, "get /v1/alerts")["items"][0]
    ask(bo, f"{one}/acknowledge", alert_id=waiting["id"], version=waiting["version"])
    dee = ask(clinic.coordinator, "get /v1/me")["account_id"]
    ask(bo, "post /v1/alerts/hand-over", {**AssignmentBody.EXAMPLE, "account_id": dee})


def _is_cared_for_by_hal(ask: Ask, client: FlaskClient) -> None:
    """Gail invites Hal, who logs for her, the same twice; then Ana invites him too."""
    gail = _signs_in(ask, {**GAIL, "clinic": "demo"})
    ask(gail, "post /v1/me/consents/{purpose}", {"given": True, "version": 1}, purpose="caregiver")
    hal, _ = come_in(ask, client, gail, HAL)
    (cared,) = ask(hal, f"get {CARED}")["items"]
    for _ in range(2):
        named = {"patient_id": cared["patient_id"], "entry_id": LOGGED}
        ask(hal, f"put {CARED}/{{patient_id}}/entries/{{entry_id}}", ENTRY, **named)
    password = PasswordChangeBody.EXAMPLE["new_password"]
    look_after_too(ask, client, _signs_in(ask, {**SignInBody.EXAMPLE, "password": password}), hal, HAL)


def _has_factors(ask: Ask, client: FlaskClient, bo: str) -> None:
    """An authenticator and a passkey; then Bo signs in with the second, and proves again who she is."""
    now, key, path = Surroundings.of(client.application).clock(), Authenticator(), "post /v1/me/factors"
    made = ask(bo, f"{path}/totp", FactorBody.EXAMPLE)
    code = {"totp": totp.code_at(made["secret"], now)}
    ask(bo, f"{path}/totp/{{factor_id}}/confirm", code, factor_id=made["id"])
    asked = ask(bo, f"{path}/passkeys/options")
    body = {"ticket": asked["ticket"], "name": "my laptop", "credential": key.make(asked["options"])}
    ask(bo, f"{path}/passkeys", body)
    ask(bo, "get /v1/me/factors")
    ask(bo, "post /v1/me/recovery-codes")
    half = client.post("/v1/sign-ins", json=BO).json
    ask(
        None,
        "post /v1/sign-ins/second-factor",
        {"ticket": half["ticket"], "passkey": key.sign(half["passkey"])},
    )
    ask(bo, "post /v1/sign-ins/step-up/challenge")


def _signs_in(ask: Ask, who: Mapping[str, Any]) -> str:
    return str(ask(None, "post /v1/sign-ins", who)["access_token"])
