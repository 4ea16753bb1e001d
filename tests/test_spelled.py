"""Columns read as JSON text say what their values would have said, on both databases."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    Interval,
    LargeBinary,
    MetaData,
    String,
    Table,
    insert,
    select,
)

from server.api.answer_json import text_of
from server.clinical.vocabulary import SafetyAnswer
from server.database import Database
from server.isolation import Extent
from server.models.spelled import Spelled, spelled
from server.models.types import Coded, Id, Instant

_VALUES: dict[str, tuple[Any, list[Any]]] = {
    "id": (Id, [UUID(int=7), None]),
    "at": (
        Instant,
        [
            datetime(2026, 5, 1, 12, 0, 0, 250_000, UTC),
            datetime(2026, 5, 1, 12, 0, 59, 1, UTC),
            datetime(999, 12, 31, 23, tzinfo=UTC),
            None,
        ],
    ),
    "day": (Date, [date(2026, 2, 28), date(999, 1, 1), None]),
    "flag": (Boolean, [True, False, None]),
    "whole": (BigInteger, [0, -7, 2**53 + 1, None]),
    "fraction": (Double, [0.1 + 0.2, 3.0, -1e-7, 1e22, 5e-324, 369.5, None]),
    "word": (String, ["Europe/Oslo", 'a "quoted"\\ one\n', "ø 😀", "", None]),
    "code": (Coded(SafetyAnswer), [SafetyAnswer.OFTEN, None]),
}
_SIZE = max(len(values) for _, values in _VALUES.values())
_ROWS = [{name: values[n % len(values)] for name, (_, values) in _VALUES.items()} for n in range(_SIZE)]
_TABLE = Table(
    "spelled",
    MetaData(),
    *(Column(name, kind) for name, (kind, _) in _VALUES.items()),
    Column("said", JSON, nullable=False),
    Column("sealed", LargeBinary),
    prefixes=["TEMPORARY"],
)
_SAID = {"mood": 7, "pain": 2.5, "ø": ["😀", None]}


def test_a_column_is_spelled_as_its_value_would_be(database: Database) -> None:
    with database.write(Extent.NONE) as session:
        connection = session.connection()
        _TABLE.create(connection)
        connection.execute(insert(_TABLE), [{**row, "said": _SAID, "sealed": b"\x00"} for row in _ROWS])
        found = [row._asdict() for row in connection.execute(select(*map(spelled, _TABLE.columns)))]
        _TABLE.drop(connection)
    for row, told in zip(_ROWS, found, strict=True):
        assert (json.loads(told.pop("said")), told.pop("sealed")) == (_SAID, b"\x00")
        assert {name: json.loads(text) for name, text in told.items()} == {
            name: json.loads(text_of(value)) for name, value in row.items()
        }
        exact = ("id", "at", "day", "flag", "whole", "word", "code")
        assert [told[name] for name in exact] == [text_of(row[name]) for name in exact]


def test_what_nobody_can_spell_is_a_defect_that_shows() -> None:
    with pytest.raises(AssertionError, match="can't be missing"):
        spelled(Column("maybe", JSON))
    with pytest.raises(TypeError, match="no spelling of Interval"):
        Spelled(Interval()).result_processor(_Dialect(), None)  # type: ignore[arg-type]


class _Dialect:
    name = "sqlite"
