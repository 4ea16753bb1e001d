"""The clinic's webhooks."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.contact_point import Masked
from schemas.fields import Id, Moment
from schemas.public_url import PublicUrl


class WebhookBody(Body):
    """Where messages for an account go to as well: one of the staff, or a system of the clinic."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "account_id": "019caae3-5000-7000-8000-000000000001",
        "url": "https://hooks.example.org/alerts",
    }

    account_id = Id(required=True)
    url = PublicUrl(required=True)


class Host(fields.Field[str]):
    """The host of a webhook's address."""

    def __init__(self) -> None:
        metadata = {"type": "string", "example": "hooks.example.org"}
        super().__init__(required=True, dump_only=True, attribute="address", metadata=metadata)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return urlsplit(json.loads(value)["url"]).hostname or ""


class WebhookAnswer(Answer):
    """A webhook. `retired_at`: since when it is switched off because it failed."""

    id = Id(required=True)
    account_id = Id(required=True)
    host = Host()
    address = Masked()
    created_at = Moment(required=True)
    rotated_at = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "when it got its newest secret; the one before signs too for 24 hours"},
    )
    retired_at = Moment(required=True, allow_none=True)


class WebhookList(Answer):
    """The clinic's webhooks, oldest first."""

    items = fields.List(fields.Nested(WebhookAnswer), required=True)


class SignedWebhookAnswer(Answer):
    """A webhook and its secret, which is shown here once."""

    webhook = fields.Nested(WebhookAnswer, required=True)
    secret = fields.String(
        required=True, metadata={"description": "signs messages (Standard Webhooks)", "example": "whsec_…"}
    )
