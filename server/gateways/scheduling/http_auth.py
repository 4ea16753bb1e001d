"""How the generic HTTP kind signs in: a token, a password, a key in a header, or a signature of each body."""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from server.gateways.scheduling.members import Members

KINDS = ("none", "bearer", "basic", "header", "hmac")
ENCODINGS = ("hex", "base64")

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)  # a header's name, RFC 9110
_PLAIN = re.compile(r"[!-~]([ -~]*[!-~])?", re.ASCII)  # what may stand in one
# Ours to set, or of the connection.
_OURS = frozenset(
    {
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "idempotency-key",
        "if-match",
    }
)


@dataclass(frozen=True, slots=True)
class Auth:
    """``header`` holds ``secret`` as it stands, or its signature of the body where ``encoding`` is set."""

    header: str = ""
    secret: str = field(default="", repr=False)
    encoding: str = ""

    def headers(self, body: bytes) -> Mapping[str, str]:
        """Return what a request with ``body`` is signed in with; no body is signed as an empty one."""
        if not self.header:
            return {}
        if not self.encoding:
            return {self.header: self.secret}
        digest = hmac.digest(self.secret.encode(), body, "sha256")
        return {self.header: digest.hex() if self.encoding == "hex" else base64.b64encode(digest).decode()}


def read_auth(members: Members) -> Auth:
    """Read `auth`; raise ValueError where it can't be used."""
    kind = members.choice("kind", KINDS)
    members.only("kind", *_MEMBERS[kind])
    if kind == "none":
        return Auth()
    if kind == "bearer":
        return Auth("Authorization", f"Bearer {_plain(members, 'token')}")
    if kind == "basic":
        account = f"{members.text('user')}:{members.text('password')}".encode()
        if ":" in members.text("user"):
            members.fail("user", "must hold no colon: it ends the name")
        return Auth("Authorization", f"Basic {base64.b64encode(account).decode()}")
    if kind == "header":
        return Auth(_header(members, "header"), _plain(members, "secret"))
    encoding = members.choice("encoding", ENCODINGS)
    return Auth(_header(members, "header"), members.text("secret"), encoding)


_MEMBERS = {
    "none": (),
    "bearer": ("token",),
    "basic": ("user", "password"),
    "header": ("header", "secret"),
    "hmac": ("header", "secret", "encoding"),
}


def read_headers(members: Members) -> Mapping[str, str]:
    """Read `headers`: what is sent with every request as it stands."""
    if "headers" not in members:
        return {}
    headers = members.inside("headers")
    for name in headers.names():
        if name.lower() in _OURS | {"authorization"} or not _TOKEN.fullmatch(name):
            headers.fail(name[:50], "is no header that can be set")
    return {name: _plain(headers, name) for name in headers.names()}


def _header(members: Members, name: str) -> str:
    header = members.text(name)
    if header.lower() in _OURS or not _TOKEN.fullmatch(header):
        members.fail(name, "must be the name of a header")
    return header


def _plain(members: Members, name: str) -> str:
    value = members.text(name)
    if not _PLAIN.fullmatch(value):
        members.fail(name, "must be printable ASCII")
    return value
