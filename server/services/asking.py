"""Parts of the questions that are asked all the time: built once, then asked with values (`Work.rows`)."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Insert, Table, bindparam, or_
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import InstrumentedAttribute

from server.models import Base

Span = tuple[date, date]


def of_patient(table: Any) -> tuple[ColumnElement[bool], ...]:
    """Return what holds for the rows of the patient named ``patient`` at the clinic that asks."""
    return table.clinic_id == bindparam("clinic"), table.patient_id == bindparam("patient")


def between(day: InstrumentedAttribute[date]) -> ColumnElement[bool]:
    """Return what holds from the day named ``first`` to the one named ``last``, both included."""
    return day.between(bindparam("first"), bindparam("last"))


def within(day: InstrumentedAttribute[date], most: int) -> ColumnElement[bool]:
    """Return what holds in any of up to ``most`` spans of days, whose bounds `bounds` names."""
    numbers = range(most)
    return or_(*(day.between(bindparam(f"first_{n}"), bindparam(f"last_{n}")) for n in numbers))


def bounds(spans: Sequence[Span], most: int) -> dict[str, date]:
    """Return the bounds of one to ``most`` spans, both days included, under the names `within` asks for."""
    assert 0 < len(spans) <= most, "a question has place for so many spans"
    padded = [*spans, *[spans[-1]] * (most - len(spans))]
    firsts = {f"first_{n}": first for n, (first, _) in enumerate(padded)}
    return firsts | {f"last_{n}": last for n, (_, last) in enumerate(padded)}


@cache
def insert_once(table: type[Base], dialect: str) -> Insert:
    """Return what adds rows to ``table``, leaving out those whose key is there already."""
    added: Insert = conflicting(table, dialect).on_conflict_do_nothing()
    return added


def conflicting(table: type[Base], dialect: str) -> Any:
    """Return an insert that can say what happens to a key that is there already.

    Each database has one of its own, and only its own is loaded.
    """
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(cast(Table, table.__table__))
    return sqlite.insert(cast(Table, table.__table__))
