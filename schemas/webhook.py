"""The clinic's webhooks."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from marshmallow import fields, validate

from schemas.base import Answer, Body
from schemas.contact_point import Masked
from schemas.fields import Code, Id, Moment
from schemas.public_url import WebUrl
from server.clinical.vocabulary import EventKind


class Events(fields.List[Any]):
    """What a webhook listens to."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {
            "example": ["visits"],
            "description": "alerts: the messages of its account, not for systems; visits: every move of an "
            "approved visit",
        }
        metadata |= kwargs.pop("metadata", {})
        lengths = validate.Length(min=1, max=len(EventKind))
        super().__init__(Code(EventKind), validate=lengths, metadata=metadata, **kwargs)


class WebhookBody(Body):
    """Where one of the staff, or a system of the clinic, listens.

    Without `events` a system hears of visits, and whoever else gets their own messages there too.
    """

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "account_id": "019caae3-5000-7000-8000-000000000001",
        "url": "https://hooks.example.org/alerts",
    }

    account_id = Id(required=True)
    url = WebUrl(required=True)
    events = Events()


class ListeningBody(Body):
    """What a webhook listens to from now on."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"events": ["visits"]}

    events = Events(required=True)


class Host(fields.Field[str]):
    """The host of a webhook's address."""

    def __init__(self) -> None:
        metadata = {"type": "string", "example": "hooks.example.org"}
        super().__init__(required=True, dump_only=True, attribute="address", metadata=metadata)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return urlsplit(json.loads(value)["url"]).hostname or ""


class WebhookAnswer(Answer):
    """A webhook. `retired_at`: since when it is switched off because it failed; `retired_why`: a code."""

    id = Id(required=True)
    account_id = Id(required=True)
    host = Host()
    address = Masked()
    events = Events(required=True)
    created_at = Moment(required=True)
    rotated_at = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "when it got its newest secret; the one before signs too for 24 hours"},
    )
    retired_at = Moment(required=True, allow_none=True)
    retired_why = fields.String(required=True, allow_none=True)


class WebhookList(Answer):
    """The clinic's webhooks, oldest first."""

    items = fields.List(fields.Nested(WebhookAnswer), required=True)


class SignedWebhookAnswer(Answer):
    """A webhook and its secret, which is shown here once."""

    webhook = fields.Nested(WebhookAnswer, required=True)
    secret = fields.String(
        required=True, metadata={"description": "signs messages (Standard Webhooks)", "example": "whsec_…"}
    )
