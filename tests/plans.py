"""How a database would answer what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from server.database import Database

Asked = list[tuple[str, Any]]


@contextmanager
def asked_of(database: Database) -> Iterator[Asked]:
    """Give a list into which each statement goes with its values, oldest first."""
    asked: Asked = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def explained(session: Any, is_sqlite: bool, statement: str, parameters: Any) -> str:
    """Return how the database would answer."""
    how = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    cursor = session.connection().connection.cursor()
    cursor.execute(f"{how} {statement}", parameters)
    return "\n".join(str(row) for row in cursor.fetchall())
