"""Access tokens: short, signed with a key we name, and refused when any claim we rely on is missing."""

import hashlib
import json
import logging
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import jwt
from flask import current_app, g
from flask_jwt_extended import create_access_token

from server.services.errors import NotSignedIn
from server.settings import Settings

log = logging.getLogger(__name__)

ISSUER = "afterglow"
AUDIENCE = "afterglow-api"
ALGORITHM = "HS256"
KIND = "at+jwt"  # RFC 9068: what else we may sign one day is no access token
REQUIRED = ("sub", "sid", "clinic", "jti", "exp", "nbf", "iat", "iss", "aud")
# Ours have about 500 characters, and a header of 90; nothing much longer is taken apart.
LONGEST, LONGEST_HEADER = 2048, 256
# Clocks of two machines differ a little.
LEEWAY = timedelta(seconds=5)
_KEYS, _SOURCE = "AFTERGLOW_SIGNING_KEYS", "AFTERGLOW_SIGNING_KEYS_NOW"
# Gives the keys as they are now; told `True`, it looks at once whether they have changed.
Source = Callable[[bool], tuple[str, ...]]


def config(settings: Settings, keys: Sequence[str], source: Source | None = None) -> dict[str, Any]:
    """Return what the application is configured with. The first of ``keys`` signs; all are taken.

    ``source`` takes their place where they may change while we run.
    """
    return {
        "JWT_SECRET_KEY": keys[0],
        "JWT_ALGORITHM": ALGORITHM,
        "JWT_ENCODE_ISSUER": ISSUER,
        "JWT_ENCODE_AUDIENCE": AUDIENCE,
        "JWT_ACCESS_TOKEN_EXPIRES": settings.access_minutes * 60,
        _KEYS: tuple(keys),
        _SOURCE: source,
    }


def key_id(key: str) -> str:
    """Return the name (`kid`) of a signing key: the key itself can't be found from it."""
    return hashlib.sha256(b"afterglow signing key id" + key.encode()).hexdigest()[:16]


def keys() -> Sequence[str]:
    """Return the keys that sign and are taken, the one that signs first."""
    return list(_named().values())


def signs_now(_identity: object) -> str:
    """Return the key that the token in hand names: the keys may change between two looks."""
    key: str = g.signs_now
    return key


def issue(account_id: UUID, clinic_id: UUID, sign_in_id: UUID, lasts: timedelta) -> str:
    """Return a fresh access token of one sign-in."""
    g.signs_now = keys()[0]
    token: str = create_access_token(
        str(account_id),
        additional_claims={"clinic": str(clinic_id), "sid": str(sign_in_id)},
        additional_headers={"kid": key_id(g.signs_now), "typ": KIND},
        expires_delta=lasts,
    )
    return token


def claims(header: str) -> Mapping[str, Any]:
    """Return the verified claims of a request's `Authorization` header.

    Read here, once, and not by flask-jwt-extended, which takes a token apart four times to find out which
    key and algorithm it might want: ours are fixed. Raises NotSignedIn for every fault alike.
    """
    token = bearer(header)
    if not token or len(token) > LONGEST:
        raise NotSignedIn
    try:
        found = _verified(token)
    except jwt.ExpiredSignatureError:
        raise NotSignedIn from None
    except (jwt.PyJWTError, ValueError) as error:
        # Nothing of the token: it may be somebody's, with one character wrong.
        log.info("an access token was refused: %s", type(error).__name__)
        raise NotSignedIn from None
    if not complete(found):
        log.info("an access token was refused: its claims")
        raise NotSignedIn
    return found


def bearer(header: str) -> str:
    """Return the token that an `Authorization` header brings, or nothing."""
    scheme, _, token = header.strip().partition(" ")
    # However it is spelled (RFC 9110, 11.1): the contract itself writes it small.
    return token.strip() if scheme.lower() == "bearer" else ""


def _verified(token: str) -> Mapping[str, Any]:
    """Return the claims of a token signed with a key of ours, which its header names; else raise."""
    name = _kid(token.partition(".")[0])
    # Another process may have taken up a new key a moment before us.
    key = _named().get(name) or _named(fresh=True).get(name)
    if key is None:
        raise jwt.InvalidKeyError
    found: Mapping[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        audience=AUDIENCE,
        issuer=ISSUER,
        leeway=LEEWAY,
        options={"require": list(REQUIRED)},
    )
    return found


def _named(fresh: bool = False) -> Mapping[str | None, str]:
    source: Source | None = current_app.config[_SOURCE]
    return _by_name(current_app.config[_KEYS] if source is None else source(fresh))


@lru_cache(maxsize=16)
def _by_name(keys: tuple[str, ...]) -> Mapping[str | None, str]:
    return {key_id(key): key for key in keys}


def _kid(header: str) -> str | None:
    """Return which key a token's header names, None where it is no access token's.

    Read before anything is verified: bounded, so that what is nested deeply is not taken apart.
    """
    if len(header) > LONGEST_HEADER:
        return None
    found = json.loads(urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    if not isinstance(found, dict) or found.get("typ") != KIND or not isinstance(found.get("kid"), str):
        return None
    return str(found["kid"])


def complete(claims: Mapping[str, Any]) -> bool:
    """Return whether a verified token carries every claim we rely on, ids well-formed."""
    if any(not claims.get(name) for name in REQUIRED):
        return False
    try:
        for name in ("sub", "sid", "clinic"):
            UUID(claims[name])
    except (ValueError, AttributeError, TypeError):
        return False
    return claims.get("type") == "access"
