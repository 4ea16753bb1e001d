"""One HTTP exchange that ends in time, whatever the far end does: slow, endless, silent or gone."""

import io
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import Any

from server.gateways.message import SendError

# A name with several addresses, one of which is dead: the second one gets its chance.
_ADDRESSES_TRIED = 2
_RESOLVER_SECONDS = 3.0
_BUSY = frozenset({429, 503})
_AWAY = _BUSY | {502, 504}

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until connected (with TLS), seconds in all, and the most bytes of a reply that are read."""

    connect: float = 3.0
    total: float = 15.0
    reply_bytes: int = 65_536


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: ``host`` names it (certificate, Host), ``addresses`` are what is connected to."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: Sequence[str]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a target: method, headers, body."""

    method: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. ``headers`` have small letters. ``body``, up to the limit, is for us to read only:
    nobody at a clinic may ever see what a stranger's server said. ``whole``: it was not cut off.
    """

    status: int
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    whole: bool = True


class Exchange:
    """Sends to a target over a connection of its own, within ``limits``. No redirect, no proxy."""

    def __init__(self, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        self.limits = limits
        self._tls = tls or _system_tls()

    def deadline(self) -> float:
        """Return when an exchange that begins now must be over, on the monotonic clock."""
        return time.monotonic() + self.limits.total

    def post(self, target: Target, headers: Mapping[str, str], body: bytes, end: float) -> Reply:
        """Return the status; raise `SendError` where there was none at the deadline ``end``."""
        return self.send(target, Request("POST", headers, body), end)

    def send(self, target: Target, request: Request, end: float) -> Reply:
        """Return what came back; raise `SendError` where there was no status at the deadline ``end``."""
        line = _Line(self._connected(target, end), end, self.limits.reply_bytes)
        connection = HTTPConnection(target.host, target.port)
        connection.sock = line
        connection.auto_open = 0  # it must never connect by name, past what was checked
        named = {"Host": _authority(target), "User-Agent": "afterglow", **request.headers}
        try:
            with _explained(in_doubt=False):
                connection.request(request.method, target.path, request.body or None, named)
            with _explained(in_doubt=True):
                response = connection.getresponse()
            body, ended = _drained(response, self.limits.reply_bytes)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, headers.get("retry-after"), headers, body, ended and not line.cut)
        finally:
            connection.close()
            line.hang_up()

    def _connected(self, target: Target, end: float) -> socket.socket:
        failure = SendError(False, "unreachable", away=True)
        for address in target.addresses[:_ADDRESSES_TRIED]:
            found = self._tried(target, address, end)
            if not isinstance(found, SendError):
                return found
            failure = found
        raise failure

    def _tried(self, target: Target, address: str, end: float) -> socket.socket | SendError:
        try:
            with _explained(in_doubt=False):
                return self._connect(target, address, end)
        except SendError as failure:
            return failure

    def _connect(self, target: Target, address: str, end: float) -> socket.socket:
        end = min(end, time.monotonic() + self.limits.connect)
        plain = socket.create_connection((address, target.port), _left(end))
        if target.scheme == "http":
            return plain
        try:
            plain.settimeout(_left(end))
            return self._tls.wrap_socket(plain, server_hostname=target.host)
        except BaseException:
            plain.close()
            raise


@cache
def _system_tls() -> ssl.SSLContext:
    # Reading the system's authorities takes longer than most exchanges.
    return ssl.create_default_context()


def resolve(host: str, port: int, seconds: float = _RESOLVER_SECONDS) -> Sequence[str]:
    """Return the addresses of ``host``, in the system's order; raise `SendError`."""
    found: queue.SimpleQueue[Sequence[str] | None] = queue.SimpleQueue()
    # The system's resolver has no time-out of its own that we could set.
    threading.Thread(target=_ask, args=(host, port, found), daemon=True).start()
    try:
        addresses = found.get(timeout=seconds)
    except queue.Empty:
        addresses = None
    if not addresses:
        raise SendError(False, "unresolved", away=True)
    return addresses


def refusal(
    reply: Reply, now: datetime, gone: Collection[int] = (), permanent: Collection[int] = ()
) -> SendError:
    """Return what a status other than the hoped for means: try again, unless it is among those given."""
    status = reply.status
    if 300 <= status <= 399:
        return SendError(False, "redirected")
    return SendError(
        permanent=status in gone or status in permanent,
        reason=f"refused_{status}",
        away=status in _AWAY,
        retry_after=_asked_wait(reply.retry_after, now) if status in _BUSY else None,
        gone=status in gone,
    )


def _asked_wait(raw: str | None, now: datetime) -> timedelta | None:
    """Read a Retry-After header: seconds, or a date (RFC 9110, 10.2.3); None where it is neither."""
    if raw is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", raw.strip(), re.ASCII):
        return timedelta(seconds=int(raw))
    try:
        at = parsedate_to_datetime(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now


def _ask(host: str, port: int, found: "queue.SimpleQueue[Sequence[str] | None]") -> None:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found.put(list(dict.fromkeys(str(row[4][0]) for row in rows)))
    except (OSError, UnicodeError):
        found.put(None)


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _authority(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = {"http": 80, "https": 443}[target.scheme]
    return host if target.port == usual else f"{host}:{target.port}"


def _drained(response: HTTPResponse, most: int) -> tuple[bytes, bool]:
    """Return the body as far as it came, and whether it ended as it should.

    The status counts, whatever happens to the rest; reading it lets an honest server end well.
    """
    try:
        body = response.read(most)
        # Asked for a number of bytes, http.client does not mind that fewer came than were promised.
        return body, not response.length
    except IncompleteRead as cut:
        return cut.partial, False
    except (OSError, HTTPException):
        return b"", False


@contextmanager
def _explained(in_doubt: bool) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise SendError(False, "timeout", away=True, in_doubt=in_doubt) from None
    except ssl.SSLError:
        raise SendError(False, "tls", away=True, in_doubt=in_doubt) from None
    except (OSError, HTTPException, ValueError):
        raise SendError(False, "unreachable", away=True, in_doubt=in_doubt) from None


class _Line:
    """What http.client needs of a socket. Every wait ends at ``end``, however slowly bytes trickle in."""

    def __init__(self, connected: socket.socket, end: float, most: int) -> None:
        self._socket, self._end, self._most = connected, end, most
        self._incoming: _Incoming | None = None

    @property
    def cut(self) -> bool:
        """Whether more came back than is read."""
        return self._incoming is not None and self._incoming.used_up

    def sendall(self, data: bytes) -> None:
        """Send all of ``data`` in the time that is left."""
        self._socket.settimeout(_left(self._end))
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Give what comes back, up to the most that is read."""
        self._incoming = _Incoming(self._socket, self._end, self._most)
        return io.BufferedReader(self._incoming)

    def close(self) -> None:
        """Keep the line: http.client closes it as soon as it has read that the far end will, body or not."""

    def hang_up(self) -> None:
        """End the call."""
        self._socket.close()


class _Incoming(io.RawIOBase):
    """The bytes of a reply, until the time or the allowance is used up."""

    def __init__(self, connected: socket.socket, end: float, most: int) -> None:
        self._socket, self._end, self._allowance = connected, end, most

    @property
    def used_up(self) -> bool:
        """Whether the allowance is gone."""
        return self._allowance <= 0

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for bytes; 0 is the end."""
        room = memoryview(buffer)[: max(self._allowance, 0)]
        self._socket.settimeout(_left(self._end))
        read = self._socket.recv_into(room) if room else 0
        self._allowance -= read
        return read
