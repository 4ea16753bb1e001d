"""The log of the database's own server: slow statements stand in it, what people reported does not."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from secrets import token_urlsafe

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DataError

from deploy.rehearsal.plan import DEPLOY
from deploy.rehearsal.running import run
from server.api.edge import EXTENSION, Surroundings
from server.cli import main
from server.database import Database
from server.isolation import Extent
from server.migrations import rows
from server.readiness import warn_of_log
from server.services import job_run as job_runs
from server.services.job_run import Slot
from server.services.people.passwords import Passwords
from server.settings import Settings, master_keys, new_master_key
from server.throttle import Throttle
from tests.cast import entry, found_clinic
from tests.conftest import JWT_KEY, LIMITS, NOON, Clock, Watched
from tests.ports import free_port
from tests.postgresql_server import Server, server_of_our_own
from tests.source import ROOT

# Whoever looks for slow statements sets these, and thinks of nothing else.
TALKATIVE = ("log_min_duration_statement = 0", "log_parameter_max_length_on_error = -1")
STRONG = new_master_key()  # production takes no other
QUIET = ["log_parameter_max_length=0"]
SERVICE, OWNER = "afterglow_app", "afterglow_owner"
# As a role is that was made by hand.
LOUD = f"ALTER ROLE {SERVICE} IN DATABASE postgres RESET log_parameter_max_length"


@pytest.fixture(scope="module")
def talkative() -> Iterator[Server]:
    """A server that writes every statement into its log."""
    with server_of_our_own(settings=TALKATIVE) as server:
        yield server


def shown(server: Server, role: str) -> str:
    return make_url(server.url).set(username=role).render_as_string(hide_password=False)


def migrate(server: Server, owner: str, tmp_path: Path) -> Result:
    """Migrate as ``owner``, who makes the service's role unless it is there."""
    addresses = {"DATABASE_URL": shown(server, SERVICE), "MIGRATION_URL": shown(server, owner)}
    said = {f"AFTERGLOW_{name}": url for name, url in {**addresses, "MASTER_KEY": STRONG}.items()}
    return CliRunner().invoke(main, ["migrate"], env={**said, "AFTERGLOW_DATA_DIR": str(tmp_path)})


@pytest.fixture
def settings(talkative: Server, tmp_path: Path) -> Settings:
    """Settings of the service, whose role a superuser made by migrating."""
    result = migrate(talkative, "postgres", tmp_path)
    assert result.exit_code == 0, result.output
    return Settings(
        database_url=shown(talkative, SERVICE),
        data_dir=tmp_path,
        password_cost="cheap",
        access_minutes=60 * 24,
        jwt_key=JWT_KEY,
        master_key=STRONG,
    )


def warnings(settings: Settings, caplog: pytest.LogCaptureFixture) -> str:
    """Return what a start in production says of the server's log."""
    caplog.clear()
    with (
        closing(Database(settings.database_url, limits=settings.limits)) as database,
        caplog.at_level("INFO"),
    ):
        warn_of_log(replace(settings, environment="production"), database)
    return caplog.text


@pytest.mark.long
def test_slow_statements_are_logged_and_nothing_that_people_reported(
    talkative: Server, settings: Settings, built_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    log = talkative.folder / "log"
    before = len(log.read_text(errors="replace"))
    with closing(Watched(settings.database_url, master_keys(settings), settings.limits)) as database:
        built_app.extensions[EXTENSION] = Surroundings(
            settings, database, Clock(), Passwords("cheap"), limits=LIMITS, throttle=Throttle(0)
        )
        cast = found_clinic(built_app)
        path = f"/patients/{cast.ana.patient_id}"
        assert cast.bo.patch(path, {"name": "Zzmark Name"}, version=1).status_code == 200
        said = entry(NOON, note="zznote", safety="plan")
        answer = cast.ana.put("/entries/01a1e8a0-5c00-7000-8000-000000000001", said)
        assert answer.status_code == 201, answer.text
        with pytest.raises(DataError), database.read(Extent.NONE) as session:
            session.execute(text("SELECT CAST(:said AS text)::int"), {"said": "zzfailed"})
    written = log.read_text(errors="replace")[before:]
    assert "INSERT INTO entries" in written
    assert "CAST($1 AS text)::int" in written
    for told in ("Zzmark", "zznote", "ana@home.example", "'plan'", "parameters: ", "Parameters: "):
        assert told not in written, told
    assert warnings(settings, caplog) == ""


def test_clocks_that_tick_together_leave_no_error_in_it(talkative: Server, settings: Settings) -> None:
    """Whoever is woken looks there first, and six jobs of two runners tick every ten seconds."""
    log = talkative.folder / "log"
    before = len(log.read_text(errors="replace"))
    slot = Slot("deliver", NOON)
    with closing(Database(settings.database_url)) as database:
        begun = []
        for _ in range(3):
            with database.write(Extent.NONE) as session:
                begun.append(job_runs.begin(session, slot, NOON))
    assert begun == [True, False, False]
    written = log.read_text(errors="replace")[before:]
    assert "INSERT INTO job_runs" in written
    assert "ERROR:" not in written


def test_a_superuser_says_it_of_each_of_their_sessions(talkative: Server) -> None:
    with closing(Database(talkative.url)) as database, database.engine.connect() as connection:
        assert connection.scalar(text("SHOW log_parameter_max_length")) == "0"


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("log_parameter_max_length = -1", True),
        ("log_parameter_max_length_on_error = -1", False),  # our own sessions say otherwise
        ("auto_explain.log_min_duration = 0", True),
    ],
)
def test_production_says_at_its_start_where_the_log_would_hold_it(
    talkative: Server, settings: Settings, caplog: pytest.LogCaptureFixture, setting: str, told: bool
) -> None:
    name = setting.partition(" ")[0]
    superuser = create_engine(talkative.url, isolation_level="AUTOCOMMIT")
    with superuser.connect() as connection:
        connection.exec_driver_sql(f"ALTER ROLE {SERVICE} IN DATABASE postgres SET {setting}")
        said = warnings(settings, caplog)
        connection.exec_driver_sql(f"ALTER ROLE {SERVICE} IN DATABASE postgres RESET {name}")
    superuser.dispose()
    assert ("into its own log" in said) is told
    assert said.count("\n") == told


def test_development_and_a_quiet_server_hear_nothing(
    talkative: Server, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    quiet = create_engine(talkative.url, isolation_level="AUTOCOMMIT")
    with quiet.connect() as connection:
        connection.exec_driver_sql(LOUD)
        assert warnings(settings, caplog)
        with closing(Database(settings.database_url)) as database, caplog.at_level(logging.INFO):
            caplog.clear()
            warn_of_log(settings, database)
        assert caplog.text == ""
        connection.exec_driver_sql(f"ALTER ROLE {SERVICE} SET log_min_duration_statement = -1")
        assert warnings(settings, caplog) == "", "nothing is logged, so nothing of it"
        connection.exec_driver_sql(f"ALTER ROLE {SERVICE} RESET log_min_duration_statement")
    quiet.dispose()


def test_an_owner_who_may_not_ask_for_it_migrates_all_the_same(talkative: Server, settings: Settings) -> None:
    superuser = create_engine(talkative.url)
    with superuser.begin() as connection:
        connection.exec_driver_sql("CREATE ROLE plain LOGIN CREATEROLE")
        connection.exec_driver_sql(LOUD)
        connection.exec_driver_sql("SET LOCAL ROLE plain")
        assert not rows.hush(connection, SERVICE)
        assert not rows.hush(connection, "plain")
        connection.exec_driver_sql("RESET ROLE")
        assert rows.hush(connection, SERVICE)
        connection.exec_driver_sql("SET LOCAL ROLE plain")
        assert rows.hush(connection, SERVICE), "it is so already"
    superuser.dispose()


@pytest.mark.long
def test_the_roles_of_the_deployment_are_made_so_that_nothing_is_quoted(tmp_path: Path) -> None:
    for name in ("owner-password", "app-password"):
        (tmp_path / name).write_text("secret")
    with server_of_our_own() as server:
        if shutil.which("psql", path=str(server.bin)) is None:
            pytest.skip("no psql here")
        superuser = create_engine(server.url, isolation_level="AUTOCOMMIT")
        with superuser.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE afterglow")
        superuser.dispose()
        path = f"{server.bin}{os.pathsep}{os.environ['PATH']}"
        where = {"SECRETS_DIRECTORY": str(tmp_path), "PGHOST": str(server.folder), "PATH": path}
        run([str(DEPLOY / "postgresql" / "roles.sh")], where)
        with closing(Database(server.url)) as database, database.engine.connect() as connection:
            said = connection.execute(
                text("SELECT setrole::regrole::text, setconfig FROM pg_db_role_setting")
            )
            assert {row[0]: row[1] for row in said} == dict.fromkeys((SERVICE, OWNER), QUIET)


@pytest.mark.long
@pytest.mark.parametrize("command", ["serve", "work"])
def test_the_line_stands_in_the_log_of_what_is_started(
    talkative: Server, settings: Settings, command: str
) -> None:
    superuser = create_engine(talkative.url)
    with superuser.begin() as connection:
        connection.exec_driver_sql(LOUD)
    superuser.dispose()
    said = {
        "ENVIRONMENT": "production",
        "DATABASE_URL": settings.database_url,
        "DATA_DIR": str(settings.data_dir),
        "JWT_KEY": token_urlsafe(48),
        "MASTER_KEY": settings.master_key,
        "PUBLIC_URL": "https://journal.example",
        "SMTP_URL": "smtp://127.0.0.1:1",
        "OPERATIONS_EMAIL": "operations@journal.example",
        "STAFF_SECOND_FACTOR": "required",
        "PORT": str(free_port()),
        "LOG": "json",
    }
    environment = {**os.environ, **{f"AFTERGLOW_{name}": value for name, value in said.items()}}
    program = [sys.executable, "-m", "server.cli", command]
    with subprocess.Popen(program, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.terminate()
    assert "into its own log" in json.loads(first)["message"], first
