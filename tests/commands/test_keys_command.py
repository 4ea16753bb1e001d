"""`afterglow keys`, `erasures` and `retention` as a person meets them. On SQLite alone."""

import base64
import json
import shlex
import sys
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from jobs import erase, erasure_list
from jobs.around import Around
from server.clinical.vocabulary import Role
from server.database import Database
from server.models import Account, ClinicKey, Erasure
from server.services.people import account as accounts
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Work, system
from server.settings import Settings
from tests.conftest import MASTER_KEY, NOON, empty, fill, rows_of
from tests.one_shot import Run, imported, river


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is printed does not depend on the database."""
    return sqlite_url


@pytest.fixture
def ana(database: Database, run: Run) -> UUID:
    """The patient of the clinic `river`, with a diary."""
    patient_id = river(database, NOON)
    assert imported(run, patient_id).exit_code == 0
    return patient_id


def clinic_of(database: Database) -> UUID:
    with database.read() as session:
        return session.scalars(select(ClinicKey.clinic_id)).first() or UUID(int=0)


def test_keys_are_changed_and_older_ones_go(run: Run, ana: UUID, database: Database) -> None:
    assert run("keys", "rotate").exit_code == 0
    refused = run("keys", "drop", "--clinic", "river")
    assert refused.stderr.endswith("values are under older keys. Run: afterglow keys reseal\n")
    assert run("keys", "reseal").stdout.startswith("river: ")
    assert run("keys", "reseal").stdout == "river: 0 values sealed anew.\n"
    refused = run("keys", "drop", "--clinic", "river")
    assert refused.stderr == "Error: The newest key must be 1 h old before older ones go.\n"
    with database.write() as session:
        session.execute(update(ClinicKey).values(created_at=NOON))
    assert run("keys", "drop", "--clinic", "river").stdout == "river: older keys destroyed: 1.\n"
    assert run("keys", "drop", "--clinic", "river").stdout == "river: older keys destroyed: 0.\n"


def test_addresses_are_sealed_in_two_steps(run: Run, ana: UUID, database: Database) -> None:
    with database.write() as session:
        work = Work(session, NOON, system(clinic_of(database)))
        new = NewAccount(Role.CLINICIAN, "Bo", "bo@river.example", "correct horse battery")
        account = accounts.create(work, new, Passwords("cheap"))
        account.plain_email, account.sealed_email, account.email_index = "bo@river.example", None, None
    assert run("keys", "seal-contacts").stdout == "river: 1 addresses sealed; still readable: 1.\n"
    assert (
        run("keys", "seal-contacts", "--finish").stdout == "river: 0 addresses sealed; still readable: 0.\n"
    )
    with database.read() as session:
        assert session.scalars(select(Account.plain_email)).all() == [None]


def test_a_clinic_is_closed_by_its_name_and_again_after_a_restore(
    run: Run, ana: UUID, database: Database, settings: Settings
) -> None:
    backup = rows_of(database)
    erase.run(Around(database, settings, {}), NOON)
    assert run("keys", "erase", "--clinic", "river", "--yes", "river").exit_code == 1
    closed = run("keys", "erase", "--clinic", "river", "--yes", "River")
    assert closed.stdout.startswith("river: keys destroyed: 3.")
    assert run("keys", "rotate").stdout == "Every key is under the current master key.\n", "nobody is there"
    _beginning, *listed = erasure_list.file_of(settings).read_text("utf-8").splitlines()
    assert run("erasures", "list").stdout.splitlines() == listed != []
    empty(database)
    fill(database, backup)
    applied = run("erasures", "apply")
    assert applied.stdout.startswith("In the list: 1; there again, and erased: 1.\n")
    assert rows_of(database)["clinic_keys"] == []


def test_a_clinic_is_closed_where_the_list_of_erasures_is_not(
    run: Run, ana: UUID, database: Database, settings: Settings
) -> None:
    closed = run("keys", "erase", "--clinic", "river", "--yes", "River")
    assert (closed.exit_code, closed.stdout.partition(":")[0]) == (0, "river")
    assert closed.stderr == "It is not in the list of erasures yet: a job runner writes it there.\n"
    erase.run(Around(database, settings, {}), NOON)
    assert erasure_list.knows_all_since(erasure_list.file_of(settings), NOON)
    (listed,) = erasure_list.read(erasure_list.file_of(settings))
    assert listed.patient_id is None


def test_a_patient_is_erased_by_command_listed_and_erased_again(
    run: Run, database: Database, settings: Settings, tmp_path: Path
) -> None:
    ana = river(database, NOON)
    backup = rows_of(database)
    words = ("erasures", "erase", "--clinic", "river", "--patient", ana, "--reason", "mistake", "--yes")
    refused = run(*words, "Bea")
    assert (refused.exit_code, refused.stderr) == (1, "Error: That is not the name of this patient.\n")
    assert rows_of(database)["erasures"] == [], "nothing was even asked for"
    assert "is confirmed; rows go from" in run(*words, "Ana").stdout
    with database.read() as session:
        due = session.scalars(select(Erasure.due_at)).one()
    assert due is not None
    assert erase.run(Around(database, settings, {}), due) == 1
    listed = run("erasures", "list").stdout
    assert json.loads(listed)["patient_id"] == str(ana)
    kept = tmp_path / "kept-elsewhere.jsonl"
    kept.write_text(listed)
    empty(database)
    fill(database, backup)
    said = "In the list of endings: 0; withdrawn or closed again: 0.\n"
    assert run("erasures", "apply", kept).stdout == f"In the list: 1; there again, and erased: 1.\n{said}"
    assert rows_of(database)["patients"] == []
    assert run("erasures", "apply", kept).stdout == f"In the list: 1; there again, and erased: 0.\n{said}"


def test_a_key_for_a_fhir_system_needs_a_name(run: Run) -> None:
    said = run("keys", "smart", "")
    assert (said.exit_code, said.stderr.partition(" See: ")[0]) == (2, "Error: KID must name the key.")


def test_retention_tells_and_deletes(run: Run, ana: UUID) -> None:
    told = run("retention", "--dry-run")
    assert "river: medical record: run out: 0, held: 0" in told.stdout
    assert run("retention").stdout.endswith("Deleted: 0.\n")


@pytest.mark.parametrize("way", ["file", "command"])
def test_the_master_key_comes_from_a_file_or_a_command(
    way: str, run: Run, ana: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "the key"
    key.write_text(f"{MASTER_KEY}\n")
    monkeypatch.delenv("AFTERGLOW_MASTER_KEY")
    command = shlex.join([sys.executable, "-c", f"print(open({str(key)!r}).read())"])
    values = {"file": str(key), "command": command}
    monkeypatch.setenv(f"AFTERGLOW_MASTER_KEY_{way.upper()}", values[way])
    assert run("keys", "reseal").exit_code == 0
    key.write_text(base64.b64encode(b"another key of thirty-two bytes!").decode())
    refused = run("keys", "reseal")
    assert refused.stderr == "Error: AFTERGLOW_MASTER_KEY does not open this database.\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FILE", "/nowhere/at/all", "AFTERGLOW_MASTER_KEY_FILE names a file that can't be read"),
        ("COMMAND", "false", "AFTERGLOW_MASTER_KEY_COMMAND does not give a key"),
        ("COMMAND", "/nowhere/at/all", "AFTERGLOW_MASTER_KEY_COMMAND does not give a key"),
        ("COMMAND", "'", "AFTERGLOW_MASTER_KEY_COMMAND does not give a key"),
        ("COMMAND", "echo hidden", "AFTERGLOW_MASTER_KEY_COMMAND must be base64 of 32 bytes"),
    ],
)
def test_a_source_that_gives_no_key_is_named_and_never_repeated(
    name: str, value: str, said: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFTERGLOW_MASTER_KEY")
    monkeypatch.setenv(f"AFTERGLOW_MASTER_KEY_{name}", value)
    refused = run("keys", "reseal")
    assert refused.exit_code == 1
    assert said in refused.stderr
    assert "hidden" not in refused.stderr


def test_two_sources_at_once_are_one_too_many(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY_FILE", "/nowhere")
    refused = run("keys", "reseal")
    assert refused.stderr == "Error: Set one of AFTERGLOW_MASTER_KEY, _FILE and _COMMAND, not several\n"
