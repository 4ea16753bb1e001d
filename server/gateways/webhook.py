"""Signed webhooks (Standard Webhooks 1.0): a thin hint to a clinic's own system, which pulls the truth."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta

from standardwebhooks import Webhook

from server.gateways.egress import Egress
from server.gateways.exchange import refusal
from server.gateways.message import Handed, Happened, Message, Receipt, SendError

# Standard Webhooks, "Deliverability and reliability": the pause before each try; the caller adds jitter.
SCHEDULE = (
    timedelta(),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
LARGEST_BODY = 20_000  # bytes
_GONE = frozenset({410})
_PREFIX = "whsec_"
_SMALLEST_SECRET, _LARGEST_SECRET = 24, 64  # bytes


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a webhook goes and what signs it; two secrets while one takes the other's place."""

    url: str
    secrets: tuple[str, ...]


class WebhookGateway:
    """Sends to a message's endpoint. 2xx is delivered, 410 ends it for ever, all else is tried again."""

    channel = "webhook"

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    def lane(self, to: str) -> str:
        """Name host and, as a short hash, the path: a path may be as secret as a password."""
        try:
            where = self._egress.place(read_endpoint(to).url)
        except SendError:
            return "unreadable"
        return f"{where.host}:{where.port}#{hashlib.sha256(where.path.encode()).hexdigest()[:8]}"

    def send(self, message: Message) -> Receipt:
        """Post the hint, signed with every secret."""
        endpoint = read_endpoint(message.to)
        body = _body(message)
        reply = self._egress.post(endpoint.url, _headers(message, body, endpoint.secrets), body.encode())
        if not 200 <= reply.status <= 299:
            raise refusal(reply, message.at, gone=_GONE)
        return Receipt(Handed.DELIVERED)


def read_endpoint(to: str) -> Endpoint:
    """Read a destination, JSON `{"url": …, "secrets": […]}`; raise `SendError` where it is none."""
    try:
        raw = json.loads(to)
        endpoint = Endpoint(raw["url"], tuple(raw["secrets"]))
        _check(endpoint)
    except (ValueError, TypeError, KeyError):
        raise SendError(True, "address") from None
    return endpoint


def _check(endpoint: Endpoint) -> None:
    texts = all(isinstance(text, str) for text in (endpoint.url, *endpoint.secrets))
    if not texts or not endpoint.secrets:
        raise ValueError("an endpoint has an address and at least one secret")
    for secret in endpoint.secrets:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        if not secret.startswith(_PREFIX) or not _SMALLEST_SECRET <= len(key) <= _LARGEST_SECRET:
            raise ValueError("a secret is whsec_ and 24 to 64 bytes in base64")


def _body(message: Message) -> str:
    # An event's body is the same at every try: it happened once. That of a text has the moment of the try.
    happened = message.happened or Happened(message.at, {"id": str(message.id), "link": message.link})
    stamp = happened.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    told = {"type": message.kind, "timestamp": stamp, "data": dict(happened.data)}
    body = json.dumps(told, separators=(",", ":"))
    if len(body) >= LARGEST_BODY:
        raise SendError(True, "too_large")
    return body


def _headers(message: Message, body: str, secrets: Sequence[str]) -> dict[str, str]:
    # The library takes the figures of a time as they stand, whatever its zone.
    at, name = message.at.astimezone(UTC), str(message.id)
    return {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(name, at, body) for secret in secrets),
    }
