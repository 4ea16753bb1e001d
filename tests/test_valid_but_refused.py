"""Each line of what the contract can't say is needed: what it shows fits the contract and is refused."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.access_matrix import Operation, let_in, lines, operations, sendable
from tests.access_world import World, built
from tests.cast import Cast
from tests.valid_but_refused import GONE, TABLE, Refusal

MOST_VERSIONS = 9


class Door:
    """Sends requests of the contract, as somebody who is let in."""

    def __init__(self, app: Flask, world: World, document: Any) -> None:
        self.app, self.world, self.document = app, world, document
        self.known = {one.name: one for one in operations(self.document)}
        self._lines = {line.name: line for line in lines()}

    def body(self, operation: Operation, line: Refusal, said: Mapping[str, Any]) -> Any:
        """Return the body that ``line`` shows, with what was ``said`` before; without a body, None."""
        if isinstance(line.body, str) or operation.body is None:
            return line.body or None
        members = {**(sendable(operation, self.world) or {}), **line.body, **said}
        return {name: value for name, value in members.items() if value is not GONE}

    def ask(self, operation: Operation, body: Any, query: Mapping[str, str]) -> TestResponse:
        """Return the answer, for the version that there is."""
        person = self.world.people[let_in(operation, self._lines[operation.name])]
        assert person is not None
        path = f"{operation.path.format(**self.world.ids)}?{urlencode(query)}"
        sent = {"data": body, "content_type": "text/calendar"} if isinstance(body, str) else {"json": body}
        mark = "" if operation.is_fhir else "v"
        for version in range(1, MOST_VERSIONS):
            headers = {"Authorization": f"Bearer {person.token}", "If-Match": f'"{mark}{version}"'}
            answer = self.app.test_client().open(path, method=operation.method, headers=headers, **sent)
            if answer.status_code != 412:
                break
        return answer

    def misfits(self, operation: Operation, body: Any, query: Mapping[str, str]) -> Iterator[str]:
        """Yield what of a request does not fit the contract."""
        from openapi_schema_validator import OAS31Validator  # here: only one worker has to load it

        said = self.document["paths"][operation.path][operation.method.lower()]
        parts = {one["name"]: one["schema"] for one in said.get("parameters", ())}
        content = said.get("requestBody", {}).get("content", {}).values()
        for schema, value in [
            *((parts[k], v) for k, v in query.items()),
            *((c["schema"], body) for c in content),
        ]:
            rules = OAS31Validator({**schema, "components": self.document["components"]})
            yield from (error.message for error in rules.iter_errors(value))


@pytest.fixture
def door(app: Flask, cast: Cast, served_contract: Any) -> Door:
    """Every operation, in a clinic in which everything exists."""
    return Door(app, built(app, cast), served_contract)


def test_no_operation_is_named_twice_or_unknown(door: Door) -> None:
    named = [name for line in TABLE for name in line.operations]
    assert len(set(named)) == len(named)
    assert set(named) <= door.known.keys()


@pytest.mark.parametrize("line", TABLE, ids=lambda line: line.operations[0])
def test_what_a_line_shows_fits_the_contract_and_is_refused(door: Door, line: Refusal) -> None:
    said: dict[str, Any] = {}
    for before in line.before:
        earlier = door.known[before]
        answer = door.ask(earlier, sendable(earlier, door.world), {})
        assert answer.status_code < 300, before
        said |= {name: answer.json[name] for name in line.taken}
    for name in line.operations:
        operation = door.known[name]
        body = door.body(operation, line, said)
        assert list(door.misfits(operation, body, line.query)) == [], name
        answer = door.ask(operation, body, line.query)
        assert answer.status_code == line.status, f"{name} {answer.text}"
