"""What is refused before anybody has read it, for its id, its headers or its form, is heeded as well."""

import json
from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid4, uuid7
from werkzeug.test import TestResponse

from server.api.body import MOST_DRAINED
from tests.api.test_sync import put
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.scales import with_item9
from tests.test_refused_safety import alerts, events, the_alert, versions

MARK = "\ufeff".encode()
OTHERS = [
    "019CAAE3-5000-7000-8000-00000000000A",  # as Swift's uuidString spells it
    "4f9c6a52-0a3c-4c57-9d1e-0d2f9a7b6c11",  # of version 4
    "019caae350007000800000000000000a",
    "%7B019caae3-5000-7000-8000-00000000000a%7D",
    "urn:uuid:019caae3-5000-7000-8000-00000000000a",
    "1",
]


def raw(who: Person, path: str, data: bytes | str, method: str = "PUT", **headers: str) -> TestResponse:
    """Send ``data`` as it is."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Authorization": f"Bearer {who.token}", "Content-Type": "application/json", **named}
    return who.client.open(f"/v1{path}", method=method, data=data, headers=sent)


def notice(answer: TestResponse, status: int) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.json["status"] == status
    return answer.json.get("notice", {}).get("kind")


@pytest.mark.parametrize("other", OTHERS)
def test_an_id_of_another_kind_is_no_reason_not_to_listen(
    app: Flask, cast: Cast, clock: Clock, other: str
) -> None:
    entered = cast.ana.put(f"/entries/{other}", entry(clock.now, safety="plan"))
    assert notice(entered, 422) == "emergency"
    assert [(error["parameter"], "UUIDv7" in error["detail"]) for error in entered.json["errors"]] == [
        ("entry_id", True)
    ]
    the_alert(app)
    filled = cast.ana.put(f"/questionnaire-responses/{other}", with_item9(clock.now, 3))
    assert notice(filled, 422) == "crisis_lines"
    assert "notice" not in cast.ana.put(f"/entries/{other}", entry(clock.now)).json
    assert versions(app) == []
    for path in (f"/entries/{other}", f"/entries/{other}/revisions", f"/questionnaire-responses/{other}"):
        assert cast.ana.get(path).status_code == 404


def test_what_the_clinic_types_in_under_such_an_id_is_heeded_for_its_own_patients(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    path = f"/patients/{cast.ana.patient_id}/questionnaire-responses/{uuid4()}"
    assert notice(cast.cyd.put(path, with_item9(clock.now, 3)), 422) is None
    assert alerts(app) == []
    assert notice(cast.bo.put(path, with_item9(clock.now, 3)), 422) == "crisis_lines"
    the_alert(app)


def test_nobody_is_let_in_for_it(app: Flask, cast: Cast, clock: Clock) -> None:
    path, body = f"/v1/entries/{uuid4()}", entry(clock.now, safety="plan")
    assert cast.ana.client.put(path, json=body).status_code == 401
    assert cast.bo.put(path.removeprefix("/v1"), body).status_code == 403
    assert alerts(app) == []


@pytest.mark.parametrize("named", ["*", 'w/"v1"', '"v1", "v2"', "v1", '"v0"', "", '"v1000000000"'])
def test_a_version_that_cannot_be_read_is_no_reason_either(
    app: Flask, cast: Cast, clock: Clock, named: str
) -> None:
    body = entry(clock.now, safety="plan")
    assert notice(raw(cast.ana, f"/entries/{uuid7()}", json.dumps(body), If_Match=named), 400) == "emergency"
    the_alert(app)
    scale = json.dumps(with_item9(clock.now, 3))
    answer = raw(cast.ana, f"/questionnaire-responses/{uuid7()}", scale, If_Match=named)
    assert notice(answer, 400) == "crisis_lines"
    assert versions(app) == []


def bent(text: str, how: str) -> bytes:
    """Return a JSON object as something that is none, or none that is taken."""
    open_end = text[:-1]
    return {
        "a mark before it": MARK.decode() + text,
        "a name twice, the worse last": '{"safety": "no", ' + text[1:],
        "a name twice, the worse first": open_end + ', "safety": "no"}',
        "no number": open_end + ', "x": NaN}',
        "a number without end": open_end + ', "x": ' + "9" * 5000 + "}",
        "deep": open_end + ', "x": ' + "[" * 40 + "]" * 40 + "}",
    }[how].encode()


def in_batch(said: bytes) -> bytes:
    """Return a batch that brings ``said`` as an entry, with its mark before the whole."""
    bare = said.removeprefix(MARK)
    item = b'{"id": "' + str(uuid7()).encode() + b'", "action": "put", "entry": ' + bare + b"}"
    return (MARK if bare != said else b"") + b'{"items": [' + item + b"]}"


@pytest.mark.parametrize(
    "how",
    [
        "a mark before it",
        "a name twice, the worse last",
        "a name twice, the worse first",
        "no number",
        "a number without end",
        "deep",
    ],
)
def test_a_body_that_is_not_quite_json_is_read_as_far_as_it_goes(
    app: Flask, cast: Cast, clock: Clock, how: str
) -> None:
    data = bent(json.dumps(entry(clock.now, safety="plan")), how)
    assert notice(raw(cast.ana, f"/entries/{uuid7()}", data), 400) == "emergency"
    the_alert(app)
    assert notice(raw(cast.ana, "/sync", in_batch(data), "POST"), 400) == "emergency"


def test_text_in_another_encoding_or_under_another_name_is_read(app: Flask, cast: Cast, clock: Clock) -> None:
    text = json.dumps(entry(clock.now, safety="plan", note="Übel"), ensure_ascii=False)
    for data in (text.encode("latin-1"), text.encode("utf-16")):
        assert notice(raw(cast.ana, f"/entries/{uuid7()}", data), 400) == "emergency"
    for kind in ("text/plain", "application/vnd.api+json", "application/x-www-form-urlencoded"):
        answer = raw(cast.ana, f"/entries/{uuid7()}", text.encode(), Content_Type=kind)
        assert notice(answer, 415) == "emergency"
    the_alert(app)
    assert versions(app) == []


def test_too_much_is_read_up_to_a_bound(app: Flask, cast: Cast, clock: Clock) -> None:
    def long(size: int) -> str:
        return json.dumps(entry(clock.now, safety="plan", note="x" * size))

    assert notice(raw(cast.ana, f"/entries/{uuid7()}", long(MOST_DRAINED)), 413) is None
    assert alerts(app) == []
    assert notice(raw(cast.ana, f"/entries/{uuid7()}", long(300_000)), 413) == "emergency"
    the_alert(app)
    batch = in_batch(long(1_100_000).encode())
    assert notice(raw(cast.ana, "/sync", batch, "POST"), 413) == "emergency"


@pytest.mark.parametrize(
    "data", [b"", b"\x1f\x8b\x08packed", b'{"safety": "plan"', b"[" * 100_000, b"\xff\xfe{"]
)
def test_what_nobody_can_read_is_only_refused(app: Flask, cast: Cast, data: bytes) -> None:
    for path, method in ((f"/entries/{uuid7()}", "PUT"), ("/sync", "POST")):
        answer = raw(cast.ana, path, data, method)
        assert answer.status_code in (200, 400, 422), answer.text
        assert "notice" not in answer.json
    assert alerts(app) == []


@pytest.mark.long
def test_of_a_batch_without_end_the_most_urgent_are_acted_on(app: Flask, cast: Cast, clock: Clock) -> None:
    said = [entry(clock.now, safety="passing", note=str(number)) for number in range(300)]
    said.append(entry(clock.now, safety="plan"))
    batch = [put(body) for body in said]
    assert notice(cast.ana.post("/sync", {"items": batch}), 422) == "emergency"
    assert "safety_plan" in the_alert(app).codes
    assert len(events(app)) == 200
