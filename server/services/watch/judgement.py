"""Judgements on their way into the database: each written once however often it is made, many in one go."""

from dataclasses import dataclass, field

from server.models import Activation, Assessment
from server.services.asking import insert_once
from server.services.work import Work
from server.services.writing import Row, write_rows

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
        session = self.work.session
        for table, rows in self.rows.items():
            write_rows(session, insert_once(table, session.connection().dialect.name), rows)
        self.rows.clear()
