"""The chain of an audit log, byte by byte. `docs/audit.md` says the same to whoever verifies it elsewhere.

A link is the SHA-256 of: one byte of format; the digest of the link before (of the first: zeros); then
clinic, position, event, moment, account, action, patient and object as texts in UTF-8, each after its
length in four bytes (big-endian), or four bytes of ones where there is none.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

START = bytes(32)
"""What stands before the first link."""
_FORMAT = b"\x01"
_ABSENT = b"\xff\xff\xff\xff"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an audit event says, in the order in which it is hashed."""

    clinic_id: UUID
    id: UUID
    at: datetime
    account_id: UUID | None
    action: str
    patient_id: UUID | None
    object_id: str | None


def link(before: bytes, position: int, event: Recorded) -> bytes:
    """Return the digest of ``event`` at ``position`` after a link whose digest is ``before``."""
    what = (event.clinic_id, position, event.id, written(event.at))
    who = (event.account_id, event.action, event.patient_id, event.object_id)
    return sha256(_FORMAT + before + b"".join(map(_field, (*what, *who)))).digest()


def written(at: datetime) -> str:
    """Return a moment (aware) as UTC with six digits of a second, the same on every database."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _field(value: object) -> bytes:
    if value is None:
        return _ABSENT
    text = str(value).encode()
    return len(text).to_bytes(4) + text
