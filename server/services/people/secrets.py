"""Opaque secrets: 256 random bits shown once, kept only as SHA-256."""

import hashlib
import secrets


def new_secret() -> str:
    """Return a new secret of 256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """Return what is stored of ``secret``: 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()
