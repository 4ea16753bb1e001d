"""The texts of consents, which a clinic publishes and never changes."""

from collections.abc import Mapping
from typing import Any

from schemas.consent_text import ConsentTextAnswer, ConsentTextBody, ConsentTextList
from server.api.body import Blueprint
from server.api.edge import allow, reading, writing
from server.api.kept_answer import once
from server.clinical.vocabulary import Purpose, Role
from server.services.errors import NotFound
from server.services.people import consent_text as consent_texts

blueprint = Blueprint("consent texts", __name__, description="What a clinic asks its patients to agree to")
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN)


@blueprint.route("/clinic/consent-texts", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, ConsentTextList)
def list_consent_texts() -> Any:
    """Read every version of every text of your clinic, and who published it."""
    with reading() as work:
        return {"items": consent_texts.page(work)}


@blueprint.route("/clinic/consent-texts/<string:purpose>", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@once()
@blueprint.arguments(ConsentTextBody)
@blueprint.response(201, ConsentTextAnswer)
def publish_consent_text(body: Mapping[str, Any], purpose: str) -> Any:
    """Publish the next version of a text. It can't be changed any more, only followed by another one.

    `material`: whoever agreed to an earlier version is asked again.
    """
    if purpose not in {*Purpose}:
        raise NotFound("purpose")
    with writing() as work:
        return consent_texts.publish(work, Purpose(purpose), body["texts"], body["material"])
