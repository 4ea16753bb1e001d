"""E-mail over SMTP, always the same code: in development its peer is the embedded mailbox."""

import contextlib
import ipaddress
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from types import MappingProxyType
from typing import Protocol
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 10.0
_PORTS = {"smtp": 587, "smtps": 465}
# The server is away or we are set up wrongly: nothing is wrong with the message itself.
_AWAY = frozenset({"unreachable", "timeout", "tls", "sign_in"})


class SendError(Exception):
    """The message was not taken. ``reason`` is a short code, never an address or the server's text.

    ``permanent``: trying again can't help. ``away``: no other message would have been taken either.
    """

    def __init__(self, permanent: bool, reason: str) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.reason = reason

    @property
    def away(self) -> bool:
        """Whether the server, not this message, is the trouble."""
        return self.reason in _AWAY


@dataclass(frozen=True, slots=True)
class Message:
    """One text to one address. A repeat has the same ``message_id`` (`<id@host>`); ``at`` is aware."""

    to: str
    subject: str
    text: str
    message_id: str
    at: datetime


class EmailGateway(Protocol):
    """Whatever sends e-mail."""

    def send(self, message: Message) -> None:
        """Return once the message is taken; else raise `SendError`."""


@dataclass
class RecordingEmailGateway:
    """The twin of tests: keeps what it was given, refuses addresses it was told to refuse."""

    sent: list[Message] = field(default_factory=list)
    refusals: dict[str, SendError] = field(default_factory=dict)

    def send(self, message: Message) -> None:
        """Keep ``message``, or raise the refusal set for its address."""
        if message.to in self.refusals:
            raise self.refusals[message.to]
        self.sent.append(message)


class SmtpGateway:
    """Sends through one SMTP server.

    ``url``: `smtps://user:password@host:465` (TLS from the first byte) or `smtp://…:587` (STARTTLS,
    which only a loopback server may do without). Certificates are always verified. ValueError where
    ``url`` can't be used; its text does not repeat the address, which may hold a password.
    """

    def __init__(self, url: str, sender: str, timeout: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("the mail server's address must look like smtp://host:587 or smtps://host:465")
        self._implicit_tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._timeout = timeout
        self._tls = ssl.create_default_context()

    def send(self, message: Message) -> None:
        """Send over a connection of its own; done means the server took responsibility."""
        wire = _wire(message, self._sender)
        with _explained(_REFUSALS_ON_CONNECT):
            server = self._connect()
        try:
            with _explained(_REFUSALS_ON_CONNECT):
                self._secure(server)
            with _explained(_REFUSALS_ON_SEND):
                server.send_message(wire, self._sender, [message.to])
            # The message is taken: trouble with saying goodbye must not send it again.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()

    def _connect(self) -> smtplib.SMTP:
        if self._implicit_tls:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(self._host, self._port, timeout=self._timeout)

    def _secure(self, server: smtplib.SMTP) -> None:
        server.ehlo_or_helo_if_needed()
        if not self._implicit_tls:
            self._start_tls(server)
        if self._user:
            server.login(self._user, self._password)

    def _start_tls(self, server: smtplib.SMTP) -> None:
        offered = server.has_extn("starttls")
        if not offered and not _is_loopback(self._host):
            raise SendError(False, "tls")
        if offered:
            server.starttls(context=self._tls)
            server.ehlo()


def _wire(message: Message, sender: str) -> EmailMessage:
    wire = EmailMessage()
    try:
        wire["From"], wire["To"], wire["Subject"] = sender, message.to, message.subject
    except ValueError:
        raise SendError(True, "address") from None
    wire["Message-ID"] = message.message_id
    wire["Date"] = format_datetime(message.at)
    # RFC 3834: keeps holiday responders from answering.
    wire["Auto-Submitted"] = "auto-generated"
    wire.set_content(message.text)
    return wire


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _by_code(error: smtplib.SMTPResponseException) -> SendError:
    return _refused(error.smtp_code)


def _recipient(error: smtplib.SMTPRecipientsRefused) -> SendError:
    return _refused(min(code for code, _ in error.recipients.values()))


def _refused(code: int) -> SendError:
    return SendError(500 <= code <= 599, f"refused_{code}")


def _broken(error: OSError) -> SendError:
    # smtplib turns a time-out while reading into a lost connection; the cause is kept beside it.
    slow = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    return SendError(False, "timeout" if slow else "unreachable")


_Explain = Callable[..., SendError]
# The first kind that fits explains it. While connecting, a refusal is about us and may be mended:
# the message waits. While sending, it is about this message: 5xx is final (RFC 5321, 4.2.1).
_REFUSALS_ON_CONNECT: Mapping[type[Exception], _Explain] = MappingProxyType(
    {
        smtplib.SMTPAuthenticationError: lambda _: SendError(False, "sign_in"),
        smtplib.SMTPServerDisconnected: _broken,
        smtplib.SMTPConnectError: lambda _: SendError(False, "unreachable"),
        smtplib.SMTPNotSupportedError: lambda _: SendError(False, "sign_in"),
        smtplib.SMTPException: lambda _: SendError(False, "tls"),
        ssl.SSLError: lambda _: SendError(False, "tls"),
        OSError: _broken,
    }
)
_REFUSALS_ON_SEND: Mapping[type[Exception], _Explain] = MappingProxyType(
    {
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
