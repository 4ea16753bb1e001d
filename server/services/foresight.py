"""Questions about several patients, asked at once: each of them then finds its answer there.

A pass over many patients asks the same few questions of each. One by one they cost more than what is made of
the answers. So that there is one way to judge a day, nothing else changes: `Work.rows` asks as ever, and is
given what was foreseen.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.sql import visitors

from server import convoy, planning
from server.convoy import Traveller
from server.services.question import kind_of, question
from server.services.work import FORESEEN, Answer, Answers, Work

MOST = 10
"""How many are asked about in one statement."""
Values = Mapping[str, Any]
_PLACE, _NUMBER = "place", "number"


@dataclass(frozen=True, slots=True)
class Foresight:
    """Answers that wait for their question. They hold as long as nothing that they tell of is changed."""

    work: Work
    answers: dict[object, Answers] = field(default_factory=dict)

    def ask(self, query: Select[*tuple[Any, ...]], each: Sequence[Values]) -> None:
        """Ask ``query``, whose parameters but for the clinic are required, with ``each`` of some values."""
        for start in range(0, len(each), MOST):
            self._ask(query, each[start : start + MOST])

    def _ask(self, query: Select[*tuple[Any, ...]], each: Sequence[Values]) -> None:
        if len(each) < 2:
            self._send_along(query, *each)
            return
        planning.keep(self.work.session)  # of so long a statement it takes longer than its answer
        found: list[list[Any]] = [[] for _ in each]
        kind = kind_of(query)
        numbered = {f"{name}_{n}": value for n, values in enumerate(each) for name, value in values.items()}
        for number, _, *row in self.work.rows(_of_each(query, len(each)), **numbered):
            found[number].append(kind._make(row))
        for values, rows in zip(each, found, strict=True):
            self._keep(query, values, Answer(rows))

    def _send_along(self, query: Select[*tuple[Any, ...]], values: Values) -> None:
        """Let one question travel with the next, where there is a way to go; else it is asked then."""
        connection = self.work.session.connection()
        if not convoy.travels(connection):
            return
        self.work.session.flush()
        asked = question(query, connection.dialect)
        answer = Answer(None)

        def answered(cursor: Any) -> None:
            answer.rows = asked.rows(cursor)

        own = Traveller(asked.text, [asked.bound({"clinic": self.work.clinic_id, **values})], answered)
        answer.stay = partial(convoy.leave, connection, own)
        convoy.join(self.work.session, own)
        self._keep(query, values, answer)

    def _keep(self, query: Select[*tuple[Any, ...]], values: Values, answer: Answer) -> None:
        self.answers.setdefault(query, {})[frozenset(values.items())] = answer


@contextmanager
def foresight(work: Work) -> Iterator[Foresight]:
    """Let answers wait for their questions until the block ends; those of one around it wait meanwhile."""
    made, info = Foresight(work), work.session.info
    before = info.get(FORESEEN, {})
    info[FORESEEN] = made.answers
    try:
        yield made
    finally:
        info[FORESEEN] = before


@cache
def _of_each(query: Select[*tuple[Any, ...]], count: int) -> Select[*tuple[Any, ...]]:
    """Return ``query`` asked ``count`` times, each row after its number, in order for each of them."""
    asked: CompoundSelect[*tuple[Any, ...]] = union_all(*(_numbered(query, n) for n in range(count)))
    rows = asked.subquery()
    return select(rows).order_by(rows.c[_PLACE])


def _numbered(query: Select[*tuple[Any, ...]], number: int) -> Select[*tuple[Any, ...]]:
    def renamed(element: Any, **_: Any) -> BindParameter[Any] | None:
        if isinstance(element, BindParameter) and element.required and element.key != "clinic":
            return bindparam(f"{element.key}_{number}", type_=element.type)
        return None

    own: Any = visitors.replacement_traverse(query, {}, renamed)
    order = own._order_by_clauses
    place: ColumnElement[int] = func.row_number().over(order_by=order) if order else literal_column("0")
    rows = own.add_columns(place.label(_PLACE)).subquery()
    said = [column for column in rows.c if column.key != _PLACE]
    return select(literal(number).label(_NUMBER), rows.c[_PLACE], *said)
