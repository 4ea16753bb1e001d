"""The one-shot commands as a person meets them: what they print and what they refuse. On SQLite alone."""

import base64
import json
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from server.cli import main
from server.clinical.vocabulary import AlertFamily
from server.database import Database
from server.models import Base
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import Cast, opened_alerts
from tests.conftest import NOON
from tests.one_shot import EXAMPLES, Run, imported, river


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is printed does not depend on the database."""
    return sqlite_url


@pytest.fixture
def ana(database: Database) -> UUID:
    """The patient of the clinic `river`."""
    return river(database, NOON)


def everything(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
        }


def test_rotate_gives_each_clinic_a_fresh_key_and_can_be_run_again(run: Run, ana: UUID) -> None:
    assert run("keys", "rotate").stdout.splitlines() == [
        "river: key 2 seals from now on; keys wrapped anew: 0.",
        "Every key is under the current master key.",
    ]
    assert run("keys", "rotate", "--clinic", "river").stdout.startswith("river: key 3 seals from now on")
    refused = run("keys", "rotate", "--clinic", "hill")
    assert (refused.exit_code, refused.stderr) == (1, "Error: There is no clinic hill.\n")


def test_rotate_moves_every_key_to_the_newest_master_key(
    run: Run, ana: UUID, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = base64.b64encode(b"n" * 32).decode()
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY", f"{newer},{settings.master_key}")
    assert "keys wrapped anew: 3." in run("keys", "rotate").stdout
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY", newer)
    assert run("keys", "rotate").exit_code == 0
    monkeypatch.setenv("AFTERGLOW_MASTER_KEY", settings.master_key)
    assert "does not open this database" in run("keys", "rotate").stderr


def test_simulate_tells_what_it_made_and_keeps_the_truth(run: Run, tmp_path: Path) -> None:
    truth = tmp_path / "truth.json"
    said = run(
        "simulate",
        "--patients",
        2,
        "--days",
        60,
        "--seed",
        3,
        "--truth",
        truth,
        "--password",
        "river stones 12",
    )
    assert said.exit_code == 0, said.output
    assert "Clinic simulated-3: 2 patients" in said.output
    assert "patient-days a second" in said.output
    assert len(json.loads(truth.read_text())["patients"]) == 2
    report = run("watch-report", "--clinic", "simulated-3", "--truth", truth)
    assert report.exit_code == 0, report.output
    assert "baseline" in report.output
    assert "sensitivity" in report.output


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--patients", 1, "--days", 10), "at least"),
        (("--patients", 1, "--days", 60, "--end", "2999-01-01"), "must be over everywhere"),
        (("--patients", 1, "--days", 60, "--clinic", "river"), "There is a clinic river already"),
        (("--patients", 1, "--days", 60, "--clinic", "operations"), "is the service's own"),
        (("--patients", 1, "--days", 60, "--truth", "/nowhere/at/all.json"), "There is no folder"),
        (("--patients", 0, "--days", 60), "not in the range"),
    ],
)
def test_simulate_refuses_in_one_line(run: Run, ana: UUID, words: tuple[object, ...], problem: str) -> None:
    said = run("simulate", "--seed", 1, *words)
    assert said.exit_code != 0
    assert problem in said.output
    assert "Traceback" not in said.output


def test_a_row_that_changed_since_the_last_import_is_named_not_overwritten(
    run: Run, database: Database, ana: UUID, tmp_path: Path
) -> None:
    imported(run, ana)
    changed = tmp_path / "changed.csv"
    changed.write_text((EXAMPLES / "diary.csv").read_text("utf-8-sig").replace(";4;2;79;3;", ";5;2;79;3;"))
    said = imported(run, ana, diary=changed)
    assert "line 2: its entry is stored already with other content" in said.output
    assert "0 imported, 77 there already, 2 refused" in said.output


def test_a_row_that_cannot_be_taken_is_heeded_all_the_same(
    run: Run, database: Database, ana: UUID, tmp_path: Path
) -> None:
    header = (EXAMPLES / "diary.csv").read_text("utf-8-sig").splitlines()[0]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(f"{header}\n01.09.2025;18:23;99;2;79;3;;often;\n01.09.2099;18:23;2;2;79;3;;never;\n")
    with wrong.open("a") as more:
        more.write("02.09.2025;18:23;3;2;79;3;;OFTEN;a;b\n")  # two fields too many, and in capitals
    assert "3 refused" in imported(run, ana, diary=wrong).output
    (alert,) = opened_alerts(database)
    assert (alert.family, alert.codes) == (AlertFamily.SAFETY, ["safety_often"])
    imported(run, ana, diary=wrong)
    assert len(opened_alerts(database)) == 1


def test_an_import_stops_at_what_makes_no_sense_as_a_whole(
    run: Run, ana: UUID, cast: Cast, tmp_path: Path
) -> None:
    diary, chart = EXAMPLES / "diary.csv", EXAMPLES / "diary-map.yaml"
    wrong = tmp_path / "wrong.yaml"
    stranger = cast.other_patient.patient_id

    def said(patient: object, clinic: str, text: str | None = None, file: Path = diary) -> str:
        if text is not None:
            wrong.write_text(text)
        used = chart if text is None else wrong
        result = run("import-diary", file, "--map", used, "--patient", patient, "--clinic", clinic)
        assert result.exit_code != 0
        assert "Traceback" not in result.output
        return str(result.output)

    text = chart.read_text()
    assert "There is no clinic lake" in said(ana, "lake")
    assert "There is no patient" in said(stranger, "river")
    assert "is not a valid UUID" in said("Ana", "river")
    assert "items.mood.low" in said(ana, "river", text.replace("low: 1,", "low: one,", 1))
    assert "no course" in said(ana, "river", text.replace("course:", "# course:"))
    assert "has no column Joyfulness" in said(
        ana, "river", text.replace("column: Joy,", "column: Joyfulness,")
    )
    assert "lies in the future" in said(ana, "river", text.replace("2025-09-13", "2999-09-13"))
    assert "does not exist" in said(ana, "river", file=tmp_path / "none.csv")
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    assert "The diary is empty" in said(ana, "river", file=empty)


def test_a_file_for_a_folder_that_is_not_there_is_told_by_the_folder(
    run: Run, ana: UUID, tmp_path: Path
) -> None:
    said = run("research-export", tmp_path / "nowhere" / "file", "--clinic", "river")
    assert (said.exit_code, said.stderr) == (1, f"Error: There is no folder {tmp_path / 'nowhere'}.\n")


def test_a_diary_goes_into_another_patients_only_where_they_are_one_person(
    run: Run, ana: UUID, database: Database
) -> None:
    imported(run, ana)
    with database.write() as session:
        clinic = clinics.by_slug(session, "river")
        assert clinic is not None
        work = Work(session, NOON, system(clinic.id))
        mia = patients.create(work, {"name": "Mia", "zone": "Europe/Berlin"}).id
    diary, chart = EXAMPLES / "diary.csv", EXAMPLES / "diary-map.yaml"
    words = ("import-diary", diary, "--map", chart, "--clinic", "river")
    for more in ((), ("--dry-run",)):
        refused = run(*words, "--patient", mia, *more)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "another patient of this clinic" in refused.stderr
    assert "78 imported" in run(*words, "--patient", mia, "--same-person").stdout
    assert "0 imported, 78 there already" in run(*words, "--patient", mia, "--same-person").stdout


def test_a_report_on_an_export_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERGLOW_DATABASE_URL", "nonsense://")
    words = ["watch-report", "--csv", str(EXAMPLES / "diary.csv"), "--map", str(EXAMPLES / "diary-map.yaml")]
    said = CliRunner().invoke(main, [*words, "--stable", "2025-10-14", "2025-10-31"])
    assert said.exit_code == 0, said.output
    assert "first alarm    2025-11-" in said.output
    assert "in stable time 0 in 18 days" in said.output


def test_a_map_is_found_by_its_name_also_where_that_is_not_utf_8(tmp_path: Path) -> None:
    named = tmp_path / "k\udce4se.yaml"
    try:
        named.write_bytes((EXAMPLES / "diary-map.yaml").read_bytes())
    except OSError:
        pytest.skip("no file can have such a name here")
    words = ["watch-report", "--csv", str(EXAMPLES / "diary.csv"), "--map", str(named)]
    said = CliRunner().invoke(main, words)
    assert said.exit_code == 0, said.output


@pytest.mark.long
def test_a_report_on_the_simulator_gives_figures_with_seeds_and_numbers() -> None:
    said = CliRunner().invoke(main, ["watch-report", "--simulator", "3", "--seed", "11"])
    assert said.exit_code == 0, said.output
    assert "seeds 11 to 13" in said.output
    for figure in ("sensitivity", "false alarms per patient-month", "median delay", "insufficient data"):
        assert figure in said.output


@pytest.mark.long
def test_the_page_of_figures_is_written_also_where_no_real_diaries_are(tmp_path: Path) -> None:
    words = ["--all", "--each", "1", "--diaries", str(tmp_path / "none"), "--page", str(tmp_path / "page.md")]
    said = CliRunner().invoke(main, ["watch-report", *words])
    assert said.exit_code == 0, said.output
    assert "real diaries are left out" in said.output
    assert "of 5 targets reached" in said.output
    assert "seeds 1 to 1" in (tmp_path / "page.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "Name one of --clinic, --csv, --simulator and --all"),
        (("--clinic", "a", "--simulator", "3"), "Name one of --clinic, --csv, --simulator and --all"),
        (("--csv", EXAMPLES / "diary.csv"), "--csv needs --map"),
        (("--all", "--page", EXAMPLES / "nowhere" / "page.md"), "There is no folder"),
        (("--clinic", "lake"), "There is no clinic lake"),
        (("--clinic", "river", "--truth", EXAMPLES / "diary.csv"), "The truth is not a file"),
        (("--clinic", ""), "There is no clinic"),
        (
            ("--clinic", "river", "--stable", "2025-10-14", "2025-10-31"),
            "--stable is for --csv: --clinic does not",
        ),
        (("--simulator", "1", "--stable", "2025-10-14", "2025-10-31"), "--stable is for --csv"),
        (("--simulator", "1", "--truth", EXAMPLES / "diary.csv"), "--truth is for --clinic"),
        (("--clinic", "river", "--seed", "2"), "--seed is for --simulator and --all"),
    ],
)
def test_a_report_refuses_in_one_line(run: Run, ana: UUID, words: tuple[object, ...], problem: str) -> None:
    said = run("watch-report", *words)
    assert said.exit_code != 0
    assert problem in said.output


def test_a_dry_run_shows_everything_and_changes_nothing(run: Run, database: Database, ana: UUID) -> None:
    before = everything(database)
    said = imported(run, ana, "--dry-run")
    assert said.exit_code == 0, said.output
    assert "line 14: has 10 fields, the header has 9" in said.output
    assert "78 rows can be taken, 2025-09-01 to 2025-11-23; 1 can't; sessions: 4." in said.output
    assert "restlessness" in said.output
    assert everything(database) == before


def test_a_map_that_comes_along_is_chosen_by_its_name(run: Run, ana: UUID) -> None:
    words = ("--patient", ana, "--clinic", "river")
    said = run("import-diary", EXAMPLES / "daylio.csv", "--map", "daylio", *words)
    assert "4 imported, 0 there already, 1 refused" in said.output
    said = run("import-diary", EXAMPLES / "daylio.csv", "--map", "daylio", *words)
    assert "0 imported, 4 there already, 1 refused" in said.output
    unknown = run("import-diary", EXAMPLES / "daylio.csv", "--map", "moodpath", *words)
    assert (unknown.exit_code, "no map of ours" in unknown.output) == (2, True)


def test_two_diaries_with_a_row_at_the_same_moment_are_two(run: Run, ana: UUID, tmp_path: Path) -> None:
    words = ("--patient", ana, "--clinic", "river")
    daylio, bearable = tmp_path / "daylio.csv", tmp_path / "bearable.csv"
    daylio.write_text("full_date,time,mood\n2025-09-01,20:00,good\n")
    header = "date,time of day,category,rating/amount,detail\n1st Sep 2025,pm,"
    bearable.write_text(header + "Mood,7,\n")
    for file in (daylio, bearable):
        said = run("import-diary", file, "--map", file.stem, *words)
        assert "1 imported, 0 there already, 0 refused" in said.output, said.output
    bearable.write_text(header + "Symptom,1,Nausea (Mild)\n1st Sep 2025,pm,Mood,7,\n")
    said = run("import-diary", bearable, "--map", "bearable", *words)
    assert "1 imported, 1 there already, 0 refused" in said.output, said.output


def test_a_dry_run_names_what_the_map_has_no_place_for(run: Run, ana: UUID) -> None:
    words = ("import-diary", EXAMPLES / "bearable.csv", "--map", "bearable", "--patient", ana)
    said = run(*words, "--clinic", "river", "--dry-run")
    assert "2 rows are of kinds that the map does not speak of." in said.output
    assert "columns the map does not speak of: date, weekday\n" in said.output
    assert "  1 x Symptom / Brain fog\n" in said.output
    assert "Brain fog" not in run(*words, "--clinic", "river").output
