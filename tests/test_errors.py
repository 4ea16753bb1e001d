"""The one error shape, and every way to get it. Nothing a client sends gives a 5xx or is silently changed."""

import io
import json
import logging
import sqlite3
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api import errors
from server.api.answer_json import whole_text, written
from server.api.body import DEEPEST
from server.api.edge import open_to_all
from server.app import create_app
from server.clinical.vocabulary import Role
from server.settings import Settings
from tests.cast import Cast, entry
from tests.conftest import Clock

SECRET = "Ana feels hopeless"
EXTRAS = {"errors", "current"}


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    """Check that ``answer`` has the one shape and return it."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = json.loads(answer.get_data(as_text=True))
    assert {"type", "title", "status", "code", "detail"} <= body.keys()
    assert body.keys() - {"type", "title", "status", "code", "detail"} <= EXTRAS
    assert body["status"] == status
    assert body["type"] == f"urn:afterglow:problem:{body['code']}"
    for found in body.get("errors", ()):
        assert set(found) in ({"pointer", "detail"}, {"parameter", "detail"}, {"header", "detail"})
    return body


def put_raw(cast: Cast, data: bytes, content_type: str = "application/json", **more: Any) -> TestResponse:
    """Put ``data`` as an entry of Ana."""
    return cast.ana.client.put(
        f"/v1/entries/{uuid7()}",
        data=data,
        content_type=content_type,
        headers={"Authorization": f"Bearer {cast.ana.token}"},
        **more,
    )


def raw_entry(clock: Clock, **members: str) -> bytes:
    """Return an entry as JSON text whose ``members`` are raw JSON."""
    parts = {"occurred_at": json.dumps(clock.now.isoformat()), "zone": '"Europe/Oslo"', **members}
    return ("{" + ", ".join(f'"{key}": {value}' for key, value in parts.items()) + "}").encode()


# 400: what can't be read


UNREADABLE = [
    (b"{", "not valid JSON"),
    (b"{'mood': 3}", "not valid JSON"),
    (b'{"zone": NaN}', "NaN"),
    (b'{"zone": -Infinity}', "Infinity"),
    (b'{"zone": "a", "zone": "b"}', "same member twice"),
    (b'{"items": {"mood": 1, "mood": 9}}', "same member twice"),
    (b'{"note": "\xff\xfe"}', "UTF-8"),
    (b'{"items": {"mood": ' + b"7" * 5000 + b"}}", "not valid JSON"),
    (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "deep"),
    (b'{"a":' * 100_00 + b"1" + b"}" * 100_00, "deep"),
    (b'\xef\xbb\xbf{"zone": "Europe/Oslo"}', "not valid JSON"),
]


def test_what_is_not_strict_json_is_told_so(cast: Cast) -> None:
    for data, says in UNREADABLE:
        assert says in problem(put_raw(cast, data), 400)["detail"], data[:60]


def test_brackets_inside_a_text_are_no_depth(cast: Cast, clock: Clock) -> None:
    note = json.dumps("[" * 40 + '\\"' + "{" * 40)
    assert put_raw(cast, raw_entry(clock, note=note)).status_code == 201


# 401 and 403: who are you, and may you


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic YTpi", "Bearer a.b.c", "Bearer \xe6"]
)
def test_without_a_good_token_the_answer_is_always_the_same(client: FlaskClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = client.get("/v1/me", headers=headers)
    assert problem(answer, 401)["detail"] == "Sign in again."
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_token_is_taken_however_its_scheme_is_spelled(cast: Cast, client: FlaskClient, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {cast.scheduler.token}"}
    assert client.get("/v1/inbox/booking-suggestions", headers=headers).status_code == 200
    assert client.get("/fhir/R4/Appointment", headers=headers).status_code == 200


def test_a_role_that_may_not_is_told_before_its_body_is_read(cast: Cast) -> None:
    problem(cast.bo.put(f"/entries/{uuid7()}", {"nonsense": True}), 403)
    problem(cast.ana.get("/patients"), 403)
    problem(cast.scheduler.get("/patients"), 403)


# 404, 405: the framework's own answers too


def test_what_is_not_there_is_not_found(cast: Cast) -> None:
    version_4 = "00000000-0000-4000-8000-000000000000"
    for path in ("/nowhere", "/v1/nowhere", "/v1/entries/7", f"/v1/entries/{version_4}"):
        headers = {"Authorization": f"Bearer {cast.ana.token}"}
        problem(cast.ana.client.get(path, headers=headers), 404)


def test_an_address_that_is_none_is_not_put_down_to_the_good_id_in_it(
    cast: Cast, client: FlaskClient
) -> None:
    headers = {"Authorization": f"Bearer {cast.bo.token}"}
    told = problem(cast.bo.get(f"/patients/{cast.ana.patient_id}/sessions"), 404)["detail"]
    history = client.get(f"/fhir/R4/Patient/{cast.ana.patient_id}/_history", headers=headers)
    assert history.status_code == 404
    assert "UUID" not in told + history.json["issue"][0]["diagnostics"]


def test_somebody_elses_patient_is_not_there(cast: Cast) -> None:
    theirs = problem(cast.bo.get(f"/patients/{cast.other_patient.patient_id}"), 404)
    nobodys = problem(cast.bo.get(f"/patients/{uuid7()}"), 404)
    assert theirs == nobodys


def test_a_wrong_method_keeps_the_list_of_right_ones(cast: Cast) -> None:
    answer = cast.ana.post(f"/entries/{uuid7()}")
    problem(answer, 405)
    assert {"GET", "PUT", "DELETE"} <= {name.strip() for name in answer.headers["Allow"].split(",")}


# 409, 412, 428: it stands against what is there


def test_an_email_already_in_use_is_a_conflict(cast: Cast, client: FlaskClient) -> None:
    invitee = {"role": "clinician", "name": "Gus", "email": "Gus@clinic.example"}
    first, second = (cast.admin.post("/clinic/invitations", invitee).json for _ in range(2))
    body = {"email": "gus@clinic.example", "password": "a long enough password"}
    told = [{**body, "code": one["code"], "proof": one["word"]} for one in (first, second)]
    assert client.post("/v1/enrolments", json=told[0]).status_code == 201
    assert problem(client.post("/v1/enrolments", json=told[1]), 409)["code"] == "email-taken"
    assert problem(cast.admin.post("/clinic/invitations", invitee), 409)["code"] == "email-taken"


def test_a_version_that_passed_and_a_version_not_named_show_what_is_stored(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{uuid7()}"
    cast.ana.put(path, entry(clock.now))
    assert problem(cast.ana.put(path, entry(clock.now, note="b"), version=7), 412)["current"]["version"] == 1
    assert problem(cast.ana.put(path, entry(clock.now, note="b")), 428)["current"]["version"] == 1
    assert problem(cast.ana.delete(path), 428)["code"] == "version-required"


def test_an_if_match_that_cant_be_read_is_told_so(cast: Cast, clock: Clock) -> None:
    for header in ("v1", '"1"', 'w/"v1"', "*", '"v-1"', '"v1", "v2"', '"v' + "9" * 30 + '"'):
        headers = {"Authorization": f"Bearer {cast.ana.token}", "If-Match": header}
        answer = cast.ana.client.put(f"/v1/entries/{uuid7()}", json=entry(clock.now), headers=headers)
        assert problem(answer, 400)["errors"][0]["header"] == "If-Match", header


def test_an_etag_that_a_compressing_proxy_made_weak_names_the_version_it_named(
    cast: Cast, clock: Clock
) -> None:
    """nginx with `gzip` does: whoever sent back what they were given could correct nothing."""
    path = f"/v1/entries/{uuid7()}"
    made = cast.ana.put(path.removeprefix("/v1"), entry(clock.now))
    headers = {"Authorization": f"Bearer {cast.ana.token}", "If-Match": f"W/{made.headers['ETag']}"}
    corrected = cast.ana.client.put(path, json=entry(clock.now, note="b"), headers=headers)
    assert (corrected.status_code, corrected.headers["ETag"]) == (200, '"v2"')
    problem(cast.ana.client.put(path, json=entry(clock.now, note="c"), headers=headers), 412)


# 413, 415: the envelope


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(cast: Cast, settings: Settings) -> None:
    problem(put_raw(cast, b'{"note": "' + b"x" * settings.max_body_bytes + b'"}'), 413)


def test_a_body_that_hides_its_length_is_refused_too(cast: Cast, settings: Settings) -> None:
    data = b'{"note": "' + b"x" * settings.max_body_bytes + b'"}'
    answer = cast.ana.client.put(
        f"/v1/entries/{uuid7()}",
        input_stream=io.BytesIO(data),
        content_type="application/json",
        headers={"Authorization": f"Bearer {cast.ana.token}", "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    problem(answer, 413)


def test_only_json_is_taken(cast: Cast, clock: Clock) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        problem(put_raw(cast, raw_entry(clock, items='{"mood": 3}'), kind), 415)


# 422: well-formed, and still not taken


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"items": '{"mood": 3.9}'}, "/items/mood"),
    ({"items": '{"mood": "7"}'}, "/items/mood"),
    ({"items": '{"mood": true}'}, "/items/mood"),
    ({"items": '{"mood": null}'}, "/items/mood"),
    ({"items": '{"mood": 11}'}, "/items/mood"),
    ({"items": '{"mood": -1}'}, "/items/mood"),
    ({"items": '{"mood": 1e400}'}, "/items/mood"),
    ({"items": '{"mood": 2147483648}'}, "/items/mood"),
    ({"items": '{"mood": 9223372036854775808}'}, "/items/mood"),
    ({"items": '{"mood": [3]}'}, "/items/mood"),
    ({"items": '{"mod": 3}'}, "/items/mod"),
    ({"items": "[3]"}, "/items"),
    ({"items": "null"}, "/items"),
    ({"side_effects": '{"nausea": 5}'}, "/side_effects/nausea"),
    ({"side_effects": '{"nausea": 1.5}'}, "/side_effects/nausea"),
    ({"side_effects": '{"boredom": 1}'}, "/side_effects/boredom"),
    ({"medication": '{"rescue_doses": 51}'}, "/medication/rescue_doses"),
    ({"medication": '{"opioid_changed": "yes"}'}, "/medication/opioid_changed"),
    ({"medication": '{"dose": 3}'}, "/medication/dose"),
    ({"safety": '"maybe"'}, "/safety"),
    ({"safety": "0"}, "/safety"),
    ({"tags": '["a\\u0000b"]'}, "/tags/0"),
    ({"tags": '["a\\ud800b"]'}, "/tags/0"),
    ({"tags": '["a\\u202eb"]'}, "/tags/0"),
    ({"tags": '["a\\r\\nb"]'}, "/tags/0"),
    ({"note": "7"}, "/note"),
    ({"note": json.dumps("x" * 10_001)}, "/note"),
    ({"tags": '["a\\nb"]'}, "/tags/0"),
    ({"tags": '[""]'}, "/tags/0"),
    ({"tags": json.dumps(["x"] * 21)}, "/tags"),
    ({"zone": '"Oslo"'}, "/zone"),
    ({"zone": '"../etc/passwd"'}, "/zone"),
    ({"occurred_at": '"2026-03-02T12:00:00"'}, "/occurred_at"),
    ({"occurred_at": '"2026-02-30T12:00:00Z"'}, "/occurred_at"),
    ({"occurred_at": '"0001-01-01T00:00:00+14:00"'}, "/occurred_at"),
    ({"occurred_at": '"9999-12-31T23:59:59-14:00"'}, "/occurred_at"),
    ({"occurred_at": "1772452800"}, "/occurred_at"),
    ({"recorded_at": '"2026-03-02"'}, "/recorded_at"),
    ({"patient_id": f'"{uuid7()}"'}, "/patient_id"),
]


def test_a_value_that_can_not_be_taken_is_named(cast: Cast, clock: Clock) -> None:
    for members, pointer in REFUSED:
        data = raw_entry(clock, **{"items": '{"interest": 3}', **members})
        found = problem(put_raw(cast, data), 422)
        assert [error["pointer"] for error in found["errors"]] == [pointer], members
    assert cast.ana.get("/entries").json["items"] == []


def test_a_body_that_is_no_entry_is_not_taken(cast: Cast) -> None:
    for data in (b"[]", b"null", b'"x"', b"7", b"true", b"", b"{}"):
        problem(put_raw(cast, data), 422)


UNASKABLE = [
    ("limit=0", "limit"),
    ("limit=201", "limit"),
    ("limit=2.5", "limit"),
    ("limit=%00", "limit"),
    ("limit=" + "9" * 5000, "limit"),
    ("cursor=7", "cursor"),
    ("first=2026-3-1", "first"),
    ("last=2026-02-30", "last"),
    ("size=5", "size"),
]


def test_a_query_that_can_not_be_taken_is_named(cast: Cast) -> None:
    for query, parameter in UNASKABLE:
        found = problem(cast.ana.get(f"/entries?{query}"), 422)
        assert [error["parameter"] for error in found["errors"]] == [parameter], query[:40]


# 500, 503: our side


def failing(settings: Settings, error: Exception) -> FlaskClient:
    """Return a client of an app with one route that raises ``error``."""
    app = create_app(settings)

    @open_to_all
    def fail() -> None:
        raise error

    app.add_url_rule("/v1/fail", "fail", fail)
    return app.test_client()


def test_an_error_of_ours_says_nothing_of_what_was_sent(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = failing(settings, RuntimeError(SECRET)).get("/v1/fail")
    assert problem(answer, 500)["code"] == "internal"
    assert SECRET not in answer.get_data(as_text=True)
    assert SECRET not in caplog.text
    assert "RuntimeError at " in caplog.text


def test_a_database_that_is_away_asks_to_try_again(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    full = sqlite3.OperationalError(SECRET)
    full.sqlite_errorname = "SQLITE_FULL"
    away = OperationalError(SECRET, {"note": SECRET}, full)
    with caplog.at_level(logging.DEBUG):
        answer = failing(settings, away).get("/v1/fail")
    assert problem(answer, 503)["code"] == "unavailable"
    assert answer.headers["Retry-After"] == "5"
    assert "the database is away: OperationalError SQLITE_FULL" in caplog.text
    assert SECRET not in answer.get_data(as_text=True) + caplog.text


@pytest.mark.parametrize(
    "address",
    [
        "sqlite:////nowhere/at/all/afterglow.db",
        "postgresql+psycopg://nobody@127.0.0.1:1/nothing?connect_timeout=2",
    ],
)
def test_status_tells_when_the_database_is_really_away(tmp_path: Any, address: str) -> None:
    settings = Settings(database_url=address, data_dir=tmp_path, password_cost="cheap")
    problem(create_app(settings).test_client().get("/v1/status"), 503)


def test_every_exception_of_the_services_has_a_status() -> None:
    kinds = set(_below(errors.ServiceError))
    abstract = {"VersionError"}
    assert {kind.__name__ for kind in kinds if kind not in errors.STATUS} == abstract
    assert all(400 <= status < 500 or status == 503 for status in errors.STATUS.values())


def _below(kind: type) -> list[type]:
    return [found for below in kind.__subclasses__() for found in (below, *_below(below))]


def test_a_pointer_says_which_member_it_was_whatever_its_name(cast: Cast, clock: Clock) -> None:
    names = {"a/b": "/items/a~1b", "a~1b": "/items/a~01b", "mo\\ud800od": "/items/mo\ufffdod"}
    for name, pointer in names.items():
        body = problem(put_raw(cast, raw_entry(clock, items=f'{{"{name}": 3}}')), 422)
        assert [found["pointer"] for found in body["errors"]] == [pointer]


def test_half_a_character_is_told_as_one_that_is_missing_and_whole_ones_stay() -> None:
    assert whole_text("a\ud800b\udc00 Søvn ⛅ 🙂") == "a\ufffdb\ufffd Søvn ⛅ 🙂"
    assert whole_text("\ud83d\ude42") == "🙂"


def test_an_answer_is_written_whatever_half_characters_it_tells_of() -> None:
    said = {"who\ud800": ["\udfff", {"a": ("🙂", None, 1.5)}], Role.PATIENT: 1}
    assert json.loads(written(said)) == {"who\ufffd": ["\ufffd", {"a": ["🙂", None, 1.5]}], "patient": 1}
