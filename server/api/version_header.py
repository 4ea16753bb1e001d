"""Versions in headers: If-Match, which says what a change was made on, and ETag."""

import re
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import request

from server.api.contract_notes import with_doc
from server.api.refusals import HeaderProblem
from server.services.errors import ServiceError

P = ParamSpec("P")
R = TypeVar("R")
# A proxy that compresses answers makes our ETag a weak one (nginx with `gzip`): it names the same version.
PATTERN, FHIR_PATTERN = '^(?:W/)?"v([1-9][0-9]{0,8})"$', '^(?:W/)?"([1-9][0-9]{0,8})"$'
FORMAT = "entity-tag"  # of RFC 9110, 8.8.3
_VERSION = re.compile(PATTERN)


def takes_version(required: bool = True) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Say in the contract that a view reads If-Match."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        return with_doc(view, {"x-if-match": "required" if required else "optional"})

    return decorate


def if_match() -> int | None:
    """Return the version named by If-Match (`"v3"` -> 3), or None where there is no such header."""
    raw = request.headers.get("If-Match")
    if raw is None:
        return None
    found = _VERSION.fullmatch(raw.strip())
    if found is None:
        raise HeaderProblem("If-Match", 'Must be a version like "v3".')
    return int(found[1])


def required_version() -> int:
    """Return the version named by If-Match; without the header raises a problem (428)."""
    version = if_match()
    if version is None:
        raise ServiceError("version-required", "Send If-Match with the version you want to change.")
    return version


def etag(version: int) -> dict[str, str]:
    """Return the ETag header of ``version``."""
    return {"ETag": f'"v{version}"'}
