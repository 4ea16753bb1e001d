"""Answers of the facade: a resource with its version, a page of what was found."""

import json
from collections.abc import Iterable
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from flask import Response, g, request

from schemas.fhir.search import LARGEST_PAGE
from server.api.edge import here
from server.api.fhir.blueprint import FHIR, ROOT
from server.fhir import bundle
from server.fhir.identifiers import Resource


def base() -> str:
    """Return the address of the facade, as clients know it."""
    return f"{here().settings.base_url}{ROOT}"


def answered(resource: Resource, status: int = 200) -> Response:
    """Return one resource with its version as the ETag."""
    answer = Response(json.dumps(resource, ensure_ascii=False), status, content_type=FHIR)
    if (version := resource.get("meta", {}).get("versionId")) is not None:
        answer.headers["ETag"] = f'W/"{version}"'
    return answer


def page(found: Iterable[Resource], count: int) -> Response:
    """Return the first ``count`` of ``found`` and, where there are more, the address of the next page.

    The place where it goes on is the id of the last resource: it says nothing that its address does not.
    """
    size = min(count, LARGEST_PAGE)
    some = list(islice(found, size + 1))
    following = address(some[size - 1]["id"]) if len(some) > size else None
    return answered(bundle.searchset(base(), some[:size], address(), following))


def address(cursor: str | None = None) -> str:
    """Return the address of what was asked for, from the place ``cursor`` on."""
    # What was passed over narrowed nothing: an address that names it would say that it did.
    unsaid = {"_cursor", *g.get("passed_over", ())}
    said: list[tuple[str, Any]] = [one for one in request.args.items(multi=True) if one[0] not in unsaid]
    said += [] if cursor is None else [("_cursor", cursor)]
    path = f"{base()}{request.path.removeprefix(ROOT)}"
    return f"{path}?{urlencode(said)}" if said else path
