"""Every request of docs/mobile.md is sent, in order, and gets the answer that is shown there."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Flask

from tests.cast import Cast
from tests.source import ROOT
from tests.visits import COURSE

FENCE = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
NAMED = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class Message:
    """One fenced example: its first line, its headers and its body."""

    first: str
    headers: dict[str, str]
    body: Any

    @staticmethod
    def read(text: str) -> "Message":
        """Read an example."""
        head, _, body = text.partition("\n\n")
        first, *headers = head.strip().split("\n")
        pairs = (line.partition(": ") for line in headers)
        return Message(first, {name: value for name, _, value in pairs}, json.loads(body) if body else None)


def examples() -> Iterator[tuple[str, str]]:
    """Yield each request of the guide with the answer shown below it."""
    found = FENCE.findall((ROOT / "docs" / "mobile.md").read_text("utf-8"))
    return zip(found[::2], found[1::2], strict=True)


def filled(text: str, known: dict[str, str]) -> str:
    """Return ``text`` with each `<name>` replaced by what an answer before said."""
    return NAMED.sub(lambda name: known[name[1]], text)


def shown(expected: Any, found: Any) -> bool:
    """Return whether ``found`` has everything that is shown; lists are compared whole, in order."""
    if expected == ANYTHING:
        return found is not None
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(k in found and shown(v, found[k]) for k, v in expected.items())
    if isinstance(expected, list):
        return len(expected) == len(found) and all(map(shown, expected, found))
    return bool(expected == found)


def treat(cast: Cast, patient: str) -> None:
    """Plan a session of the guide's patient for the day after."""
    course = cast.bo.post(f"{patient}/courses", COURSE).json["id"]
    wanted = {"course_id": course, "status": "planned", "at": "2026-03-03T10:00:00+01:00"}
    assert cast.bo.post(f"{patient}/treatment-sessions", wanted).status_code == 201


def test_every_example_of_the_guide_gets_the_answer_it_shows(app: Flask, cast: Cast) -> None:
    patient = cast.coordinator.post("/patients", {"name": "Ana", "zone": "Europe/Oslo"})
    invitation = cast.coordinator.post(f"/patients/{patient.json['id']}/invitations")
    treat(cast, f"/patients/{patient.json['id']}")
    known = {"code": invitation.json["code"]}
    client = app.test_client()
    count = 0
    for asked, answered in examples():
        request = Message.read(filled(asked, known))
        expected = Message.read(answered)
        method, path = request.first.split(" ")
        answer = client.open(path, method=method, headers=request.headers, json=request.body)
        assert answer.status_code == int(expected.first), f"{request.first}: {answer.text}"
        assert shown(expected.body, answer.json), f"{request.first}: {answer.text}"
        assert expected.headers.items() <= dict(answer.headers).items(), request.first
        known |= {name: value for name, value in answer.json.items() if isinstance(value, str)}
        count += 1
    assert count > 10


def test_a_wrong_example_would_be_noticed() -> None:
    found = {"a": 1, "list": [{"b": 2}, {"b": 3}]}
    assert shown({"list": [{"b": 2}, {"b": ANYTHING}]}, found)
    for wrong in ({"a": 2}, {"c": ANYTHING}, {"list": [{"b": 2}]}, {"list": [{"b": 3}, {"b": 2}]}):
        assert not shown(wrong, found)
