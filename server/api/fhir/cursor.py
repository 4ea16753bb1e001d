"""Where a page ended, in lists whose resources have UUIDs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from server.api.refusals import QueryProblem
from server.fhir import ids


def uuid_after(query: Mapping[str, Any]) -> UUID | None:
    """Return the id that the page before ended with; raises a problem for what is none."""
    cursor = query.get("cursor")
    after = None if cursor is None else ids.read_uuid(cursor)
    if cursor is not None and after is None:
        raise QueryProblem("_cursor", "Is no place in this list.")
    return after
