"""Access tokens: short, and refused when any claim we rely on is missing."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_jwt_extended import JWTManager

from server.api.errors import problem
from server.settings import Settings

ISSUER = "afterglow"
AUDIENCE = "afterglow-api"
REQUIRED = ("sub", "sid", "clinic", "jti", "exp", "iat", "iss", "aud")


def config(settings: Settings) -> dict[str, Any]:
    """Return flask-jwt-extended's settings; its defaults would take foreign issuers and audiences."""
    return {
        "JWT_TOKEN_LOCATION": ["headers"],
        "JWT_ALGORITHM": "HS256",
        "JWT_DECODE_ALGORITHMS": ["HS256"],
        "JWT_ENCODE_ISSUER": ISSUER,
        "JWT_DECODE_ISSUER": ISSUER,
        "JWT_ENCODE_AUDIENCE": AUDIENCE,
        "JWT_DECODE_AUDIENCE": AUDIENCE,
        "JWT_ACCESS_TOKEN_EXPIRES": settings.access_minutes * 60,
        "JWT_ERROR_MESSAGE_KEY": "detail",
    }


def register(manager: JWTManager) -> None:
    """Check every claim, and answer every token fault alike: 401, same words."""
    manager.token_verification_loader(lambda _header, claims: complete(claims))
    manager.token_verification_failed_loader(lambda _header, _claims: _refused())
    manager.expired_token_loader(lambda _header, _claims: _refused())
    manager.invalid_token_loader(lambda _reason: _refused())
    manager.unauthorized_loader(lambda _reason: _refused())
    manager.revoked_token_loader(lambda _header, _claims: _refused())
    manager.needs_fresh_token_loader(lambda _header, _claims: _refused())


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


def _refused() -> Any:
    return problem(401, "not-signed-in", "Sign in again.")
