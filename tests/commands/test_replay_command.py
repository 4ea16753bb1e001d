"""`afterglow replay`: a draft from a file, on a clinic's past and on virtual patients. On SQLite alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from server.cli import main
from server.database import Database
from server.models import AuditEvent
from tests.one_shot import Run, imported, river

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DRAFT = "values:\n  relapse.ewma_limit: 3.2\n  silence.usual_days: 7\nreason: fewer alarms\n"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is printed does not depend on the database."""
    return sqlite_url


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A draft on disk."""
    file = tmp_path / "draft.yaml"
    file.write_text(DRAFT)
    return file


def test_a_clinics_past_is_tried_and_told_patient_by_patient(
    run: Run, database: Database, draft: Path
) -> None:
    patient_id = river(database, NOW)
    assert imported(run, patient_id).exit_code == 0
    days = ("--first", "2025-01-01", "--last", "2026-03-01")
    said = run("replay", "--clinic", "river", "--draft", draft, *days, "--processes", 1, "--patients")
    assert said.exit_code == 0, said.output
    assert "Clinic river, 2025-01-01 to 2026-03-01" in said.stdout
    assert "alarms a patient-month" in said.stdout
    assert "1 patients, " in said.stdout
    assert "no replay shows what it does: silence.usual_days" in said.stdout
    assert "patients: 1 of 1" in said.stderr
    with database.read() as session:
        rows = session.query(AuditEvent).filter_by(action="policy-replay.patient")
        assert [row.patient_id for row in rows] == [patient_id]


@pytest.mark.long
def test_virtual_patients_need_no_database_and_any_number_of_processes_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERGLOW_DATABASE_URL", "nowhere://")
    file = tmp_path / "draft.yaml"
    file.write_text("values: {relapse.enter_hits: 7, relapse.enter_days: 7}")
    words = ["replay", "--simulated", "2", "--draft", str(file), "--patients", "--processes"]
    said = [CliRunner().invoke(main, [*words, processes]) for processes in ("1", "2")]
    assert [one.exit_code for one in said] == [0, 0], said[0].output
    # All but the last line, which says how long it took.
    first, second = (one.stdout.splitlines()[:-1] for one in said)
    assert first == second
    (line,) = (line for line in first if line.startswith("2 patients, "))
    assert "recorded: 1 relapses, 0 re-treatments; " in line
    assert not line.endswith(" 0 patients alarmed on other days")
    assert any("Reference 0" in line for line in first)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("values: [1", "The draft is not YAML (line "),
        ("relapse.ewma_limit: 3", "The draft must be YAML with the member `values`"),
        ("values: {1: 2}", "The draft must be YAML with the member `values`"),
        ("values: {}\nvalue: {}", "The draft must be YAML with the member `values`"),
        (
            "values: {relapse.ewma_limit: 9, no.such: 1}",
            "can't be taken: no.such: is not a threshold; relapse.ewma_limit: 9 is outside 0..5 SE.",
        ),
        ("values: {relapse.ewma_limit: high}", "relapse.ewma_limit: is not a number"),
        (
            "values: {relapse.ewma_limit: 2, relapse.ewma_limit: 3}",
            "The draft is not YAML: relapse.ewma_limit is there twice.",
        ),
        ("values: {}\nversion: 2", "; beside it only a `reason`."),
        ("values: " + "[" * 20_000, "The draft is not YAML."),
        ("values: {relapse.ewma_limit: 2026-13-45}", "The draft is not YAML."),
        (f"values: {{relapse.ewma_limit: {'9' * 5_000}}}", "The draft is not YAML."),
        ("values: {relapse.ewma_limit: !!timestamp x}", "The draft is not YAML."),
        ("values: {relapse.ewma_limit: !!int ''}", "The draft is not YAML."),
    ],
)
def test_a_draft_that_can_not_be_taken_is_told_in_one_line(
    run: Run, tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text(text)
    said = run("replay", "--simulated", 1, "--draft", file)
    assert said.exit_code == 1
    assert problem in said.stderr
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "Name one of --clinic and --simulated."),
        (("--clinic", "river", "--simulated", "2"), "Name one of --clinic and --simulated."),
        (("--simulated", "2", "--first", "2026-01-01"), "virtual patients have their own days"),
        (("--clinic", "hill"), "There is no clinic hill."),
        (("--clinic", "river", "--last", "2999-01-01"), "The last day lies in the future"),
        (("--clinic", "river", "--first", "2026-02-01", "--last", "2026-01-01"), "after the last one"),
        (("--clinic", "river", "--first", "2000-01-01"), "At most 731 days"),
    ],
)
def test_what_a_person_mistypes_is_told_in_one_line(
    run: Run, database: Database, draft: Path, words: tuple[str, ...], problem: str
) -> None:
    river(database, NOW)
    said = run("replay", "--draft", draft, *words)
    assert said.exit_code in (1, 2)
    assert problem in said.stderr
    assert said.stderr.count("\n") == 1
