"""What went to the clinic's webhooks; an event once more; a test."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.base import PageQuery
from schemas.webhook_delivery import (
    LostEventsBody,
    SentAgainAnswer,
    WebhookDeliveryAnswer,
    WebhookDeliveryPage,
)
from server.api.body import Blueprint
from server.api.edge import allow, reading, writing
from server.api.paging import paged
from server.clinical.vocabulary import Role
from server.services.messages import webhook_delivery as webhook_deliveries

blueprint = Blueprint("webhook deliveries", __name__, description="What the clinic's webhooks were told")
ALL = "/clinic/webhooks/<uuid:webhook_id>/deliveries"


@blueprint.route(ALL, methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(PageQuery, location="query")
@blueprint.response(200, WebhookDeliveryPage)
def list_webhook_deliveries(query: Mapping[str, Any], webhook_id: UUID) -> Any:
    """Read what went to a webhook, newest first: tries, the last failure, what became of it."""
    with reading() as work:
        return paged(query, lambda before, size: webhook_deliveries.page(work, webhook_id, before, size))


@blueprint.route(f"{ALL}/<uuid:delivery_id>/replay", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(202, WebhookDeliveryAnswer)
def replay_webhook_delivery(webhook_id: UUID, delivery_id: UUID) -> Any:
    """Have one event sent once more under the same `webhook-id`, whatever became of it."""
    with writing() as work:
        return webhook_deliveries.replay(work, webhook_id, delivery_id)


@blueprint.route(f"{ALL}/replay", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(LostEventsBody)
@blueprint.response(202, SentAgainAnswer)
def replay_lost_webhook_deliveries(body: Mapping[str, Any], webhook_id: UUID) -> Any:
    """Have every event since a moment that was given up sent once more, up to a thousand at a time."""
    with writing() as work:
        replayed, more = webhook_deliveries.replay_lost(work, webhook_id, body["since"])
    return {"replayed": replayed, "more": more}


@blueprint.route("/clinic/webhooks/<uuid:webhook_id>/test", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(202, WebhookDeliveryAnswer)
def test_webhook(webhook_id: UUID) -> Any:
    """Have a `webhook.test` sent the way every event goes. One that is under way is hurried instead."""
    with writing() as work:
        return webhook_deliveries.test(work, webhook_id)
