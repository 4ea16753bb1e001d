"""Judgements on their way into the database: each written once however often it is made, many in one go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import sqlalchemy
from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite

from server.models import Activation, Assessment
from server.services.work import Work

Row = Mapping[str, Any]
Table = type[Activation] | type[Assessment]


@dataclass(slots=True)
class Judgements:
    """What was judged and is not written yet: a statement for each day would cost more than judging it."""

    work: Work
    rows: dict[Table, list[Row]] = field(default_factory=dict)

    def add(self, table: Table, row: Row) -> None:
        """Take one judgement; its key is what it was made from."""
        self.rows.setdefault(table, []).append(row)

    def write(self) -> None:
        """Write what was taken; a judgement that is there already is the same one."""
        connection = self.work.session.connection()
        for table, rows in self.rows.items():
            connection.execute(_insert(connection.dialect.name, table), rows)
        self.rows.clear()


@cache
def _insert(dialect: str, table: Table) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(cast(sqlalchemy.Table, table.__table__)).on_conflict_do_nothing()
