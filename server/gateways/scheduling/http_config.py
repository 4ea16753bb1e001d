"""The settings of the generic HTTP kind, read once and checked: every reason names the member."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from jsonpointer import JsonPointer, JsonPointerException

from server.clinical.vocabulary import DeclineCode, PeerStatus
from server.clinical.zones import ZONES
from server.gateways.scheduling.http_answer import TIMES, Clock, Pointers
from server.gateways.scheduling.http_auth import Auth, read_auth, read_headers
from server.gateways.scheduling.http_template import (
    ADDRESS_NAMES,
    check_body,
    check_names,
    names_in,
)
from server.gateways.scheduling.members import Members
from server.gateways.scheduling.port import Config

OPERATIONS = ("suggest", "update", "find", "fetch", "withdraw", "slots")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ENCODINGS = ("json", "form")

_VISIT = ("external_id", "status", "starts_at", "ends_at", "version", "changed_at", "decline")
_MEMBERS = {"find": ("external_id", "reference"), "slots": ("external_id", "starts_at", "ends_at", "link")}
# What an operation must find, or it says nothing.
_NEEDED = {"find": ("external_id", "reference"), "slots": ("starts_at",), "fetch": ("status",)}
_OK = {"suggest": [200, 201], "withdraw": [200, 202, 204], "update": [200, 202, 204]}
_PATH = re.compile(r"/[A-Za-z0-9_.~!$&'()*+,;=:@/{}-]*", re.ASCII)

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Operation:
    """One request and how its answer is read. ``gone``: the statuses that say there is no such visit."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    ok: frozenset[int]
    gone: frozenset[int]
    items: JsonPointer | None
    pointers: Pointers

    def needs_external_id(self) -> bool:
        """Return whether it can be asked only with the system's own id."""
        return "external_id" in names_in([self.path, dict(self.query), self.body])


@dataclass(frozen=True, slots=True)
class EventMap:
    """How a message of theirs is read."""

    encoding: str
    items: JsonPointer | None
    pointers: Pointers


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. ``once``: it makes one visit of the same `Idempotency-Key`, however often it is sent."""

    base_url: str
    auth: Auth
    headers: Mapping[str, str]
    operations: Mapping[str, Operation]
    statuses: Mapping[str, PeerStatus]
    declines: Mapping[str, DeclineCode]
    clock: Clock
    event: EventMap | None
    once: bool


def read(config: Config, allow_loopback: bool = False) -> Settings:
    """Read the settings; raise ValueError, with a reason that names the member, where they can't be used."""
    members = Members(config)
    known = ("base_url", "auth", "headers", "operations", "statuses", "declines", "times", "zone", "event")
    members.only(*known, "once")
    settings = Settings(
        base_url=members.address("base_url", allow_loopback),
        auth=read_auth(members.inside("auth")),
        headers=read_headers(members),
        operations=_operations(members.inside("operations")),
        statuses=_words(members, "statuses", PeerStatus),
        declines=_words(members, "declines", DeclineCode) if "declines" in members else {},
        clock=_clock(members),
        event=_event(members.inside("event")) if "event" in members else None,
        once=_flag(members, "once"),
    )
    if PeerStatus.BOOKED not in settings.statuses.values():
        members.fail("statuses", "needs a word that means booked")
    if not settings.once and "find" not in settings.operations:
        # Without either, an answer that is lost makes a second visit.
        members.fail("operations", "needs find, unless once says that an Idempotency-Key is honoured")
    return settings


def _operations(members: Members) -> Mapping[str, Operation]:
    members.only(*OPERATIONS)
    for name in ("suggest", "fetch"):
        if name not in members:
            members.fail(name, "must be there")
    found = {name: _operation(name, members.inside(name)) for name in members.names()}
    if found["suggest"].needs_external_id():
        members.fail("suggest", "can't name {external_id}: there is none yet")
    if "find" in found and found["find"].needs_external_id():
        members.fail("find", "can't name {external_id}: it is what is looked for")
    return MappingProxyType(found)


def _operation(name: str, members: Members) -> Operation:
    members.only("method", "path", "query", "body", "ok", "gone", "items", "result")
    reading = name in ("find", "fetch", "slots")
    operation = Operation(
        method=members.choice("method", METHODS, "GET" if reading else None),
        path=_path(members),
        query=_query(members),
        body=_body(members),
        ok=_numbers(members, "ok", _OK.get(name, [200])),
        gone=_numbers(members, "gone", [404, 410] if name in ("fetch", "withdraw") else []),
        items=_pointer(members, "items") if "items" in members else None,
        pointers=_pointers(members, _MEMBERS.get(name, _VISIT), _NEEDED.get(name, ())),
    )
    if (operation.items is None) == (name in ("find", "slots")):
        members.fail("items", f"must {'' if name in ('find', 'slots') else 'not '}be there")
    return operation


def _path(members: Members) -> str:
    path = members.text("path")
    if not _PATH.fullmatch(path) or ".." in path:
        members.fail("path", "must begin with / and hold letters, digits and places, without a query")
    _named(members, "path", path)
    return path


def _query(members: Members) -> Mapping[str, str]:
    if "query" not in members:
        return {}
    query = members.inside("query")
    for name in query.names():
        _named(query, name, query.text(name, ""))
    return {name: query.text(name, "") for name in query.names()}


def _named(members: Members, name: str, text: str) -> None:
    try:
        check_names(text, ADDRESS_NAMES)
    except ValueError as refusal:
        members.fail(name, str(refusal))


def _body(members: Members) -> Any:
    body = members.value("body")
    try:
        check_body(body)
    except ValueError as refusal:
        members.fail("body", str(refusal))
    return body


def _numbers(members: Members, name: str, default: list[int]) -> frozenset[int]:
    raw = members.value(name, default)
    if not isinstance(raw, list) or not all(isinstance(n, int) and 200 <= n <= 499 for n in raw):
        members.fail(name, "must be a list of HTTP statuses")
    if name == "ok" and (not raw or not all(200 <= n <= 299 for n in raw)):
        members.fail(name, "must be statuses from 200 to 299, at least one")
    return frozenset(raw)


def _pointers(members: Members, known: tuple[str, ...], needed: tuple[str, ...]) -> Pointers:
    result = members.inside("result") if needed or "result" in members else Members({})
    result.only(*known)
    for name in needed:
        if name not in result:
            result.fail(name, "must be there")
    return {name: _pointer(result, name) for name in result.names()}


def _pointer(members: Members, name: str) -> JsonPointer:
    try:
        return JsonPointer(members.text(name, ""))
    except JsonPointerException:
        members.fail(name, "must be a JSON pointer, as /data/id (RFC 6901)")


def _words(members: Members, name: str, ours: type[E]) -> Mapping[str, E]:
    table = members.inside(name)
    words = {word: ours(table.choice(word, tuple(ours))) for word in table.names()}
    if not words:
        members.fail(name, "must hold at least one word of theirs")
    return MappingProxyType(words)


def _clock(members: Members) -> Clock:
    zone = members.text("zone", "")
    if zone and zone not in ZONES:
        members.fail("zone", "must be a zone's name, as Europe/Oslo")
    return Clock(members.choice("times", TIMES, "iso"), zone)


def _event(members: Members) -> EventMap:
    members.only("encoding", "items", "external_id", "suggestion_id", "changed_at")
    encoding = members.choice("encoding", ENCODINGS, "json")
    names = [name for name in members.names() if name not in ("encoding", "items")]
    pointers = {name: _pointer(members, name) for name in names}
    if not {"external_id", "suggestion_id"} & set(pointers):
        members.fail("external_id", "must be there, or suggestion_id")
    return EventMap(encoding, _pointer(members, "items") if "items" in members else None, pointers)


def _flag(members: Members, name: str) -> bool:
    value = members.value(name, False)
    if not isinstance(value, bool):
        members.fail(name, "must be true or false")
    return value
