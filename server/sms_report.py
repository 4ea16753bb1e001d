"""Delivery reports of the SMS gateway: the address it calls, with a proof that we made it. Pure."""

import base64
import hashlib
import hmac
from typing import Literal
from uuid import UUID

# What the same key signs elsewhere is no proof here.
_LABEL = b"afterglow sms report 1:"
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


def meaning_of(status: int) -> Literal["delivered", "failed"] | None:
    """Say what a reported state means; None for a step on the way (buffered, passed on) or an unknown one."""
    if status == _DELIVERED:
        return "delivered"
    return "failed" if status in (_FAILED, _REJECTED) else None
