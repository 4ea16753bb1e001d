"""A security key in software: it makes passkeys, signs challenges, and can be told to lie."""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN = "http://127.0.0.1:8000"
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def encoded(raw: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decoded(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One key on one site. ``count`` rises with every use; ``origin`` is the page that the browser shows."""

    origin: str = ORIGIN
    count: int = 0
    id: bytes = field(default_factory=lambda: os.urandom(16))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: dict[str, Any], **bent: Any) -> dict[str, Any]:
        """Answer `navigator.credentials.create`. ``bent``: other `rp_id`, `challenge`, `type`."""
        client_data = self._client_data(options, "webauthn.create", bent)
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + self._public_key()
        data = self._data(bent.get("rp_id", options["rp"]["id"]), _ATTESTED) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {"attestationObject": encoded(statement), "transports": ["internal"]}
        return self._credential(response | {"clientDataJSON": encoded(client_data)})

    def sign(self, options: dict[str, Any], **bent: Any) -> dict[str, Any]:
        """Answer `navigator.credentials.get`. ``bent``: as `make`, and another `key` or `flags`."""
        self.count += 1
        client_data = self._client_data(options, "webauthn.get", bent)
        data = self._data(bent.get("rp_id", options["rpId"]), bent.get("flags", 0))
        signer = bent.get("key", self.key)
        signature = signer.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {"authenticatorData": encoded(data), "signature": encoded(signature), "userHandle": None}
        return self._credential(response | {"clientDataJSON": encoded(client_data)})

    def _credential(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": encoded(self.id),
            "rawId": encoded(self.id),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }

    def _client_data(self, options: dict[str, Any], kind: str, bent: dict[str, Any]) -> bytes:
        said = {"type": bent.get("type", kind), "challenge": bent.get("challenge", options["challenge"])}
        return json.dumps(said | {"origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, rp_id: str, flags: int) -> bytes:
        seen = bytes([_PRESENT | _VERIFIED | flags])
        return hashlib.sha256(rp_id.encode()).digest() + seen + self.count.to_bytes(4, "big")

    def _public_key(self) -> bytes:
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
