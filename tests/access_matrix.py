"""The table of who may what, `tests/access_matrix.csv`: read, compared with the routes, and asked for.

A cell says what one person gets from one operation on what belongs to Ana and her clinic. `ok`: let in (what
is answered then is for other tests to judge; of a list they get their own). Otherwise the status that keeps
them out.

The column `leaving` says what the clinic's staff gets once Ana's erasure is confirmed, while her rows are
still there: `404`, `ok` (let in, and nothing of hers is in it), `hers` (something of hers is), `-` (it is not
for staff). Where they get different things, all of them.

`python -m tests.access_matrix` adds a line for every new operation, as the server answers today, with `?` for
its reason: a person reads the line, decides whether it is right, and says why. Until then the suite fails.
Lines in which a new column is missing are asked for anew, and their difference is what there is to read.
"""

import csv
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flask import Flask
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.api.edge import EXTENSION, Surroundings
from server.app import create_app
from server.migrations import upgrade
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys
from server.throttle import Throttle
from tests.access_world import HER_NAME, HERS, NOBODY, ROLE, STAFF, WHO, World, build, left, resource_ids
from tests.cast import PASSWORD, Person, found_clinic
from tests.conftest import NOON, Watched, bring_back, empty, make_room
from tests.source import ROOT

FILE = ROOT / "tests" / "access_matrix.csv"
KEPT_OUT = {401: "401", 403: "403", 404: "404"}
UNREVIEWED = "?"
LEAVING = "leaving"
FHIR = "application/fhir+json"
_PARAMETER = re.compile(r"{(\w+)}")
_ID = re.compile(r"[0-9a-f-]{36}")
# What the members of a body name has to exist, for the answer to be about access.
# Where the contract's example names something that there is not in this world.
_BODIES: dict[str, Any] = {
    "POST /v1/clinic/policy-replays": {"values": {"relapse.enter_days": 7}},
    "POST /v1/sign-ins/step-up": {"password": PASSWORD},
    "PUT /v1/me/password": {"current_password": PASSWORD, "new_password": PASSWORD},
}
_NAMED = {"account_id": "bo_id", "course_id": "course_id", "policy_version": "policy_version"}


@dataclass(frozen=True)
class Operation:
    """One operation of the contract: its roles (none: open to all), the example and members of its body."""

    method: str
    path: str
    roles: tuple[str, ...]
    body: Any
    members: frozenset[str]

    @property
    def name(self) -> str:
        """As in the table."""
        return f"{self.method} {self.path}"

    @property
    def is_fhir(self) -> bool:
        """Whether it speaks FHIR: other bodies, other versions, other errors."""
        return self.path.startswith("/fhir/")

    @property
    def parameters(self) -> list[str]:
        """The names in its path."""
        return _PARAMETER.findall(self.path)


@dataclass(frozen=True)
class Line:
    """One line of the table: what each of `WHO` gets, and staff of who leaves; why that is right."""

    name: str
    cells: Mapping[str, str]
    leaving: str
    why: str

    @property
    def is_full(self) -> bool:
        """Whether somebody was asked for every cell."""
        return UNREVIEWED not in (*self.cells.values(), self.leaving)


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield every operation of the contract."""
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "put", "post", "patch", "delete"}:
            doc = item[method]
            kinds = doc.get("requestBody", {}).get("content", {})
            content = kinds.get("application/json", kinds.get(FHIR, {}))
            name = f"{method.upper()} {path}"
            body = _BODIES.get(name, content.get("example"))
            shape = _resolved(document, content.get("schema", {}))
            members = frozenset(shape.get("properties", ()))
            yield Operation(method.upper(), path, tuple(doc["x-roles"]), body, members)


def _resolved(document: Mapping[str, Any], shape: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in shape:
        return shape
    found: Mapping[str, Any] = document["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    return found


def lines() -> list[Line]:
    """Read the table."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [
            Line(
                row["operation"],
                {who: row.get(who, UNREVIEWED) for who in WHO},
                row.get(LEAVING, UNREVIEWED),
                row["why"],
            )
            for row in csv.DictReader(file, skipinitialspace=True)
        ]


def ask(person: Person | None, app: Flask, operation: Operation, world: World) -> TestResponse:
    """Send ``operation`` as ``person`` for the things of ``world``."""
    headers = {"If-Match": 'W/"999"' if operation.is_fhir else '"v999"'}
    if person is not None:
        headers["Authorization"] = f"Bearer {person.token}"
    body = sendable(operation, world)
    if body is not None and operation.is_fhir:
        headers["Content-Type"] = FHIR
    path = operation.path.replace("Observation/{resource_id}", "Observation/{observation_id}")
    path = path.format(**world.ids)
    return app.test_client().open(path, method=operation.method, json=body, headers=headers)


def sendable(operation: Operation, world: World) -> dict[str, Any] | None:
    """Return the example of a body, naming things that there are in ``world``; None where it takes none."""
    if operation.body is None:
        return None
    visit = world.ids["visit_id"]
    fhir = {"id": visit, "appointment": {"reference": f"Appointment/{visit}"}}
    ours = {name: _value(world, name) for name in _NAMED.keys() & operation.body.keys()}
    known = fhir if operation.is_fhir else ours
    return {**operation.body, **{name: known[name] for name in known.keys() & operation.body.keys()}}


def _value(world: World, name: str) -> Any:
    value = world.ids[_NAMED[name]]
    return int(value) if value.isdecimal() else value


def cell(answer: TestResponse) -> str:
    """Return how an answer stands in the table."""
    assert answer.status_code < 500, answer.text
    return KEPT_OUT.get(answer.status_code, "ok")


def let_in(operation: Operation, line: Line) -> str:
    """Return somebody whom ``operation`` lets in, if only to refuse what they send."""
    by_role = (who for who, role in ROLE.items() if role.value in operation.roles)
    return next((who for who in WHO if line.cells[who] == "ok"), next(by_role, NOBODY))


def made_up(world: World) -> World:
    """Return the same world with ids of nothing."""
    ids = {name: str(uuid7()) if _ID.fullmatch(value) else value for name, value in world.ids.items()}
    return replace(world, ids=ids | resource_ids(uuid7(), uuid7()))


def observed(operation: Operation, app: Flask, world: World) -> dict[str, str]:
    """Return what everybody gets."""
    return {who: cell(answer) for who, answer in _answers(operation, app, world, WHO)}


def after_leaving(operation: Operation, app: Flask, gone: World) -> str:
    """Return what stands in the column `leaving`, in a world that Ana has `left`."""
    hers = [HER_NAME, *(gone.ids[name] for name in HERS)]
    found, named = set(), [who for who in STAFF if ROLE[who].value in operation.roles]
    for _, answer in _answers(operation, app, gone, named):
        names_her = any(mark in answer.text for mark in hers)
        found.add("hers" if names_her else cell(answer))
    return "/".join(sorted(found)) or "-"


def _answers(
    operation: Operation, app: Flask, world: World, people: Iterable[str]
) -> Iterator[tuple[str, TestResponse]]:
    """Yield what each of them gets; what one of them changed is brought back before the next one asks."""
    database = Surroundings.of(app).database
    for who in people:
        answer = ask(world.people[who], app, operation, world)
        yield who, answer
        # Tries to get in are counted, also those that fail.
        if operation.method != "GET" and (answer.status_code < 300 or not operation.roles):
            empty(database)
            bring_back(database, world.rows)


def _write(known: list[Line]) -> None:
    with FILE.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["operation", *WHO, LEAVING, "why"])
        for line in sorted(known, key=lambda line: line.name.split(" ")[::-1]):
            out.writerow([line.name, *(line.cells[who] for who in WHO), line.leaving, line.why])


def _add_new_lines(folder: Path) -> int:
    known = lines() if FILE.exists() else []
    names, app = {line.name for line in known}, _app(folder)
    cast = found_clinic(app)
    world = build(app, cast)
    document = app.test_client().get("/v1/openapi.json").get_json()
    why = {line.name: line.why for line in known}
    full = {line.name for line in known if line.is_full}
    new = [one for one in operations(document) if one.name not in full]
    kept = [line for line in known if line.name in full]
    cells = {one.name: observed(one, app, world) for one in new}
    gone = left(cast, world)
    leaving = {one.name: after_leaving(one, app, gone) for one in new}
    seen = (Line(name, cells[name], leaving[name], why.get(name, UNREVIEWED)) for name in cells)
    _write([*kept, *seen])
    return len(operations_without(names, document))


def operations_without(names: set[str], document: Mapping[str, Any]) -> list[str]:
    """Return the operations of the contract that are not among ``names``."""
    return [one.name for one in operations(document) if one.name not in names]


def _app(folder: Path) -> Flask:
    settings = Settings(data_dir=folder, password_cost="cheap")
    app = create_app(settings, lambda: NOON)
    database = Watched(settings.sqlalchemy_url, master_keys(settings))
    upgrade(database)
    make_room(database)
    app.extensions[EXTENSION] = Surroundings(
        settings, database, lambda: NOON, Passwords("cheap"), throttle=Throttle(0)
    )
    return app


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        sys.stderr.write(f"{_add_new_lines(Path(place))} lines to review\n")
