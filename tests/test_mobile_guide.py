"""Every request of docs/mobile.md is sent, in order, and gets the answer shown; the rest is compared."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from marshmallow import Schema, validate

from examples import phone
from examples.phone import ITEMS_MOST
from schemas import sync as sync_shapes
from schemas.base import PageQuery
from schemas.entry import NOTE_LONGEST, TAG_LONGEST, TAGS_MOST, WITHIN, Medication
from schemas.spelling import BEYOND_MOMENTS, FIRST_MOMENT
from schemas.timeline import TimelineQuery
from server.api import sync_cursor
from server.api.body import DEEPEST
from server.api.sync import LARGEST
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.redflags import Answers, Notice, check
from server.clinical.vocabulary import ITEMS, Adherence, Circumstance, Direction, EnteredBy, SafetyAnswer
from server.gateways.templates import PATHS
from server.services.cap import EXPORT, SIGN_IN_DEVICE, SIGN_IN_PAIR
from server.services.journal import trend
from server.services.journal.incoming import AHEAD, BACKFILL, CLOCK_TRUSTED
from server.services.people.invitation import VALID_FOR
from server.services.people.password_rules import LONGEST as PASSWORD_LONGEST
from server.services.people.password_rules import SHORTEST_ALONE as PASSWORD_SHORTEST
from server.settings import Settings
from tests.cast import Cast
from tests.source import ROOT
from tests.visits import COURSE

BLOCK = re.compile(r"^```json ([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```http\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
# Where messages lead that no patient gets.
OF_STAFF = (
    *("/v1/alerts", "/v1/alert-budget", "/v1/audit-events", "/v1/booking-suggestions", "/v1/clinic"),
    *("/v1/digests", "/v1/review-tasks", "/v1/rota", "/v1/status"),
)
NAMED = re.compile(r"<(\w+)>")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The guide shows answers of a server with the usual settings."""
    return replace(settings, access_minutes=Settings().access_minutes)


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


def contract_examples() -> Iterator[tuple[str, str, Any]]:
    """Yield each named `json` block of the guide: operation, status (none: the request) and what it shows."""
    for label, text in BLOCK.findall((ROOT / "docs" / "mobile.md").read_text("utf-8")):
        method, path, status = [*label.split(" "), ""][:3]
        yield f"{method} {path}", status, json.loads(text)


def limits() -> dict[str, str]:
    """Return the guide's limits by what they are of."""
    text = (ROOT / "docs" / "mobile.md").read_text("utf-8").partition("## Limits\n")[2]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")][2:]
    return {row[0].strip(): row[1].strip() for row in rows}


def table(head: str) -> list[list[str]]:
    """Return the cells of the guide's table whose first column is named ``head``."""
    text = (ROOT / "docs" / "mobile.md").read_text("utf-8").partition(f"\n| {head} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]


def coded(cell: str) -> list[str]:
    """Return the words set as code in a cell."""
    return re.findall(r"`(\w+)`", cell)


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
        if expected[-1:] == [ANYTHING]:
            expected, found = expected[:-1], found[: len(expected) - 1]
        return len(expected) == len(found) and all(map(shown, expected, found))
    return bool(expected == found)


def treat(cast: Cast, patient: str) -> None:
    """Plan a session of the guide's patient for the day after."""
    course = cast.bo.post(f"{patient}/courses", COURSE).json["id"]
    wanted = {"course_id": course, "status": "planned", "at": "2026-03-03T10:00:00+01:00"}
    assert cast.bo.post(f"{patient}/treatment-sessions", wanted).status_code == 201


def test_every_example_of_the_guide_gets_the_answer_it_shows(app: Flask, cast: Cast) -> None:
    patient = cast.coordinator.post("/patients", {"name": "Ana", "zone": "Europe/Oslo"})
    at = {"email": "ana@mail.example"}
    invitation = cast.coordinator.post(f"/patients/{patient.json['id']}/invitations", at)
    treat(cast, f"/patients/{patient.json['id']}")
    known = {name: invitation.json[name] for name in ("code", "word")}
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
        known |= {name: value for name, value in (answer.json or {}).items() if isinstance(value, str)}
        count += 1
    assert count > 10


def test_every_named_block_of_the_guide_is_a_part_of_the_contracts_example(built_app: Flask) -> None:
    paths = built_app.test_client().get("/v1/openapi.json").get_json()["paths"]
    seen = set()
    for operation, status, said in contract_examples():
        method, path = operation.split(" ")
        doc = paths[path][method]
        place = doc["responses"][status] if status else doc["requestBody"]
        assert shown(said, place["content"]["application/json"]["example"]), f"{operation} {status}"
        seen.add(operation)
    parts = {"me/today", "me/check-in-plan", "scales", "scales/{key}", "side-effects"}
    assert seen >= {f"get /v1/{part}" for part in parts} | {"patch /v1/me/zone"}


def test_the_guide_lists_every_place_that_a_message_to_a_patient_leads_to() -> None:
    rows = [row[0].strip("`") for row in table("the link ends in")]
    assert sorted(rows) == sorted({path for path in PATHS.values() if not path.startswith(OF_STAFF)})


def test_the_limits_in_the_guide_are_those_of_the_code() -> None:
    said, usual = limits(), Settings()
    expected = {
        "note": f"{NOTE_LONGEST:,} characters",
        "tags": f"{TAGS_MOST}, each of 1-{TAG_LONGEST} characters",
        "felt or filled": f"{BACKFILL.days} days before to {AHEAD.days} days after it is written down",
        "a moment": f"of {FIRST_MOMENT:%Y} to {BEYOND_MOMENTS.year - 1} in UTC",
        "items of a sync": f"{sync_shapes.ITEMS_MOST}",
        "body of a sync": f"{LARGEST:,} bytes (1 MiB)",
        "any other body": f"{usual.max_body_bytes:,} bytes",
        "JSON": f"nested {DEEPEST} deep",
        "changes of a pull": f"{sync_shapes.PULL_USUAL}, up to {sync_shapes.PULL_MOST} with `limit`",
        "page of a list": "{}, up to {} with `limit`".format(*_page(PageQuery())),
        "page of the timeline": "{} days, up to {} with `limit`".format(*_page(TimelineQuery())),
        "trend": f"the last {trend.USUAL.days} days, up to {trend.LONGEST.days}",
        "cursor of a sync": f"{sync_cursor.LASTS.days} days",
        "clock": f"`clock_suspect` over {CLOCK_TRUSTED // timedelta(minutes=1)} minutes",
        "access token, unused sign-in, any sign-in": (
            f"{usual.access_minutes} minutes, {usual.refresh_days} days, {usual.sign_in_days} days"
        ),
        "invitation": f"{VALID_FOR // timedelta(hours=1)} hours",
        "password": f"{PASSWORD_SHORTEST}-{PASSWORD_LONGEST} characters",
        "requests": f"{usual.requests_per_minute} a minute of one device, twice that of one account",
        "wrong passwords": f"{SIGN_IN_PAIR.most} at one address, {SIGN_IN_DEVICE.most} on a device",
        "exports": f"{EXPORT.most} a day",
    }
    assert {what: said[what][: len(limit)] for what, limit in expected.items()} == expected
    assert said.keys() == expected.keys() | {"`rescue_doses`"}
    assert f"{BACKFILL.days} days before and {AHEAD.days} days after" in WITHIN
    assert ITEMS_MOST == sync_shapes.ITEMS_MOST
    assert NOTE_LONGEST == phone.NOTE_LONGEST


def test_the_guide_lists_every_number_of_the_diary_with_its_range_and_better_end() -> None:
    better = {Direction.HIGH_GOOD: "high", Direction.HIGH_BAD: "low", Direction.NEUTRAL: "neither"}
    rows = table("key in `items`")
    known = [[f"`{i.key}`", f"{i.low:g}-{i.high:g}", better[i.direction]] for i in ITEMS.values()]
    assert [row[:3] for row in rows] == known
    assert all("?" in row[3] for row in rows)


def test_the_guide_lists_every_code_and_member_that_an_entry_takes() -> None:
    assert [coded(row[0]) for row in table("`safety`")] == [[answer] for answer in SafetyAnswer]
    assert [coded(row[0]) for row in table("`entered_by`")] == [[hand] for hand in EnteredBy]
    assert [coded(row[0]) for row in table("`circumstances`")] == [[what] for what in Circumstance]
    taken = {coded(row[0])[0]: row[1] for row in table("member of `medication`")}
    assert taken.keys() == Medication().fields.keys()
    assert coded(taken["adherence"]) == list(Adherence)
    (bounds,) = [c for c in Medication().fields["rescue_doses"].validators if isinstance(c, validate.Range)]
    assert taken["rescue_doses"] == f"{bounds.min}-{bounds.max}"


def test_the_guide_says_what_to_show_offline_after_each_safety_answer() -> None:
    shown_first = {
        Notice.EMERGENCY: "the emergency number, then crisis lines",
        Notice.CRISIS_LINES: "crisis lines",
    }
    for name, _, show in table("`safety`"):
        flags = check(Answers(SafetyAnswer(coded(name)[0]), {}, {}, None), DEFAULT_POLICY)
        assert show == (shown_first[flags[0].notice] if flags else "nothing"), name


def _page(query: Schema) -> tuple[int, int]:
    """Return the usual and the largest page of a query."""
    limit = query.fields["limit"]
    (bounds,) = [check for check in limit.validators if isinstance(check, validate.Range)]
    return limit.load_default, bounds.max


def test_the_guide_names_every_member_that_only_the_server_makes() -> None:
    text = (ROOT / "docs" / "mobile.md").read_text("utf-8")
    rows = text.partition("| of | the server adds |\n|---|---|\n")[2].partition("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", rows)) - {"total"} == phone.MADE_BY_SERVER


def test_a_wrong_example_would_be_noticed() -> None:
    found = {"a": 1, "list": [{"b": 2}, {"b": 3}]}
    assert shown({"list": [{"b": 2}, {"b": ANYTHING}]}, found)
    assert shown({"list": [{"b": 2}, ANYTHING]}, found)
    assert not shown({"list": [{"b": 3}, ANYTHING]}, found)
    for wrong in ({"a": 2}, {"c": ANYTHING}, {"list": [{"b": 2}]}, {"list": [{"b": 3}, {"b": 2}]}):
        assert not shown(wrong, found)
