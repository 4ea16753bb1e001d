"""A restore is done to its end, or the database stays what it was, or nobody works on it before it is."""

import base64
import time
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from jobs import ending_list, erase, erasure_list
from jobs import restore as restoring
from jobs.around import Around
from jobs.backup import backup
from jobs.problem import Problem
from server.database import Database
from server.isolation import Extent
from server.migrations import upgrade
from server.migrations.standing import standing
from server.services import backup_state
from tests.cast import Cast
from tests.conftest import MASTER_KEY, NOON, owner_url, rows_of
from tests.jobs.test_backup import KEY, elsewhere, here, made, put_back, quiet, tools
from tests.jobs.test_erasure_list import disk_for
from tests.one_shot import Run, runner

__all__ = ["elsewhere", "here"]
postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
embedded = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LATER = (
    "CREATE TABLE later (id uuid PRIMARY KEY, clinic_id uuid REFERENCES clinics (id))",
    "CREATE TYPE kind_of_later AS ENUM ('much')",
    "CREATE SEQUENCE number_of_later",
    "CREATE VIEW later_still AS SELECT id FROM later",
    "CREATE FUNCTION how_much_later(kind_of_later) RETURNS int LANGUAGE sql AS 'SELECT 1'",
)
"""What the migrations of a newer version make."""


def newer(database: Database) -> None:
    """Bring a database to the tables of this version, and of one that comes after it."""
    upgrade(database)
    with database.engine.begin() as connection:
        for statement in LATER:
            connection.execute(text(statement))


@pytest.fixture
def run(here: Around, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `afterglow` on the database with the diary, as who owns it where that is another one."""
    monkeypatch.setenv("AFTERGLOW_BACKUP_KEY", KEY)
    monkeypatch.setenv("AFTERGLOW_POSTGRESQL_TOOLS", tools())
    if not here.database.is_sqlite:
        monkeypatch.setenv("AFTERGLOW_MIGRATION_URL", owner_url(here.settings.database_url))
    return runner(here.settings, monkeypatch)


@postgresql  # an embedded database is replaced as a file
def test_an_older_backup_takes_the_place_of_newer_tables_and_is_migrated_once_more(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    made(here, tmp_path / "old")
    newer(elsewhere)
    for _ in range(2):
        done = put_back(here, elsewhere, tmp_path / "old", replace=True, migrate=newer)
        assert all(one.found is None for one in done.verdicts)
    assert len(rows_of(elsewhere)["entries"]) == 3
    assert standing(elsewhere).is_current
    with elsewhere.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM later_still")) == 0


@pytest.mark.parametrize(
    ("cut", "problem"),
    [
        ('"{tools}/pg_restore" "$@" | head -c 30000; exit 1', "failed"),
        ('"{tools}/pg_restore" "$@"; echo "SELECT 1 / 0;"', "psql failed: PostgreSQL's error 22012"),
    ],
    ids=["the reader dies", "the database refuses"],
)
@postgresql
def test_a_restore_that_fails_on_its_way_changes_nothing(
    here: Around, elsewhere: Database, tmp_path: Path, cut: str, problem: str
) -> None:
    made(here, tmp_path / "old")
    put_back(here, elsewhere, tmp_path / "old")
    before = rows_of(elsewhere)
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "psql").symlink_to(f"{tools()}/psql")
    (folder / "pg_restore").write_text(f"#!/bin/sh\n{cut.format(tools=tools())}\n")
    (folder / "pg_restore").chmod(0o755)
    broken = replace(here, settings=replace(here.settings, postgresql_tools=str(folder)))
    with pytest.raises(Problem, match=problem):
        put_back(broken, elsewhere, tmp_path / "old", replace=True)
    assert rows_of(elsewhere) == before


def test_a_restore_that_did_not_end_keeps_everybody_out_until_it_is_run_again(
    run: Run, here: Around, elsewhere: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kept"
    made(here, file)
    monkeypatch.setenv("AFTERGLOW_DATABASE_URL", elsewhere.engine.url.render_as_string(hide_password=False))
    monkeypatch.delenv("AFTERGLOW_MIGRATION_URL", raising=False)
    monkeypatch.setenv("AFTERGLOW_ERASURE_LIST", str(file / "list"))  # a file is no folder to begin it in
    said = run("restore", "--while-in-use", "--without-lists", file)
    assert said.exit_code == 1
    (line,) = said.stderr.strip().splitlines()[-1:]
    assert line.endswith(f"Run: afterglow restore --replace {file}")
    monkeypatch.delenv("AFTERGLOW_ERASURE_LIST")
    for words in (["status"], ["migrate"], ["migrate", "--check"], ["serve"], ["work"], ["backup", "again"]):
        refused = run(*words)
        assert (refused.exit_code, "has not come to its end" in refused.output) == (1, True), words
    healed = run("restore", "--while-in-use", "--replace", file)
    assert healed.exit_code == 0, healed.output
    assert run("migrate", "--check").exit_code == 0
    assert len(rows_of(elsewhere)["entries"]) == 3


@postgresql  # an embedded database has no roles
def test_who_has_no_rights_in_it_yet_is_told_of_the_restore_that_did_not_end(run: Run, here: Around) -> None:
    service = here.database.engine.url.username
    with closing(Database(owner_url(here.settings.database_url))) as owned:
        with owned.engine.begin() as owner:
            owner.execute(text(backup_state.UNFINISHED))
            owner.execute(text(f"REVOKE ALL ON alembic_version FROM {service}"))
        try:
            said = {
                words: run(*words) for words in (("status",), ("serve",), ("work",), ("migrate", "--check"))
            }
        finally:
            with owned.engine.begin() as owner:
                owner.execute(text("DROP TABLE unfinished_restore"))
                owner.execute(text(f"GRANT SELECT ON alembic_version TO {service}"))
    for words, one in said.items():
        assert (one.exit_code, "has not come to its end" in one.output) == (1, True), (words, one.output)


def test_a_backup_that_the_master_key_does_not_open_changes_nothing(
    run: Run, here: Around, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, before = tmp_path / "kept", rows_of(here.database)
    assert run("backup", file).exit_code == 0
    newer = base64.b64encode(bytes([9]) * 32).decode()
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY", f"{newer},{MASTER_KEY}")
    assert run("keys", "rotate").exit_code == 0
    known = rows_of(here.database)
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY", newer)
    said = run("restore", "--while-in-use", "--replace", file)
    assert said.exit_code == 1
    assert said.stderr.splitlines()[-1].startswith("Error: AFTERGLOW_MASTER_KEY does not open all of it. ")
    assert rows_of(here.database) == known
    # Of what is replaced the key is not asked for: it may be lost, which is why somebody restores.
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY", MASTER_KEY)
    assert run("restore", "--while-in-use", "--replace", file).exit_code == 0
    assert rows_of(here.database)["clinic_keys"] == before["clinic_keys"]


def test_noted_ends_that_can_not_be_read_stop_a_restore_before_it_begins(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    made(here, tmp_path / "old")
    with here.settings.anchor_file.open("a", encoding="utf-8") as cut:
        cut.write('{"at": "2026')  # as a power cut leaves it
    with pytest.raises(Problem, match=r"not the end of an audit chain\.$"):
        put_back(here, elsewhere, tmp_path / "old")


@embedded
def test_a_disk_too_small_for_the_copy_is_one_line(run: Run, tmp_path: Path) -> None:
    with disk_for(1 << 16):
        said = run("backup", tmp_path / "kept")
    assert (said.exit_code, said.stderr.count("\n")) == (1, 1), said.stderr
    assert said.stderr.startswith("Error: The database can't be copied: ")
    assert not (tmp_path / "kept").exists()


@postgresql  # an embedded database has no roles
def test_a_role_that_owns_nothing_is_told_whose_address_is_needed(
    run: Run, here: Around, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(here, tmp_path / "kept")
    monkeypatch.delenv("AFTERGLOW_MIGRATION_URL")
    said = run("restore", "--while-in-use", "--replace", tmp_path / "kept")
    assert said.exit_code == 1
    assert said.stderr.endswith("Error: This needs the owner's address: set AFTERGLOW_MIGRATION_URL.\n")


def test_nothing_is_replaced_under_the_hands_of_others(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    made(here, tmp_path / "kept")
    put_back(here, elsewhere, tmp_path / "kept")
    known = rows_of(elsewhere)
    url = here.database.engine.url.set(database=elsewhere.engine.url.database)
    alone = {"replace": True, "while_in_use": False}
    with closing(Database(url.render_as_string(hide_password=False))) as service:
        with service.read(Extent.NONE) as session:  # it keeps its connection, at work or not
            assert not backup_state.is_unfinished(session)
        with pytest.raises(Problem, match=r"Stop the API and the job runners\. Say --while-in-use where"):
            put_back(here, elsewhere, tmp_path / "kept", **alone)
        assert rows_of(elsewhere) == known
    until_alone(here, elsewhere)
    put_back(here, elsewhere, tmp_path / "kept", **alone)
    assert rows_of(elsewhere)["entries"] == known["entries"]


def until_alone(here: Around, elsewhere: Database) -> None:
    """Wait until a server has seen off who has left: on a busy machine that takes it a moment."""
    until = time.monotonic() + (0 if elsewhere.is_sqlite else 10)
    while time.monotonic() < until:
        with elsewhere.read(Extent.NONE) as session:
            if not backup_state.connected(session, here.settings.sqlalchemy_url):
                return
        time.sleep(0.01)


def test_who_comes_while_the_rows_are_made_ready_is_seen_as_well(
    here: Around, elsewhere: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(here, tmp_path / "kept")
    put_back(here, elsewhere, tmp_path / "kept")
    url = here.database.engine.url.set(database=elsewhere.engine.url.database)
    service = Database(url.render_as_string(hide_password=False))
    name = "_check_soundness" if elsewhere.is_sqlite else "_check_lists"
    check = getattr(restoring, name)

    def begin_and_check(*words: Any) -> None:
        service.engine.connect().close()
        check(*words)

    monkeypatch.setattr(restoring, name, begin_and_check)
    with closing(service), pytest.raises(Problem, match="Stop the API and the job runners"):
        put_back(here, elsewhere, tmp_path / "kept", replace=True, while_in_use=False)


def test_a_list_that_is_not_there_is_no_list_of_nobody(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    made(here, tmp_path / "old")
    for file in (erasure_list.file_of(here.settings), ending_list.file_of(here.settings)):
        file.rename(aside := tmp_path / "aside")
        with pytest.raises(Problem, match=r"is not there\. Who was erased"):
            put_back(here, elsewhere, tmp_path / "old")
        aside.rename(file)
    assert put_back(here, elsewhere, tmp_path / "old").done


def test_the_list_of_a_new_machine_is_none_for_an_old_backup(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    early = NOON - timedelta(days=1)
    backup(here.database, here.settings, tmp_path / "old", early, quiet)
    with pytest.raises(Problem, match="begun after the backup"):
        put_back(here, elsewhere, tmp_path / "old")


def test_where_there_was_no_list_that_is_said_and_what_it_costs_too(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    made(here, tmp_path / "old")
    for file in (erasure_list.file_of(here.settings), ending_list.file_of(here.settings)):
        file.unlink()
    done = put_back(here, elsewhere, tmp_path / "old", without_lists=True).done
    assert [line.partition(" (")[0] for line in done[1:3]] == [
        "THERE WAS NO LIST OF ERASURES",
        "THERE WAS NO LIST OF ENDINGS",
    ]
    assert len(rows_of(elsewhere)["entries"]) == 3


def test_a_list_that_was_lost_is_begun_again_with_all_that_the_database_knows(
    here: Around, cast: Cast
) -> None:
    path = f"/patients/{cast.ana.patient_id}/erasure"
    version = cast.admin.post(path, {"reason": "patient_asked"}).json["version"]
    assert cast.admin.post(f"{path}/confirm", {"patient_name": "Ana"}, version=version).status_code == 200
    assert erase.run(here, NOON) == 1
    file = erasure_list.file_of(here.settings)
    before = erasure_list.read(file)
    assert [one.patient_id for one in before] == [cast.ana.patient_id]
    file.unlink()
    assert erase.run(here, NOON) == 0
    assert erasure_list.read(file) == before
    assert erasure_list.knows_all_since(file, NOON)
    assert not erasure_list.knows_all_since(file, NOON - timedelta(days=1))


def test_a_database_without_a_clinic_begins_no_list(around: Around) -> None:
    erase.note(around.settings, around.database, NOON)
    assert not erasure_list.file_of(around.settings).exists()


def test_after_a_restore_by_other_means_a_list_that_is_missing_is_named(run: Run, here: Around) -> None:
    assert "NO LIST" not in run("erasures", "apply").output
    ending_list.file_of(here.settings).unlink()
    said = run("erasures", "apply")
    assert said.exit_code == 0
    assert said.stderr.startswith(f"THERE IS NO LIST {ending_list.file_of(here.settings)}: ")


def test_the_endings_of_a_new_machine_are_none_for_an_old_backup(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    made(here, tmp_path / "old")
    ending_list.file_of(here.settings).unlink()
    upgrade(elsewhere)
    ending_list.note(here.settings, elsewhere, NOON)
    assert not ending_list.file_of(here.settings).exists(), "without a clinic there is none to begin"
    erasure_list.begin(ending_list.file_of(here.settings), NOON + timedelta(days=1))
    with pytest.raises(Problem, match=r"endings\.jsonl was begun after the backup"):
        put_back(here, elsewhere, tmp_path / "old", replace=True)


def test_after_a_restore_without_lists_the_new_ones_do_not_claim_to_know_what_was_before(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    backup(here.database, here.settings, tmp_path / "old", NOON - timedelta(days=1), quiet)
    for file in (erasure_list.file_of(here.settings), ending_list.file_of(here.settings)):
        file.unlink()
    put_back(here, elsewhere, tmp_path / "old", without_lists=True)
    erase.note(here.settings, elsewhere, NOON)
    ending_list.note(here.settings, elsewhere, NOON)
    for file in (erasure_list.file_of(here.settings), ending_list.file_of(here.settings)):
        assert not erasure_list.knows_all_since(file, NOON - timedelta(seconds=1)), file.name
