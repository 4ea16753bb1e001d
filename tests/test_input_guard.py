"""What the stack would take, swallow or fall over, sent to every place of every body and every query.

Each test is a line of the table of what must become of such input, and runs on both databases: an answer that
depends on the database is a defect.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from schemas.spelling import ID, MOMENT
from server.api.body import DEEPEST
from tests.access_matrix import Operation, let_in, lines, operations
from tests.access_world import World, built
from tests.cast import Cast, Person

Path = tuple[str | int, ...]
TEN_MEGABYTES = 10 * 1024 * 1024
OVERRIDE, LINES = "\u202e", "\r\n"


@pytest.fixture
def door(app: Flask, cast: Cast, served_contract: Any) -> "Door":
    """Every operation, with somebody who may use it."""
    return Door(app, built(app, cast), list(operations(served_contract)), served_contract)


class Door:
    """Sends raw bodies to operations, as somebody who is let in."""

    def __init__(self, app: Flask, world: World, known: list[Operation], document: Any) -> None:
        self.app, self.world, self.known, self.document = app, world, known, document
        named = {one.name: one for one in known}
        self._in = {line.name: let_in(named[line.name], line) for line in lines()}

    def with_body(self) -> Iterator[Operation]:
        """Yield the operations that take a body of ours; tests/fhir looks after FHIR's."""
        return (one for one in self.known if one.body is not None and not one.is_fhir)

    def send(self, operation: Operation, data: bytes = b"", query: str = "", **more: Any) -> TestResponse:
        """Send ``data`` as it is."""
        person: Person | None = self.world.people[self._in[operation.name]]
        headers = {"If-Match": '"v999"'}
        headers |= {} if person is None else {"Authorization": f"Bearer {person.token}"}
        more.setdefault("content_type", "application/json")
        path = more.pop("path", operation.path.format(**self.world.ids)) + query
        return self.app.test_client().open(path, method=operation.method, data=data, headers=headers, **more)

    def each(self, is_fit: Callable[[Any], bool], bad: Any) -> Iterator[tuple[str, TestResponse]]:
        """Put ``bad`` in place of every value that fits, one at a time; yield where, and the answer."""
        for operation in self.with_body():
            for path in leaves(operation.body):
                if is_fit(at(operation.body, path)):
                    body = json.dumps(put(operation.body, path, bad))
                    yield f"{operation.name} {path}", self.send(operation, body.encode())


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every value that is no object and no list."""
    below = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    )
    if below is None:
        yield path
    for step, one in below or ():
        yield from leaves(one, (*path, step))


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    """Return a copy of ``value`` with ``new`` at ``path``."""
    copy = json.loads(json.dumps(value))
    if not path:
        return new
    at(copy, path[:-1])[path[-1]] = new
    return copy


def is_told(answer: TestResponse) -> bool:
    """Return whether it was refused as invalid; of a batch, the item that holds it."""
    results = answer.json.get("results", ()) if answer.status_code == 200 else ()
    return answer.status_code == 422 or any(one["verdict"] == "invalid" for one in results)


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def is_id(value: Any) -> bool:
    return is_text(value) and ID.fits(value)


def is_moment(value: Any) -> bool:
    return is_text(value) and MOMENT.fits(value)


def is_anything(_value: Any) -> bool:
    return True


@pytest.mark.parametrize("bad", [2**31, 2**63, -(2**63) - 1, 3.9, "7", True], ids=str)
def test_a_number_that_is_too_large_broken_or_no_number_is_told(door: Door, bad: Any) -> None:
    answers = dict(door.each(is_whole, bad))
    assert len(answers) > 20
    assert {where: answer.status_code for where, answer in answers.items() if not is_told(answer)} == {}


@pytest.mark.parametrize("bad", ["a\u0000b", "a\ud800b", "\udfff"], ids=["NUL", "lone half", "other half"])
def test_a_text_that_a_database_can_not_hold_is_told(door: Door, bad: str) -> None:
    answers = dict(door.each(is_text, bad))
    assert len(answers) > 80
    assert {where: answer.status_code for where, answer in answers.items() if not is_told(answer)} == {}


@pytest.mark.parametrize("bad", [f"a{OVERRIDE}b", f"a{LINES}b"], ids=["direction override", "CR LF"])
def test_a_text_that_would_read_otherwise_is_told_or_put_right(door: Door, bad: str) -> None:
    for where, answer in door.each(is_text, bad):
        assert answer.status_code < 500, where
        taken = answer.status_code < 300
        assert not taken or bad not in answer.get_data(as_text=True).encode().decode("unicode_escape"), where


@pytest.mark.parametrize(
    "bad", ["019caae3500070008000000000000001----", "019caae3-5000-7000-8000-00000000_001"]
)
def test_an_id_that_is_spelled_otherwise_is_told(door: Door, bad: str) -> None:
    answers = dict(door.each(is_id, bad))
    assert len(answers) > 5
    assert {where: answer.status_code for where, answer in answers.items() if not is_told(answer)} == {}


def test_an_offset_of_more_minutes_than_an_hour_has_is_told(door: Door) -> None:
    answers = dict(door.each(is_moment, "2026-03-02T10:00:00+01:60"))
    assert len(answers) > 10
    assert {where: answer.status_code for where, answer in answers.items() if not is_told(answer)} == {}


def test_a_code_with_a_line_feed_behind_it_is_told(door: Door) -> None:
    answers = dict(door.each(lambda value: is_text(value) and value.isdecimal(), "123456\n"))
    assert len(answers) > 2
    assert {where: answer.status_code for where, answer in answers.items() if not is_told(answer)} == {}


@pytest.mark.long
@pytest.mark.parametrize("bad", [[], {}, None, [[]], {"a": 1}, 1e300, ""], ids=str)
def test_a_value_of_another_kind_never_ends_in_an_error_of_ours(door: Door, bad: Any) -> None:
    for where, answer in door.each(is_anything, bad):
        assert answer.status_code < 500, (where, answer.text)


RAW = {
    "no end": b"{",
    "not a number": b'{"a": NaN}',
    "infinite": b'{"a": -Infinity}',
    "5,000 digits": b'{"a": ' + b"7" * 5000 + b"}",
    "deep list": b"[" * 40_000 + b"]" * 40_000,
    "deep object": b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    "one too deep": b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1),
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, escaped": b'{"a": 1, "\\u0061": 2}',
    "bad UTF-8": b'{"a": "\xff"}',
    "another encoding": '{"a": 1}'.encode("utf-16"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", RAW)
def test_what_is_no_strict_json_is_told_before_anything_reads_it(door: Door, name: str) -> None:
    statuses = {one.name: door.send(one, RAW[name]).status_code for one in door.with_body()}
    assert len(statuses) > 40
    assert {name: status for name, status in statuses.items() if status != 400} == {}


@pytest.mark.long
@pytest.mark.parametrize("data", [b"[]", b"null", b"7", b'"x"', b"true"])
def test_a_body_that_is_no_object_is_told(door: Door, data: bytes) -> None:
    assert {door.send(one, data).status_code for one in door.with_body()} == {422}


def test_a_huge_body_is_told_before_it_is_parsed_with_a_length_and_without(door: Door) -> None:
    data = b'{"a": "' + b"x" * TEN_MEGABYTES + b'"}'
    for one in door.with_body():
        assert door.send(one, data).status_code == 413, one.name
    chunked = {
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(data),
    }
    one = next(door.with_body())
    assert door.send(one, environ_overrides={**chunked, "CONTENT_LENGTH": ""}).status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "application/json-seq"])
def test_a_body_of_another_type_is_told(door: Door, kind: str) -> None:
    for one in door.with_body():
        answer = door.send(one, json.dumps(one.body).encode(), content_type=kind)
        assert answer.status_code == 415, one.name


def test_a_packed_body_is_not_unpacked(door: Door) -> None:
    """A gzip bomb is small on the wire; nobody here opens it."""
    one, bomb = next(door.with_body()), b"\x1f\x8b\x08" + b"\x00" * 1000
    environ = {"HTTP_CONTENT_ENCODING": "gzip"}
    assert door.send(one, bomb, environ_overrides=environ).status_code == 400


ASKED = {
    "NUL": "%00",
    "bad UTF-8": "%ff%fe",
    "half a character": "%ed%a0%80",
    "large": str(2**63),
    "override": quote(OVERRIDE),
    "lines": "%0d%0a",
    "SQL": quote("' OR '1'='1"),
    "LIKE": "%25_%25",
    "path": quote("$.a[*]"),
    "sort": "id;drop table patients",
}
# No text has them, so no query is taken with one.
NEVER = ("NUL", "override", "lines")


@pytest.mark.long
@pytest.mark.parametrize("name", ASKED)
def test_a_query_with_it_is_told_or_finds_nothing_but_never_fails(door: Door, name: str) -> None:
    count = 0
    for one in door.known:
        for parameter in _parameters(door.document, one):
            answer = door.send(one, query=f"?{parameter}={ASKED[name]}")
            assert answer.status_code < 500, (one.name, parameter, answer.text)
            assert answer.status_code != 200 or name not in NEVER, (one.name, parameter)
            count += 1
    assert count > 30


def _parameters(document: Any, operation: Operation) -> list[str]:
    found = document["paths"][operation.path][operation.method.lower()].get("parameters", ())
    return [one["name"] for one in found if one.get("in") == "query"]


@pytest.mark.parametrize(
    "bad", ["%00", "a%00b", "%ff", "..%2f..%2fetc%2fpasswd", quote("' OR 1=1 --"), "x" * 9000]
)
def test_a_path_with_it_leads_nowhere_and_never_fails(door: Door, bad: str) -> None:
    for one in door.known:
        for parameter in one.parameters:
            path = one.path.format(**{**door.world.ids, parameter: bad})
            body = b"" if one.body is None else json.dumps(one.body).encode()
            answer = door.send(one, body, path=path)
            assert 400 <= answer.status_code < 500, (one.name, parameter)
