"""Whether a secret could be guessed: too little chance in it, a word of an example, the same all over."""

import math
from collections import Counter

# Bits of chance, as far as the letters alone can show; 16 random bytes have 128 however they are written. In
# hexadecimal one in ten thousand of them shows fewer, and is made anew.
FEWEST_BITS = 96.0
_EXAMPLES = (
    *("secret", "changeme", "change-me", "change_me", "password", "passwort", "example", "default"),
    *("afterglow", "test-key", "testkey", "insecure", "your-key", "yourkey", "replace", "correct horse"),
    *("0123456789", "abcdefgh", "qwerty"),
)


def why_weak_text(secret: str) -> str | None:
    """Return why ``secret`` can't be trusted, as the end of a sentence; None where nothing is wrong."""
    if any(word in secret.lower() for word in _EXAMPLES):
        return "looks like one of an example"
    return why_weak(secret.encode())


def why_weak(secret: bytes) -> str | None:
    """Return the same of bytes."""
    if secret in (secret + secret)[1:-1]:
        return "says the same over and over"
    return "has too little chance in it" if _bits(secret) < FEWEST_BITS else None


def _bits(secret: bytes) -> float:
    total = len(secret)
    return -sum(count * math.log2(count / total) for count in Counter(secret).values())
