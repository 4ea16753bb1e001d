"""What is sent to webhooks, in the contract (OpenAPI 3.1, `webhooks`)."""

from typing import Any

from flask_smorest import Api

from schemas.webhook_event import EVENTS, Event
from server.api.contract_notes import operation_id

# Standard Webhooks 1.0.
_HEADERS = {
    "webhook-id": "the same at every try of an event, and when it is sent once more: drop what you have",
    "webhook-timestamp": "of this try, in seconds since 1970: refuse what is older than five minutes",
    "webhook-signature": "`v1,` and a signature in base64; two, a space apart, while a secret is changed",
}
_ANSWERS = {
    "2XX": "You have it.",
    "410": "You are gone for ever: the webhook is switched off, and the clinic's admins are told.",
    "default": "It is sent again, later each time, for three days (a test for an hour).",
}


def describe(api: Api) -> None:
    """Let the contract of ``api`` hold the shapes of events."""
    assert api.spec is not None
    for shape in EVENTS.values():
        api.spec.components.schema(shape.__name__, schema=shape)


def webhooks() -> dict[str, Any]:
    """Return the requests that whoever listens gets."""
    return {name: {"post": _request(name, shape)} for name, shape in EVENTS.items()}


def _request(name: str, shape: type[Event]) -> dict[str, Any]:
    content = {
        "schema": {"$ref": f"#/components/schemas/{shape.__name__}"},
        "example": dict(shape.EXAMPLE),
    }
    return {
        "operationId": operation_id(f"receive_{name.replace('.', '_')}"),
        "summary": shape.SUMMARY,
        "description": "Sent, signed, to a webhook. A `type` that you don't know is a reason to pull.",
        "security": [],
        "parameters": [_header(*header) for header in _HEADERS.items()],
        "requestBody": {"required": True, "content": {"application/json": content}},
        "responses": {status: {"description": said} for status, said in _ANSWERS.items()},
    }


def _header(name: str, said: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": True, "description": said, "schema": {"type": "string"}}
