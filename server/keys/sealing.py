"""Text sealed for storage: AES-256-GCM under a named key, bound to the place it is stored at.

A sealed value is one byte of format, four of key id, twelve of nonce, then ciphertext and tag. Format
and key id are authenticated with the context, so a value moved to another place does not open.
Source: NIST SP 800-38D (random 96-bit nonces: below 2^32 values a key), RFC 5869 for the derived key.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
_FORMAT, _ID_BYTES, _NONCE_BYTES, _TAG_BYTES = b"\x01", 4, 12, 16
_HEADER_BYTES = len(_FORMAT) + _ID_BYTES
_BODY_AT = _HEADER_BYTES + _NONCE_BYTES
_SHORTEST = _BODY_AT + _TAG_BYTES
_DIGEST_USE = b"afterglow content digest"


class SealError(Exception):
    """A value does not open: another key, another place, or damage. Never says what it held."""


@dataclass(frozen=True, slots=True)
class DigestKeys:
    """Keys that only make digests: of what somebody said, and of what people are looked up by.

    They stay when data keys change: a digest made anew would not be found again.
    """

    content: bytes | None = None
    lookup: bytes | None = None


class Keyring:
    """Keys by id (0 to 2^32 - 1), 32 bytes each; ``current`` (an id) seals, every one of them opens.

    Raises ValueError for a key of another length or a ``current`` that is not there.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int, digests: DigestKeys = DigestKeys()) -> None:
        if current not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
            raise ValueError(f"a keyring needs its current key, and keys of {KEY_BYTES} bytes")
        self.ids = frozenset(keys)
        self.current = current
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._by_mark = {key_mark(number): cipher for number, cipher in self._ciphers.items()}
        self._content = digests.content or digest_key(keys[min(keys)])
        self._lookup = digests.lookup

    def __repr__(self) -> str:
        """Name the keys by their ids only: a keyring may end in a log."""
        return f"Keyring(ids={sorted(self.ids)}, current={self.current})"

    def seal(self, text: str, context: str) -> bytes:
        """Return ``text`` sealed for the place ``context``; sealing twice gives two different values."""
        header = key_mark(self.current)
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self.current]
        return header + nonce + cipher.encrypt(nonce, text.encode(), header + context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """Return the text sealed for ``context``; raises SealError where it can't, never something else."""
        header, nonce = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES:_BODY_AT]
        cipher = self._by_mark.get(header)
        if cipher is None or len(sealed) < _SHORTEST:
            raise SealError(f"sealed with key {key_id_of(sealed)}, which is not here")
        try:
            return cipher.decrypt(nonce, sealed[_BODY_AT:], header + context.encode()).decode()
        except InvalidTag:
            raise SealError("another key, another place, or damaged") from None

    def has_key_of(self, sealed: bytes) -> bool:
        """Return whether the key of ``sealed`` is here; raises SealError where that is no sealed value."""
        return sealed[:_HEADER_BYTES] in self._by_mark or key_id_of(sealed) in self.ids

    def digest(self, text: str, context: str) -> str:
        """Return the HMAC-SHA256 of ``text`` at ``context`` in hex, to tell equal from changed.

        Under a key of its own; where there is none yet, under one derived from the lowest key id. So it
        stays the same when a newer key seals.
        """
        return _hmac(self._content, text, context)

    @property
    def has_lookup(self) -> bool:
        """Whether `index` can be asked."""
        return self._lookup is not None

    def index(self, text: str, context: str) -> str:
        """Return the blind index of ``text`` at ``context`` in hex: who has no key can't tell what it is of.

        Raises SealError where there is no key for it.
        """
        if self._lookup is None:
            raise SealError("there is no key to look up with")
        return _hmac(self._lookup, text, context)


def key_id_of(sealed: bytes) -> int:
    """Return the id of the key that sealed ``sealed``; raises SealError where it is no sealed value."""
    if len(sealed) < _SHORTEST or not sealed.startswith(_FORMAT):
        raise SealError("not a sealed value")
    return int.from_bytes(sealed[len(_FORMAT) : _HEADER_BYTES])


def key_mark(key_id: int) -> bytes:
    """Return with which bytes every value begins that the key ``key_id`` has sealed."""
    return _FORMAT + key_id.to_bytes(_ID_BYTES)


def new_key() -> bytes:
    """Return a fresh random key of 32 bytes."""
    return os.urandom(KEY_BYTES)


def master_keyring(keys: tuple[bytes, ...]) -> Keyring:
    """Return the keyring of the master keys, the first of them current.

    A master key's id comes from the key itself, so that a wrong key is told from damage.
    """
    named = {_name(key): key for key in keys}
    return Keyring(named, _name(keys[0]))


def decoded_keys(text: str) -> tuple[bytes, ...]:
    """Return the keys that ``text`` names: base64 of 32 bytes each, commas between them; else ValueError."""
    keys = tuple(base64.b64decode(part.strip(), validate=True) for part in text.split(","))
    if any(len(key) != KEY_BYTES for key in keys):
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    return keys


def _name(key: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"afterglow key id" + key).digest()[:_ID_BYTES])


def digest_key(key: bytes) -> bytes:
    """Return the key of digests that belongs to a data key; it says nothing about the data key."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_DIGEST_USE).derive(key)


def _hmac(key: bytes, text: str, context: str) -> str:
    return hmac.digest(key, f"{context}\n{text}".encode(), "sha256").hex()
