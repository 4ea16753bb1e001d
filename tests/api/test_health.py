"""`/livez` and `/readyz`: what a monitor outside asks."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from jobs import deliver, probe
from jobs.around import Around
from jobs.runner import run_once
from jobs.timetable import TIMETABLE
from server.api.edge import EXTENSION
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag


def all_ran(database: Database, settings: Settings, clock: Clock) -> Around:
    around = Around(database, settings, {Channel.EMAIL: RecordingGateway()})
    for job in TIMETABLE:
        run_once(job, around, clock.now)
    return around


def test_a_watch_that_never_ran_is_not_ready_and_says_which_jobs(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.json["code"] == "not-ready"
    late = [one["detail"] for one in answer.json["wrong"]]
    assert len(late) == len(TIMETABLE)
    assert "The job deliver has not finished in time." in late


@pytest.mark.long
def test_a_watch_at_work_is_ready_and_shows_its_figures(
    client: FlaskClient, database: Database, settings: Settings, clock: Clock
) -> None:
    all_ran(database, settings, clock)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ok")
    figures = answer.json["figures"]
    assert {row["job"] for row in figures["jobs"]} == {job.name for job in TIMETABLE}
    assert figures["oldest_undelivered_seconds"] == {"P0": None, "P1": None}
    assert [(one["channel"], one["verdict"]) for one in figures["probes"]] == [("email", "ok")]


@pytest.mark.long
def test_it_holds_no_id_no_name_and_not_how_many_emergencies_are_open(
    client: FlaskClient, cast: Cast, database: Database, settings: Settings, clock: Clock
) -> None:
    ana_raises_a_red_flag(cast, clock)
    all_ran(database, settings, clock)
    said = client.get("/readyz").text
    assert json.loads(said)["figures"].keys().isdisjoint({"alerts", "alerts_left"})
    for secret in (cast.ana.patient_id, cast.bo.account_id, cast.bo.clinic_id, "Ana", "clinic.example"):
        assert str(secret) not in said


@pytest.mark.long
def test_a_failed_probe_is_not_ready(
    client: FlaskClient, database: Database, settings: Settings, clock: Clock
) -> None:
    around = all_ran(database, settings, clock)
    probe.run(around, clock.forward(minutes=1))
    assert client.get("/readyz").status_code == 200
    clock.forward(minutes=2, seconds=1)
    found = {one["code"]: one["detail"] for one in client.get("/readyz").json["wrong"]}
    assert found["probe-failed"] == "The probe over email: late."
    deliver.run(around, clock.now)  # taken after all, too late for an emergency
    assert "probe-failed" in {one["code"] for one in client.get("/readyz").json["wrong"]}


def test_a_database_that_is_away_is_not_ready_but_the_process_lives(
    client: FlaskClient, settings: Settings, tmp_path: Path
) -> None:
    app = client.application
    away = Database(f"sqlite:///{tmp_path / 'no' / 'folder' / 'afterglow.db'}")
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], database=away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["wrong"][0]["code"]) == (503, "database-away")
    assert "folder" not in answer.text
    assert (client.get("/livez").status_code, client.get("/livez").json) == (200, {"status": "ok"})
    metrics = client.get("/metrics")
    assert "afterglow_database_up 0.0" in metrics.text
