"""The code of a version before, out of the history, goes on while this one changes its tables."""

import io
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from server.migrations import WORKS_FROM
from tests.busy_phones import Phones, busy
from tests.conftest import MASTER_KEY
from tests.jobs.test_backup import KEY, tools
from tests.ports import free_port, wait_for
from tests.postgresql_server import server_of_our_own
from tests.source import ROOT

PASSWORD, EVES = "demo-afterglow-1", "four words are fine"
DEE, EVE = (("demo", f"{name}@demo.example") for name in ("dee", "eve"))
LAST_WITHOUT_ISOLATION = "0006"
SCHEMA = "server/models/schema.py"


@dataclass(frozen=True)
class Version:
    """The code in ``folder``, and with what its commands are started."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str) -> str:
        """Run a command that ends by itself and return what it says."""
        done = subprocess.run(self._command(*words), capture_output=True, text=True, **self._where())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def process(self, *words: str, **more: str) -> Iterator[Path]:
        """Keep a command running, and give the file with what it says of itself."""
        log = Path(self.environment["AFTERGLOW_DATA_DIR"]) / f"{self.folder.name}-{words[0]}.log"
        with log.open("wb") as said:
            child = subprocess.Popen(self._command(*words), stderr=said, stdout=said, **self._where(more))
        try:
            yield log
        finally:
            child.terminate()
            child.wait(20)

    @contextmanager
    def served(self) -> Iterator[int]:
        """Serve, and give the port."""
        port = free_port()
        with self.process("serve", AFTERGLOW_PORT=str(port)):
            wait_for(port)
            yield port

    def _command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "server.cli", *words]

    def _where(self, more: Mapping[str, str] | None = None) -> dict[str, Mapping[str, str] | Path]:
        clean = {name: said for name, said in os.environ.items() if not name.startswith("AFTERGLOW_")}
        return {"cwd": self.folder, "env": {**clean, **self.environment, **(more or {})}}


def git(*words: str) -> bytes:
    """Ask the repository; skips where there is none, or not all of its past."""
    try:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("the repository's history is not here")


def code_before(folder: Path) -> Path:
    """Put the newest code without clinics kept apart into ``folder``, or skip."""
    for commit in git("log", "--first-parent", "--format=%H", "--", SCHEMA).decode().split():
        if re.search(
            rf'^HEAD = "{LAST_WITHOUT_ISOLATION}"', git("show", f"{commit}:{SCHEMA}").decode(), re.M
        ):
            with tarfile.open(fileobj=io.BytesIO(git("archive", commit))) as code:
                code.extractall(folder, filter="data")
            return folder
    pytest.skip("the repository's history is not here")


@pytest.fixture
def versions(tmp_path: Path) -> Iterator[tuple[Version, Version]]:
    """The version before, which works as the owner of a database; this one, which has a role of its own."""
    before = code_before(tmp_path / "before")
    with server_of_our_own() as server:
        ruler = create_engine(server.url, isolation_level="AUTOCOMMIT")
        with ruler.connect() as connection:
            connection.execute(text("CREATE ROLE owner LOGIN CREATEROLE"))
            connection.execute(text("CREATE DATABASE journal OWNER owner"))
        ruler.dispose()
        here = make_url(server.url).set(database="journal")
        owner, service = (here.set(username=name).render_as_string() for name in ("owner", "service"))
        same = {
            "AFTERGLOW_DATA_DIR": str(tmp_path),
            "AFTERGLOW_PASSWORD_COST": "cheap",
            "AFTERGLOW_MASTER_KEY": MASTER_KEY,
        }
        yield (
            Version(before, {**same, "AFTERGLOW_DATABASE_URL": owner}),
            Version(ROOT, {**same, "AFTERGLOW_DATABASE_URL": service, "AFTERGLOW_MIGRATION_URL": owner}),
        )


def enrol(port: int, who: tuple[str, str]) -> None:
    """Enrol somebody of whom there are no alerts.

    One process of the version before stored an entry while another attended to an alert of the same patient,
    each had what the other wanted, and it sent one of them away: with tables that change, or without.
    """
    (_, email), phone = who, Phones(port)
    sign_in = {"clinic": DEE[0], "email": DEE[1], "password": PASSWORD}
    dee = phone.ask("POST", "/v1/sign-ins", sign_in)["access_token"]
    eve = phone.ask("POST", "/v1/patients", {"name": "Eve", "zone": "Europe/Oslo"}, dee)
    asked = {"email": email, "word": "blue kettle"}
    code = phone.ask("POST", f"/v1/patients/{eve['id']}/invitations", asked, dee)["code"]
    answer = {"code": code, "email": email, "password": EVES, "proof": "blue kettle"}
    phone.ask("POST", "/v1/enrolments", answer)
    assert phone.wrong == []


@pytest.mark.rehearsal
def test_the_version_before_serves_and_works_on_while_tables_change_and_is_replaced_without_an_error(
    versions: tuple[Version, Version],
) -> None:
    before, now = versions
    before.run("migrate")
    before.run("demo")
    with before.served() as port:
        enrol(port, EVE)
    with before.served() as port, before.process("work") as worker, busy(port, EVE, EVES) as old:
        old.wait_for(20)
        assert now.run("migrate", "--to", WORKS_FROM) == "The database is migrated."
        old.wait_for(20)
        with now.served() as newer, now.process("work") as new_worker:
            with busy(newer, EVE, EVES) as new:
                new.wait_for(20)
                old.wait_for(20)
            assert (old.wrong, new.wrong) == ([], [])
            assert _troubles(worker) + _troubles(new_worker) == []
    with now.served() as newer, busy(newer, EVE, EVES) as new:
        assert now.run("migrate") == "The database is migrated."
        new.wait_for(20)
    assert new.wrong == []
    assert now.run("migrate", "--check") == "The database is up to date."


@pytest.mark.rehearsal
def test_a_backup_of_the_version_before_is_put_back_by_this_one(
    versions: tuple[Version, Version], tmp_path: Path
) -> None:
    before, now = versions
    with_backups = {"AFTERGLOW_BACKUP_KEY": KEY, "AFTERGLOW_POSTGRESQL_TOOLS": tools()}
    before, now = (replace(one, environment={**one.environment, **with_backups}) for one in (before, now))
    file = str(tmp_path / "of-before.backup")
    for words in (["migrate"], ["demo"], ["backup", file]):
        before.run(*words)
    now.run("migrate")
    words = ("restore", "--replace", "--without-lists", file)
    astray = replace(now, environment={**now.environment, "AFTERGLOW_MASTER_KEY": KEY})
    with pytest.raises(AssertionError, match="AFTERGLOW_MASTER_KEY does not open all of it"):
        astray.run(*words)
    said = now.run(*words)
    assert re.search("^Audit log of clinic .*: holds, ", said, re.M)
    assert now.run("migrate", "--check") == "The database is up to date."
    with now.served() as port:
        enrol(port, EVE)


def _troubles(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if "ERROR" in line or "Traceback" in line]
