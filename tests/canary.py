"""Marks that stand for what people type: one for every text member of the contract, found again anywhere.

A mark is `canary0017`: a word that no part of the system has of its own. It stands at both ends of what
is typed, so that a text which is cut still shows one.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote_plus

import yaml

from tests.source import ROOT

WORD = "canary"
# A telephone number has room for digits only; this beginning is nobody's.
NUMBER = "+9907311840"
# By name: what the server has made and the client gives back, or a word of a short list of the server's.
# Those are not typed. `test_canary` sees to it that none of them takes a text.
GIVEN = frozenset(
    {
        *("clinic", "refresh_token", "cursor", "occurrence", "instrument", "steps", "p256dh"),
        *("ticket", "recovery_code", "totp", "device_token"),
    }
)
# What a browser makes of a passkey: bytes, and what a server asked for.
MADE_BY_BROWSERS = frozenset({"credential", "passkey"})
GIVEN_PLACES = frozenset(
    {
        "post /v1/enrolments /code",
        "post /v1/alerts/{alert_id}/feedback /code",
        "post /v1/recoveries/redeem /code",
        # The name that somebody else has typed, to say who is meant.
        "post /v1/patients/{patient_id}/erasure/confirm /patient_name",
        "post /v1/cared-for /code",
        "post /v1/me/contact-points/{contact_id}/verify /code",
    }
)
# Said twice, and the same: who signs in is who enrolled.
CREDENTIALS = {
    "email": "email",
    "word": "word",
    "proof": "word",
    **dict.fromkeys(("password", "current_password", "new_password"), "password"),
}
# Spellings under which people type what they like.
PLAIN = frozenset({"Line", "Words", "Lines", "Reason"})
# Left out of a body that does not have them: they go with another member's value only.
NEVER_ADDED = frozenset({"number", "password", "ticket", "recovery_code", "totp"})


@cache
def contract() -> Mapping[str, Any]:
    """Return the contract."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times as fast
    found: Mapping[str, Any] = yaml.load((ROOT / "openapi.yaml").read_text("utf-8"), loader)
    return found


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a request body: its operation, the steps to it, and its schema.

    A step `*` is any element of a list, or any name of a map.
    """

    operation: str
    steps: tuple[str, ...]
    schema: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where it stands, as a text."""
        return f"{self.operation} /{'/'.join(self.steps)}"

    @property
    def name(self) -> str:
        """Its own name: the last step that has one."""
        return next(step for step in reversed(self.steps) if step != "*")

    @property
    def is_text(self) -> bool:
        """Whether the contract lets people type here what they like."""
        known = {"enum", "const"} & self.schema.keys() or self.name in {*GIVEN, "zone", "locale", "country"}
        shaped = self.schema.get("format") in ("date-time", "date", "uuid", "local-date-time")
        clock = "[0-5][0-9]" in self.schema.get("pattern", "")
        made = bool(MADE_BY_BROWSERS & {*self.steps})
        return not (known or shaped or clock or made or self.place in GIVEN_PLACES)


def operations() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every operation of the contract with what is said of it."""
    for path, item in contract()["paths"].items():
        for method in sorted(item.keys() - {"parameters"}):
            yield f"{method} {path}", item[method]


@cache
def members() -> Mapping[str, Sequence[Member]]:
    """Return the members of every request body that hold text of any kind, by operation."""
    return {
        operation: [Member(operation, *found) for found in _below(content["schema"], ())]
        for operation, said in operations()
        for kind, content in said.get("requestBody", {}).get("content", {}).items()
        if kind == "application/json"
    }


def every_member() -> Iterator[Member]:
    """Yield the members of all request bodies that hold text of any kind."""
    return (member for found in members().values() for member in found)


def example(operation: str) -> Any:
    """Return the example of a request that the contract shows."""
    (content,) = dict(operations())[operation]["requestBody"]["content"].values()
    return content["example"]


def _below(schema: Mapping[str, Any], steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    while "$ref" in schema:
        name, beside = schema["$ref"].rpartition("/")[2], {**schema}
        del beside["$ref"]
        schema = {**contract()["components"]["schemas"][name], **beside, "called": name}
    length = {key: schema[key] for key in ("maxLength",) if key in schema}
    # Beside members they only say which of them go together.
    for kind in ("oneOf", "anyOf", "allOf") if "properties" not in schema else ():
        for one in schema.get(kind, ()):
            yield from _below({**length, **one}, steps)
    if "string" in schema.get("type", ()):
        yield steps, schema
    for name, member in schema.get("properties", {}).items():
        yield from _below(member, (*steps, name))
    for any_of_them in (schema.get("items"), schema.get("additionalProperties")):
        if isinstance(any_of_them, dict):
            yield from _below(any_of_them, (*steps, "*"))


@dataclass
class Marks:
    """The marks handed out: which text stands for which place."""

    places: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    planted_places: set[str] = field(default_factory=set)

    def text(self, place: str, schema: Mapping[str, Any]) -> str:
        """Return the text to type at ``place``, always the same."""
        if place not in self.texts:
            mark = f"{WORD}{len(self.texts):04}"
            self.texts[place] = _typed(mark, schema)
            self.places[mark] = place
        return self.texts[place]

    def planted(self, operation: str, body: Any) -> Any:
        """Return ``body`` with every text replaced by its mark, and with the texts it left out."""
        for member in members()[operation] if body is not None else ():
            if member.is_text:
                place = member.place
                if member.name in CREDENTIALS and member.name in body:
                    place = f"the {CREDENTIALS[member.name]} of {body[member.name]}"
                self.planted_places.add(member.place)
                body = put(body, member.steps, self.text(place, member.schema))
        return body


def _typed(mark: str, schema: Mapping[str, Any]) -> str:
    kind, number = schema.get("format"), mark.removeprefix(WORD)
    if schema.get("called") == "Email":
        return f"{mark}@{mark}.example"
    if schema.get("pattern", "").startswith("^[A-Za-z0-9_-]"):  # a browser's secret: 16 bytes of base64url
        return base64.urlsafe_b64encode(f"{mark}-auth"[:16].ljust(16, "-").encode()).decode().rstrip("=")
    if "pattern" in schema and schema.get("called") not in PLAIN:
        return NUMBER + number
    if kind == "password":  # not what a name looks like: that would be too easy to guess
        return f"{mark} opens a single lonely door: {mark}"
    if kind == "uri":
        return f"https://hooks.example.org/{mark}?{mark}"
    return mark if schema["maxLength"] < 60 else f"{mark} is 50% “sad” & wörn out: {mark}"


def put(body: Any, steps: tuple[str, ...], text: Any, make: bool = False) -> Any:
    """Return ``body`` with ``text`` at ``steps``, where what they lead through is there, or with ``make``."""
    if not steps:
        return text
    step, *rest = steps
    if step == "*" and isinstance(body, dict):
        return {name: put(one, tuple(rest), text, make) for name, one in (body or {"x": None}).items()}
    if step == "*":
        return [put(one, tuple(rest), text, make) for one in (body or [None])]
    if not isinstance(body, dict | None):
        return body
    known = dict(body or {})
    if step in known or make or (not rest and step not in NEVER_ADDED):
        known[step] = put(known.get(step), tuple(rest), text, make)
    return known


def _encoded(word: str) -> Iterator[str]:
    yield re.escape(word)
    yield word.encode().hex()
    # In base64 a word looks in three ways, by where it stands; its edges mix with what is beside it.
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + word.encode()).decode().rstrip("=")
        sure = whole[-(-before * 8 // 6) : (before + len(word)) * 8 // 6]
        yield f"(?-i:{re.escape(sure)})"


_FOUND = re.compile(rf"(?:{'|'.join((*_encoded(WORD), *_encoded(NUMBER[1:])))})\d{{0,4}}", re.IGNORECASE)


def leaks(text: str) -> list[str]:
    """Return every mark in ``text`` with what stands around it: plain, in any case, URL-encoded, in base64,
    in hexadecimal, broken into lines or quoted apart.
    """
    glued = re.sub(r"""[\s"'+,=\\]+""", "", text)
    found = {form: _FOUND.search(form) for form in dict.fromkeys((text, unquote_plus(text), glued))}
    return [form[max(0, at.start() - 60) : at.end() + 40] for form, at in found.items() if at]
