"""Random requests made from the contract. Apart from their test: loading the tool for it takes a second."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

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

from tests.cast import Person
from tests.conftest import NOON
from tests.scales import filled

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Few in the everyday suite; `make cover` sends more.
EXAMPLES = 3 if os.environ.get("HYPOTHESIS_PROFILE", "quick") == "quick" else 12
# Signing out or being signed out would leave the rest of the run outside; its own test covers it.
LEFT_OUT = {
    ("DELETE", "/v1/sign-ins/current"),
    ("DELETE", "/v1/me/sign-ins"),
    ("DELETE", "/v1/patients/{patient_id}/sign-ins"),
}
Operation = tuple[Any, list[str]]


def operations(app: Flask) -> Iterator[Operation]:
    """Yield every operation with the roles that may use it (none: it is open to all)."""
    schema = schemathesis.openapi.from_wsgi("/v1/openapi.json", app, config=SchemathesisConfig.from_dict({}))
    schema.config.generation = GenerationConfig(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    for found in schema.get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path) not in LEFT_OUT:
            yield operation, operation.definition.raw["x-roles"]


def attempt(operation: Any, person: Person, ids: dict[str, str]) -> Counter[int]:
    """Send a few random requests to ``operation``; return how often each status came back."""
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
