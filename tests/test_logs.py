"""A line of the log is one line: nothing that comes from outside can write another one, or turn it around."""

import io
import logging
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from server.api.headers import REQUEST_ID
from server.logs import REQUEST, OneLine, is_good_id
from tests.cast import Cast

FORGED = 'x\r\nat=2026-01-01 level=INFO said="all is well"\u202e\u2066\x00\x1b[2J\u2028\x85'


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the log writes, as a process of ours writes it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(OneLine())
    logging.root.addHandler(handler)
    yield out
    logging.root.removeHandler(handler)


def test_line_ends_direction_marks_and_terminal_codes_are_escaped(written: io.StringIO) -> None:
    logging.getLogger("far.end").error("the far end said %s", FORGED)
    (line,) = written.getvalue().splitlines()
    assert line.isascii()
    assert line.isprintable()
    assert r"\r\nat=2026" in line
    assert r"\u202e\u2066\u0000\u001b[2J\u2028\u0085" in line
    assert line.count("level=ERROR") == 1


def test_a_name_of_a_logger_and_a_traceback_stay_in_their_line_too(written: io.StringIO) -> None:
    try:
        raise ValueError(FORGED)
    except ValueError:
        logging.getLogger(f"a.{FORGED}").exception("failed")
    (line,) = written.getvalue().splitlines()
    assert line.isascii()
    assert "Traceback" in line


def test_a_line_says_when_in_utc_how_bad_and_where(written: io.StringIO) -> None:
    logging.getLogger("server.api").warning("slow")
    parts = written.getvalue().split()
    assert parts[0].startswith("at=20")
    assert parts[0].endswith("+00:00")
    assert parts[1:] == ["level=WARNING", "logger=server.api", 'said="slow"']


@pytest.mark.parametrize("told", ["0123abcd", "a1b2.c3d4_e5-f6", "x" * 64])
def test_a_request_keeps_the_id_it_came_with(cast: Cast, told: str) -> None:
    headers = {REQUEST_ID: told, "Authorization": f"Bearer {cast.ana.token}"}
    assert cast.ana.client.get("/v1/me", headers=headers).headers[REQUEST_ID] == told


@pytest.mark.parametrize(
    "told", ["", "short", "x" * 65, "a b c d e f", "-dashes-first", "åäöåäöåäö", "a" * 8 + "\u202e"]
)
def test_an_id_that_could_be_anything_is_replaced_by_one_of_ours(client: FlaskClient, told: str) -> None:
    answer = client.get(
        "/v1/status", environ_overrides={"HTTP_X_REQUEST_ID": told.encode().decode("latin-1")}
    )
    assert answer.headers[REQUEST_ID] != told
    assert is_good_id(answer.headers[REQUEST_ID])


def test_every_answer_says_which_request_it_answers_refusals_too(client: FlaskClient) -> None:
    answers = [
        client.get(path) for path in ("/v1/me", "/nowhere", "/v1/status", "/docs/", "/v1/openapi.json")
    ]
    ids = [answer.headers[REQUEST_ID] for answer in answers]
    assert len(set(ids)) == len(ids)


def test_what_is_logged_during_a_request_names_it_and_nothing_after_it(
    cast: Cast, written: io.StringIO
) -> None:
    view = cast.ana.client.application.view_functions["sign-in.me"]

    def fails() -> None:
        raise RuntimeError(FORGED)

    cast.ana.client.application.view_functions["sign-in.me"] = fails
    answer = cast.ana.client.get(f"/v1/me?{'%0d%0a'}", headers={REQUEST_ID: "told-by-the-caller"})
    cast.ana.client.application.view_functions["sign-in.me"] = view
    assert answer.status_code == 500
    (line,) = written.getvalue().splitlines()
    assert "request=told-by-the-caller said=" in line
    assert "all is well" not in line
    assert REQUEST.get() == ""
