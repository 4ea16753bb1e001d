"""The part of the contract's story in which Ana takes her journal away, and Lou is held and then erased."""

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

from schemas.erasure import ErasureBody
from schemas.export_link import ExportLinkBody, PatientExportBody
from schemas.legal_hold import LegalHoldBody

Ask = Callable[..., Any]
PATIENT = "/v1/patients/{patient_id}"


class Tokens(Protocol):
    """Whose tokens it takes."""

    coordinator: str
    admin: str


def play(ask: Ask, clinic: Tokens, ana: str, patient: str) -> None:
    """Ana makes links and follows them, Dee makes one for her; Lou, registered by mistake, is erased."""
    link = ask(ana, "post /v1/me/exports", {**ExportLinkBody.EXAMPLE, "formats": ["json", "csv", "fhir"]})
    for one in link["links"]:
        query = f"?{urlsplit(one['href']).query}"
        ask(None, "get /v1/exports/{export_id}", export_id=link["id"], query=query)
    made = ask(clinic.coordinator, f"post {PATIENT}/exports", PatientExportBody.EXAMPLE, patient_id=patient)
    ask(ana, "get /v1/me/exports")
    ask(ana, "delete /v1/me/exports/{export_id}", export_id=made["id"])
    _is_erased(ask, clinic)


def _is_erased(ask: Ask, clinic: Tokens) -> None:
    lou = ask(clinic.coordinator, "post /v1/patients", {"name": "Lou", "zone": "Europe/Oslo"})
    named, admin = {"patient_id": lou["id"]}, clinic.admin
    hold = ask(admin, f"post {PATIENT}/legal-holds", LegalHoldBody.EXAMPLE, **named)
    ask(admin, f"get {PATIENT}/legal-holds", **named)
    ask(admin, f"post {PATIENT}/legal-holds/{{hold_id}}/release", hold_id=hold["id"], version=1, **named)
    ask(admin, f"post {PATIENT}/erasure", ErasureBody.EXAMPLE, **named)
    ask(admin, f"delete {PATIENT}/erasure", **named)
    asked = ask(admin, f"post {PATIENT}/erasure", ErasureBody.EXAMPLE, **named)
    # Whoever confirms types the name that was given.
    name = {"patient_name": lou["name"]}
    ask(admin, f"post {PATIENT}/erasure/confirm", name, version=asked["version"], **named)
    ask(admin, f"get {PATIENT}/erasure", **named)
