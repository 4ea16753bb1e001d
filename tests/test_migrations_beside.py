"""Migrations run while the version of the code before still works, on a database that is in use."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Inspector, inspect, text
from uuid_utils.compat import uuid7

import server.migrations
from server.api.edge import EXTENSION, Surroundings
from server.database import Database
from server.isolation import Extent
from server.migrations import downgrade, is_current, upgrade
from server.models import ContactPoint
from server.services import backup_state
from server.services.audit.chain import START
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys
from tests.cast import entry, found_clinic
from tests.conftest import JWT_KEY, MASTER_KEY, NOON
from tests.test_migrations import a_clinic, put
from tests.test_migrations import bare as bare

VERSIONS = sorted(
    file.name.partition("_")[0]
    for file in (Path(server.migrations.__file__).parent / "versions").glob("0*.py")
)
WITH_A_LOG = "0005"
Columns = dict[str, dict[str, Any]]


def columns(database: Database) -> Columns:
    """Return what every column of every table is like."""
    with database.engine.connect() as connection:
        found: Inspector = inspect(connection)
        names = found.get_table_names()
        return {table: {column["name"]: column for column in found.get_columns(table)} for table in names}


def in_the_way(before: Columns, after: Columns) -> list[str]:
    """Return what the code of ``before`` would stumble over at the tables of ``after``."""
    wrong = [f"{table} is gone" for table in before if table not in after]
    for table in before.keys() & after.keys():
        old, new = before[table], after[table]
        wrong += [f"{table}.{name} is gone" for name in old if name not in new]
        wrong += [
            f"{table}.{name} must be given"
            for name, column in new.items()
            if _is_asked_for(column, old.get(name))
        ]
    return wrong


def _is_asked_for(now: Any, before: Any) -> bool:
    if now["nullable"] or now["default"] is not None:
        return False
    return before is None or before["nullable"] or before["default"] is not None


def test_after_each_migration_the_code_before_it_finds_its_columns_and_need_give_no_more(
    bare: Database,
) -> None:
    before: Columns = {}
    for version in VERSIONS:
        upgrade(bare, version)
        after = columns(bare)
        assert in_the_way(before, after) == [], version
        before = after


def test_what_would_be_in_the_way_is_noticed() -> None:
    free, asked = {"nullable": True, "default": None}, {"nullable": False, "default": None}
    filled = {"nullable": False, "default": "0"}
    was: Columns = {"a": {"x": free, "y": asked}, "b": {}}
    assert in_the_way(was, {"a": {"x": free, "y": asked, "z": filled}, "b": {}, "c": {"q": asked}}) == []
    now: Columns = {"a": {"x": asked, "z": asked}}
    assert sorted(in_the_way(was, now)) == [
        "a.x must be given",
        "a.y is gone",
        "a.z must be given",
        "b is gone",
    ]


def test_a_process_of_this_version_may_start_beside_a_newer_one(bare: Database) -> None:
    """One that died after the migration comes back, while the new version is being rolled out."""
    upgrade(bare)
    assert is_current(bare)
    for version, may in (("9999", True), (VERSIONS[-2], False)):
        with bare.engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": version})
        assert is_current(bare) is may


@pytest.mark.long
def test_a_clinic_at_work_goes_back_step_by_step_and_forward_again_and_loses_no_entry(
    bare: Database, built_app: Flask, tmp_path: Path
) -> None:
    upgrade(bare)
    settings = Settings(data_dir=tmp_path, password_cost="cheap", jwt_key=JWT_KEY, master_key=MASTER_KEY)
    url = bare.engine.url.render_as_string(hide_password=False)
    database, now = Database(url, master_keys(settings)), datetime.now(UTC)
    built_app.extensions[EXTENSION] = Surroundings(settings, database, lambda: now, Passwords("cheap"))
    people = found_clinic(built_app)
    for safety in ("no", "often", "plan"):
        assert people.ana.put(f"/entries/{uuid7()}", entry(now, safety=safety)).status_code == 201
    before = counts(bare)
    for version in reversed(VERSIONS[:-1]):
        downgrade(bare, version)
    upgrade(bare)
    assert counts(bare) == before
    assert len(people.ana.get("/entries").json["items"]) == 3
    assert people.ana.put(f"/entries/{uuid7()}", entry(now)).status_code == 201
    database.close()


def test_a_restore_can_compare_what_is_back_in_the_tables_of_any_version_with_a_log(bare: Database) -> None:
    upgrade(bare, WITH_A_LOG)
    clinic = a_clinic()
    put(bare, "clinics", clinic)
    for version in VERSIONS[VERSIONS.index(WITH_A_LOG) :]:
        upgrade(bare, version)
        with bare.read(Extent.ALL) as session:
            assert backup_state.ends(session) == {str(clinic["id"]): (0, START.hex())}
            assert backup_state.counts(session, ["clinics", "audit_seals"]) == {
                "clinics": 1,
                "audit_seals": 0,
            }


def test_a_number_from_before_it_had_an_index_goes_forward_without_one_and_back(bare: Database) -> None:
    upgrade(bare, "0013")
    clinic = a_clinic()
    put(bare, "clinics", clinic)
    key, now = {"clinic_id": clinic["id"]}, {"created_at": NOON}
    bo = {**key, **now, "id": uuid7(), "role": "clinician", "name": "Bo", "password_hash": "x"}
    put(bare, "accounts", bo | {"factor_tries": 0})
    number = {**key, **now, "id": uuid7(), "account_id": bo["id"], "channel": "sms", "position": 0}
    put(bare, "contact_points", number | {"sealed_address": b"x", "digest": "0" * 64})
    upgrade(bare)
    with bare.write() as session:
        row = session.query(ContactPoint).one()
        assert (row.address_index, row.sealed_address) == (None, b"x")
        row.address_index = "1" * 64
    downgrade(bare, "0013")
    with bare.read() as session:
        assert session.scalar(text("SELECT digest FROM contact_points")) == "0" * 64
    upgrade(bare)
    with bare.read() as session:
        assert session.query(ContactPoint).one().address_index is None


def counts(database: Database) -> dict[str, int]:
    """Return how many rows there are of what must never be lost."""
    kept = ("clinics", "accounts", "patients", "entries", "entry_revisions", "alerts", "deliveries")
    with database.engine.connect() as connection:
        return {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0 for name in kept}
