"""`afterglow migrate` on PostgreSQL: tables for their owner, rights on rows for the role of the service."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from server.database import Database
from server.isolation import Extent
from server.readiness import check_role
from server.settings import Settings, SettingsError
from tests.conftest import owner_url
from tests.test_cli import afterglow, refusal

OWNER, SERVICE = "separate_owner", "separate_service"


@pytest.fixture
def addresses(postgresql_url: str) -> Iterator[tuple[URL, URL]]:
    """The addresses of an empty database: for its owner, who is no superuser, and for a role to be made."""
    engine = create_engine(owner_url(postgresql_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE ROLE {OWNER} LOGIN CREATEROLE"))
        connection.execute(text(f"CREATE DATABASE separate OWNER {OWNER}"))
    address = make_url(postgresql_url).set(database="separate")
    yield address.set(username=OWNER), address.set(username=SERVICE, password="p@ss'%word")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE separate WITH (FORCE)"))
        connection.execute(text(f"DROP ROLE IF EXISTS {SERVICE}"))
        connection.execute(text(f"DROP ROLE {OWNER}"))
    engine.dispose()


def shown(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@pytest.fixture
def environment(addresses: tuple[URL, URL], tmp_path: Path) -> Mapping[str, str]:
    """What `afterglow` is started with."""
    owner, service = map(shown, addresses)
    return {
        "AFTERGLOW_DATA_DIR": str(tmp_path),
        "AFTERGLOW_DATABASE_URL": service,
        "AFTERGLOW_MIGRATION_URL": owner,
    }


def test_the_role_of_the_service_is_made_once_and_may_only_read_and_write_rows(
    environment: Mapping[str, str], addresses: tuple[URL, URL]
) -> None:
    for said in ("The database is migrated.", "The database is up to date."):
        result = afterglow(environment, "migrate")
        assert (result.exit_code, result.output.strip()) == (0, said), result.output
    assert afterglow(environment, "migrate", "--check").exit_code == 0
    service = Settings(environment="production", database_url=shown(addresses[1]))
    database = Database(service.sqlalchemy_url)
    check_role(service, database)
    with database.read(Extent.ALL) as session:
        assert session.scalar(text("SELECT count(*) FROM clinics")) == 0
        assert (
            session.scalar(
                text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
            )
            is False
        )
    database.close()


def test_production_refuses_the_role_that_owns_the_tables_and_a_superuser(
    environment: Mapping[str, str], addresses: tuple[URL, URL], postgresql_url: str
) -> None:
    assert afterglow(environment, "migrate").exit_code == 0
    superuser = addresses[0].set(username=make_url(owner_url(postgresql_url)).username)
    for url in (addresses[0], superuser):
        settings = Settings(environment="production", database_url=shown(url))
        database = Database(settings.sqlalchemy_url)
        with pytest.raises(SettingsError, match="AFTERGLOW_DATABASE_URL names a role that owns the tables"):
            check_role(settings, database)
        check_role(replace(settings, environment="development"), database)
        database.close()


@pytest.mark.long
@pytest.mark.parametrize(
    "power",
    [
        "GRANT {superuser} TO {service}",
        "GRANT pg_execute_server_program TO {service}",
        "ALTER ROLE {service} CREATEROLE",
        "ALTER ROLE {service} BYPASSRLS",
        "ALTER DATABASE separate OWNER TO {service}",
    ],
)
def test_production_refuses_a_role_that_may_become_what_passes_row_level_security_by(
    environment: Mapping[str, str], addresses: tuple[URL, URL], postgresql_url: str, power: str
) -> None:
    assert afterglow(environment, "migrate").exit_code == 0
    superuser = make_url(owner_url(postgresql_url)).username
    engine = create_engine(owner_url(postgresql_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(power.format(superuser=superuser, service=SERVICE)))
    settings = Settings(environment="production", database_url=shown(addresses[1]))
    database = Database(settings.sqlalchemy_url)
    with pytest.raises(SettingsError, match="or may become such a one"):
        check_role(settings, database)
    database.close()
    with engine.connect() as connection:
        connection.execute(text(f"ALTER DATABASE separate OWNER TO {OWNER}"))
    engine.dispose()


def test_a_database_that_is_behind_is_told_to_the_role_that_can_not_mend_it(
    environment: Mapping[str, str],
) -> None:
    assert afterglow(environment, "migrate").exit_code == 0
    single = {**environment, "AFTERGLOW_DATABASE_URL": environment["AFTERGLOW_MIGRATION_URL"]}
    assert afterglow(single, "migrate").output.strip() == "The database is up to date."
    assert "separate" not in refusal(
        {**environment, "AFTERGLOW_DATABASE_URL": "postgresql+psycopg://n@/no"}, "status"
    )
