"""What a patient takes away is whole, can be read by a person, and comes back to the same content."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs.import_export import ExportPlan, Taken, prepare, write
from jobs.problem import Problem
from schemas.questionnaire_response import ANSWERS, RESPONSE
from server.clinical.vocabulary import AlertFamily
from server.database import Database
from server.models import Alert, AuditEvent
from server.settings import Settings
from tests.cast import Cast, Person, entry, found_clinic
from tests.conftest import Clock, empty
from tests.one_shot import runner
from tests.visits import Visits


def keep(visits: Visits, cast: Cast, clock: Clock) -> None:
    """Let Ana keep a diary with everything in it."""
    first, second = visits.course(), visits.course(started_on="2026-02-01", phase="induction")
    visits.session(first, clock.now - timedelta(days=14))
    visits.session(second, clock.now + timedelta(days=7), "planned")
    whole = entry(
        clock.now,
        side_effects={"nausea": 2},
        side_effect_onset={"nausea": (clock.now - timedelta(hours=3)).isoformat()},
        medication={"adherence": "partly", "rescue_doses": 1, "opioid_changed": False},
        tags=["walk", "=1+1"],
        note='=HYPERLINK("http://x")\nBetter, "now".',
        recorded_at=clock.now.isoformat(),
    )
    path, gone = f"/entries/{uuid7()}", f"/entries/{uuid7()}"
    cast.ana.put(path, whole)
    cast.ana.put(gone, entry(clock.now - timedelta(days=20), safety="often"))
    clock.forward(hours=1)
    cast.ana.put(path, whole | {"note": "Best.", "zone": "Asia/Kathmandu"}, version=1)
    cast.ana.delete(gone, version=1)
    clock.forward(hours=1)
    cast.ana.put(gone, entry(clock.now - timedelta(days=1)), version=2)
    filled, scale = f"/questionnaire-responses/{uuid7()}", RESPONSE | {"occurred_at": clock.now.isoformat()}
    assert cast.ana.put(filled, scale).status_code == 201
    corrected = scale | {"answers": ANSWERS | {"q1": 3, "q2": None}}
    assert cast.ana.put(filled, corrected, version=1).status_code == 200


def taken_away(person: Person) -> dict[str, Any]:
    answer = person.get("/me/export")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def plan(database: Database, person: Person, export: dict[str, Any], clock: Clock) -> ExportPlan:
    assert person.patient_id is not None
    return prepare(database, ("demo", person.patient_id), json.dumps(export).encode(), clock.now)


def brought_back(database: Database, person: Person, export: dict[str, Any], clock: Clock) -> Taken:
    return write(database, plan(database, person, export, clock))


def test_an_export_comes_back_to_the_same_content_on_an_empty_server(
    visits: Visits, cast: Cast, clock: Clock, app: Flask, database: Database
) -> None:
    keep(visits, cast, clock)
    export = taken_away(cast.ana)
    empty(database)
    clock.forward(days=100)
    ana = found_clinic(app).ana
    taken = brought_back(database, ana, export, clock)
    assert (taken.courses, taken.sessions, taken.revisions, taken.refused) == (2, 2, 7, set())
    again = taken_away(ana)
    assert again.pop("exported_at") != export.pop("exported_at")
    assert again == export
    assert again["counts"] == {
        "entries": 2,
        "questionnaire_responses": 1,
        "revisions": 7,
        "courses": 2,
        "treatment_sessions": 2,
    }


def test_a_second_import_changes_nothing(
    visits: Visits, cast: Cast, clock: Clock, app: Flask, database: Database
) -> None:
    keep(visits, cast, clock)
    export = taken_away(cast.ana)
    taken = brought_back(database, cast.ana, export, clock)
    assert (taken.courses, taken.sessions, taken.revisions, taken.there_already) == (0, 0, 0, 9)
    assert taken_away(cast.ana) == export


def test_an_import_that_was_cut_off_is_finished_by_the_next_one(
    visits: Visits, cast: Cast, clock: Clock, app: Flask, database: Database
) -> None:
    keep(visits, cast, clock)
    export = taken_away(cast.ana)
    empty(database)
    ana = found_clinic(app).ana
    half = json.loads(json.dumps(export))
    for one in half["entries"]:
        del one["revisions"][1:]
    half["counts"]["revisions"] = 4
    brought_back(database, ana, half, clock)
    assert brought_back(database, ana, export, clock).revisions == 3
    assert taken_away(ana)["entries"] == export["entries"]


def test_an_entry_with_another_history_is_refused_and_left_alone(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    keep(visits, cast, clock)
    export = taken_away(cast.ana)
    changed = json.loads(json.dumps(export))
    changed["entries"][0]["revisions"][0]["content"]["note"] = "Somebody else's."
    assert brought_back(database, cast.ana, changed, clock).refused == {UUID(export["entries"][0]["id"])}
    assert taken_away(cast.ana) == export


def test_no_way_in_skips_the_safety_check_not_even_this_one(
    visits: Visits, cast: Cast, clock: Clock, app: Flask, database: Database
) -> None:
    keep(visits, cast, clock)
    export = taken_away(cast.ana)
    empty(database)
    brought_back(database, found_clinic(app).ana, export, clock)
    with database.read() as session:
        assert session.scalars(select(Alert.family)).all() == [AlertFamily.SAFETY]


def test_after_an_import_the_phone_can_send_its_entries_again(
    cast: Cast, clock: Clock, app: Flask, database: Database
) -> None:
    path, body = f"/entries/{uuid7()}", entry(clock.now)
    cast.ana.put(path, body)
    export = taken_away(cast.ana)
    empty(database)
    ana = found_clinic(app).ana
    brought_back(database, ana, export, clock)
    assert ana.put(path, body).json["outcome"] == "duplicate"


def broken(export: dict[str, Any], *path: Any, value: Any) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(json.dumps(export))
    part: Any = whole
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return whole


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("format",), "diary", "not an export"),
        (("format_version",), 2, "format version 1"),
        (("counts", "entries"), 9, "counts"),
        (("moods",), [], "moods"),
        (("treatment_sessions", 0, "course"), 7, "course that is not in it"),
        (("entries", 0, "revisions", 0, "version"), 2, "every version"),
        (("entries", 0, "revisions", 0, "received_at"), "2999-01-01T00:00:00+00:00", "every version"),
        (("entries", 0, "revisions", 1, "received_at"), "2999-01-01T00:00:00+00:00", "not happened yet"),
        (("entries", 0, "revisions", 0, "content", "items"), {"mood": 11}, "items.mood"),
        (("entries", 0, "revisions", 0, "content", "items"), {"mood": "7"}, "items.mood"),
        (("entries", 0, "revisions", 0, "content", "items"), {"joy": 7}, "items.joy"),
        (
            ("entries", 0, "revisions", 0, "content", "side_effect_onset"),
            {"fall": "2026-03-01T10:00:00+00:00"},
            "side_effect_onset.fall",
        ),
        (("entries", 0, "revisions", 0, "content", "safety"), "maybe", "safety"),
        (("entries", 0, "revisions", 0, "content", "zone"), "Mars", "zone"),
        (("entries", 0, "revisions", 0, "content", "medication"), {"opioid_changed": "yes"}, "opioid"),
    ],
)
def test_a_damaged_export_is_refused_as_a_whole_and_says_where(
    visits: Visits, cast: Cast, clock: Clock, database: Database, path: Any, value: Any, said: str
) -> None:
    keep(visits, cast, clock)
    damaged = broken(taken_away(cast.ana), *path, value=value)
    with pytest.raises(Problem, match=said):
        plan(database, cast.ana, damaged, clock)


def test_what_is_not_json_is_refused(cast: Cast, clock: Clock, database: Database) -> None:
    assert cast.ana.patient_id is not None
    for data in (b"", b"\xff", b"[1]", b"[" * 100_000):
        with pytest.raises(Problem, match="can't be used"):
            prepare(database, ("demo", cast.ana.patient_id), data, clock.now)


def rows(person: Person) -> list[dict[str, str]]:
    answer = person.get("/me/export?format=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="afterglow-export.csv"'
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


def test_the_csv_says_every_time_as_it_was_seen_in_utc_and_with_its_zone(cast: Cast, clock: Clock) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now.replace(hour=1), zone="Asia/Kathmandu"))
    (row,) = rows(cast.ana)
    assert row["local_time"] == "2026-03-02T06:45:00"
    assert (row["utc"], row["zone"], row["utc_offset"]) == (
        "2026-03-02T01:00:00Z",
        "Asia/Kathmandu",
        "UTC+05:45",
    )
    assert (row["local_day"], row["mood"], row["form_version"]) == ("2026-03-02", "7", "0.1.0")


def test_the_csv_says_when_a_side_effect_began(cast: Cast, clock: Clock) -> None:
    began = {"nausea": "2026-03-02T11:30:00+05:45"}
    said = {"side_effects": {"nausea": 2, "headache": 1}, "side_effect_onset": began}
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **said))
    (row,) = rows(cast.ana)
    assert row["side_effects"] == "headache 1; nausea 2"
    assert row["side_effect_onset_utc"] == "nausea 2026-03-02T05:45:00Z"


def test_the_csv_has_a_row_for_every_version_and_every_session(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    keep(visits, cast, clock)
    found, counts = rows(cast.ana), taken_away(cast.ana)["counts"]
    assert sum(row["kind"] != "treatment_session" for row in found) == counts["revisions"]
    assert sum(row["kind"] == "treatment_session" for row in found) == counts["treatment_sessions"]
    states = sorted(row["state"] for row in found if row["kind"] == "entry")
    assert states == ["current", "current", "replaced", "replaced", "taken_back"]


def test_no_cell_is_a_formula(visits: Visits, cast: Cast, clock: Clock) -> None:
    keep(visits, cast, clock)
    for tag in ("=1", "+1", "-1", "@x"):
        cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, tags=[tag], note=f"{tag} x"))
    for row in rows(cast.ana):
        assert not [value for value in row.values() if value.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_an_export_is_audited_and_holds_nothing_of_the_watch(
    visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    visits.on_treatment()
    visits.relapse()
    for word in ("alert", "relapse", "baseline", "suggestion", "signal"):
        assert word not in cast.ana.get("/me/export").text
    with database.read() as session:
        read = select(AuditEvent.account_id).where(AuditEvent.action == "export.read")
        assert set(session.scalars(read)) == {cast.ana.account_id}
    assert cast.ana.get("/me/export?format=pdf").status_code == 422


def test_the_command_brings_an_export_back(
    visits: Visits,
    cast: Cast,
    clock: Clock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clock.now = clock.now.replace(year=2025)
    keep(visits, cast, clock)
    file = tmp_path / "export.json"
    file.write_bytes(cast.ana.get("/me/export").data)
    run = runner(settings, monkeypatch)
    words = ("import-export", file, "--clinic", "demo", "--patient", cast.ana.patient_id)
    said = run(*words, "--dry-run")
    assert "7 versions of entries, courses: 2, sessions: 2." in said.output
    assert "nothing was changed" in said.output
    said = run(*words)
    assert said.exit_code == 0, said.output
    assert "0 versions imported, 9 things there already, entries refused: 0;" in said.output
