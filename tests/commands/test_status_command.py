"""`afterglow status`: a table for people, JSON for scripts, and whether all is well as its exit code."""

import json
from datetime import UTC, datetime

import pytest

from jobs.around import Around
from jobs.runner import run_once
from jobs.timetable import TIMETABLE
from server.clinical.vocabulary import AlertClass, Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.isolation import Extent
from server.services import job_run as job_runs
from server.services.alerts import left_over
from server.services.job_run import Slot
from server.settings import Settings
from tests.one_shot import Run, runner


@pytest.fixture
def run(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `afterglow` on the test's database."""
    return runner(settings, monkeypatch)


def test_a_watch_that_never_ran_exits_with_1_and_says_what_is_wrong(run: Run) -> None:
    said = run("status")
    assert said.exit_code == 1, said.output
    assert "The job deliver has not finished in time." in said.stdout
    assert "never, LATE" in said.stdout


def test_a_watch_at_work_is_well_as_a_table_and_as_json(
    run: Run, database: Database, settings: Settings
) -> None:
    around = Around(database, settings, {Channel.EMAIL: RecordingGateway()})
    for job in TIMETABLE:
        run_once(job, around, datetime.now(UTC))
    said = run("status")
    assert said.exit_code == 0, said.output
    assert said.stdout.endswith("All is well.\n")
    assert "ok, taken after" in said.stdout
    figures = json.loads(run("status", "--json").stdout)
    assert figures["wrong"] == []
    assert {row["job"] for row in figures["jobs"]} == {job.name for job in TIMETABLE}


def test_alerts_that_there_was_no_time_for_are_told(run: Run, database: Database) -> None:
    now = datetime.now(UTC)
    with database.write(Extent.NONE) as session:
        slot = Slot("escalate", now)
        job_runs.begin(session, slot, now)
        left_over.note(session, now, {AlertClass.P1: 12})
        job_runs.end(session, slot, now, 3)
    said = run("status").stdout
    (line,) = (line for line in said.splitlines() if "left to the next look" in line)
    assert [cell.strip() for cell in line.split("│")[2:4]] == ["P1", "12"]
