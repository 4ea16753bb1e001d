"""Pages by cursor: where the last row stands in the order is where the next page starts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def paged(
    query: Mapping[str, Any],
    rows: Callable[[Any, int], Sequence[Any]],
    place: Callable[[Any], Any] = lambda row: row.id,
) -> dict[str, Any]:
    """Return one page. ``rows(after, size)`` is asked for one row more, to know whether there is a next.

    ``place(row)`` is the cursor that stands for a row: its id, where rows come in the order of ids.
    """
    size = query["limit"]
    found = list(rows(query.get("cursor"), size + 1))
    more = len(found) > size
    return {"items": found[:size], "next_cursor": place(found[size - 1]) if more else None}
