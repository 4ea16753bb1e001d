"""The other side of Web Push for the tests: browsers that open what is pushed, by RFC 8291 to the letter."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.ports import free_port
from tests.source import ROOT

# Where `.ci/run` puts the push service of the browsers' makers' test tools.
SERVICE = ROOT / ".peers" / "node_modules" / "web-push-testing" / "src" / "bin" / "server.js"
# It would listen everywhere; every listener of these tests is on loopback.
ON_LOOPBACK = """
const { Server } = require("net");
const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) { return listen.call(this, port, "127.0.0.1", ...rest); };
require(process.argv[1]);
"""


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """One subscription's secrets, and what opens a message with them."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"a" * 16

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def subscription(self, endpoint: str) -> str:
        return json.dumps({"endpoint": endpoint, "keys": {"p256dh": b64(self.point), "auth": b64(self.auth)}})

    def open(self, body: bytes) -> bytes:
        """Return the text of a message in one record: salt, record size, sender's point, sealed text."""
        salt, length = body[:16], body[20]
        sender, sealed = body[21 : 21 + length], body[21 + length :]
        secret = self.key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        )
        material = _derived(self.auth, secret, b"WebPush: info\0" + self.point + sender, 32)
        content_key = _derived(salt, material, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _derived(salt, material, b"Content-Encoding: nonce\0", 12)
        text = AESGCM(content_key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert text[-1:] == b"\2"  # the mark of the last record
        return text[:-1]


def _derived(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


@dataclass(frozen=True)
class PushService:
    """The push service of the browsers' test tools, with browsers in it."""

    port: int

    def subscribe(self, application_key: str) -> tuple[str, str]:
        """Return a new browser's subscription, and the id it is known by."""
        made = self._post("/subscribe", {"applicationServerKey": application_key})["data"]
        return json.dumps({"endpoint": made["endpoint"], "keys": made["keys"]}), made["clientHash"]

    def shown(self, browser: str) -> list[str]:
        """Return what the browser has opened."""
        messages: list[str] = self._post("/get-notifications", {"clientHash": browser})["data"]["messages"]
        return messages

    def unsubscribe(self, browser: str) -> None:
        """End the subscription."""
        self._post(f"/expire-subscription/{browser}", {})

    def _post(self, path: str, body: dict[str, str]) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=3)
        try:
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse().read().decode()
        finally:
            connection.close()
        return json.loads(answer) if answer.startswith("{") else None


def service_is_here() -> bool:
    """Return whether the service and what runs it are installed."""
    return shutil.which("node") is not None and SERVICE.exists()


@contextmanager
def push_service() -> Iterator[PushService]:
    """Run the service on a loopback port."""
    service = PushService(free_port())
    command = [str(shutil.which("node")), "-e", ON_LOOPBACK, str(SERVICE), str(service.port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet) as process:
        try:
            _wait_until_up(service)
            yield service
        finally:
            process.kill()
            process.wait(5)


def _wait_until_up(service: PushService) -> None:
    end = time.monotonic() + 8
    while time.monotonic() < end:
        try:
            service._post("/status", {})
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError("the push service did not start")
