"""Web Push (RFC 8030): encrypted for one browser (RFC 8291), signed by our VAPID key (RFC 8292)."""

import base64
import json
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import VapidException

from server.gateways.address import Place
from server.gateways.egress import Egress
from server.gateways.exchange import refusal
from server.gateways.message import Handed, Message, Receipt, SendError
from server.vapid import read_key

# How long the push service keeps a message for a phone that is off, at the most.
TTL, URGENT_TTL = timedelta(hours=4), timedelta(hours=24)
# RFC 8292 allows a day; a clock of theirs that is behind ours should not matter.
_TOKEN_LIFE = timedelta(hours=12)
_USUAL_PORTS = {"http": 80, "https": 443}
_GONE = frozenset({404, 410})
_PERMANENT = frozenset({400, 413})
_NOT_SIGNED_IN = frozenset({401, 403})
_POINT_BYTES, _AUTH_BYTES = 65, 16


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser's PushSubscription: where to push, and its two keys, as bytes."""

    endpoint: str
    p256dh: bytes
    auth: bytes


class PushGateway:
    """Pushes to a message's subscription. ``key`` is the private VAPID key, ``sender`` our e-mail address.

    404 and 410 mean that the browser has unsubscribed: it is gone. ValueError where ``key`` can't be used.
    401 and 403 are about this browser, which subscribed with another key, or about ours: nobody can tell.
    """

    channel = "push"

    def __init__(self, egress: Egress, key: str, sender: str) -> None:
        self._egress = egress
        self._key = read_key(key)
        self._subject = f"mailto:{parseaddr(sender)[1]}"

    def lane(self, to: str) -> str:
        """Name the push service: all browsers of one maker share it."""
        try:
            where = self._egress.place(read_subscription(to).endpoint)
        except SendError:
            return "unreadable"
        return f"{where.host}:{where.port}"

    def send(self, message: Message) -> Receipt:
        """Push the short form and the link; accepted means that the service keeps it for the browser."""
        subscription = read_subscription(message.to)
        where = self._egress.place(subscription.endpoint)
        headers = _headers(message) | self._authorization(message, where)
        reply = self._egress.post(subscription.endpoint, headers, _encrypted(message, subscription))
        if reply.status in _NOT_SIGNED_IN:
            # Tried again it would be refused again, and an answer about one browser says nothing of others.
            raise SendError(True, "sign_in")
        if not 200 <= reply.status <= 299:
            raise refusal(reply, message.at, gone=_GONE, permanent=_PERMANENT)
        return Receipt(Handed.ACCEPTED)

    def _authorization(self, message: Message, where: Place) -> dict[str, str]:
        port = "" if where.port == _USUAL_PORTS[where.scheme] else f":{where.port}"
        claims = {
            "aud": f"{where.scheme}://{where.host}{port}",
            "exp": int((message.at + _TOKEN_LIFE).timestamp()),
            "sub": self._subject,
        }
        try:
            return dict(self._key.sign(claims))
        except VapidException:
            # An address that the library takes for no push service's.
            raise SendError(True, "address") from None


def read_subscription(to: str) -> Subscription:
    """Read a destination, the JSON text of a PushSubscription; raise `SendError` where it is none."""
    try:
        raw = json.loads(to)
        keys = raw["keys"]
        subscription = Subscription(raw["endpoint"], _bytes(keys["p256dh"]), _bytes(keys["auth"]))
        _check(subscription)
    except (ValueError, TypeError, KeyError):
        raise SendError(True, "address") from None
    return subscription


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _check(subscription: Subscription) -> None:
    if not isinstance(subscription.endpoint, str) or len(subscription.auth) != _AUTH_BYTES:
        raise ValueError("a subscription has an address and an auth secret of 16 bytes")
    if len(subscription.p256dh) != _POINT_BYTES:
        raise ValueError("its key is an uncompressed point")
    ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), subscription.p256dh)


def _encrypted(message: Message, subscription: Subscription) -> bytes:
    payload = json.dumps({"short": message.short, "link": message.link}, ensure_ascii=False).encode()
    return bytes(
        http_ece.encrypt(
            payload,
            private_key=ec.generate_private_key(ec.SECP256R1()),
            dh=subscription.p256dh,
            auth_secret=subscription.auth,
            version="aes128gcm",
        )
    )


def _headers(message: Message) -> dict[str, str]:
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(int(message.keeps(URGENT_TTL if message.urgent else TTL).total_seconds())),
        "Urgency": "high" if message.urgent else "normal",
        # A repeat that still waits at the service takes the place of the first: 32 letters at most.
        "Topic": message.id.hex,
    }
