"""Random requests made from the contract, as each role in turn: never a 5xx, always as documented.

On SQLite only: what is looked for lies above the database. `tests/test_errors.py` sends the
known-bad values to both.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.app import create_app
from server.database import Database
from server.settings import Settings
from tests.access_world import ROLE, World, build
from tests.cast import Cast, Person, entry, found_clinic
from tests.conftest import NOON, Clock, bring_back, empty, make_room
from tests.scales import filled

ROLES = ("ana", "bo", "coordinator", "admin", "caregiver", "system")
# After it a caregiver whose only patient it was is nobody.
LAST = "DELETE /v1/cared-for/{patient_id}"
# The operations of the contract, each with the roles that may use it.
Operations = list[tuple[Any, list[str]]]


@pytest.fixture(scope="module")
def served(sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Cast, World]]:
    """One app for all roles, with everything a path can name: what one leaves behind, the next finds."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    # How fast requests may come is `tests/api/test_throttling.py`'s.
    settings = Settings(
        database_url=sqlite_url, data_dir=folder, password_cost="cheap", requests_per_minute=0
    )
    app = create_app(settings, Clock())
    make_room(app.extensions["afterglow"].database)
    cast = found_clinic(app)
    yield app, cast, build(app, cast)
    database: Database = app.extensions["afterglow"].database
    empty(database)
    database.close()


@pytest.fixture(scope="module")
def fuzzed(served: tuple[Flask, Cast, World]) -> tuple[Operations, Cast, World]:
    """The operations of that app."""
    from tests.random_requests import operations  # here: only one worker has to load it

    known = sorted(operations(served[0]), key=lambda one: bool(one[0].label == LAST))
    return known, served[1], served[2]


# A scheduling system makes nothing, and what a caregiver asks for does not follow from any answer.
@pytest.mark.parametrize("who", ROLES[:-2])
def test_requests_that_follow_from_each_other_are_too(served: tuple[Flask, Cast, World], who: str) -> None:
    from tests.random_requests import walk

    app, _, world = served
    answers = walk(app, _person(world, who), ROLE[who])
    assert answers[200] + answers[201], answers


@pytest.mark.parametrize("who", ROLES)
def test_random_requests_are_answered_as_the_contract_says(
    served: tuple[Flask, Cast, World], fuzzed: tuple[Operations, Cast, World], who: str
) -> None:
    from tests.random_requests import IS_QUICK, attempt

    _bring_back(*served)  # another one may have shown this one the door
    known, cast, world = fuzzed
    answers: Counter[int] = Counter()
    for number, (operation, roles) in enumerate(known):
        mine = roles or [ROLE[ROLES[0]]]
        # In the everyday suite each is asked as one of its roles, in turn; `make cover` asks as all of them.
        if ROLE[who] in (mine[number % len(mine) :][:1] if IS_QUICK else mine):
            answers += attempt(operation, _person(world, who), _real_ids(cast, world, operation.path))
    # Requests that only bounce off the door would prove nothing.
    assert answers[200] + answers[201], answers


@pytest.mark.parametrize("who", ROLES)
def test_planned_requests_are_too_and_those_that_lack_a_header_or_the_method_are_refused(
    served: tuple[Flask, Cast, World], fuzzed: tuple[Operations, Cast, World], who: str
) -> None:
    from tests.planned_requests import ALLOW, HEADER, IS_ALL, METHOD, send_planned

    _bring_back(*served)
    known, _, world = fuzzed
    told: Counter[str | int] = Counter()
    for operation, roles in known:
        mine = (roles or [ROLE["ana"]])[: None if IS_ALL else 1]
        if ROLE[who] in mine:
            told += send_planned(operation, _person(world, who), dict(world.ids))
    _bring_back(*served)
    assert min(told[HEADER], told[METHOD], told[ALLOW]) > 0, told


def test_an_app_that_heeds_no_header_and_takes_every_method_is_told_of() -> None:
    from tests.planned_requests import ALLOW, HEADER, METHOD, complaints
    from tests.random_requests import contract_of

    (found,) = contract_of(careless(), "/contract").get_all_operations()
    assert complaints(found.ok()) >= {ALLOW, HEADER, METHOD}


def careless() -> Flask:
    """Return an app whose contract asks for a header and knows one method, and which cares for neither."""
    app = Flask("careless")
    header = {"in": "header", "name": "If-Match", "required": True, "schema": {"const": "v1"}}
    operation = {"parameters": [header], "responses": {"200": {"description": "done"}}, "x-roles": []}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Careless", "version": "1"},
        "paths": {"/notes": {"get": operation}},
    }
    app.add_url_rule("/contract", view_func=lambda: document)
    methods = ["GET", "PUT", "POST", "PATCH", "DELETE", "TRACE", "QUERY"]
    app.add_url_rule("/notes", "notes", lambda: "", methods=methods)
    return app


def _person(world: World, who: str) -> Person:
    person = world.people[who]
    assert person is not None
    return person


def _bring_back(app: Flask, _: Cast, world: World) -> None:
    database: Database = app.extensions["afterglow"].database
    empty(database)
    bring_back(database, world.rows)


def _real_ids(cast: Cast, world: World, path: str) -> dict[str, str]:
    """Return parameters of ``path`` that exist, or did; an entry and a filled scale of Ana's are new ones."""
    found = dict(world.ids)
    if "/Observation/" in path:
        found["resource_id"] = found["observation_id"]
    if "{entry_id}" in path:
        found["entry_id"] = str(uuid7())
        assert cast.ana.put(f"/entries/{found['entry_id']}", entry(NOON)).status_code == 201
    if "{response_id}" in path:
        found["response_id"] = str(uuid7())
        put = cast.ana.put(f"/questionnaire-responses/{found['response_id']}", filled(NOON))
        assert put.status_code == 201
    return found
