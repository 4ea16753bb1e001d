"""What a patient takes away is whole, can be read by a person, and comes back to the same content."""

import copy
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs.import_export import ExportPlan, Taken, prepare, write
from jobs.problem import Problem
from server.clinical.vocabulary import AlertFamily
from server.database import Database
from server.models import Alert, AuditEvent, CheckInPlan, Reminder
from server.settings import Settings
from tests.cast import Cast, Person, entry, found_clinic, opened_alerts
from tests.conftest import Clock, bring_back, empty
from tests.conftest import Kept as KeptRows
from tests.conftest import keep as keep_rows
from tests.one_shot import runner
from tests.scales import filled
from tests.visits import Visits

RHYTHM = {
    "reminders": True,
    "remind_at": "19:30",
    "every_days": 2,
    "quiet_from": "22:00",
    "quiet_until": "06:30",
    "pause": {"first": "2026-03-10", "last": "2026-03-12"},
}
SCALES = [
    {"instrument": "phq-9", "anchor": "session", "offsets": [-1, 1], "every_days": 14, "open_days": 3},
    {"instrument": "gad-7", "anchor": "once", "first_day": "2026-03-20"},
]
COUNTS = {
    "entries": 3,
    "questionnaire_responses": 2,
    "revisions": 11,
    "courses": 2,
    "treatment_sessions": 2,
    "zone_changes": 3,
}
Export = dict[str, Any]


def sync(cast: Cast, clock: Clock, behind: float, **item: Any) -> None:
    """Push one change from a phone whose clock is ``behind`` (seconds)."""
    sent_at = (clock.now - timedelta(seconds=behind)).isoformat()
    answer = cast.ana.post("/sync", {"sent_at": sent_at, "items": [{"action": "put", **item}]})
    assert answer.json["results"][0]["verdict"] in ("created", "updated"), answer.text


def keep(visits: Visits, cast: Cast, clock: Clock) -> None:
    """Let Ana keep a diary with everything in it, travel, and be asked in her own rhythm."""
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
    best, gone, lost, scale = (str(uuid7()) for _ in range(4))
    sync(cast, clock, 600.4, id=best, base_version=None, entry=whole)
    cast.ana.put(f"/entries/{gone}", entry(clock.now - timedelta(days=20), safety="often"))
    sync(cast, clock, 1200, id=lost, base_version=None, entry=entry(clock.now))
    cast.ana.put(f"/questionnaire-responses/{scale}", filled(clock.now, each=1))
    clock.forward(hours=1)
    better = whole | {"note": "Best.", "zone": "Asia/Kathmandu"}
    sync(cast, clock, 3600, id=best, base_version=1, entry=better)
    cast.ana.delete(f"/entries/{gone}", version=1)
    cast.ana.delete(f"/entries/{lost}", version=1)
    clock.forward(hours=1)
    cast.ana.put(f"/entries/{gone}", entry(clock.now - timedelta(days=1)), version=2)
    corrected = {"questionnaire_response": open_end(filled(clock.now, each=1))}
    sync(cast, clock, -900, id=scale, kind="questionnaire_response", base_version=1, **corrected)
    on_paper(visits, cast, clock)
    travel(visits, cast, clock)


def on_paper(visits: Visits, cast: Cast, clock: Clock) -> None:
    """Let Bo type in what Ana filled on paper, correct it, and rate her himself."""
    paper, rated = (f"{visits.ana}/questionnaire-responses/{uuid7()}" for _ in range(2))
    cast.bo.put(paper, filled(clock.now - timedelta(days=60), each=2))
    cast.bo.put(paper, filled(clock.now - timedelta(days=60), each=3), version=1)
    judged = filled(clock.now - timedelta(days=60), "madrs", total=22)
    del judged["answers"]
    assert cast.bo.put(rated, judged).status_code == 201


def open_end(scale: dict[str, Any]) -> dict[str, Any]:
    return scale | {"answers": scale["answers"] | {"q1": 3, "q2": None}}


def travel(visits: Visits, cast: Cast, clock: Clock) -> None:
    """Let Ana fly to Kathmandu, say so later than of London on the way, and set how she is asked."""
    for zone, back in (("Asia/Tokyo", 3), ("Asia/Kathmandu", 1), ("Europe/London", 2)):
        since = (clock.now - timedelta(hours=back)).isoformat()
        assert cast.ana.patch("/me/zone", {"zone": zone, "since": since}).status_code == 200
    assert cast.ana.put("/me/check-in-plan", RHYTHM, version=1).status_code == 200
    plan = cast.bo.put(f"{visits.ana}/check-in-plan", {"scales": SCALES}, version=2)
    assert plan.status_code == 200, plan.text


def taken_away(person: Person) -> Export:
    answer = person.get("/me/export")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def plan(database: Database, person: Person, export: Export, clock: Clock) -> ExportPlan:
    assert person.patient_id is not None
    return prepare(database, ("demo", person.patient_id), json.dumps(export).encode(), clock.now)


def brought_back(database: Database, person: Person, export: Export, clock: Clock) -> Taken:
    return write(database, plan(database, person, export, clock))


@dataclass(frozen=True)
class Kept:
    """A state that many tests begin with, made once for a cast: whose it is, its rows, when, and what."""

    cast: Cast
    rows: KeptRows
    now: datetime
    what: Any


_KEPT: dict[tuple[str, str], Kept] = {}


def kept(database: Database, cast: Cast, clock: Clock, made: Callable[[], Any]) -> Any:
    """Return what ``made`` returns, with the rows it left behind; the second time from memory."""
    key = (database.engine.dialect.name, made.__name__)
    if key not in _KEPT or _KEPT[key].cast is not cast:
        what = made()
        _KEPT[key] = Kept(cast, keep_rows(database), clock.now, what)
        return copy.deepcopy(what)
    empty(database)
    bring_back(database, _KEPT[key].rows)
    clock.now = _KEPT[key].now
    return copy.deepcopy(_KEPT[key].what)


@pytest.fixture
def export(visits: Visits, cast: Cast, clock: Clock, database: Database) -> Export:
    """Ana has kept her diary; what she takes away."""

    def diary() -> Export:
        keep(visits, cast, clock)
        return taken_away(cast.ana)

    export: Export = kept(database, cast, clock, diary)
    return export


@dataclass(frozen=True)
class Back:
    """Ana at a new clinic on an empty server, the export brought back there, and what became of it."""

    ana: Person
    taken: Taken

    def __deepcopy__(self, _: Any) -> "Back":
        return self  # a client can't be copied, and nobody changes this


@pytest.fixture
def back(export: Export, cast: Cast, clock: Clock, app: Flask, database: Database) -> Back:
    """The export has come back to an empty server, a hundred days later."""

    def returned() -> Back:
        empty(database)
        clock.forward(days=100)
        ana = found_clinic(app).ana
        return Back(ana, brought_back(database, ana, export, clock))

    back: Back = kept(database, cast, clock, returned)
    return back


def test_an_export_comes_back_to_the_same_content_on_an_empty_server(export: Export, back: Back) -> None:
    taken = back.taken
    assert (taken.courses, taken.sessions, taken.revisions, taken.refused) == (2, 2, 11, set())
    assert (taken.zone_changes, taken.plan, taken.plan_refused) == (3, True, False)
    again = taken_away(back.ana)
    assert again.pop("exported_at") != export.pop("exported_at")
    assert again == export
    assert again["counts"] == COUNTS


def test_an_export_has_the_phones_clock_the_plan_and_the_zones(export: Export) -> None:
    clocks = [(one["clock_skew_seconds"], one["clock_suspect"]) for one in export["entries"]]
    assert clocks == [(600, False), (None, False), (1200, True)]
    response = export["questionnaire_responses"][0]
    assert (response["clock_skew_seconds"], response["clock_suspect"]) == (-900, True)
    assert (response["score"]["total"], response["score"]["missing"]) == (11, ["q2"])
    asked = {"first_day": None, "offsets": [], "every_days": None, "open_days": 1}
    assert export["check_in_plan"] == {**RHYTHM, "scales": [asked | scale for scale in SCALES]}
    assert [change["zone"] for change in export["zone_changes"]] == [
        "Asia/Tokyo",
        "Europe/London",
        "Asia/Kathmandu",
    ]
    assert export["patient"]["zone"] == "Asia/Kathmandu"


def test_no_way_in_skips_the_safety_check_and_nobody_is_reminded_of_the_past(
    back: Back, clock: Clock, database: Database
) -> None:
    with database.read() as session:
        assert session.scalars(select(Alert.family)).all() == [AlertFamily.SAFETY]
        assert session.scalars(select(Reminder)).all() == []
        assert session.scalars(select(CheckInPlan.next_at)).one() > clock.now


def test_after_an_import_the_phone_can_send_its_entries_again(export: Export, back: Back) -> None:
    one = next(one for one in export["entries"] if len(one["revisions"]) == 3)
    content = one["revisions"][-1]["content"]
    answer = back.ana.put(f"/entries/{one['id']}", {k: v for k, v in content.items() if v is not None})
    assert answer.json["outcome"] == "duplicate", answer.text


def test_what_the_clinic_typed_in_comes_back_as_the_clinics(export: Export, back: Back) -> None:
    (paper,) = (one for one in export["questionnaire_responses"] if one["source"] == "clinic")
    assert (paper["score"]["total"], len(paper["revisions"])) == (27, 2)
    mine = paper["revisions"][-1]["content"] | {"answers": {"q1": 0}}
    changed = {key: value for key, value in mine.items() if value is not None}
    refused = back.ana.put(f"/questionnaire-responses/{paper['id']}", changed, version=2)
    assert (refused.status_code, refused.json["code"]) == (409, "other-author")
    assert back.ana.delete(f"/questionnaire-responses/{paper['id']}", version=2).status_code == 409
    (panel,) = back.ana.get("/me/trend?first=2025-12-01&last=2026-03-02").json["scales"]
    assert [point["total"] for point in panel["responses"]] == [27, 11]


def test_what_the_clinic_typed_in_by_mistake_and_took_back_is_in_no_export(
    app: Flask, visits: Visits, cast: Cast, clock: Clock, database: Database
) -> None:
    mistaken = f"{visits.ana}/questionnaire-responses/{uuid7()}"
    cast.bo.put(mistaken, filled(clock.now, each=1))
    before = taken_away(cast.ana)
    assert cast.bo.delete(mistaken, version=1).status_code == 204
    export = taken_away(cast.ana)
    assert (len(before["questionnaire_responses"]), export["questionnaire_responses"]) == (1, [])
    gone = mistaken.replace(visits.ana, "") + "/revisions"
    assert cast.ana.get(gone).status_code == 404, "it may be somebody else's"
    empty(database)
    ana = found_clinic(app).ana
    assert brought_back(database, ana, export, clock).refused == set()
    assert ana.get("/questionnaire-responses").json["items"] == []


def test_a_second_import_changes_nothing(
    export: Export, cast: Cast, clock: Clock, database: Database
) -> None:
    taken = brought_back(database, cast.ana, export, clock)
    # Eleven versions, two sessions, three zone changes and the plan.
    assert taken == Taken(there_already=17)
    assert taken_away(cast.ana) == export


def test_an_import_that_was_cut_off_is_finished_by_the_next_one(
    export: Export, cast: Cast, clock: Clock, app: Flask, database: Database
) -> None:
    empty(database)
    ana = found_clinic(app).ana
    half = copy.deepcopy(export)
    for one in half["entries"]:
        del one["revisions"][1:]
    half["counts"] |= {"revisions": 7, "zone_changes": 1}
    del half["zone_changes"][1:]
    brought_back(database, ana, half, clock)
    rest = brought_back(database, ana, export, clock)
    assert (rest.revisions, rest.zone_changes, rest.plan, rest.refused) == (4, 2, False, set())
    again = taken_away(ana)
    for section in ("zone_changes", "check_in_plan", "patient"):
        assert again[section] == export[section]
    assert [one["revisions"] for one in again["entries"]] == [one["revisions"] for one in export["entries"]]


def test_what_is_stored_with_another_history_or_plan_is_left_alone(
    export: Export, cast: Cast, clock: Clock, database: Database
) -> None:
    changed = copy.deepcopy(export)
    changed["entries"][0]["revisions"][0]["content"] |= {"note": "Somebody else's.", "safety": "plan"}
    changed["check_in_plan"]["remind_at"] = "08:00"
    taken = brought_back(database, cast.ana, changed, clock)
    assert (taken.refused, taken.plan_refused) == ({UUID(export["entries"][0]["id"])}, True)
    assert taken_away(cast.ana) == export
    (heeded,) = (alert for alert in opened_alerts(database) if "safety_plan" in alert.codes)
    assert heeded.evidence["stored"] is False


def test_what_has_not_happened_yet_or_is_damaged_is_refused_as_a_whole(
    export: Export, cast: Cast, clock: Clock, database: Database
) -> None:
    def later(export: Export) -> None:
        export["entries"][0]["revisions"][1]["received_at"] = "2999-01-01T00:00:00+00:00"

    def reported_later(export: Export) -> None:
        export["zone_changes"][0]["recorded_at"] = "2999-01-01T00:00:00+00:00"

    def miscounted(export: Export) -> None:
        export["counts"]["entries"] = 9

    for damage, said in (
        (later, "not happened yet"),
        (reported_later, "not happened yet"),
        (miscounted, "counts"),
    ):
        damaged = copy.deepcopy(export)
        damage(damaged)
        with pytest.raises(Problem, match=said):
            plan(database, cast.ana, damaged, clock)


def rows(person: Person) -> list[dict[str, str]]:
    answer = person.get("/me/export?format=csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="afterglow-export.csv"'
    assert answer.mimetype == "text/csv"
    *found, end = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline=""))
    assert (end["kind"], end["rows"]) == ("end", str(len(found)))
    return found


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


def test_the_csv_has_a_row_for_every_version_and_every_session(export: Export, cast: Cast) -> None:
    found, counts = rows(cast.ana), export["counts"]
    kinds = Counter(row["kind"] for row in found)
    assert kinds.pop("entry") + kinds.pop("questionnaire_response") == counts["revisions"]
    assert kinds == {name: counts[f"{name}s"] for name in ("course", "treatment_session", "zone_change")}
    states = sorted(row["state"] for row in found if row["kind"] == "entry")
    assert states == ["current", "current", "replaced", "replaced", "replaced", "taken_back", "taken_back"]


def test_the_csv_has_filled_scales_with_their_version_words_and_score(export: Export, cast: Cast) -> None:
    found = [row for row in rows(cast.ana) if row["kind"] == "questionnaire_response"]
    (before, now), paper = ([r for r in found if r["source"] == source] for source in ("app", "clinic"))
    assert [(row["scale"], row["state"], row["total"]) for row in paper] == [
        ("phq-9", "replaced", ""),
        ("phq-9", "current", "27"),
    ]
    named = ("scale", "scale_version", "locale", "zone", "local_time", "utc")
    assert [now[name] for name in named] == [
        "phq-9",
        "1",
        "en",
        "Europe/Oslo",
        "2026-03-02T15:00:00",
        "2026-03-02T14:00:00Z",
    ]
    assert (before["state"], before["total"], before["clock_suspect"]) == ("replaced", "", "")
    assert (now["state"], now["total"], now["prorated"]) == ("current", "11", "yes")
    assert (now["clock_skew_seconds"], now["clock_suspect"]) == ("-900", "yes")
    assert now["answers"].startswith("q1 3; q2 ; q3 1")


def test_no_cell_is_a_formula(export: Export, cast: Cast, clock: Clock) -> None:
    for tag in ("=1", "+1", "-1", "@x"):
        cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, tags=[tag], note=f"{tag} x"))
    for row in rows(cast.ana):
        words = [value for value in row.values() if not re.fullmatch(r"-\d+", value)]
        assert not [word for word in words if word.startswith(("=", "+", "-", "@", "\t", "\r"))]


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
    cast: Cast,
    clock: Clock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clock.now = clock.now.replace(year=2025)
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now))
    file = tmp_path / "export.json"
    file.write_bytes(cast.ana.get("/me/export").data)
    run = runner(settings, monkeypatch)
    words = ("import-export", file, "--clinic", "demo", "--patient", cast.ana.patient_id)
    said = run(*words, "--dry-run")
    assert "1 versions of entries and scales, courses: 0, sessions: 0, zone changes: 0." in said.output
    assert "nothing was changed" in said.output
    said = run(*words)
    assert said.exit_code == 0, said.output
    assert "0 versions imported, 2 things there already, entries refused: 0;" in said.output
    assert "check-in plan taken: no." in said.output
