"""Signing in to a clinic's FHIR system as a service: SMART Backend Services (HL7 SMART App Launch 2.2).

We prove who we are with a short-lived assertion signed by our private key; the system knows our public one.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from server.gateways.egress import Egress
from server.gateways.exchange import Reply, Request, refusal
from server.gateways.message import SendError
from server.gateways.scheduling.json_reply import read_object

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey

ALGORITHMS = ("RS384", "ES384")
# The guide: at most five minutes. Their clock may be behind ours, so it is four, and nothing says since when.
ASSERTION_LASTS = timedelta(minutes=4)
# A token that says nothing of its end is used for this long, and none until the very last moment.
TOKEN_LASTS, TOKEN_SPARED = timedelta(minutes=5), timedelta(seconds=30)
_SMALLEST_RSA = 2048  # bits
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True)
class ServiceKey:
    """Our private key for one system: the name it is registered under there, and how it signs."""

    key: PrivateKey
    kid: str
    algorithm: str

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return the signed text of ``claims``."""
        return jwt.encode(dict(claims), self.key, self.algorithm, {"kid": self.kid})

    def public(self) -> dict[str, Any]:
        """Return the key set (JWKS) to register with the system; nothing in it is secret."""
        if isinstance(self.key, RSAPrivateKey):
            shown = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        else:
            shown = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**shown, "use": "sig", "kid": self.kid, "alg": self.algorithm}]}


@dataclass(frozen=True)
class Account:
    """What we are known as. ``token_url``: None where the system's own address tells it."""

    client_id: str
    scope: str
    key: ServiceKey
    token_url: str | None = None


class BackendServices:
    """Keeps a token for one system and gets the next one when it ends."""

    def __init__(self, egress: Egress, base_url: str, account: Account) -> None:
        self._egress, self._base_url, self._account = egress, base_url, account
        self._token_url = account.token_url
        self._token: str | None = None
        self._until: datetime | None = None

    def headers(self, now: datetime) -> Mapping[str, str]:
        """Return what goes with a request; raise `SendError` where we are not let in."""
        if self._token is None or self._until is None or now >= self._until:
            self._sign_in(now)
        return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Forget a token that was refused; say that there may be another one."""
        self._token = None
        return True

    def _sign_in(self, now: datetime) -> None:
        url = self._token_url or self._discovered(now)
        body = urlencode(
            {
                "grant_type": "client_credentials",
                "scope": self._account.scope,
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": self._account.key.sign(_claims(self._account.client_id, url, now)),
            }
        )
        reply = self._egress.send(url, Request("POST", _FORM, body.encode()))
        if reply.status != 200:
            raise _not_let_in(reply, now)
        answer = read_object(reply)
        if not isinstance(answer.get("access_token"), str) or not answer["access_token"].isprintable():
            raise SendError(False, "no_token", away=True)
        self._token_url, self._token = url, answer["access_token"]
        self._until = now + _lasting(answer.get("expires_in"))

    def _discovered(self, now: datetime) -> str:
        url = f"{self._base_url}/.well-known/smart-configuration"
        reply = self._egress.send(url, Request("GET", {"Accept": "application/json"}))
        if reply.status != 200:
            raise _not_let_in(reply, now)
        found = read_object(reply).get("token_endpoint")
        if not isinstance(found, str):
            raise SendError(False, "no_token_endpoint", away=True)
        return found


def new_service_key(kid: str) -> dict[str, Any]:
    """Make a private key (JWK, P-384) for one system, where it will be registered as ``kid``."""
    made = ECAlgorithm.to_jwk(generate_private_key(SECP384R1()), as_dict=True)
    return {**made, "kid": kid, "alg": "ES384", "use": "sig"}


def service_key(raw: str | Mapping[str, Any], kid: str | None, algorithm: str) -> ServiceKey:
    """Read our private key, PEM or JWK; raise ValueError, with a reason that never shows the key."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"alg: must be one of {', '.join(ALGORITHMS)}")
    named = kid or (raw.get("kid") if isinstance(raw, Mapping) else None)
    if not isinstance(named, str) or not named:
        raise ValueError("kid: must name the key as it is registered with the system")
    return ServiceKey(_fitting(_private_key(raw), algorithm), named, algorithm)


def _private_key(raw: str | Mapping[str, Any]) -> object:
    try:
        if isinstance(raw, str):
            return load_pem_private_key(raw.encode(), None)
        return RSAAlgorithm.from_jwk(dict(raw)) if raw["kty"] == "RSA" else ECAlgorithm.from_jwk(dict(raw))
    except (ValueError, TypeError, KeyError, UnsupportedAlgorithm, jwt.InvalidKeyError):
        raise ValueError("key: must be a private key, as PEM without a password or as a JWK") from None


def _fitting(key: object, algorithm: str) -> PrivateKey:
    if algorithm == "RS384" and isinstance(key, RSAPrivateKey) and key.key_size >= _SMALLEST_RSA:
        return key
    if algorithm == "ES384" and isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1):
        return key
    raise ValueError("key: RS384 needs a private RSA key of 2048 bits or more, ES384 one of curve P-384")


def _claims(client_id: str, url: str, now: datetime) -> Mapping[str, Any]:
    # Whoever has seen one assertion must not be able to use it again: each has a name of its own.
    return {
        "iss": client_id,
        "sub": client_id,
        "aud": url,
        "jti": secrets.token_urlsafe(24),
        "exp": int((now + ASSERTION_LASTS).timestamp()),
    }


def _lasting(seconds: object) -> timedelta:
    known = isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < 10**7
    lasts = timedelta(seconds=float(seconds)) if known and isinstance(seconds, int | float) else TOKEN_LASTS
    return max(lasts - TOKEN_SPARED, timedelta())


def _not_let_in(reply: Reply, now: datetime) -> SendError:
    """Return why there is no token: the whole system, not one visit, is out of reach."""
    failure = refusal(reply, now)
    failure.away = True
    failure.reason = failure.reason.replace("refused", "sign_in")
    return failure
