"""What the SMS gateway tells us: the addresses it calls, with a proof that we made them. Pure."""

import base64
import hashlib
import hmac
from typing import Literal
from uuid import UUID

# What the same key signs elsewhere is no proof here.
_LABEL = b"afterglow sms report 1:"
_INBOUND = b"afterglow sms inbound 1"
# Kannel's delivery states, as bits of `dlr-mask` and as what `%d` in the address becomes.
_DELIVERED, _FAILED, _REJECTED = 1, 2, 16
REPORTS_WANTED = _DELIVERED | _FAILED | _REJECTED


def make_proof(key: bytes, id: UUID) -> str:
    """Return the proof that goes with the report of delivery ``id``: 43 characters of base64url."""
    digest = hmac.new(key, _LABEL + id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_proof(key: bytes, id: UUID, proof: str) -> bool:
    """Return whether ``proof`` was made with ``key`` for delivery ``id``, in the same time for any answer."""
    return hmac.compare_digest(make_proof(key, id).encode(), proof.encode())


def report_address(base_url: str, key: bytes, id: UUID) -> str:
    """Return the address to call; the gateway puts the state where `%d` stands."""
    base = base_url.replace("%", "%%")  # it would read anything after a % as a wish of its own
    return f"{base}/v1/sms-reports/{id}?status=%d&proof={make_proof(key, id)}"


def inbound_proof(key: bytes) -> str:
    """Return the proof that goes with every SMS that comes in: 43 characters of base64url."""
    digest = hmac.new(key, _INBOUND, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_inbound_proof(key: bytes, proof: str) -> bool:
    """Return whether ``proof`` is that of SMS that come in, in the same time for any answer."""
    return hmac.compare_digest(inbound_proof(key).encode(), proof.encode())


def inbound_address(base_url: str, key: bytes) -> str:
    """Return the address to call for an SMS that comes in; the gateway fills in number and keyword.

    No more than the keyword: what else people write would stand in an address, and so in logs.
    """
    base = base_url.replace("%", "%%")
    return f"{base}/v1/sms-messages?number=%q&keyword=%k&proof={inbound_proof(key)}"


def meaning_of(status: int) -> Literal["delivered", "failed"] | None:
    """Say what a reported state means; None for a step on the way (buffered, passed on) or an unknown one."""
    if status == _DELIVERED:
        return "delivered"
    return "failed" if status in (_FAILED, _REJECTED) else None
