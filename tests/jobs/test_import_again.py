"""What was imported comes in again after the clinic has worked on with it: what it did stands."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from uuid_utils.compat import uuid7

from jobs import import_diary, import_export
from jobs.past import dated_id
from server.clinical.vocabulary import AlertFamily, Source
from server.database import Database
from server.services.journal import entry as entries
from server.services.journal.incoming import Incoming
from tests.cast import Cast, entry, opened_alerts
from tests.conftest import Clock
from tests.visits import Visits

MAP = """
date: {column: day}
items: {mood: {column: mood, low: 0, high: 10, direction: high_good}}
"""
COURSE = "course: {route: intranasal, condition: depression}\n"
SESSIONS = "sessions: [2026-02-01, 2026-02-08]\n"


def brought(database: Database, cast: Cast, clock: Clock, diary_map: str) -> int:
    """Bring a diary in and return how many sessions were recorded."""
    assert cast.ana.patient_id is not None
    files = diary_map, b"day,mood\n2026-02-25,3\n"
    plan = import_diary.prepare(database, ("demo", cast.ana.patient_id), files, clock.now)
    return import_diary.write(database, plan).tally.sessions


def listed(cast: Cast, visits: Visits, what: str) -> list[dict[str, Any]]:
    return list(cast.bo.get(f"{visits.ana}/{what}").json["items"])


def changed(cast: Cast, visits: Visits, what: str, **changes: Any) -> None:
    """Let Bo change the first of what there is."""
    one = listed(cast, visits, what)[0]
    answer = cast.bo.patch(f"{visits.ana}/{what}/{one['id']}", changes, version=one["version"])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("planned", [COURSE, ""])
def test_a_course_that_has_ended_is_not_planned_anew_for_sessions_that_are_there(
    database: Database, cast: Cast, clock: Clock, visits: Visits, planned: str
) -> None:
    assert brought(database, cast, clock, MAP + SESSIONS + COURSE) == 2
    changed(cast, visits, "courses", ended_on="2026-02-20")
    assert brought(database, cast, clock, MAP + SESSIONS + planned) == 0
    assert [one["ended_on"] for one in listed(cast, visits, "courses")] == ["2026-02-20"]


def test_a_course_that_was_planned_since_the_import_began_is_the_one(
    database: Database, cast: Cast, clock: Clock, visits: Visits
) -> None:
    assert cast.ana.patient_id is not None
    files = MAP + SESSIONS + COURSE, b"day,mood\n2026-02-25,3\n"
    plan = import_diary.prepare(database, ("demo", cast.ana.patient_id), files, clock.now)
    planned = visits.course()
    assert import_diary.write(database, plan).tally.sessions == 2
    assert [one["id"] for one in listed(cast, visits, "courses")] == [planned]


def test_a_session_after_it_begins_a_course_of_its_own(
    database: Database, cast: Cast, clock: Clock, visits: Visits
) -> None:
    brought(database, cast, clock, MAP + SESSIONS + COURSE)
    changed(cast, visits, "courses", ended_on="2026-02-20")
    more = SESSIONS.replace("]", ", 2026-02-24]")
    assert brought(database, cast, clock, MAP + more + COURSE) == 1
    assert [one["started_on"] for one in listed(cast, visits, "courses")] == ["2026-02-01", "2026-02-24"]


def test_a_session_that_was_cancelled_as_an_error_does_not_come_back(
    database: Database, cast: Cast, clock: Clock, visits: Visits
) -> None:
    brought(database, cast, clock, MAP + SESSIONS + COURSE)
    changed(cast, visits, "treatment-sessions", status="cancelled")
    assert brought(database, cast, clock, MAP + SESSIONS + COURSE) == 0
    statuses = [one["status"] for one in listed(cast, visits, "treatment-sessions")]
    assert statuses == ["cancelled", "delivered"]


@pytest.mark.parametrize(
    "course",
    [{"ended_on": "2026-03-01"}, {"phase": "taper"}, {"min_interval_days": 14, "max_interval_days": 42}],
)
def test_an_export_finds_its_course_and_sessions_whatever_the_clinic_made_of_them(
    database: Database, cast: Cast, clock: Clock, visits: Visits, course: dict[str, Any]
) -> None:
    mine = visits.course()
    visits.session(mine, clock.now - timedelta(days=14))
    visits.session(mine, clock.now + timedelta(hours=1), "planned")
    file = cast.ana.get("/me/export").get_data()
    clock.forward(hours=2)
    changed(cast, visits, "courses", **course)
    changed(cast, visits, "treatment-sessions", status="cancelled")
    planned = listed(cast, visits, "treatment-sessions")[1]
    given = f"{visits.ana}/treatment-sessions/{planned['id']}"
    assert cast.bo.patch(given, {"status": "delivered"}, version=1).status_code == 200
    assert cast.ana.patient_id is not None
    plan = import_export.prepare(database, ("demo", cast.ana.patient_id), file, clock.now)
    taken = import_export.write(database, plan)
    assert (taken.courses, taken.sessions, taken.there_already) == (0, 0, 3)


def test_a_diary_that_goes_on_is_known_at_the_clinic_its_export_went_to(
    database: Database, cast: Cast, clock: Clock
) -> None:
    brought(database, cast, clock, MAP)
    file = cast.ana.get("/me/export").get_data()
    there = cast.other_patient
    assert there.patient_id is not None
    who = "elsewhere", there.patient_id
    import_export.write(database, import_export.prepare(database, who, file, clock.now))
    files = MAP, b"day,mood\n2026-02-25,3\n2026-02-26,4\n"
    tally = import_diary.write(database, import_diary.prepare(database, who, files, clock.now)).tally
    assert (tally.created, tally.duplicates) == (1, 1)
    assert len(there.get("/entries").json["items"]) == 2


def test_what_came_in_while_its_patient_was_part_of_its_name_is_known(
    database: Database, cast: Cast, clock: Clock, visits: Visits
) -> None:
    assert cast.ana.patient_id is not None
    files = MAP, b"day,mood\n2026-02-25,3\n2026-02-25,4\n"
    plan = import_diary.prepare(database, ("demo", cast.ana.patient_id), files, clock.now)
    row = plan.mapped.rows[0]
    named = dated_id(row.at, "import", cast.ana.patient_id, plan.source, row.kind, 1)
    with database.write() as session:
        said = Incoming(named, row.content, None, Source.IMPORT)
        entries.put(visits.work(session), cast.ana.patient_id, said)
    tally = import_diary.write(database, plan).tally
    assert (tally.created, tally.duplicates) == (1, 1)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_a_diary_that_goes_on_is_known_after_its_patient_has_moved_to_another_zone(
    database: Database, cast: Cast, clock: Clock, zone: str
) -> None:
    assert cast.ana.patient_id is not None
    who = "demo", cast.ana.patient_id
    first = b"day,mood\n2026-02-25,3\n"
    import_diary.write(database, import_diary.prepare(database, who, (MAP, first), clock.now))
    moved = {"zone": zone, "since": clock.now.isoformat()}
    assert cast.ana.patch("/me/zone", moved).status_code == 200
    longer = first + b"2026-02-25,4\n2026-03-03,5\n"
    clock.forward(days=3)
    tally = import_diary.write(database, import_diary.prepare(database, who, (MAP, longer), clock.now)).tally
    assert (tally.created, tally.duplicates) == (2, 1)
    found = sorted((one["local_day"], one["zone"]) for one in cast.ana.get("/entries").json["items"])
    assert found == [("2026-02-25", "Europe/Oslo"), ("2026-02-25", "Europe/Oslo"), ("2026-03-03", zone)]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_nor_does_a_session_that_was_cancelled_come_back_after_such_a_move(
    database: Database, cast: Cast, clock: Clock, visits: Visits, zone: str
) -> None:
    brought(database, cast, clock, MAP + SESSIONS + COURSE)
    changed(cast, visits, "treatment-sessions", status="cancelled")
    moved = {"zone": zone, "since": clock.now.isoformat()}
    assert cast.ana.patch("/me/zone", moved).status_code == 200
    assert brought(database, cast, clock, MAP + SESSIONS + COURSE) == 0
    statuses = [one["status"] for one in listed(cast, visits, "treatment-sessions")]
    assert statuses == ["cancelled", "delivered"]


def test_what_lay_there_is_judged_by_an_export_that_is_stopped_once_all_of_it_is_written(
    database: Database, cast: Cast, clock: Clock, visits: Visits
) -> None:
    visits.log(13, items={"mood": 1})
    visits.session(visits.course(), clock.now)
    file, there = cast.ana.get("/me/export").get_data(), cast.other_patient
    for days, mood in ((28, 8), (8, 2)):
        clock.forward(days=days)
        for back in range(days):
            said = entry(clock.now - timedelta(days=back), items={"mood": mood})
            assert there.put(f"/entries/{uuid7()}", said).status_code == 201
    assert there.patient_id is not None

    def stopped(_: int) -> None:
        raise KeyboardInterrupt

    for told in (stopped, lambda _: None):
        plan = import_export.prepare(database, ("elsewhere", there.patient_id), file, clock.now)
        with suppress(KeyboardInterrupt):
            import_export.write(database, plan, told)
    assert AlertFamily.MOOD_RELAPSE in {one.family for one in opened_alerts(database)}


def test_how_often_cancelled_sessions_are_asked_for_does_not_grow_with_those_of_the_map(
    database: Database, cast: Cast, clock: Clock
) -> None:
    def asked(days: range) -> int:
        sent: list[tuple[str, Any]] = []
        event.listen(database.engine, "before_cursor_execute", keep := lambda *said: sent.append(said[2:4]))
        sessions = ", ".join(f"2026-01-{day:02}" for day in days)
        assert brought(database, cast, clock, f"{MAP}sessions: [{sessions}]\n{COURSE}") == len(days)
        event.remove(database.engine, "before_cursor_execute", keep)
        return sum("FROM treatment_sessions" in text and "cancelled" in repr(told) for text, told in sent)

    assert asked(range(1, 2)) >= asked(range(10, 22)) > 0
