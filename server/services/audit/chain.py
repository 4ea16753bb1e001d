"""The chain of an audit log, byte by byte. `docs/audit.md` says the same to whoever verifies it elsewhere.

A link is the SHA-256 of: one byte of format; the digest of the link before (of the first: zeros); then
clinic, position, event, moment, account, action, patient and object as texts in UTF-8, each after its
length in four bytes (big-endian), or four bytes of ones where there is none.
"""

from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

START = bytes(32)
"""What stands before the first link."""
_FORMAT = b"\x01"
_ABSENT = b"\xff\xff\xff\xff"
_NO_OFFSET = len("2026-05-02T18:16:00.000000")


class Recorded(NamedTuple):
    """What an audit event says, in the order in which it is hashed. An id, or its text: both hash alike."""

    clinic_id: UUID | str
    id: UUID | str
    at: datetime
    account_id: UUID | str | None
    action: str
    patient_id: UUID | str | None
    object_id: str | None


def link(before: bytes, position: int, event: Recorded) -> bytes:
    """Return the digest of ``event`` at ``position`` after a link whose digest is ``before``."""
    clinic_id, event_id, at, *said = event
    what = (clinic_id, position, event_id, written(at), *said)
    return sha256(_FORMAT + before + b"".join([_field(value) for value in what])).digest()


def written(at: datetime) -> str:
    """Return a moment (aware) as UTC with six digits of a second, the same on every database."""
    return f"{at.astimezone(UTC).isoformat(timespec='microseconds')[:_NO_OFFSET]}Z"


def _field(value: object) -> bytes:
    if value is None:
        return _ABSENT
    text = str(value).encode()
    return len(text).to_bytes(4) + text
