"""The embedded mailbox of development: a real SMTP server on loopback that keeps what it gets."""

import asyncio
import socket
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from server import private

_LOOPBACK = "127.0.0.1"


class EmbeddedMailbox:
    """Listens on a free loopback port between `start` and `stop`; ``folder`` becomes a Maildir."""

    def __init__(self, folder: Path) -> None:
        # The system picks the port while binding: two workers on one machine never collide.
        self._socket = socket.create_server((_LOOPBACK, 0))
        self._controller = _OnSocket(self._socket, _maildir(folder))

    @property
    def url(self) -> str:
        """The address for `SmtpGateway`."""
        return f"smtp://{_LOOPBACK}:{self._controller.port}"

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; what was taken is on disk."""
        self._controller.stop()
        self._socket.close()


def _maildir(folder: Path) -> Mailbox:
    # A Maildir is three folders; the first run makes the missing ones.
    private.folder(folder)
    for part in ("cur", "new", "tmp"):
        private.folder(folder / part)
    return _Mailbox(folder)


class _Mailbox(Mailbox):
    """One whose messages only who runs the service reads, also where everybody gets into the folder."""

    def handle_message(self, message: Any) -> None:
        """Keep ``message``."""
        name = self.mailbox.add(message)
        with suppress(FileNotFoundError):  # somebody was there first and has taken it
            Path(self.mail_dir, "new", name).chmod(private.FILE)


class _OnSocket(Controller):
    """A controller that listens on a socket which is bound already."""

    def __init__(self, bound: socket.socket, handler: Any) -> None:
        super().__init__(handler, hostname=_LOOPBACK, port=bound.getsockname()[1])
        self._bound = bound

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        loop: asyncio.AbstractEventLoop = self.loop
        return loop.create_server(self._factory_invoker, sock=self._bound)
