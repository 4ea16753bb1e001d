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
from tests.access_world import World, build
from tests.cast import Cast, Person, entry, found_clinic
from tests.conftest import NOON, Clock, empty, make_room
from tests.scales import filled

ROLES = ("ana", "bo", "coordinator", "admin", "scheduler")
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

    return list(operations(served[0])), served[1], served[2]


# A scheduling system makes nothing: what it asks for does not follow from anything.
@pytest.mark.parametrize("who", ROLES[:-1])
def test_requests_that_follow_from_each_other_are_too(served: tuple[Flask, Cast, World], who: str) -> None:
    from tests.random_requests import walk

    app, cast, _ = served
    person: Person = getattr(cast, who)
    answers = walk(app, person, person.get("/me").get_json()["role"])
    assert answers[200] + answers[201], answers


@pytest.mark.parametrize("who", ROLES)
def test_random_requests_are_answered_as_the_contract_says(
    fuzzed: tuple[Operations, Cast, World], who: str
) -> None:
    from tests.random_requests import attempt

    known, cast, world = fuzzed
    person: Person = getattr(cast, who)
    role = person.get("/me").get_json()["role"]
    answers: Counter[int] = Counter()
    for operation, roles in known:
        if role in roles or (not roles and who == ROLES[0]):
            answers += attempt(operation, person, _real_ids(cast, world, operation.path))
    # Requests that only bounce off the door would prove nothing.
    assert answers[200] + answers[201], answers


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
