"""What columns give back: the same values from both databases, whatever kind of text a driver gives."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from sqlalchemy import Column, MetaData, Table, insert, select
from sqlalchemy.exc import StatementError

from server.clinical.vocabulary import SafetyAnswer
from server.database import Database
from server.isolation import Extent
from server.models.types import Coded, Id, Instant

OSLO = timezone(timedelta(hours=2))
ROW = {
    "id": UUID(int=7),
    "other": None,
    "at": datetime(2026, 5, 1, 12, 0, 0, 250_000, OSLO),
    "whole": datetime(999, 1, 1, tzinfo=UTC),
    "never": None,
    "safety": SafetyAnswer.OFTEN,
    "unsaid": None,
}
_TABLE = Table(
    "typed",
    MetaData(),
    *(Column(name, Id) for name in ("id", "other")),
    *(Column(name, Instant) for name in ("at", "whole", "never")),
    *(Column(name, Coded(SafetyAnswer)) for name in ("safety", "unsaid")),
    prefixes=["TEMPORARY"],
)


def test_ids_moments_and_codes_come_back_as_they_went_in(database: Database) -> None:
    with database.write(Extent.NONE) as session:
        connection = session.connection()
        _TABLE.create(connection)
        connection.execute(insert(_TABLE), ROW)
        found = connection.execute(select(_TABLE)).mappings().one()
        assert dict(found) == ROW
        assert (found["at"].tzinfo, type(found["id"]), type(found["safety"])) == (UTC, UUID, SafetyAnswer)
        assert (str(found["id"]), hash(found["id"])) == (str(ROW["id"]), hash(ROW["id"]))
        connection.exec_driver_sql("UPDATE typed SET safety = 'unheard'")
        with pytest.raises(KeyError):
            connection.execute(select(_TABLE)).all()
        _TABLE.drop(connection)


def test_a_code_nobody_knows_is_never_written(database: Database) -> None:
    with database.write(Extent.NONE) as session:
        connection = session.connection()
        _TABLE.create(connection)
        with pytest.raises(StatementError, match="KeyError"):
            connection.execute(insert(_TABLE), ROW | {"safety": "unheard"})
        connection.execute(insert(_TABLE), ROW | {"safety": "often"})  # its text will do
        assert connection.execute(select(_TABLE.c.safety)).scalar() is SafetyAnswer.OFTEN
        _TABLE.drop(connection)
