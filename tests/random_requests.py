"""Random requests made from the contract. Apart from their test: loading the tool for it takes a second."""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test
from hypothesis.strategies import booleans, one_of
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import GenerationConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ensure_resource_availability,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
    use_after_free,
)

from server.api.edge import Surroundings
from server.api.kept_answer import HEADER
from tests.cast import Person
from tests.conftest import NOON, bring_back, empty, keep
from tests.random_values import is_beyond_patterns, register
from tests.scales import filled
from tests.valid_but_refused import exceptions

# Without `object_level_authorization`: it compares users whom the tool itself signs in, of which it has none
# here. Who gets what of whom is asked of every operation by `tests/test_access_matrix.py`.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    missing_required_header,
    unsupported_method,
    allow_header_conformance,
    use_after_free,
    ensure_resource_availability,
]
# Few in the everyday suite; `make cover` sends more.
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")
IS_QUICK = PROFILE == "quick"
EXAMPLES, WALKS, STEPS = (3, 4, 8) if IS_QUICK else (12, 60, 15)
_SETTINGS = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# What is refused for its size alone (413) is refused, too.
_REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
# What any answer to valid data may be: nobody can know from the contract who is signed in, what there is
# and in which state and version.
_ANSWERS = ["2xx", 401, 403, 404, 409, 412, 428, 429]
_EXPECTED = {
    "checks": {
        "negative_data_rejection": {"expected-statuses": _REFUSALS},
        "positive_data_acceptance": {"expected-statuses": _ANSWERS},
        # Of what has changed nothing is overwritten unseen: RFC 6585 has a status for just that.
        "missing_required_header": {"expected-statuses": [400, 401, 403, 406, 415, 422, 428]},
    },
    "operations": exceptions(_REFUSALS, _ANSWERS),
}
# Signing out or being signed out would leave the rest of the run outside; its own test covers it.
LEFT_OUT = {
    ("DELETE", "/v1/sign-ins/current"),
    ("DELETE", "/v1/me/sign-ins"),
    ("DELETE", "/v1/me/sign-ins/{sign_in_id}"),
    ("POST", "/v1/clinic/accounts/{account_id}/disable"),
    ("DELETE", "/v1/clinic/accounts/{account_id}/sign-ins"),
    ("DELETE", "/v1/clinic/accounts/{account_id}/factors"),
    ("DELETE", "/v1/patients/{patient_id}/sign-ins"),
}
_KEYS = count(10**7)
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
register()
schemathesis.serializer.alias("message/rfc822", "text/plain")
Operation = tuple[Any, list[str]]


def operations(app: Flask) -> Iterator[Operation]:
    """Yield every operation with the roles that may use it (none: it is open to all)."""
    for found in contract_of(app).get_all_operations():
        operation = found.ok()
        if (operation.method.upper(), operation.path) not in LEFT_OUT:
            yield operation, operation.definition.raw["x-roles"]


def contract_of(app: Flask, path: str = "/v1/openapi.json") -> Any:
    """Read the contract that ``app`` serves at ``path``."""
    schema = schemathesis.openapi.from_wsgi(path, app, config=SchemathesisConfig.from_dict(_EXPECTED))
    schema.config.generation = GenerationConfig(modes=MODES)
    return schema


def attempt(operation: Any, person: Person, ids: dict[str, str]) -> Counter[int]:
    """Send a few random requests to ``operation``; return how often each status came back."""
    answers: Counter[int] = Counter()

    @settings(_SETTINGS, max_examples=EXAMPLES)
    @given(case=one_of(map(operation.as_strategy, MODES)), real=booleans())
    def send(case: Any, real: bool) -> None:
        if real and case.meta.generation.mode.is_positive:
            _make_real(case, ids)
        _give_new_key(case)
        headers = {"Authorization": f"Bearer {person.token}"}
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=checks_of(case), headers=headers)
        answers[answer.status_code] += 1

    send()
    return answers


def walk(app: Flask, person: Person, role: str) -> Counter[int]:
    """Let requests follow from each other: what one makes, the next reads, changes and removes.

    Only what the role may do: everything else is at the door, which has tests of its own.
    """
    answers: Counter[int] = Counter()
    headers = {"Authorization": f"Bearer {person.token}"}
    database = Surroundings.of(app).database
    rows = keep(database)
    mine = contract_of(app).include(func=lambda context: _is_for(context.operation, role))

    class Walk(mine.as_state_machine()):
        """One walk of several steps."""

        def setup(self) -> None:
            """Begin where the others began: what a walk finds must not depend on those before it."""
            empty(database)
            bring_back(database, rows)

        def before_call(self, case: Any, **_options: Any) -> None:
            """Ask under a key of its own, where there is one."""
            _give_new_key(case)

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            """Ask as the person."""
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, **_options: Any) -> None:
            """Check an answer, and what it says about the ones before."""
            answers[response.status_code] += 1
            case.validate_response(response, checks=checks_of(case), headers=headers)

    chosen = settings(_SETTINGS, max_examples=WALKS, stateful_step_count=STEPS)
    run_state_machine_as_test(Walk, settings=chosen)
    empty(database)  # whoever the last walk has signed out is back for the tests that follow
    bring_back(database, rows)
    return answers


def checks_of(case: Any) -> list[Any]:
    """Return the checks that can judge the answer to ``case``."""
    parts = (case.body, dict(case.query or {}), dict(case.path_parameters or {}))
    if any(map(is_beyond_patterns, parts)):
        return [check for check in CHECKS if check is not positive_data_acceptance]
    return CHECKS


def _is_for(operation: Any, role: str) -> bool:
    is_left_out = (operation.method.upper(), operation.path) in LEFT_OUT
    return not is_left_out and role in operation.definition.raw["x-roles"]


def _give_new_key(case: Any) -> None:
    # Another request under a key that was given to one is refused: which were, no contract can say.
    if HEADER in (case.headers or {}) and case.meta.generation.mode.is_positive:
        case.headers[HEADER] = f"random-{next(_KEYS)}"


def _make_real(case: Any, ids: dict[str, str]) -> None:
    # A made-up id or version is never found, and a made-up moment is hardly ever of this month.
    for name in ids.keys() & (case.path_parameters or {}).keys():
        case.path_parameters[name] = ids[name]
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = '"1"' if case.path.startswith("/fhir/") else '"v1"'
    if isinstance(case.body, dict) and "instrument" in case.body:
        case.body = filled(NOON, each=1)
    elif isinstance(case.body, dict) and "occurred_at" in case.body:
        case.body.update(occurred_at=NOON.isoformat(), zone="Europe/Oslo")
        case.body.setdefault("safety", "no")
        case.body["items"] = {key: int(value) for key, value in case.body.get("items", {}).items()}
        for text_or_moment in ("recorded_at", "tags", "note"):
            case.body.pop(text_or_moment, None)
