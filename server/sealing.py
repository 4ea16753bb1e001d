"""Text sealed for storage: AES-256-GCM under a named key, bound to the place it is stored at.

A sealed value is one byte of format, four of key id, twelve of nonce, then ciphertext and tag. Format
and key id are authenticated with the context, so a value moved to another place does not open.
Source: NIST SP 800-38D (random 96-bit nonces: below 2^32 values a key), RFC 5869 for the derived key.
"""

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
_SHORTEST = _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES
_DIGEST_USE = b"afterglow content digest"


class SealError(Exception):
    """A value does not open: another key, another place, or damage. Never says what it held."""


@dataclass(frozen=True, slots=True)
class _Key:
    cipher: AESGCM
    digest: bytes


class Keyring:
    """Keys by id (0 to 2^32 - 1), 32 bytes each; ``current`` (an id) seals, every one of them opens.

    Raises ValueError for a key of another length or a ``current`` that is not there.
    """

    def __init__(self, keys: Mapping[int, bytes], current: int) -> None:
        if current not in keys or any(len(key) != KEY_BYTES for key in keys.values()):
            raise ValueError(f"a keyring needs its current key, and keys of {KEY_BYTES} bytes")
        self.ids = frozenset(keys)
        self.current = current
        self._keys = {number: _Key(AESGCM(key), _derived(key)) for number, key in keys.items()}

    def __repr__(self) -> str:
        """Name the keys by their ids only: a keyring may end in a log."""
        return f"Keyring(ids={sorted(self.ids)}, current={self.current})"

    def seal(self, text: str, context: str) -> bytes:
        """Return ``text`` sealed for the place ``context``; sealing twice gives two different values."""
        header = _FORMAT + self.current.to_bytes(_ID_BYTES)
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._keys[self.current].cipher
        return header + nonce + cipher.encrypt(nonce, text.encode(), header + context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """Return the text sealed for ``context``; raises SealError where it can't, never something else."""
        key_id = key_id_of(sealed)
        if key_id not in self._keys:
            raise SealError(f"sealed with key {key_id}, which is not here")
        header, nonce = sealed[:_HEADER_BYTES], sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES]
        body = sealed[_HEADER_BYTES + _NONCE_BYTES :]
        try:
            return self._keys[key_id].cipher.decrypt(nonce, body, header + context.encode()).decode()
        except InvalidTag:
            raise SealError("another key, another place, or damaged") from None

    def digest(self, text: str, context: str) -> str:
        """Return the HMAC-SHA256 of ``text`` at ``context`` in hex, to tell equal from changed.

        Always under the lowest key id, so that it stays the same when a newer key seals.
        """
        key = self._keys[min(self._keys)].digest
        return hmac.new(key, f"{context}\n{text}".encode(), hashlib.sha256).hexdigest()


def key_id_of(sealed: bytes) -> int:
    """Return the id of the key that sealed ``sealed``; raises SealError where it is no sealed value."""
    if len(sealed) < _SHORTEST or not sealed.startswith(_FORMAT):
        raise SealError("not a sealed value")
    return int.from_bytes(sealed[len(_FORMAT) : _HEADER_BYTES])


def new_key() -> bytes:
    """Return a fresh random key of 32 bytes."""
    return os.urandom(KEY_BYTES)


def master_keyring(keys: tuple[bytes, ...]) -> Keyring:
    """Return the keyring of the master keys, the first of them current.

    A master key's id comes from the key itself, so that a wrong key is told from damage.
    """
    named = {_name(key): key for key in keys}
    return Keyring(named, _name(keys[0]))


def _name(key: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"afterglow key id" + key).digest()[:_ID_BYTES])


def _derived(key: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_DIGEST_USE).derive(key)
