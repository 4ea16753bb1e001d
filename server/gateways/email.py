"""E-mail over SMTP, always the same code: in development its peer is the embedded mailbox."""

import contextlib
import io
import ipaddress
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from server.gateways.message import Handed, Message, Receipt, SendError

TIMEOUT_SECONDS = 10.0
# What is left before the answer to the last dot comes may have been taken, and is sent again: RFC 5321,
# 4.5.3.2.6, asks for ten minutes. A mail server of the usual kind keeps its answer back for up to 30 seconds
# (Exchange, MaxAcknowledgementDelay), one that looks through what it gets for as long as that takes.
LAST_SECONDS = 40.0
_PORTS = {"smtp": 587, "smtps": 465}
# RFC 5321, 4.1.2: a local part, quoted or not, and a domain or an address of the net in brackets.
_ONE_ADDRESS = re.compile(
    r"""(?:"(?:[^"\\]|\\.)*"|[^][\s()<>:;,@\\"]+)@(?:\[[^][\s\\]+\]|[^][\s()<>:;,@\\"]+)"""
)
# RFC 5321, 4.2.3: the server is closing down, whatever it was asked.
_CLOSING = 421


class SmtpGateway:
    """Sends through one SMTP server.

    ``url``: `smtps://user:password@host:465` (TLS from the first byte) or `smtp://…:587` (STARTTLS,
    which only a loopback server may do without). Certificates are always verified. ValueError where
    ``url`` can't be used; its text does not repeat the address, which may hold a password.
    """

    channel = "email"

    def __init__(
        self, url: str, sender: str, timeout: float = TIMEOUT_SECONDS, last: float = LAST_SECONDS
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the mail server's address must look like smtp://host:587 or smtps://host:465")
        self._implicit_tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._timeout, self._last = timeout, last
        self._tls = ssl.create_default_context()

    def lane(self, to: str) -> str:
        """Name our own mail server: it takes every message, whoever it is for."""
        return self._host

    def send(self, message: Message) -> Receipt:
        """Send over a connection of its own; accepted means the server took responsibility."""
        wire = _wire(message, self._sender)
        with _explained(_REFUSALS_ON_CONNECT):
            server = self._connect()
        try:
            with _explained(_REFUSALS_ON_CONNECT):
                self._secure(server)
            server.last = self._last
            with _explained(_REFUSALS_ON_SEND), _cut_off(server):
                server.send_message(wire, self._sender, [message.to])
            # The message is taken: trouble with saying goodbye must not send it again.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()
        return Receipt(Handed.ACCEPTED)

    def _connect(self) -> "_Server":
        if self._implicit_tls:
            return _TlsServer(self._host, self._port, timeout=self._timeout, context=self._tls)
        return _Server(self._host, self._port, timeout=self._timeout)

    def _secure(self, server: "_Server") -> None:
        server.ehlo_or_helo_if_needed()
        if not self._implicit_tls:
            self._start_tls(server)
        if self._user:
            server.login(self._user, self._password)

    def _start_tls(self, server: "_Server") -> None:
        offered = server.has_extn("starttls")
        if not offered and not _is_loopback(self._host):
            raise _away("tls")
        if offered:
            server.starttls(context=self._tls)
            server.ehlo()


class _Server(smtplib.SMTP):
    """A conversation that knows whether the recipient was named, and the whole message handed over."""

    named = handed_over = False
    last = LAST_SECONDS
    _reply: "_Reply"

    def send(self, s: Any) -> None:
        """Send; smtplib gives commands as text and the message, to its last dot, as bytes."""
        super().send(s)
        self.handed_over = isinstance(s, bytes)

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """Name the sender."""
        return _plain(super().mail(sender, options))

    def rcpt(self, recip: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """Name the recipient."""
        self.named = True
        return _plain(super().rcpt(recip, options))

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Hand the message over."""
        return _plain(super().data(msg))

    def getreply(self) -> tuple[int, bytes]:
        """Read a reply, all of it in the time that one command has, or the message once it is handed over."""
        if self.file is None:  # as at first, and again under TLS
            assert self.sock is not None
            self._reply = _Reply(self.sock)
            self.file = io.BufferedReader(self._reply)
        self._reply.end = time.monotonic() + (self.last if self.handed_over else self.timeout)
        return super().getreply()


class _Reply(io.RawIOBase):
    """What comes back until ``end``: line by line a server could keep us, and all that waits, for ever."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket, self._patience, self.end = connected, connected.gettimeout(), 0.0

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for bytes; 0 is the end."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        try:
            return self._socket.recv_into(buffer)
        finally:
            self._socket.settimeout(self._patience)  # what is sent next has time of its own


def _plain(reply: tuple[int, bytes]) -> tuple[int, bytes]:
    """Return a yes of any kind as the one that smtplib knows: by RFC 5321, 4.2.1, the first digit says it."""
    code, text = reply
    return (250 if 200 <= code <= 299 else code), text


class _TlsServer(_Server, smtplib.SMTP_SSL):
    """The same with TLS from the first byte."""


@contextmanager
def _cut_off(server: _Server) -> Iterator[None]:
    """Tell what a lost connection means: after the last dot it leaves open whether the message was taken.

    A server that has named nobody yet is away. Later it may be this recipient, whose own server ours asks
    first, or this text that it can't get over: the next message shows, and must not wait for this one.
    """
    try:
        yield
    except OSError as error:
        answered = isinstance(error, smtplib.SMTPException)
        if not server.named or (answered and not isinstance(error, smtplib.SMTPServerDisconnected)):
            raise
        failure = _broken(error)
        failure.away, failure.in_doubt = False, server.handed_over
        raise failure from None


def _wire(message: Message, sender: str) -> EmailMessage:
    wire = EmailMessage()
    # Of "ana,smith@home.example" smtplib may make "ana", whom our own mail server may well know.
    if not _ONE_ADDRESS.fullmatch(message.to):
        raise SendError(True, "address")
    try:
        wire["From"], wire["To"], wire["Subject"] = sender, message.to, message.subject
    except ValueError:
        raise SendError(True, "address") from None
    host = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    # The same at every try: a receiver that got it already can drop the repeat.
    wire["Message-ID"] = f"<{message.id}@{host}>"
    wire["Date"] = format_datetime(message.at)
    # RFC 3834: keeps holiday responders from answering.
    wire["Auto-Submitted"] = "auto-generated"
    wire.set_content(message.text)
    if message.calendar is not None:
        # The method stands in the object and here (RFC 6047, 2.4): without both, programs show a second
        # event.
        wire.add_alternative(
            message.calendar.data.decode(),
            subtype="calendar",
            charset="utf-8",
            params={"method": message.calendar.method},
        )
    return wire


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _by_code(error: smtplib.SMTPResponseException) -> SendError:
    return _refused(error.smtp_code)


def _sender(error: smtplib.SMTPSenderRefused) -> SendError:
    """Our own account or address is the trouble: mended, the server takes the very same message."""
    return SendError(False, "sender", away=error.smtp_code == _CLOSING)


def _recipient(error: smtplib.SMTPRecipientsRefused) -> SendError:
    return _refused(min(code for code, _ in error.recipients.values()))


def _refused(code: int) -> SendError:
    return SendError(500 <= code <= 599, f"refused_{code}", away=code == _CLOSING)


def _away(reason: str) -> SendError:
    """The server is away or we are set up wrongly: nothing is wrong with the message itself."""
    return SendError(False, reason, away=True)


def _broken(error: OSError) -> SendError:
    # smtplib turns a time-out while reading into a lost connection; the cause is kept beside it.
    slow = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    return _away("timeout" if slow else "unreachable")


_Explain = Callable[..., SendError]
# The first kind that fits explains it. While connecting, a refusal is about us and may be mended:
# the message waits. So it is where the sender is not taken, who is the same for every message. Else, while
# sending, it is about this message: 5xx is final (RFC 5321, 4.2.1).
_REFUSALS_ON_CONNECT: Mapping[type[Exception], _Explain] = MappingProxyType(
    {
        smtplib.SMTPAuthenticationError: lambda _: _away("sign_in"),
        smtplib.SMTPServerDisconnected: _broken,
        smtplib.SMTPConnectError: lambda _: _away("unreachable"),
        smtplib.SMTPNotSupportedError: lambda _: _away("sign_in"),
        smtplib.SMTPException: lambda _: _away("tls"),
        ssl.SSLError: lambda _: _away("tls"),
        OSError: _broken,
    }
)
_REFUSALS_ON_SEND: Mapping[type[Exception], _Explain] = MappingProxyType(
    {
        smtplib.SMTPSenderRefused: _sender,
        smtplib.SMTPRecipientsRefused: _recipient,
        smtplib.SMTPResponseException: _by_code,
        smtplib.SMTPNotSupportedError: lambda _: SendError(True, "address"),
        smtplib.SMTPServerDisconnected: _broken,
        OSError: _broken,
        UnicodeEncodeError: lambda _: SendError(True, "address"),
    }
)


@contextmanager
def _explained(table: Mapping[type[Exception], _Explain]) -> Iterator[None]:
    """Turn what smtplib raises into `SendError`; what is not in ``table`` goes on as it is."""
    try:
        yield
    except tuple(table) as error:
        explain = next(explain for kind, explain in table.items() if isinstance(error, kind))
        raise explain(error) from None
