"""Pages by cursor: the id of the last row is where the next page starts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID


def paged(query: Mapping[str, Any], rows: Callable[[UUID | None, int], Sequence[Any]]) -> dict[str, Any]:
    """Return one page. ``rows(after, size)`` is asked for one row more, to know whether there is a next."""
    size = query["limit"]
    found = list(rows(query.get("cursor"), size + 1))
    more = len(found) > size
    return {"items": found[:size], "next_cursor": found[size - 1].id if more else None}
