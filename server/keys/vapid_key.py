"""Private keys for Web Push, as the setting holds them. Pure but for the randomness of a new one."""

import base64
import secrets

# The order of the curve P-256 (SP 800-186, 3.2.1.3): a private key is a number below it.
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_BYTES = 32


def new_vapid_key() -> str:
    """Return a fresh private key for Web Push, base64url."""
    secret = 1 + secrets.randbelow(_P256_ORDER - 1)
    return base64.urlsafe_b64encode(secret.to_bytes(_BYTES, "big")).decode().rstrip("=")


def is_vapid_key(text: str) -> bool:
    """Say whether ``text`` is one."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False
    return len(raw) == _BYTES and 0 < int.from_bytes(raw, "big") < _P256_ORDER
