"""The address under which one file of one export can be read, with a proof that we made it. Pure."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

# What the same key signs elsewhere is no proof here.
_LABEL = "afterglow export link 1"


@dataclass(frozen=True, slots=True)
class Taking:
    """One file of one export of one clinic; ``expires``: until when, in whole seconds since 1970 (UTC)."""

    clinic_id: UUID
    export_id: UUID
    format: str
    expires: int

    def proof(self, key: bytes) -> str:
        """Return the proof that goes with its address: 43 characters of base64url."""
        said = (_LABEL, self.clinic_id, self.export_id, self.format, self.expires)
        digest = hmac.new(key, "\n".join(map(str, said)).encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def is_proven(self, key: bytes, proof: str) -> bool:
        """Return whether ``proof`` was made with ``key`` for it, in the same time for any answer."""
        return hmac.compare_digest(self.proof(key).encode(), proof.encode())

    def address(self, base_url: str, key: bytes) -> str:
        """Return the address to read it at. Whoever has it can: it is to be kept like what it leads to."""
        parts = {"clinic": self.clinic_id, "format": self.format, "expires": self.expires}
        query = urlencode(parts | {"proof": self.proof(key)})
        return f"{base_url}/v1/exports/{self.export_id}?{query}"
