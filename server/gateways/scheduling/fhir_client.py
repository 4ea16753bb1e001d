"""A FHIR R4 server as a client sees it: read, search, create unless it is there, update what was read."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from server.clinical.visit import NO_TEXT
from server.fhir.identifiers import Resource
from server.gateways.egress import Egress
from server.gateways.exchange import Reply, Request, refusal
from server.gateways.message import SendError
from server.gateways.scheduling.json_reply import read_object

MOST_PAGES = 5
_FHIR = "application/fhir+json"
_GONE = frozenset({404, 410})
# Sent again, these get the same answer: a person has to look.
_FINAL = frozenset({400, 403, 404, 405, 406, 410, 413, 415, 422})
_CHANGED = frozenset({409, 412})


class SignIn(Protocol):
    """How we are let in."""

    def headers(self, now: datetime) -> Mapping[str, str]:
        """Return what goes with every request."""
        ...

    def renew(self) -> bool:
        """What it gave was refused: return whether there may be something newer."""
        ...


class Changed(Exception):
    """Somebody else changed it since it was read."""


class FixedToken:
    """A bearer token that never changes, or none at all."""

    def __init__(self, token: str | None = None) -> None:
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def headers(self, now: datetime) -> Mapping[str, str]:
        """Return the token."""
        return self._headers

    def renew(self) -> bool:
        """There is no other one."""
        return False


class FhirClient:
    """Talks to the server at ``base_url``, and to no other place. Every call may raise `SendError`."""

    def __init__(self, egress: Egress, base_url: str, sign_in: SignIn) -> None:
        self._egress, self._base_url, self._sign_in = egress, base_url, sign_in

    def read(self, kind: str, name: str, now: datetime) -> Resource | None:
        """Return the resource; None where it is not (any more)."""
        reply = self._send("GET", f"{kind}/{name}", None, now)
        if reply.status in _GONE:
            return None
        return _resource(_fine(reply, now), kind)

    def search(self, kind: str, asked: list[tuple[str, str]], now: datetime) -> Iterator[Resource]:
        """Yield the Bundles of the answer, page after page, at most `MOST_PAGES`."""
        url: str | None = f"{kind}?{urlencode(asked)}"
        for _ in range(MOST_PAGES):
            if url is None:
                return
            reply = self._send("GET", url, None, now)
            page = _resource(_fine(reply, now), "Bundle")
            yield page
            url = self._next(page)

    def create(self, resource: Resource, unless: str, now: datetime) -> Resource | None:
        """Make it, unless a search for ``unless`` finds one; return what is there then, if it is told."""
        kind = resource["resourceType"]
        reply = self._send("POST", kind, resource, now, {"If-None-Exist": unless})
        if reply.status == 412:
            raise SendError(True, "ambiguous")
        return _told(_fine(reply, now), kind)

    def update(self, resource: Resource, now: datetime) -> Resource | None:
        """Replace what was read; raise `Changed` where it is not the same any more."""
        kind, name = resource["resourceType"], resource["id"]
        version = resource.get("meta", {}).get("versionId")
        condition = {"If-Match": f'W/"{version}"'} if version else {}
        reply = self._send("PUT", f"{kind}/{name}", resource, now, condition)
        if reply.status in _CHANGED:
            raise Changed
        return _told(_fine(reply, now), kind)

    def transact(self, bundle: Resource, now: datetime) -> None:
        """Do all that is in ``bundle``, or nothing."""
        reply = self._send("POST", "", bundle, now)
        if reply.status == 412:
            raise SendError(True, "ambiguous")
        answer = _resource(_fine(reply, now), "Bundle")
        for entry in answer.get("entry", []):
            _check_entry(entry)

    def _next(self, page: Resource) -> str | None:
        links = page.get("link", [])
        named = (link for link in links if isinstance(link, Mapping) and link.get("relation") == "next")
        url = next((link.get("url") for link in named), None)
        if not isinstance(url, str):
            return None
        # Our token goes with every request: it must not be led anywhere else.
        whole = urljoin(f"{self._base_url}/", url)
        base, there = urlsplit(self._base_url), urlsplit(whole)
        inside = there.path == base.path or there.path.startswith(f"{base.path}/")
        if (
            (there.scheme, there.netloc) != (base.scheme, base.netloc)
            or not inside
            or ".." in unquote(there.path)
        ):
            raise SendError(True, "led_elsewhere")
        return whole

    def _send(
        self, method: str, path: str, body: Resource | None, now: datetime, extra: Mapping[str, str] = NO_TEXT
    ) -> Reply:
        url = path if path.startswith(("https:", "http:")) else f"{self._base_url}/{path}".rstrip("/")
        raw = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Accept": _FHIR, "Prefer": "return=representation", **extra}
        if body is not None:
            headers["Content-Type"] = _FHIR
        return self._let_in(
            lambda more: self._egress.send(url, Request(method, {**headers, **more}, raw)), now
        )

    def _let_in(self, send: Callable[[Mapping[str, str]], Reply], now: datetime) -> Reply:
        reply = send(self._sign_in.headers(now))
        if reply.status == 401 and self._sign_in.renew():
            reply = send(self._sign_in.headers(now))
        if reply.status == 401:
            # The key or the token is the trouble: nothing gets through to them until a person looks.
            raise SendError(False, "unauthorized", away=True)
        return reply


def _fine(reply: Reply, now: datetime) -> Reply:
    if not 200 <= reply.status <= 299:
        failure = refusal(reply, now, permanent=_FINAL)
        # A server that broke down in the middle may have done it all the same.
        failure.in_doubt = reply.status >= 500
        raise failure
    return reply


def _resource(reply: Reply, kind: str) -> Resource:
    found = read_object(reply)
    if found.get("resourceType") != kind:
        raise SendError(True, "unreadable")
    return _named(found, reply)


def _told(reply: Reply, kind: str) -> Resource | None:
    """Return the resource, if that is what they answered: some say nothing, or only that all is well."""
    if not reply.body.strip():
        return None
    found = read_object(reply)
    return _named(found, reply) if found.get("resourceType") == kind else None


def _named(found: Resource, reply: Reply) -> Resource:
    """Give it its version from the header, where the server says it only there (R4, 3.1.0.1.5)."""
    version = reply.headers.get("etag", "").removeprefix("W/").strip('"')
    meta = found.get("meta")
    told = meta if isinstance(meta, dict) else {}
    return {**found, "meta": {"versionId": version, **told}} if version else found


def _check_entry(entry: Resource) -> None:
    status = str(entry.get("response", {}).get("status", ""))[:3]
    if status == "412":
        raise SendError(True, "ambiguous")
    if not status.startswith("2"):
        raise SendError(True, f"refused_{status}" if status.isdigit() else "unreadable")
