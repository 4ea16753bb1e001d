"""A question as PostgreSQL's driver takes it, for one that travels with another statement (`server.convoy`).

What the library works out anew for each question (its text, how values are bound and rows are made) is worked
out once for each here, as `services.writing` does for rows.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Dialect, Select
from sqlalchemy.types import TypeEngine

_Process = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class Question:
    """``text``, its parameters with how each is bound and what it is where nobody says, and its columns."""

    text: str
    parameters: Mapping[str, tuple[_Process, Any]]
    columns: Sequence[TypeEngine[Any]]
    kind: Any
    dialect: Dialect
    _made: list[_Process] = field(default_factory=list)

    def bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``values`` as the driver takes them."""
        found = {}
        for name, (bind, usual) in self.parameters.items():
            value = values.get(name, usual)
            found[name] = value if bind is None else bind(value)
        return found

    def rows(self, cursor: Any) -> Sequence[Any]:
        """Return the answer that the driver's ``cursor`` has, its rows under the names of the columns."""
        if not self._made:
            self._made.extend(
                self._process(*each) for each in zip(self.columns, cursor.description, strict=True)
            )
        make, processes = self.kind._make, self._made
        return [
            make([v if made is None else made(v) for v, made in zip(row, processes, strict=True)])
            for row in cursor.fetchall()
        ]

    def _process(self, column: TypeEngine[Any], told: Any) -> _Process:
        return column.dialect_impl(self.dialect).result_processor(self.dialect, told.type_code)


@lru_cache(maxsize=256)
def question(query: Select[*tuple[Any, ...]], dialect: Dialect) -> Question:
    """Return ``query``, which is made once, as a question to ``dialect``."""
    compiled = query.compile(dialect=dialect)
    assert not compiled.post_compile_params, "a list of values is written anew every time"
    parameters = {
        name: (bind.type.dialect_impl(dialect).bind_processor(dialect), bind.value)
        for bind, name in compiled.bind_names.items()
    }
    columns = [column.type for column in query.selected_columns]
    return Question(str(compiled), parameters, columns, kind_of(query), dialect)


@cache
def kind_of(query: Select[*tuple[Any, ...]]) -> Any:
    """Return what a row of ``query`` is made as: with the same names, in the same order."""
    return namedtuple("Answer", query.selected_columns.keys(), rename=True)
