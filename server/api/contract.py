"""The contract (OpenAPI 3.1), generated from blueprints and schemas."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import yaml
from flask import Flask
from flask_smorest import Api

from schemas import spelling
from schemas.fhir.resource import OUTCOME
from schemas.problem import ProblemSchema
from server.api import contract_events, contract_fields, kept_answer, phone_clock, version_header
from server.api.converters import Uuid7Converter, WeekConverter

# What the server said in a small story, by operation, status and content type; a test plays it again.
ANSWERS = Path(__file__).with_name("examples.json")
PROBLEM = "application/problem+json"
FHIR, FHIR_ROOT = "application/fhir+json", "/fhir/"
_BUSY, _BUSY_FHIR = "TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS_FHIR"
_PROBLEM_SHAPE = {"$ref": "#/components/schemas/Problem"}
_OUTCOME = {"description": "OperationOutcome", "content": {FHIR: {"schema": OUTCOME}}}
CONFIG = {
    "API_TITLE": "Afterglow",
    "API_VERSION": version("afterglow"),
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_JSON_PATH": "openapi.json",
}
_DESCRIPTION = (
    "The journal between treatment sessions: log, watch, alert, visit suggestion. "
    "Every error is RFC 9457 `application/problem+json`; under /fhir it is an OperationOutcome. "
    "Every answer names its request in `X-Request-Id`: say it when you report something.\n\n"
    "What makes something takes an `Idempotency-Key`: the very same request with the same key, sent again "
    "within 24 hours because no answer came, makes nothing and gets the answer of the first time. Another "
    "request with that key is 422 `key-reused`. What was refused may be mended and sent with the key.\n\n"
    "Operations have marks of ours: `x-roles`, who may call it (nobody named: open to all); `x-step-up`, it "
    "is 403 `step-up-required` unless this sign-in proved within five minutes who it is, by signing in or "
    "with `POST /v1/sign-ins/step-up`; `x-consent`, the consents of the patient it rests on (403 "
    "`consent-withdrawn`); `x-scope`, what the patient must let a caregiver do; `x-before-second-factor`, "
    "who still has to add a second factor may call it too."
)


class ContractApi(Api):  # type: ignore[misc]  # flask-smorest carries no types
    """flask-smorest with our one error shape in the contract; its own is another.

    What the contract says is worked out when somebody asks: it took a fifth of a start, and memory for ever.
    """

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        self._untold: list[tuple[Any, str]] = []
        # Held by whoever works on what the contract says.
        self.telling = Lock()
        super().__init__(app)

    def register_blueprint(self, blp: Any, *, parameters: None = None, **options: Any) -> None:
        """Serve the operations of a blueprint."""
        name = options.get("name", blp.name)
        self._app.extensions["flask-smorest"]["blp_name_to_api"][name] = self
        self._app.register_blueprint(blp, **options)
        self._untold.append((blp, name))

    def _register_responses(self) -> None:
        """Leave it to `complete`: the library would make our error's schema anew for each status there is."""

    def complete(self) -> None:
        """Let the contract hold everything that is served."""
        if self._untold:
            super()._register_responses()
            describe(self)
        while self._untold:
            blueprint, name = self._untold.pop(0)
            blueprint.register_views_in_doc(self, self._app, self.spec, name=name, parameters=None)
            self.spec.tag({"name": name, "description": blueprint.description})


def describe(api: Api) -> None:
    """Say once what holds for the whole contract."""
    assert api.spec is not None
    contract_fields.describe(api)
    contract_events.describe(api)
    api.register_converter(Uuid7Converter, _uuid7_schema)
    api.register_converter(WeekConverter, _week_schema)
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    api.spec.options["info"] = {
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }


def document(api: ContractApi) -> dict[str, Any]:
    """Return the contract as plain values, the error answers under their real content type."""
    with api.telling:
        return deepcopy(_document(api))  # what it is made of is worked on again by the next who asks


def _document(api: ContractApi) -> dict[str, Any]:
    api.complete()
    assert api.spec is not None
    spec: dict[str, Any] = _named_alike(api.spec.to_dict())
    contract_fields.put_together(api, spec)
    for answer in _error_answers(spec):
        content = answer.get("content", {})
        if "application/json" in content:
            content[PROBLEM] = content.pop("application/json")
    for operation in _operations(spec):
        if headers := list(_headers(operation)):
            operation.setdefault("parameters", []).extend(headers)
        for kind in operation.pop("x-also", ()):
            operation["responses"]["200"]["content"][kind] = {"schema": {"type": "string"}}
        operation["responses"].setdefault("429", _answer_called(_BUSY))
    named = spec["components"]["responses"]
    named |= {_BUSY: _too_many(PROBLEM, _PROBLEM_SHAPE), _BUSY_FHIR: _too_many(FHIR, OUTCOME)}
    for path in spec["paths"]:
        if path.startswith(FHIR_ROOT):
            _speak_fhir(spec["paths"][path])
    spec = contract_fields.with_examples(spec)
    _show_answers(spec)
    spec["webhooks"] = contract_events.webhooks()
    # Ours is paging by cursor: the library's page numbers would only confuse.
    spec["components"]["schemas"].pop("PaginationMetadata", None)
    spec["components"].pop("headers", None)
    return spec


def _named_alike(spec: dict[str, Any]) -> dict[str, Any]:
    """Return ``spec`` with the name that 422 has before Python 3.13: the contract is the same with each."""
    newer, known = "UNPROCESSABLE_CONTENT", "UNPROCESSABLE_ENTITY"
    named = spec["components"]["responses"]
    if newer in named:
        named[known] = {**named.pop(newer), "description": "Unprocessable Entity"}
    for operation in _operations(spec):
        if operation["responses"].get("422") == _answer_called(newer):
            operation["responses"]["422"] = _answer_called(known)
    return spec


def _answer_called(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{name}"}


def _too_many(kind: str, shape: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to what comes too fast, or was tried too often."""
    wait = {"description": "seconds", "required": True, "schema": {"type": "integer", "minimum": 1}}
    return {
        "description": "Too many requests or tries; nothing was stored. Send the same again later",
        "headers": {"Retry-After": wait},
        "content": {kind: {"schema": shape}},
    }


def _speak_fhir(path: dict[str, Any]) -> None:
    """Give the operations of ``path`` FHIR's errors, and its way to name a version."""
    for operation in (found for found in path.values() if isinstance(found, dict)):
        good = {s: answer for s, answer in operation["responses"].items() if s.startswith("2")}
        operation["responses"] = {**good, "429": _answer_called(_BUSY_FHIR), "default": _OUTCOME}
        named = [one for one in operation.get("parameters", ()) if one.get("name") == "If-Match"]
        for parameter in named:
            parameter["description"] = parameter["description"].replace('"v1"', 'W/"1"')
            parameter["schema"] = {
                "type": "string",
                "format": version_header.FORMAT,
                "pattern": version_header.FHIR_PATTERN,
                "example": 'W/"1"',
            }


def _show_answers(spec: dict[str, Any]) -> None:
    """Put the example of each answer beside its schema."""
    for operation, statuses in _answers().items():
        method, path = operation.split(" ")
        responses = spec["paths"][path][method]["responses"]
        shown = ((status, kind, said) for status, kinds in statuses.items() for kind, said in kinds.items())
        for status, kind, said in shown:
            responses[status]["content"][kind]["example"] = said


@cache
def _answers() -> dict[str, Any]:
    return dict(json.loads(ANSWERS.read_text("utf-8")))


def _uuid7_schema(_converter: Uuid7Converter) -> dict[str, Any]:
    return {"type": "string", "format": "uuid", "pattern": spelling.ID7.pattern}


def _week_schema(converter: WeekConverter) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({converter.regex})$", "example": "2026-W10"}


def as_yaml(api: ContractApi) -> str:
    """Return the contract as the text of `openapi.yaml`."""
    return yaml.safe_dump(document(api), sort_keys=True, allow_unicode=True, width=100)


def _if_match(required: bool) -> dict[str, Any]:
    return {
        "in": "header",
        "name": "If-Match",
        "required": required,
        "description": 'the version you change, as its ETag says it, with the quotes: `"v1"`',
        "schema": {
            "type": "string",
            "format": version_header.FORMAT,
            "pattern": version_header.PATTERN,
            "example": '"v1"',
        },
    }


def _operations(spec: dict[str, Any]) -> list[dict[str, Any]]:
    paths = spec["paths"].values()
    return [found for path in paths for found in path.values() if isinstance(found, dict)]


def _headers(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the headers that ``operation`` is marked to read, in place of the marks."""
    if "x-if-match" in operation:
        yield _if_match(operation.pop("x-if-match") == "required")
    if operation.pop("x-sent-at", False):
        yield phone_clock.parameter()
    if operation.pop("x-once", False):
        yield kept_answer.parameter()


def _error_answers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    named = spec.get("components", {}).get("responses", {}).values()
    inline = (
        answer
        for operation in _operations(spec)
        for status, answer in operation.get("responses", {}).items()
        if not status.startswith("2")
    )
    return [*named, *inline]
