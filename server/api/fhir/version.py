"""Versions in FHIR's headers: `If-Match: W/"3"`."""

import re

from flask import request

from server.api.refusals import HeaderProblem
from server.api.version_header import FHIR_PATTERN
from server.services.errors import ServiceError

_VERSION = re.compile(FHIR_PATTERN)


def required_version() -> int:
    """Return the version named by If-Match; without the header raises a problem (428)."""
    raw = request.headers.get("If-Match")
    if raw is None:
        raise ServiceError("version-required", "Send If-Match with the version you want to change.")
    found = _VERSION.fullmatch(raw.strip())
    if found is None:
        raise HeaderProblem("If-Match", 'Must be a version like W/"3".')
    return int(found[1])
