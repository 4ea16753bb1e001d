"""Access tokens: short, and refused when any claim we rely on is missing."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import jwt
from flask import current_app

from server.services.errors import NotSignedIn
from server.settings import Settings

ISSUER = "afterglow"
AUDIENCE = "afterglow-api"
ALGORITHM = "HS256"
REQUIRED = ("sub", "sid", "clinic", "jti", "exp", "iat", "iss", "aud")


def config(settings: Settings) -> dict[str, Any]:
    """Return flask-jwt-extended's settings, which makes the tokens."""
    return {
        "JWT_ALGORITHM": ALGORITHM,
        "JWT_ENCODE_ISSUER": ISSUER,
        "JWT_ENCODE_AUDIENCE": AUDIENCE,
        "JWT_ACCESS_TOKEN_EXPIRES": settings.access_minutes * 60,
    }


def claims(header: str) -> Mapping[str, Any]:
    """Return the verified claims of a request's `Authorization` header.

    Read here, once, and not by flask-jwt-extended, which takes a token apart four times to find out which
    key and algorithm it might want: ours are fixed. Raises NotSignedIn for every fault alike.
    """
    scheme, _, token = header.strip().partition(" ")
    if scheme != "Bearer":
        raise NotSignedIn
    try:
        found: Mapping[str, Any] = jwt.decode(
            token.strip(),
            current_app.config["JWT_SECRET_KEY"],
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": list(REQUIRED)},
        )
    except jwt.PyJWTError:
        raise NotSignedIn from None
    if not complete(found):
        raise NotSignedIn
    return found


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
