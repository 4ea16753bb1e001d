"""The clinic's webhooks."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.webhook import ListeningBody, SignedWebhookAnswer, WebhookAnswer, WebhookBody, WebhookList
from server.api import web_address as web_addresses
from server.api.body import Blueprint
from server.api.edge import allow, reading, writing
from server.api.kept_answer import once
from server.clinical.vocabulary import Role
from server.services.messages import webhook as webhooks
from server.services.messages.webhook import Signed

blueprint = Blueprint("webhooks", __name__, description="Where the clinic's own systems listen")


@blueprint.route("/clinic/webhooks", methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, WebhookList)
def list_webhooks() -> Any:
    """Read the clinic's webhooks, those that were switched off included."""
    with reading() as work:
        return {"items": webhooks.listed(work)}


@blueprint.route("/clinic/webhooks", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@once()
@blueprint.arguments(WebhookBody)
@blueprint.response(201, SignedWebhookAnswer)
def create_webhook(body: Mapping[str, Any]) -> Any:
    """Let a system, or one of the staff, listen at a web address. The secret is shown once."""
    url = web_addresses.check(body["url"], "/url")
    with writing() as work:
        return _told(webhooks.register(work, body["account_id"], url, body.get("events")))


@blueprint.route("/clinic/webhooks/<uuid:webhook_id>", methods=["PATCH"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(ListeningBody)
@blueprint.response(200, WebhookAnswer)
def change_webhook(body: Mapping[str, Any], webhook_id: UUID) -> Any:
    """Say what a webhook listens to from now on."""
    with writing() as work:
        return webhooks.listen(work, webhook_id, body["events"])


@blueprint.route("/clinic/webhooks/<uuid:webhook_id>/enable", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, WebhookAnswer)
def enable_webhook(webhook_id: UUID) -> Any:
    """Use a webhook again that was switched off because it failed. Again is harmless."""
    with writing() as work:
        return webhooks.enable(work, webhook_id)


@blueprint.route("/clinic/webhooks/<uuid:webhook_id>/rotate", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, SignedWebhookAnswer)
def rotate_webhook(webhook_id: UUID) -> Any:
    """Give a webhook a new secret, shown once; for 24 hours the one before signs too."""
    with writing() as work:
        return _told(webhooks.rotate(work, webhook_id))


@blueprint.route("/clinic/webhooks/<uuid:webhook_id>", methods=["DELETE"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(204)
def delete_webhook(webhook_id: UUID) -> Response:
    """Take a webhook away; its address is forgotten."""
    with writing() as work:
        webhooks.remove(work, webhook_id)
    return Response(status=204)


def _told(signed: Signed) -> dict[str, Any]:
    return {"webhook": signed.point, "secret": signed.secret}
