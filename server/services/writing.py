"""Rows of one table on their way into the database, many at a time.

What SQLAlchemy works out anew for each statement (which columns, how each value is bound) is worked out
once for each table here: of a phone that brings weeks it is half of the writing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Insert
from sqlalchemy.orm import Session

from server import convoy
from server.convoy import Traveller

Row = Mapping[str, Any]
_Bind = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement's text, and its parameters in order: each one's name and how its value is bound."""

    text: str
    by_place: bool
    parameters: tuple[tuple[str, _Bind], ...]

    def bound(self, row: Row) -> Any:
        """Return the values of ``row`` as the driver takes them."""
        if self.by_place:
            return tuple([row[name] if bind is None else bind(row[name]) for name, bind in self.parameters])
        return {name: row[name] if bind is None else bind(row[name]) for name, bind in self.parameters}


def write_rows(session: Session, statement: Insert, rows: Sequence[Row]) -> None:
    """Add ``rows`` (at least one; all with the same columns, every one that has no default of the database)
    by ``statement``, an insert of a table that is made once.

    On PostgreSQL they go with the transaction's next statement (`server.convoy`).
    """
    if any(row.keys() != rows[0].keys() for row in rows):
        raise ValueError("rows that are written together have the same columns")
    connection = session.connection()
    prepared = _prepared(statement, connection.dialect, tuple(rows[0]))
    bound = [prepared.bound(row) for row in rows]
    if convoy.travels(connection):
        convoy.join(session, Traveller(prepared.text, bound))
    else:
        connection.exec_driver_sql(prepared.text, bound)


@lru_cache(maxsize=256)
def _prepared(statement: Insert, dialect: Dialect, names: tuple[str, ...]) -> _Prepared:
    compiled, columns = statement.compile(dialect=dialect, column_keys=list(names)), statement.table.c
    order = compiled.positiontup if dialect.positional else list(names)
    assert order is not None, "a driver that binds by place says in which"
    assert sorted(order) == sorted(compiled.params) == sorted(names), "every parameter is a column"
    binds = ((name, columns[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in order)
    return _Prepared(str(compiled), dialect.positional, tuple(binds))
