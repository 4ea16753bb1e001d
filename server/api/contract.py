"""The contract (OpenAPI 3.1), generated from blueprints and schemas."""

from importlib.metadata import version
from typing import Any

import yaml
from flask_smorest import Api

from schemas.base import ProblemSchema

PROBLEM = "application/problem+json"
CONFIG = {
    "API_TITLE": "Afterglow",
    "API_VERSION": version("afterglow"),
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_JSON_PATH": "openapi.json",
}
_DESCRIPTION = (
    "The journal between treatment sessions: log, watch, alert, visit suggestion. "
    "Every error is RFC 9457 `application/problem+json`."
)


def describe(api: Api) -> None:
    """Say once what holds for the whole contract."""
    api.ERROR_SCHEMA = ProblemSchema
    assert api.spec is not None
    api.spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    api.spec.options["info"] = {
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }


def document(api: Api) -> dict[str, Any]:
    """Return the contract as plain values, the error answers under their real content type."""
    assert api.spec is not None
    spec: dict[str, Any] = api.spec.to_dict()
    for answer in _error_answers(spec):
        content = answer.get("content", {})
        if "application/json" in content:
            content[PROBLEM] = content.pop("application/json")
    return spec


def as_yaml(api: Api) -> str:
    """Return the contract as the text of `openapi.yaml`."""
    return yaml.safe_dump(document(api), sort_keys=True, allow_unicode=True, width=100)


def _error_answers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    named = spec.get("components", {}).get("responses", {}).values()
    inline = (
        answer
        for path in spec["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
        for status, answer in operation.get("responses", {}).items()
        if not status.startswith("2")
    )
    return [*named, *inline]
