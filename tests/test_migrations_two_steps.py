"""On PostgreSQL a version that says no clinic goes on beside this one, until the last migration ends it."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Engine, column, create_engine, make_url, table, text
from sqlalchemy.exc import ProgrammingError
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Role
from server.database import Database
from server.isolation import Extent
from server.migrations import WORKS_FROM, downgrade, is_current, locking, rows, suffices, upgrade
from server.models import Account, AuditEvent, Base
from server.readiness import check_role
from server.settings import Settings, SettingsError
from tests.conftest import MASTER_KEY, NOON, owner_url
from tests.source import ROOT
from tests.test_cli import afterglow
from tests.test_migrations import a_clinic
from tests.test_migrations import bare as bare

OWNER, SERVICE, OTHER = "two_steps_owner", "two_steps_service", "two_steps_other"
BEFORE = "0006"


@dataclass(frozen=True)
class Place:
    """A database: its address for who owns it (no superuser), for the service, and for another role."""

    owner: URL
    service: URL
    other: URL

    @property
    def environment(self) -> Mapping[str, str]:
        """What `afterglow` is started with."""
        return {
            "AFTERGLOW_DATABASE_URL": shown(self.service),
            "AFTERGLOW_MIGRATION_URL": shown(self.owner),
            "AFTERGLOW_MASTER_KEY": MASTER_KEY,
        }


def shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture
def place(postgresql_url: str) -> Iterator[Place]:
    """An empty database whose owner may make roles, as a managed server gives it."""
    ruler = create_engine(owner_url(postgresql_url), isolation_level="AUTOCOMMIT")
    with ruler.connect() as connection:
        connection.execute(text(f"CREATE ROLE {OWNER} LOGIN CREATEROLE"))
        connection.execute(text(f"CREATE ROLE {OTHER} LOGIN"))
        connection.execute(text(f"CREATE DATABASE two_steps OWNER {OWNER}"))
    here = make_url(postgresql_url).set(database="two_steps")
    yield Place(*(here.set(username=name) for name in (OWNER, SERVICE, OTHER)))
    with ruler.connect() as connection:
        connection.execute(text("DROP DATABASE two_steps WITH (FORCE)"))
        for name in (SERVICE, OTHER, OWNER):
            connection.execute(text(f"DROP ROLE IF EXISTS {name}"))
    ruler.dispose()


@contextmanager
def opened(url: URL) -> Iterator[Database]:
    """The database as this version opens it."""
    database = Database(shown(url))
    yield database
    database.close()


class Old:
    """A process of the version before: it works at its connections and says no clinic."""

    def __init__(self, url: URL) -> None:
        self.engine: Engine = create_engine(url, pool_size=1, max_overflow=0)

    def put(self, name: str, row: Mapping[str, Any]) -> None:
        """Write a row with the columns it knows."""
        types = Base.metadata.tables[name].c
        with self.engine.begin() as connection:
            connection.execute(table(name, *(column(key, types[key].type) for key in row)).insert(), [row])

    def count(self, name: str = "patients") -> int:
        """Return how many rows it finds."""
        return _count(self.engine, name)

    def change(self) -> int:
        """Change every patient it finds; return how many."""
        with self.engine.begin() as connection:
            return connection.execute(text("UPDATE patients SET version = version + 1")).rowcount

    def found_clinic(self, slug: str) -> UUID:
        """Open a clinic with one patient."""
        clinic = {**a_clinic(), "slug": slug}
        self.put("clinics", clinic)
        self.add_patient(clinic["id"])
        clinic_id: UUID = clinic["id"]
        return clinic_id

    def add_patient(self, clinic_id: UUID) -> None:
        """Register somebody."""
        ana = {"clinic_id": clinic_id, "id": uuid7(), "name": "Ana", "zone": "Europe/Oslo", "country": "NO"}
        ana |= {"bipolar_risk": [], "change_counter": 0, "next_close_at": NOON, "policy_version": 1}
        self.put("patients", ana | {"version": 1, "created_at": NOON})


@pytest.fixture
def old(place: Place) -> Iterator[Old]:
    """A process of the version before, which works as the owner, beside the tables of its own version."""
    with opened(place.owner) as database:
        upgrade(database, BEFORE)
    process = Old(place.owner)
    yield process
    process.engine.dispose()


def migrate(place: Place, *words: str) -> str:
    """Run `afterglow migrate` and return what it says."""
    result = afterglow(place.environment, "migrate", *words)
    assert result.exit_code == 0, result.output
    return result.output.strip()


def _count(engine: Engine, name: str = "patients") -> int:
    with engine.connect() as connection:
        return connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0


def _do(engine: Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(statement))


def names(database: Database, whose: UUID | Extent) -> int:
    """Return how many patients this version finds for ``whose``."""
    with database.read(whose) as session:
        return session.scalar(text("SELECT count(*) FROM patients")) or 0


def held(new: Database, clinic_id: UUID, everybody: int) -> None:
    """See that this version's processes are held to one clinic."""
    assert [names(new, whose) for whose in (Extent.NONE, clinic_id, Extent.ALL)] == [0, 1, everybody]
    event = AuditEvent(clinic_id=uuid7(), id=uuid7(), at=NOON, action="x")
    with pytest.raises(ProgrammingError, match="row-level security"), new.write(clinic_id) as session:
        session.add(event)


def test_the_version_before_goes_on_beside_this_one_until_the_last_step_and_no_row_is_lost(
    place: Place, old: Old
) -> None:
    ours, theirs = old.found_clinic("demo"), old.found_clinic("elsewhere")
    assert migrate(place, "--to", WORKS_FROM) == "The database is migrated."
    assert migrate(place, "--to", WORKS_FROM) == "The database is up to date."
    with opened(place.service) as new:
        old.add_patient(theirs)
        assert (old.count(), old.count("clinics"), old.change()) == (3, 2, 3)
        assert suffices(new)
        assert not is_current(new)
        held(new, ours, 3)
        said = afterglow(place.environment, "migrate", "--check")
        assert (
            said.exit_code,
            "It lacks 0022_owner_held_last, 0023_tokens_of_a_sign_in, 0024_what_is_new." in said.stderr,
        ) == (1, True)
        assert afterglow(place.environment, "keys", "reseal").exit_code == 0, "what starts, starts"
        assert migrate(place) == "The database is migrated."
        assert (old.count(), old.count("clinics"), old.change()) == (0, 0, 0)
        held(new, ours, 3)
        assert migrate(place, "--to", WORKS_FROM) == migrate(place) == "The database is up to date."
    with opened(place.owner) as database, database.engine.connect() as connection:
        assert rows.open_tables(connection) == []


def test_back_and_forward_the_owner_is_held_last_and_let_go_first(place: Place, old: Old) -> None:
    ours = old.found_clinic("demo")
    migrate(place)
    with opened(place.owner) as database, opened(place.service) as new:
        downgrade(database, WORKS_FROM)
        assert (old.count(), old.change()) == (1, 1)
        held(new, ours, 1)
        downgrade(database, BEFORE)
        assert (old.count(), old.change()) == (1, 1)
        old.add_patient(ours)
        upgrade(database)
        assert old.count() == 0
        assert [names(new, whose) for whose in (Extent.NONE, ours)] == [0, 2]


def test_between_the_steps_every_table_is_held_also_those_that_came_later(place: Place, old: Old) -> None:
    with opened(place.owner) as database:
        for version in ("0007", "0010", WORKS_FROM):
            upgrade(database, version)
            with database.engine.connect() as connection:
                found = rows._tables(connection)
            assert [row.relname for row in found if not row.is_held or row.is_forced] == [], version
            assert len(found) > 20


def test_between_the_steps_production_takes_the_role_that_is_held_and_no_other(
    place: Place, old: Old
) -> None:
    migrate(place, "--to", WORKS_FROM)
    for url, says in ((place.service, None), (place.owner, "names a role that owns the tables")):
        settings = Settings(environment="production", database_url=shown(url))
        with opened(url) as database:
            if says is None:
                check_role(settings, database)
                continue
            with pytest.raises(SettingsError, match=says):
                check_role(settings, database)


def test_a_version_before_that_did_not_work_as_the_owner_finds_nothing_from_the_first_step_on(
    place: Place, old: Old, postgresql_url: str
) -> None:
    old.found_clinic("demo")
    with opened(place.other) as other, opened(make_url(owner_url(postgresql_url))) as ruler:
        _do(old.engine, f"GRANT SELECT ON patients TO {OTHER}")
        found = [_count(other.engine)]
        migrate(place, "--to", WORKS_FROM)
        found.append(_count(other.engine))
        _do(ruler.engine, f"GRANT {OWNER} TO {OTHER}")
        found.append(_count(other.engine))
    assert found == [1, 0, 1], "it is stopped first, or made a member of the owner (docs/operations.md)"


def wait_until_somebody_waits(place: Place) -> None:
    """Return when a session waits for a lock."""
    with opened(place.owner) as database, database.engine.connect() as connection:
        until = monotonic() + 10
        while not connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert monotonic() < until, "nobody waits"
            sleep(0.01)


def test_a_request_that_holds_a_table_and_wants_the_next_gets_it_while_the_migration_waits(
    place: Place, old: Old
) -> None:
    old.found_clinic("demo")
    migrate(place, "--to", WORKS_FROM)
    with ThreadPoolExecutor() as pool, old.engine.connect() as request:
        request.execute(text("SELECT count(*) FROM patients"))
        migrating = pool.submit(migrate, place)
        for name in ("accounts", "alerts", "courses"):
            wait_until_somebody_waits(place)
            begun = monotonic()
            request.execute(text(f"SELECT count(*) FROM {name}"))
            assert monotonic() - begun < 0.9, "before PostgreSQL ends a deadlock, which takes a second"
        assert not migrating.done(), "it waits until the request is over"
        request.rollback()
        assert migrating.result(20) == "The database is migrated."
    assert old.count() == 0


@pytest.mark.long
def test_a_table_in_use_for_too_long_is_one_line_and_the_version_before_goes_on(
    place: Place, old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0.5)
    old.found_clinic("demo")
    with old.engine.connect() as request:
        request.execute(text("SELECT count(*) FROM patients"))
        said = afterglow(place.environment, "migrate", "--to", WORKS_FROM)
    assert said.stderr == "Error: Tables are in use. Run it again.\n"
    with opened(place.owner) as database:
        assert not suffices(database)
    assert (old.count(), old.change()) == (1, 1)
    assert migrate(place) == "The database is migrated."


def test_rows_that_a_migration_changes_are_every_clinics_also_for_an_owner_who_is_held(
    place: Place, old: Old
) -> None:
    clinic_id = old.found_clinic("demo")
    with opened(place.owner) as database:
        upgrade(database, WORKS_FROM)
        with database.engine.begin() as connection:
            rows.force(connection)  # as a version between had it
        with database.write(clinic_id) as session:
            person = {"name": "Gus", "plain_email": "gus@x", "password_hash": "x", "created_at": NOON}
            session.add(Account(clinic_id=clinic_id, id=uuid7(), role=Role.CAREGIVER, **person))
        downgrade(database, BEFORE)
        with old.engine.connect() as connection:
            (found,) = connection.execute(text("SELECT role, disabled_at FROM accounts")).all()
    assert found.role != "caregiver"
    assert found.disabled_at is not None


def test_a_database_whose_owner_0015_held_goes_on_and_its_owner_is_held_at_what_comes_too(
    place: Place,
) -> None:
    """So it stands where a version ran that had not moved this to the end yet."""
    with opened(place.owner) as database:
        upgrade(database, "0020")
        with database.engine.begin() as connection:
            rows.force(connection)
        upgrade(database)
        with database.engine.connect() as connection:
            assert rows.open_tables(connection) == []
            assert "kept_answers" in rows.forced(connection)
        downgrade(database, WORKS_FROM)
        with database.engine.connect() as connection:
            assert (rows.forced(connection), rows.not_held(connection)) == ([], [])


def test_the_guide_names_the_stop_there_is() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert f"`afterglow migrate --to {WORKS_FROM}` with both addresses" in guide


def test_what_comes_after_the_oldest_migration_this_code_works_on_changes_no_table(bare: Database) -> None:
    upgrade(bare, WORKS_FROM)
    with bare.engine.connect() as connection:
        changed = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    # Without an index it works too, only slower.
    assert [change for change in changed if change[0] != "add_index"] == []
