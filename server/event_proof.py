"""What proves that a message came from a clinic's scheduling system: a signature over its raw bytes. Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

STANDARD, HMAC_HEX, HMAC_BASE64 = "standard", "hmac_hex", "hmac_base64"
SCHEMES = (STANDARD, HMAC_HEX, HMAC_BASE64)
TOLERANCE = timedelta(minutes=5)  # Standard Webhooks, both ways
_SAME_NEWS = timedelta(minutes=5)
LONGEST_ID = 200  # characters of an event's id

_STAMP = re.compile(r"[0-9]{1,11}", re.ASCII)  # seconds
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,100}", re.ASCII)  # a header's name, RFC 9110
_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


class ProofError(Exception):
    """The message proves nothing. ``reason`` is a short code for our log: the sender learns only no."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a system signs. ``header`` holds the signature and ``id_header`` the event's id, where it has one;
    both are in small letters and only for the two HMAC kinds: the standard has its own.
    """

    kind: str
    header: str = ""
    id_header: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError where it can't be used."""
        if self.kind not in SCHEMES:
            raise ValueError(f"the scheme must be one of {', '.join(SCHEMES)}")
        if (self.kind == STANDARD) == bool(self.header) or (self.kind == STANDARD and self.id_header):
            raise ValueError("only an HMAC scheme names its headers, and it must name the signature's")
        for name in (self.header, self.id_header):
            if name and not _TOKEN.fullmatch(name):
                raise ValueError("a header's name has small letters, digits and hyphens")


def scheme_of(proof: Mapping[str, str]) -> Scheme:
    """Return the scheme that ``proof`` describes (scheme, header, id_header); raise ValueError."""
    names = (proof.get("header", "").lower(), proof.get("id_header", "").lower())
    return Scheme(proof["scheme"], *names)


def verify(
    scheme: Scheme, secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime
) -> str:
    """Return the id of the event that ``body`` tells of, at most `LONGEST_ID` characters; raise `ProofError`.

    ``headers``: names in small letters. Any of ``secrets`` will do: two while one takes the other's place.
    An HMAC alone says nothing of when. Who has once heard such a message may repeat it; it is only a hint.
    """
    if scheme.kind == STANDARD:
        return _standard(secrets, headers, body, now)
    _check_hmac(scheme, secrets, headers, body)
    name = headers.get(scheme.id_header, "") if scheme.id_header else ""
    # Who names no events says the same bytes at every change of a visit: the same again later is news.
    name = name or str(int(now.timestamp()) // int(_SAME_NEWS.total_seconds()))
    # The name is not signed. With the body it can't take the place of another event's.
    return _short(f"{name}.{hashlib.sha256(body).hexdigest()}")


def _standard(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    name, at = headers.get("webhook-id", ""), _stamp(headers.get("webhook-timestamp", ""))
    said = headers.get("webhook-signature", "").split()
    if not name or not said:
        raise ProofError("headers_missing")
    if abs(now - at) > TOLERANCE:
        raise ProofError("stamp_too_old" if at < now else "stamp_too_new")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ProofError("body_no_text") from None
    wanted = [_signed(secret, name, at, text) for secret in secrets]
    if not any(_same(one, other) for one in wanted for other in said if one):
        raise ProofError("wrong_signature")
    return _short(name)


def _stamp(raw: str) -> datetime:
    if not raw:
        raise ProofError("headers_missing")
    if not _STAMP.fullmatch(raw):
        raise ProofError("stamp_unreadable")
    return datetime.fromtimestamp(int(raw), UTC)


def _signed(secret: str, name: str, at: datetime, text: str) -> str:
    """Return the signature the library makes; empty where the secret is none, so that nothing equals it."""
    try:
        return Webhook(secret).sign(name, at, text)
    except (binascii.Error, ValueError, EmptyWebhookSecretError):
        return ""


def _check_hmac(scheme: Scheme, secrets: Sequence[str], headers: Mapping[str, str], body: bytes) -> None:
    raw = headers.get(scheme.header, "").strip().removeprefix("sha256=")
    if not raw:
        raise ProofError("headers_missing")
    said = _digest(scheme.kind, raw)
    wanted = [hmac.digest(secret.encode(), body, "sha256") for secret in secrets if secret]
    if said is None or not any(hmac.compare_digest(one, said) for one in wanted):
        raise ProofError("wrong_signature")


def _digest(kind: str, raw: str) -> bytes | None:
    if kind == HMAC_HEX:
        return bytes.fromhex(raw) if _HEX.fullmatch(raw) else None
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def _short(name: str) -> str:
    plain = len(name) <= LONGEST_ID and name.isprintable()
    return name if plain else hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
