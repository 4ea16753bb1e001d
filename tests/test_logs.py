"""One line a request and nothing that could pass for another one; no body, no query, no path."""

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7

from server import logs
from server.logs import FORMS, escaped
from tests.cast import Cast, entry
from tests.conftest import NOON

BIDI = "\u202e\u2066\u200f\u061c"
NASTY = f"\r\n2026-01-01T00:00:00.000Z ERROR forged: line\x1b[31m\x00\x7f\x85\u2028{BIDI}"
Written = Callable[[], list[str]]


@pytest.fixture(params=sorted(FORMS))
def written(request: pytest.FixtureRequest) -> Iterator[Written]:
    """Let the log be written in each form; return its lines so far."""
    root = logging.getLogger()
    before, level, out = list(root.handlers), root.level, io.StringIO()
    logs.set_up(request.param, out)
    yield lambda: out.getvalue().split("\n")[:-1]
    root.handlers[:] = before
    root.setLevel(level)
    logs.REQUEST_ID.set("")


def test_what_ends_a_line_or_turns_it_around_is_written_out() -> None:
    assert escaped("a\r\nb\x1b[31m") == r"a\r\nb\x1b[31m"
    assert escaped(f"x{BIDI}y") == r"x\u202e\u2066\u200f\u061cy"
    assert escaped("\ud800\u2028\x85\x00\x7f") == r"\ud800\u2028\x85\x00\x7f"
    assert escaped("Grüße, 你好 👩‍⚕️") == "Grüße, 你好 👩‍⚕️"


def test_a_message_is_one_line_whatever_is_in_it(written: Written) -> None:
    logging.getLogger("any").warning("said %s", NASTY, extra={"fields": {"code": NASTY}})
    (line,) = written()
    assert line.isprintable()
    assert not set(line) & set(BIDI)
    assert r"\r\n2026-01-01" in line.replace("\\\\", "\\")


def test_the_text_of_an_error_is_never_written(written: Written) -> None:
    try:
        raise ValueError("mood 2, often")
    except ValueError:
        logging.getLogger("any").exception("it failed")
    (line,) = written()
    assert "mood" not in line
    assert "ValueError" in line
    assert "test_logs.py:" in line


def test_a_request_is_one_line_with_the_route_and_never_the_path(
    app: Flask, cast: Cast, written: Written
) -> None:
    entry_id = uuid7()
    cast.ana.put(f"/entries/{entry_id}", entry(NOON, note="canary note"))
    cast.ana.client.get("/v1/calendar-feeds/secret-canary/visits.ics?mood=canary")
    lines = written()
    assert len(lines) == 2
    assert "/v1/entries/<uuid7:entry_id>" in lines[0]
    assert "/v1/calendar-feeds/<feed_token>/visits.ics" in lines[1]
    assert "canary" not in "".join(lines)
    assert str(entry_id) not in lines[0]
    assert str(cast.ana.account_id) in lines[0]


@pytest.mark.parametrize(
    "path", ["/v1/%0d%0aforged%e2%80%ae", "/%00%1b[31m", "/v1/alerts?cursor=%0d%0aforged%e2%80%ae"]
)
def test_no_path_or_query_gets_into_the_log(client: FlaskClient, written: Written, path: str) -> None:
    client.get(path)
    (line,) = written()
    assert line.isprintable()
    assert "forged" not in line


@pytest.mark.parametrize("said", ["a\r\nforged: x", "\u202eforged", "forged id", "f" * 65, ""])
def test_an_id_that_no_proxy_makes_is_replaced(client: FlaskClient, written: Written, said: str) -> None:
    answer = client.get("/livez", environ_overrides={"HTTP_X_REQUEST_ID": said, "HTTP_USER_AGENT": NASTY})
    (line,) = written()
    assert answer.headers["X-Request-Id"] != said
    assert answer.headers["X-Request-Id"] in line
    assert "forged" not in line
    assert line.isprintable()


def test_an_id_of_a_proxy_is_kept_and_stands_in_every_line_of_its_request(
    client: FlaskClient, written: Written
) -> None:
    answer = client.get("/v1/nowhere", headers={"X-Request-Id": "edge-7f3a.1"})
    assert answer.headers["X-Request-Id"] == "edge-7f3a.1"
    (line,) = written()
    assert "edge-7f3a.1" in line
    logging.getLogger("any").info("in the same thread, before the next request")
    assert "edge-7f3a.1" in written()[1]


def test_json_lines_are_json_in_utc(client: FlaskClient) -> None:
    out = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        logs.set_up("json", out)
        client.get("/livez")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    line = json.loads(out.getvalue())
    assert line["at"].endswith("Z")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/livez", 200)
    assert line["logger"] == "afterglow.access"
    assert line["ms"] >= 0


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize(("named", "head"), [("{dev}:{ino}", "<4>"), ("{dev}:1{ino}", ""), ("", "")])
def test_the_journal_is_told_how_grave_a_line_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, named: str, head: str
) -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    with (tmp_path / "journal").open("w+") as journal:
        place = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", named.format(dev=place.st_dev, ino=place.st_ino))
        logs.set_up(form, journal)
        logging.getLogger("any").warning("a thing")
        logging.getLogger("any").error("worse")
        root.handlers[:] = before
        root.setLevel(level)
        journal.seek(0)
        warning, error = journal.read().splitlines()
    start = "{" if form == "json" else "2"
    assert warning.startswith(f"{head}{start}")
    assert error.startswith(f"{head and '<3>'}{start}")


def test_lines_go_to_stderr_unless_it_is_said_otherwise() -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    handler = logs.set_up("text")
    root.handlers[:] = before
    root.setLevel(level)
    assert isinstance(handler, logging.StreamHandler)
    assert handler.stream is sys.stderr
