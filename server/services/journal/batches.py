"""Rows a batch at a time, in the order of their ids: however long a diary is, few rows lie in memory."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Select

from server.services.work import Work

SIZE = 200


def batches(work: Work, query: Select[Any], key: Any, first: UUID | None = None) -> Iterator[list[Any]]:
    """Yield what ``query`` finds in batches, ordered by the id column ``key``, from ``first`` on (included).

    Each batch is asked for when it is wanted; a transaction that is one snapshot sees no row twice.
    """
    ordered = query.order_by(key).limit(SIZE)
    found = list(work.session.scalars(ordered if first is None else ordered.where(key >= first)))
    while found:
        yield found
        if len(found) < SIZE:
            return
        last = getattr(found[-1], key.key)
        del found  # before the next batch is read: two of them would be there at once
        found = list(work.session.scalars(ordered.where(key > last)))
