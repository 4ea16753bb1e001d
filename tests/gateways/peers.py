"""Real SMTP peers on loopback for the tests: kind, refusing, slow, or with a certificate nobody knows."""

import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message as Received
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Handler

from tests.ports import free_port


class Peer(Handler):
    """Keeps what it takes; ``answers`` holds an SMTP answer for a recipient that is not taken."""

    def __init__(self, answers: dict[str, str] | None = None, pause: float = 0.0) -> None:
        super().__init__()
        self.answers = answers or {}
        self.pause = pause
        self.received: list[Received] = []

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Refuse the addresses it was told to refuse."""
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take the message, perhaps after holding the whole server up."""
        time.sleep(self.pause)
        return await super().handle_DATA(server, session, envelope)

    def handle_message(self, message: Received) -> None:
        """Keep it."""
        self.received.append(message)


@contextmanager
def listening(peer: Peer, **options: Any) -> Iterator[int]:
    """Run ``peer`` on a free loopback port and give the port."""
    controller = Controller(peer, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def self_signed(folder: Path, name: str = "IP:127.0.0.1") -> ssl.SSLContext:
    """Return a server's TLS context whose certificate, for ``name``, no authority vouches for."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subject = ["-subj", "/CN=peer", "-addext", f"subjectAltName={name}"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(key), "-out", str(certificate), "-days", "2"]
    subprocess.run([*made, *files, *subject], check=True, capture_output=True, timeout=20)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def trusting(folder: Path) -> ssl.SSLContext:
    """Return a client's TLS context that knows the certificate in ``folder`` and no other."""
    return ssl.create_default_context(cafile=folder / "certificate.pem")
