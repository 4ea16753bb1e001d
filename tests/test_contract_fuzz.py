"""Random requests made from the contract, as each role in turn: never a 5xx, always as documented.

On SQLite only: what is looked for lies above the database. `tests/test_errors.py` sends the
known-bad values to both.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import booleans
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from uuid_utils.compat import uuid7

from server.app import create_app
from server.database import Database
from server.settings import Settings
from tests.cast import Cast, Person, entry, found_clinic
from tests.conftest import NOON, Clock, empty
from tests.scales import filled

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROLES = ("ana", "bo", "coordinator", "admin", "scheduler")
EXAMPLES = 5
# Signing out would leave the rest of the run outside; its own test covers it.
LEFT_OUT = {("DELETE", "/v1/sign-ins/current")}


@pytest.fixture(scope="module")
def fuzzed(sqlite_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Cast]]:
    """One app for all roles: what one leaves behind, the next finds."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    app = create_app(Settings(database_url=sqlite_url, data_dir=folder, password_cost="cheap"), Clock())
    cast = found_clinic(app)
    yield app, cast
    database: Database = app.extensions["afterglow"].database
    empty(database)
    database.close()


def operations(app: Flask) -> Iterator[tuple[Any, list[str]]]:
    """Yield every operation with the roles that may use it (none: it is open to all)."""
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", app, config=SchemathesisConfig.from_dict({}))
    schema.config.generation = GenerationConfig(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path) not in LEFT_OUT:
            yield operation, operation.definition.raw["x-roles"]


@pytest.mark.parametrize("who", ROLES)
def test_random_requests_are_answered_as_the_contract_says(fuzzed: tuple[Flask, Cast], who: str) -> None:
    app, cast = fuzzed
    person: Person = getattr(cast, who)
    role = person.get("/me").get_json()["role"]
    answers: Counter[int] = Counter()
    for operation, roles in operations(app):
        if role in roles or (not roles and who == ROLES[0]):
            answers += _try(operation, person, _real_ids(cast))
    # Requests that only bounce off the door would prove nothing.
    assert answers[200] + answers[201], answers


def _real_ids(cast: Cast) -> dict[str, str]:
    """Return path parameters that exist: Ana, an entry and a filled scale of hers, a scale."""
    entry_id = str(uuid7())
    assert cast.ana.put(f"/entries/{entry_id}", entry(NOON)).status_code == 201
    response_id = str(uuid7())
    assert cast.ana.put(f"/questionnaire-responses/{response_id}", filled(NOON)).status_code == 201
    ana = str(cast.ana.patient_id)
    return {"patient_id": ana, "entry_id": entry_id, "response_id": response_id, "key": "phq-9"}


def _try(operation: Any, person: Person, ids: dict[str, str]) -> Counter[int]:
    answers: Counter[int] = Counter()

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), real=booleans())
    def send(case: Any, real: bool) -> None:
        if real:
            _make_real(case, ids)
        answer = case.call(headers={"Authorization": f"Bearer {person.token}"})
        case.validate_response(answer, checks=CHECKS)
        answers[answer.status_code] += 1

    send()
    return answers


def _make_real(case: Any, ids: dict[str, str]) -> None:
    # A made-up id is never found, and a made-up moment is hardly ever of this month.
    for name in ids.keys() & (case.path_parameters or {}).keys():
        case.path_parameters[name] = ids[name]
    if isinstance(case.body, dict) and "instrument" in case.body:
        case.body = filled(NOON, each=1)
    elif isinstance(case.body, dict) and "occurred_at" in case.body:
        case.body.update(occurred_at=NOON.isoformat(), zone="Europe/Oslo")
        case.body.setdefault("safety", "no")
        for text_or_moment in ("recorded_at", "tags", "note"):
            case.body.pop(text_or_moment, None)
