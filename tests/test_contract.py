"""The contract: what is published is what the code does, complete and without a door left open."""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from flask import Flask

from schemas.base import Body
from server.api import contract
from server.app import create_app
from server.clinical.vocabulary import Role
from server.settings import Settings
from tests import contract_examples
from tests.source import ROOT, read_yaml

# Pages for people, the contract itself, and what whoever runs this asks: no data of anybody behind them.
PUBLIC_PAGES = {"home", "openapi", "swagger_ui.show", "health.livez", "health.readyz", "metrics.metrics"}
OPEN_ON_PURPOSE = {
    ("get", "/fhir/R4/metadata"),
    ("get", "/v1/calendar-feeds/{feed_token}/visits.ics"),  # its token is the key
    ("get", "/v1/exports/{export_id}"),  # its proof stands in the address
    ("get", "/v1/sms-messages"),  # the same
    ("get", "/v1/sms-reports/{delivery_id}"),  # its proof stands in the address
    ("get", "/v1/status"),
    ("post", "/v1/enrolments"),
    ("post", "/v1/scheduling-events/{connection_id}"),  # signed by the clinic's system
    ("post", "/v1/sign-ins"),
    ("post", "/v1/recoveries"),
    ("post", "/v1/recoveries/redeem"),
    ("post", "/v1/sign-ins/refresh"),
    ("post", "/v1/sign-ins/second-factor"),
}
# What answers 201 or 202 without an `Idempotency-Key`.
AGAIN_IS_HARMLESS = {
    "addPasskey": "its challenge is good once",
    "addTotp": "the one before was not confirmed and counts for nothing",
    "askErasure": "the one before is cancelled",
    "beginPasskey": "a challenge runs out",
    "beginStepUp": "a challenge runs out",
    "createContactPoint": "the same address is the same row; a number gets another code",
    "enrol": "a code is good once",
    "postFhirAppointmentResponse": "the same again is the same move",
    "proveSecondFactor": "a ticket is good once",
    "receiveSchedulingEvent": "an event is known by its id",
    "replayLostWebhookDeliveries": "what is on its way is no more lost",
    "renewRecoveryCodes": "those before end",
    "replayWebhookDelivery": "the event keeps its id",
    "signIn": "another sign-in, which is listed and can be ended",
    "testWebhook": "a test",
}


class Operation(NamedTuple):
    """One operation of the contract."""

    method: str
    path: str
    doc: dict[str, Any]


@pytest.fixture(scope="module")
def contract_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An app nobody sends anything to."""
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("contract"), password_cost="cheap"))


@pytest.fixture(scope="module")
def document(contract_app: Flask) -> dict[str, Any]:
    """The contract as the app serves it."""
    served: dict[str, Any] = contract_app.test_client().get("/v1/openapi.json").get_json()
    return served


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Yield every operation."""
    for path, item in document["paths"].items():
        for method in ("get", "put", "post", "patch", "delete"):
            if method in item:
                yield Operation(method, path, item[method])


def resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Follow a `$ref`."""
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


@pytest.mark.long
def test_the_committed_contract_is_the_generated_one(contract_app: Flask) -> None:
    api = contract_app.extensions["flask-smorest"]["apis"][""]["ext_obj"]
    committed = (ROOT / "openapi.yaml").read_text("utf-8")
    assert committed == contract.as_yaml(api), "run `make openapi`"
    assert read_yaml(committed) == json.loads(json.dumps(contract.document(api)))


@pytest.mark.long
def test_the_contract_is_valid_openapi(document: dict[str, Any]) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # here: only one worker has to load it

    assert document["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_of_the_api_has_its_roles_and_is_in_the_contract(
    contract_app: Flask, document: dict[str, Any]
) -> None:
    written = {(o.method, o.path) for o in operations(document)}
    served = set()
    for rule in contract_app.url_map.iter_rules():
        view = contract_app.view_functions[rule.endpoint]
        if rule.endpoint in PUBLIC_PAGES:
            continue
        assert hasattr(view, "allowed_roles"), f"{rule.rule} has no policy: use @allow or @open_to_all"
        path = "".join(f"{{{part}}}" if is_variable else part for is_variable, part in _parts(rule.rule))
        served |= {(m.lower(), path) for m in rule.methods or () if m not in ("HEAD", "OPTIONS")}
    assert served == written


def _parts(rule: str) -> Iterator[tuple[bool, str]]:
    for piece in rule.split("<"):
        variable, closed, rest = piece.rpartition(">")
        if closed:
            yield True, variable.rpartition(":")[2]
        yield False, rest


def test_only_these_doors_are_open(document: dict[str, Any]) -> None:
    without = {(o.method, o.path) for o in operations(document) if o.doc["security"] == []}
    assert without == OPEN_ON_PURPOSE


def test_every_operation_says_what_it_does_and_who_may(document: dict[str, Any]) -> None:
    roles = {role.value for role in Role}
    for method, path, doc in operations(document):
        place = f"{method} {path}"
        assert doc["summary"].endswith("."), place
        assert doc["tags"], place
        if (method, path) not in OPEN_ON_PURPOSE:
            assert doc["security"] == [{"bearer": []}], place
            assert set(doc["x-roles"]) <= roles, place
            assert doc["x-roles"], place


def test_an_operation_keeps_the_name_that_clients_made_from_the_contract_call_it_by(
    document: dict[str, Any],
) -> None:
    """One that was renamed is gone for every client that is made anew: that breaks the contract."""
    named = {f"{o.method.upper()} {o.path} {o.doc['operationId']}" for o in operations(document)}
    known = {*(ROOT / "tests" / "operation_names.txt").read_text("utf-8").splitlines()}
    assert named - known == set(), "an operation is new: add its line"
    assert known - named == set(), "an operation was renamed or taken away"


def test_whatever_makes_something_takes_a_key_or_says_why_not(document: dict[str, Any]) -> None:
    makes = {
        o.doc["operationId"]
        for o in operations(document)
        if o.method == "post" and {"201", "202"} & o.doc["responses"].keys()
    }
    keyed = {
        o.doc["operationId"]
        for o in operations(document)
        if any(one["name"] == "Idempotency-Key" for one in o.doc.get("parameters", ()))
    }
    assert keyed - makes == set()
    assert makes - keyed == AGAIN_IS_HARMLESS.keys()


def test_every_operation_has_a_name_of_its_own_that_begins_with_a_verb(document: dict[str, Any]) -> None:
    names = [o.doc["operationId"] for o in operations(document)]
    names += [event["post"]["operationId"] for event in document["webhooks"].values()]
    assert len({name.lower() for name in names}) == len(names)
    assert [name for name in names if re.fullmatch("[a-z]+([A-Z][a-z]+)*", name) is None] == []
    words = {name.lower() for name in document["components"]["schemas"]}
    assert [name for name in names if name.lower() in words] == []


def test_tools_that_make_clients_find_each_set_of_words_once_and_each_resource_under_its_name(
    document: dict[str, Any],
) -> None:
    """Of words with null among them one tool made three classes with the same words."""
    assert [place for place, shape in _shapes(document, "") if None in shape.get("enum", ())[1:]] == []
    for method, path, doc in operations(document):
        for status, answer in doc["responses"].items() if path.startswith("/fhir/") else ():
            said = resolved(document, answer)["content"].get(contract.FHIR)
            assert said is None or "$ref" in said["schema"], f"{method} {path} {status}"


def _shapes(part: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    below = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    if isinstance(part, dict):
        yield place, part
    for key, found in below:
        yield from _shapes(found, f"{place}/{key}")


def test_the_contract_says_what_its_own_marks_mean(document: dict[str, Any]) -> None:
    marks = {mark for operation in operations(document) for mark in operation.doc if mark.startswith("x-")}
    assert {mark for mark in marks if f"`{mark}`" not in document["info"]["description"]} == set()


def test_every_operation_documents_its_errors_as_problems(document: dict[str, Any]) -> None:
    for method, path, doc in operations(document):
        errors = {status: a for status, a in doc["responses"].items() if status[0] not in "23"}
        assert "default" in errors, f"{method} {path}"
        for status, answer in errors.items():
            content = resolved(document, answer)["content"]
            if path.startswith("/fhir/"):
                assert list(content) == [contract.FHIR], f"{method} {path} {status}"
                continue
            assert list(content) == [contract.PROBLEM], f"{method} {path} {status}"
            shape = resolved(document, content[contract.PROBLEM]["schema"])
            assert set(shape["required"]) == {"type", "title", "status", "code", "detail"}, f"{method} {path}"


def test_every_answer_with_a_body_has_a_schema(document: dict[str, Any]) -> None:
    for method, path, doc in operations(document):
        for status, answer in doc["responses"].items():
            if status not in ("204", "304", "default"):
                contents = resolved(document, answer)["content"].values()
                assert all("schema" in content for content in contents), f"{method} {path} {status}"


def test_every_request_body_shows_an_example(document: dict[str, Any]) -> None:
    for method, path, doc in operations(document):
        for kind, content in doc.get("requestBody", {}).get("content", {}).items():
            shape = dict if "json" in kind else str
            assert isinstance(content.get("example"), shape), f"{method} {path} {kind}"


def answers(document: dict[str, Any]) -> Iterator[tuple[Operation, str, str, dict[str, Any]]]:
    """Yield every answer of the contract that has a body: its operation, status, content type and content."""
    for operation in operations(document):
        for status, answer in operation.doc["responses"].items():
            for kind, content in answer.get("content", {}).items() if status.startswith("2") else ():
                yield operation, status, kind, content


def test_every_answer_has_an_example(document: dict[str, Any]) -> None:
    for operation, status, kind, content in answers(document):
        assert "example" in content, f"{operation.method} {operation.path} {status} {kind}"


def test_tools_that_make_clients_find_the_members_of_each_body_and_a_text_in_each_header(
    document: dict[str, Any],
) -> None:
    for name, shape in document["components"]["schemas"].items():
        assert "properties" not in shape or not {"oneOf", "anyOf", "allOf"} & shape.keys(), name
    for method, path, doc in operations(document):
        for one in (one for one in doc.get("parameters", ()) if one["in"] == "header"):
            said = resolved(document, one["schema"])
            is_text = said["type"] == "string" and said.get("format") not in ("date-time", "date", "uuid")
            assert is_text, f"{method} {path} {one['name']}"


def test_the_page_that_tries_requests_out_fills_in_no_example_that_narrows_them_down(
    document: dict[str, Any],
) -> None:
    """Ana tried `GET /v1/entries` as the page proposed it: one day of March, behind a made-up cursor."""
    asked = [
        (f"{method} {path}", parameter["name"])
        for method, path, doc in operations(document)
        for parameter in doc.get("parameters", ())
        if "example" in parameter or "example" in resolved(document, parameter["schema"])
    ]
    assert asked == []


def test_the_examples_of_answers_fit_their_own_schema(document: dict[str, Any]) -> None:
    from openapi_schema_validator import OAS31Validator  # here, as above

    count = 0
    for operation, status, _, content in answers(document):
        if "example" in content:
            schema = {**content["schema"], "components": document["components"]}
            found = [e.message for e in OAS31Validator(schema).iter_errors(content["example"])]
            assert found == [], f"{operation.method} {operation.path} {status}"
            count += 1
    assert count > 50


@pytest.mark.long
def test_the_examples_of_answers_are_what_the_server_says_today() -> None:
    committed = contract_examples.FILE.read_text("utf-8")
    assert committed == contract_examples.written(), "run `make openapi`"


@pytest.mark.parametrize(
    "schema", [s for s in Body.__subclasses__() if s.EXAMPLE is not None], ids=lambda s: s.__name__
)
def test_the_examples_are_taken(schema: type[Body]) -> None:
    assert schema().load(dict(schema.EXAMPLE or {})), "an example shows something"


@pytest.mark.long
def test_every_view_that_reads_if_match_says_so(contract_app: Flask, document: dict[str, Any]) -> None:
    saying = {
        (o.method, o.path)
        for o in operations(document)
        if any(p.get("name") == "If-Match" for p in o.doc.get("parameters", ()))
    }
    reading = set()
    for rule in contract_app.url_map.iter_rules():
        view = inspect.unwrap(contract_app.view_functions[rule.endpoint])
        if rule.endpoint not in PUBLIC_PAGES and _calls(view, {"if_match", "required_version"}):
            path = "".join(f"{{{part}}}" if is_variable else part for is_variable, part in _parts(rule.rule))
            reading |= {(m.lower(), path) for m in rule.methods or () if m not in ("HEAD", "OPTIONS")}
    assert reading == saying


def _calls(function: Any, names: set[str]) -> bool:
    """Return whether ``function``, or a helper of its own module that it uses, uses one of ``names``."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    module = inspect.getmodule(function)
    own = [found for name in used if inspect.isfunction(found := getattr(module, name, None))]
    helpers = [found for found in own if found.__module__ == function.__module__ and found is not function]
    return bool(used & names) or any(_calls(helper, names) for helper in helpers)
