"""Migrations go forward and back with rows in the tables, on both databases, and end at the models."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import column, create_engine, table, text
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Channel
from server.database import Database
from server.migrations import downgrade, is_current, upgrade
from server.models import Account, Base, Clinic, ContactPoint, Rota, Shift
from tests.conftest import NOON

CIVIL = datetime.fromisoformat("2026-03-02T18:00")


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database without any table, of each kind."""
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{folder}/bare.db")
            yield database
            database.close()
        return
    url: str = request.getfixturevalue("postgresql_url")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS bare"))
        connection.execute(text("CREATE DATABASE bare"))
    database = Database(engine.url.set(database="bare").render_as_string(hide_password=False))
    yield database
    database.close()
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE bare"))
    engine.dispose()


def a_clinic() -> dict[str, Any]:
    known = {"zone": "Europe/Oslo", "country": "NO", "day_start": 4, "asks_safety_question": True}
    return {**known, "id": uuid7(), "slug": "demo", "name": "Demo", "policy_version": 1, "created_at": NOON}


def somebody_on_call(database: Database, clinic_id: UUID) -> None:
    account_id, key = uuid7(), {"clinic_id": clinic_id}
    with database.write() as session:
        person = {"role": "clinician", "name": "Bo", "email": "bo@demo.example", "password_hash": "x"}
        session.add(Account(**key, id=account_id, quiet_from="22:00", created_at=NOON, **person))
        session.flush()
        session.get_one(Rota, clinic_id).fallback_account_id = account_id
        held = {**key, "account_id": account_id, "created_at": NOON}
        session.add(Shift(**held, id=uuid7(), starts=CIVIL, ends=CIVIL.replace(hour=23)))
        reached = {"channel": Channel.SMS, "sealed_address": b"x", "position": 0}
        session.add(ContactPoint(**held, id=uuid7(), **reached))


def test_a_clinic_from_before_the_rota_gets_one_and_can_go_back(bare: Database) -> None:
    upgrade(bare, "0001")
    clinic = a_clinic()
    with bare.write() as session:
        # The models know columns that came later.
        first = table(
            "clinics", *(column(name, Base.metadata.tables["clinics"].c[name].type) for name in clinic)
        )
        session.execute(first.insert(), [clinic])
    upgrade(bare)
    assert is_current(bare)
    with bare.read() as session:
        rota = session.get_one(Rota, clinic["id"])
        assert rota.hours == [[["08:00", "18:00"]]] * 5 + [[], []]
        assert (rota.holidays, rota.steps[0], rota.version) == ([], ["own_clinician"], 1)
        assert (rota.armed_at, rota.fallback_account_id) == (None, None)
    somebody_on_call(bare, clinic["id"])
    downgrade(bare, "0001")
    with bare.read() as session:
        assert session.execute(text("SELECT email FROM accounts")).all() == [("bo@demo.example",)]
    upgrade(bare)
    with bare.read() as session:
        assert session.get_one(Rota, clinic["id"]).fallback_account_id is None
        assert session.query(Clinic).one().slug == "demo"
    downgrade(bare, "base")


def test_the_newest_tables_are_those_of_the_models(bare: Database) -> None:
    upgrade(bare)
    with bare.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
