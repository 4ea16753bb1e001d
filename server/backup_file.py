"""The form of a backup: a header, then AES-256-GCM in frames, written and read as a stream.

Header: 16 bytes of name, one of version, four of key id, 16 of salt. The file has a key of its own (HKDF of
the backup key with that salt), so a frame's nonce may be its number and whether it is the last. A frame that
is changed, missing, swapped, from another file, or the last one where more should come, does not open.
Source: Hoang, Reyhanitabar, Rogaway, Vizár 2015 (STREAM); NIST SP 800-38D; RFC 5869.
"""

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FRAME = 1 << 20
_NAME, _VERSION, _TAG = b"AFTERGLOW-BACKUP", b"\x01", 16
_ID, _SALT, _KEY = 4, 16, 32
HEADER = len(_NAME) + len(_VERSION) + _ID + _SALT


class BackupError(Exception):
    """The file is no backup, of another key, cut off or changed. Never says what it holds."""


@dataclass(frozen=True, slots=True)
class BackupKeys:
    """The keys by id; ``current`` writes, every one of them reads."""

    keys: Mapping[bytes, bytes]
    current: bytes

    def __repr__(self) -> str:
        """Name the keys by their ids only."""
        return f"BackupKeys({[one.hex() for one in self.keys]})"


def keys_of(text: str) -> BackupKeys:
    """Return the keys of a setting: base64 of 32 bytes each, the current one first; ValueError otherwise."""
    found = [base64.b64decode(part.strip(), validate=True) for part in text.split(",")]
    if any(len(key) != _KEY for key in found):
        raise ValueError("must be base64 of 32 bytes")
    named = {hashlib.sha256(b"afterglow backup key id" + key).digest()[:_ID]: key for key in found}
    return BackupKeys(named, next(iter(named)))


class BackupWriter:
    """Writes what it is given into ``out``, encrypted. Without `finish` the file does not open."""

    def __init__(self, out: BinaryIO, keys: BackupKeys) -> None:
        salt = os.urandom(_SALT)
        self._out, self._header = out, _NAME + _VERSION + keys.current + salt
        self._cipher, self._number, self._waiting = _cipher(keys.keys[keys.current], salt), 0, bytearray()
        out.write(self._header)

    def write(self, data: bytes) -> int:
        """Take further bytes; return how many."""
        self._waiting += data
        # The last frame is known only at the end: one more byte must wait behind each that is written.
        while len(self._waiting) > FRAME:
            self._frame(bytes(self._waiting[:FRAME]), last=False)
            del self._waiting[:FRAME]
        return len(data)

    def finish(self) -> None:
        """Write the last frame."""
        self._frame(bytes(self._waiting), last=True)

    def _frame(self, text: bytes, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last), text, self._header))
        self._number += 1


class BackupReader:
    """Reads what a `BackupWriter` wrote; gives nothing that it has not authenticated."""

    def __init__(self, source: BinaryIO, keys: BackupKeys) -> None:
        self._source, self._header = source, source.read(HEADER)
        known = self._header[len(_NAME) + len(_VERSION) :]
        if len(self._header) < HEADER or not self._header.startswith(_NAME + _VERSION):
            raise BackupError("It is no backup of this version of Afterglow.")
        key = keys.keys.get(known[:_ID])
        if key is None:
            raise BackupError(f"It was made with the key {known[:_ID].hex()}, which is not here.")
        self._cipher, self._number = _cipher(key, known[_ID:]), 0
        self._next, self._text, self._is_over = source.read(FRAME + _TAG), b"", False

    def read(self, size: int) -> bytes:
        """Return the next bytes, ``size`` at the most and none only at the end; raises BackupError."""
        while not self._text and not self._is_over:
            self._text = self._opened()
        found, self._text = self._text[:size], self._text[size:]
        return found

    def read_exactly(self, size: int) -> bytes:
        """Return the next ``size`` bytes; raises BackupError where there are fewer."""
        found = b""
        while len(found) < size:
            more = self.read(size - len(found))
            if not more:
                raise BackupError("It ends too early.")
            found += more
        return found

    def _opened(self) -> bytes:
        frame, self._next = self._next, self._source.read(FRAME + _TAG)
        self._is_over = not self._next
        try:
            text = self._cipher.decrypt(_nonce(self._number, self._is_over), frame, self._header)
        except InvalidTag:
            raise BackupError("It was cut off or changed, or the key is another one.") from None
        self._number += 1
        return text


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=_KEY, salt=salt, info=b"afterglow backup").derive(key))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])
