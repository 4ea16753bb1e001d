"""Each kind of data goes when its time is over, what a hold is about stays, and a dry run only tells."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event, text, update
from uuid_utils.compat import uuid7

from jobs import erase, remind, retention, tidy
from jobs.around import Around, Incomplete
from jobs.regularly import regularly
from jobs.runner import run_once
from jobs.timetable import TIMETABLE
from schemas.scheduling_connection import ConnectionBody
from server.clinical.visit import RawEvent
from server.clinical.vocabulary import DeliveryState
from server.database import Database
from server.models import Base, Delivery, Patient, SchedulingEvent
from server.services import job_run as job_runs
from server.services import retention as kinds
from server.services.job_run import Slot
from server.services.people import erasure as erasures
from server.services.visits import scheduling_event as scheduling_events
from server.settings import Settings
from tests.cast import Cast, as_work, entry
from tests.conftest import Clock, rows_of
from tests.one_shot import runner
from tests.plans import asked_of, explained
from tests.source import ROOT
from tests.visits import Visits

SEVEN_YEARS = timedelta(days=7 * 365 + 2)


@pytest.fixture
def lived(cast: Cast, clock: Clock, database: Database, visits: Visits) -> Cast:
    """Ana has an alert, messages, a link and a precaution; Fay of the other clinic an entry."""
    visits.on_treatment()
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    cast.ana.post("/me/exports", {"formats": ["json"]})
    cast.other_patient.put(f"/entries/{uuid7()}", entry(clock.now))
    cast.other_patient.post("/me/exports", {"formats": ["json"]})
    with database.write() as session:
        for row in session.query(Delivery):
            row.state, row.finished_at = DeliveryState.DELIVERED, clock.now
    return cast


def years(around: Around, number: int) -> Around:
    return replace(around, settings=replace(around.settings, record_years=number))


def numbers(database: Database) -> dict[str, int]:
    return {name: len(rows) for name, rows in rows_of(database).items()}


def test_nothing_goes_before_its_time(lived: Cast, clock: Clock, around: Around, database: Database) -> None:
    before = numbers(database)
    assert retention.run(years(around, 6), clock.forward(days=29)) == 0
    assert numbers(database) == before


def test_after_seven_years_only_what_must_be_kept_is_left(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    before = numbers(database)
    clock.now += SEVEN_YEARS
    tidy.run(around, clock.now)  # forgets refresh tokens, which keep a sign-in
    assert retention.run(around, clock.now) > 5
    after = numbers(database)
    gone = {name for name, number in after.items() if number < before[name]}
    assert gone == {"deliveries", "export_links", "refresh_tokens", "sign_ins", "tallies"}
    assert (after["entries"], after["alerts"]) == (before["entries"], before["alerts"]), "no years were set"
    assert retention.run(around, clock.now) == 0, "again finds nothing"


def test_records_run_out_after_the_years_that_were_set_and_a_held_one_stays(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    for alert in lived.bo.get("/alerts").json["items"]:
        one = f"/alerts/{alert['id']}"
        lived.bo.post(f"{one}/resolve", {"outcome": "contacted", "note": "x"}, version=alert["version"])
    hold = {"reason": "A court asks."}
    assert lived.admin.post(f"/patients/{lived.ana.patient_id}/legal-holds", hold).status_code == 201
    clock.now += SEVEN_YEARS
    retention.run(years(around, 6), clock.now)
    erase.run(around, clock.now)
    left = rows_of(database)
    assert [row["id"] for row in left["patients"]] == [lived.ana.patient_id]
    assert {row["patient_id"] for row in left["entries"]} == {lived.ana.patient_id}
    assert len(left["export_links"]) == 1, "the hold keeps it too"
    assert any(row["account_id"] == lived.ana.account_id for row in left["deliveries"])
    assert left["audit_events"]
    assert [row["reason"] for row in left["erasures"]] == ["retention"]


@pytest.mark.parametrize(
    ("changed", "stays", "goes"),
    [
        (datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2036, 3, 2, 11, tzinfo=UTC), timedelta(hours=2)),
        (datetime(2028, 2, 29, 12, tzinfo=UTC), datetime(2038, 2, 28, 13, tzinfo=UTC), timedelta(days=1)),
        (datetime(2026, 2, 28, 14, tzinfo=UTC), datetime(2036, 2, 28, 13, tzinfo=UTC), timedelta(days=2)),
    ],
)
def test_years_are_those_of_the_calendar_leap_days_included(
    cast: Cast,
    clock: Clock,
    app: Flask,
    database: Database,
    changed: datetime,
    stays: datetime,
    goes: timedelta,
) -> None:
    clock.now = changed
    new = cast.coordinator.post("/patients", {"name": "Hal", "zone": "Europe/Oslo"})
    hal = UUID(new.json["id"])
    for now, is_over in ((stays, False), (stays + goes, True)):
        clock.now = now
        with database.read() as session:
            assert (hal in kinds.records_over(as_work(app, cast.bo, session), 10)) is is_over


def test_more_years_than_there_are_is_for_ever_and_stops_nothing_else(
    lived: Cast, clock: Clock, around: Around
) -> None:
    clock.now += SEVEN_YEARS
    tidy.run(around, clock.now)
    assert retention.run(years(around, 9999), clock.now) > 5


def test_a_record_that_changed_lately_stays(
    lived: Cast, clock: Clock, around: Around, database: Database, app: Flask
) -> None:
    clock.now += timedelta(days=3 * 365)
    lived.other_patient.put(f"/entries/{uuid7()}", entry(clock.now))
    clock.now += timedelta(days=4 * 365)
    with database.read() as session:
        assert kinds.records_over(as_work(app, lived.cyd, session), 6) == []
    with database.read() as session:
        assert kinds.records_over(as_work(app, lived.bo, session), 6) == [lived.ana.patient_id]
        assert kinds.records_over(as_work(app, lived.bo, session), 0) == []


def _precaution(cast: Cast, now: datetime) -> None:
    said = {"code": "pregnancy", "since": now.date().isoformat()}
    assert cast.bo.post(f"/patients/{cast.ana.patient_id}/precautions", said).status_code == 201


def _blood_pressure(cast: Cast, now: datetime) -> None:
    said = {"measured_at": now.isoformat(), "systolic": 120, "diastolic": 80}
    assert cast.bo.post(f"/patients/{cast.ana.patient_id}/blood-pressures", said).status_code == 201


def _course(cast: Cast, now: datetime) -> None:
    said = {"condition": "depression", "route": "intravenous", "phase": "induction"}
    said |= {"min_interval_days": 2, "max_interval_days": 4, "started_on": now.date().isoformat()}
    answer = cast.bo.post(f"/patients/{cast.ana.patient_id}/courses", said)
    assert answer.status_code == 201, answer.text


def _session_of_long_ago(cast: Cast, now: datetime) -> None:
    courses = f"/patients/{cast.ana.patient_id}/courses"
    course = cast.bo.get(courses).json["items"][0]
    said = {"course_id": course["id"], "at": (now - SEVEN_YEARS).isoformat(), "status": "delivered"}
    answer = cast.bo.post(f"/patients/{cast.ana.patient_id}/treatment-sessions", said)
    assert answer.status_code == 201, answer.text


def _visit(cast: Cast, _: datetime) -> None:
    (draft,) = cast.bo.get(f"/booking-suggestions?patient_id={cast.ana.patient_id}").json["items"]
    answer = cast.bo.post(f"/booking-suggestions/{draft['id']}/dismiss", {"reason": "x"}, draft["version"])
    assert answer.status_code == 200, answer.text


def _invitation(cast: Cast, _: datetime) -> None:
    answer = cast.bo.post(f"/patients/{cast.ana.patient_id}/invitations", {"email": "ana@home.example"})
    assert answer.status_code == 201, answer.text


def _consent(cast: Cast, _: datetime) -> None:
    said = {"given": False, "witness": "Dee, by telephone"}
    answer = cast.bo.post(f"/patients/{cast.ana.patient_id}/consents/research", said)
    assert answer.status_code < 300, answer.text


@pytest.mark.parametrize(
    "noted", [_precaution, _blood_pressure, _course, _session_of_long_ago, _visit, _invitation, _consent]
)
def test_what_the_clinic_has_noted_lately_keeps_a_record(
    lived: Cast,
    clock: Clock,
    around: Around,
    database: Database,
    visits: Visits,
    noted: Callable[[Cast, datetime], None],
) -> None:
    visits.relapse()
    for alert in lived.bo.get("/alerts").json["items"]:
        one = f"/alerts/{alert['id']}"
        lived.bo.post(f"{one}/resolve", {"outcome": "contacted", "note": "x"}, version=alert["version"])
    clock.now += SEVEN_YEARS
    noted(lived, clock.now - timedelta(hours=1))
    retention.run(years(around, 6), clock.now)
    erase.run(around, clock.now)
    assert lived.ana.patient_id in {row["id"] for row in rows_of(database)["patients"]}


def test_who_came_back_and_has_reported_nothing_yet_stays(
    cast: Cast, clock: Clock, around: Around, database: Database, app: Flask
) -> None:
    clock.now += SEVEN_YEARS
    with database.write() as session:
        session.execute(update(Patient).values(enrolled_at=clock.now))
    for now, over in ((clock.now, []), (clock.now + SEVEN_YEARS, [cast.ana.patient_id])):
        clock.now = now
        with database.read() as session:
            assert kinds.records_over(as_work(app, cast.bo, session), 6) == over


def test_a_visit_that_is_still_offered_keeps_no_record(
    lived: Cast, clock: Clock, around: Around, database: Database, visits: Visits
) -> None:
    visits.relapse()
    assert lived.bo.get(f"/booking-suggestions?patient_id={lived.ana.patient_id}").json["items"]
    for alert in lived.bo.get("/alerts").json["items"]:
        one = f"/alerts/{alert['id']}"
        lived.bo.post(f"{one}/resolve", {"outcome": "contacted", "note": "x"}, version=alert["version"])
    clock.now += SEVEN_YEARS
    retention.run(years(around, 6), clock.now)
    erase.run(around, clock.now)
    assert rows_of(database)["patients"] == []


def test_an_invitation_of_staff_keeps_nobodys_record(
    cast: Cast, clock: Clock, database: Database, app: Flask
) -> None:
    clock.now += SEVEN_YEARS
    new = {"role": "clinician", "name": "Ivo", "email": "ivo@clinic.example"}
    assert cast.admin.post("/clinic/invitations", new).status_code == 201
    with database.read() as session:
        assert kinds.records_over(as_work(app, cast.bo, session), 6) == [cast.ana.patient_id]


def test_records_that_run_out_are_looked_for_patient_by_patient(
    cast: Cast, database: Database, app: Flask
) -> None:
    with asked_of(database) as asked, database.read() as session:
        if not database.is_sqlite:
            # So few rows it would rather read all.
            session.execute(text("SET LOCAL enable_seqscan = off"))
        kinds.records_over(as_work(app, cast.bo, session), 6)
        plan = explained(session, database.is_sqlite, *asked[-1])
    assert "LIST SUBQUERY" not in plan.replace("CORRELATED", "")
    assert "SubPlan" not in plan, "the changes of the whole clinic, gone through for each"


def test_one_whose_erasure_was_confirmed_meanwhile_keeps_no_other_waiting(
    lived: Cast, clock: Clock, around: Around, database: Database, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now += SEVEN_YEARS
    assert lived.ana.patient_id is not None
    with database.write() as session:
        erasures.again(as_work(app, lived.bo, session), lived.ana.patient_id)
    monkeypatch.setattr(kinds, "records_over", lambda *_: [lived.ana.patient_id])
    retention.run(years(around, 6), clock.now)


def test_who_comes_back_while_those_whose_records_run_out_are_looked_for_stays(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    clock.now += SEVEN_YEARS
    back, came = f"/entries/{uuid7()}", list[int]()

    def comes_back(_c: object, _cursor: object, statement: str, asked: object, *_: object) -> None:
        of_fay = lived.other_patient.clinic_id.hex in str(asked).replace("-", "")
        if "NOT (EXISTS (SELECT entries" in statement and of_fay and not came:
            came.append(lived.other_patient.put(back, entry(clock.now)).status_code)

    event.listen(database.engine, "after_cursor_execute", comes_back)
    try:
        retention.run(years(around, 6), clock.now)
    finally:
        event.remove(database.engine, "after_cursor_execute", comes_back)
    erase.run(around, clock.now)
    assert (came, lived.other_patient.get(back).status_code) == ([201], 200)
    assert rows_of(database)["erasures"] == []


def test_what_a_system_told_of_a_visit_goes_after_a_month_but_where_a_hold_is_about_the_patient(
    cast: Cast, clock: Clock, around: Around, database: Database, visits: Visits, app: Flask
) -> None:
    made = cast.admin.post("/clinic/scheduling-connections", dict(ConnectionBody.EXAMPLE))
    connection, visit = UUID(made.json["connection"]["id"]), UUID(visits.approved())
    with database.write() as session:
        work = as_work(app, cast.bo, session)
        for name in ("of her visit", "of nothing"):
            assert scheduling_events.receive(work, connection, name, RawEvent(b"{}", {}))
        told = update(SchedulingEvent).where(SchedulingEvent.event_id == "of her visit")
        session.execute(told.values(suggestion_id=visit))

    def left(**later: float) -> list[str]:
        clock.forward(**later)
        tidy.run(around, clock.now)
        retention.run(around, clock.now)
        return sorted(row["event_id"] for row in rows_of(database)["scheduling_events"])

    path = f"/patients/{cast.ana.patient_id}/legal-holds"
    hold = cast.admin.post(path, {"reason": "A court asks."}).json["id"]
    assert left(days=30) == ["of her visit", "of nothing"]
    assert left(seconds=1) == ["of her visit"]
    assert cast.admin.send("POST", f"{path}/{hold}/release", None, 1).status_code == 200
    assert left(seconds=1) == []


def test_an_open_urgent_alert_keeps_a_record(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    clock.now += SEVEN_YEARS
    retention.run(years(around, 6), clock.now)
    erase.run(around, clock.now)
    assert lived.ana.patient_id in {row["id"] for row in rows_of(database)["patients"]}


def test_a_dry_run_tells_what_would_go_and_changes_nothing(
    lived: Cast, database: Database, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_of(database)
    told = dict(retention.report(database, clock.now + SEVEN_YEARS, 6))
    due = {one.kind: (one.rows, one.held) for one in told["demo"]}
    assert due["export links"] == (1, 0)
    assert due["medical record"] == (0, 0), "her urgent alert is open"
    assert [kind.name for kind in kinds.KINDS] == [name for name in due if name != "medical record"]
    run = runner(settings, monkeypatch)
    said = run("retention", "--dry-run").stdout
    assert "demo: export links: run out: " in said
    assert said.endswith("Dry run: nothing was changed.\n")
    assert rows_of(database) == before


def test_a_dry_run_counts_what_the_run_deletes_also_where_one_kind_frees_another(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    clock.now = datetime(2026, 3, 4, 20, 10, tzinfo=UTC)
    assert remind.run(around, clock.now) > 0
    with database.write() as session:
        for row in session.query(Delivery):
            row.state, row.finished_at = DeliveryState.DELIVERED, clock.now
    clock.now += SEVEN_YEARS
    tidy.run(around, clock.now)
    told = [one for _, due in retention.report(database, clock.now, 0) for one in due]
    assert {one.kind for one in told if one.rows} >= {"messages", "reminders"}
    assert retention.run(around, clock.now) == sum(one.rows for one in told)


def test_a_dry_run_counts_no_record_that_something_open_keeps(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    def records(clinic: str = "demo") -> tuple[int, int, int]:
        told = dict(retention.report(database, clock.now, 6))[clinic]
        (one,) = (one for one in told if one.kind == "medical record")
        return one.rows, one.held, one.waiting

    clock.now += SEVEN_YEARS
    assert (records(), records("elsewhere")) == ((0, 0, 1), (1, 0, 0))
    hold = {"reason": "A court asks."}
    assert lived.admin.post(f"/patients/{lived.ana.patient_id}/legal-holds", hold).status_code == 201
    assert records() == (0, 1, 0)


def test_the_page_says_how_long_each_kind_is_kept() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## What is kept how long")[2]
    for kind in kinds.KINDS:
        days = kind.kept.days
        assert f"| {kind.name} | {days} days |" in page, kind.name
    for name, kept in kinds.ELSEWHERE.items():
        assert f"| {name} | {kept} |" in page.replace("`", ""), name


def test_what_names_a_row_that_runs_out_is_found_by_an_index() -> None:
    """Else the database goes through all there is for each row that goes, and whoever writes waits."""
    going = {kind.table for kind in kinds.KINDS}
    naming = [key for one in Base.metadata.sorted_tables for key in one.foreign_key_constraints]
    for key in (key for key in naming if key.referred_table in going):
        found = [*key.parent.indexes, key.parent.primary_key]
        beginnings = [[*one.columns.keys()][: len(key.columns)] for one in found]
        assert sorted(key.columns.keys()) in map(sorted, beginnings), key.parent.name


def daily(around: Around, now: datetime) -> None:
    """Let the job runner forget, as it does every day."""
    for job in TIMETABLE:
        if job.name in ("retention", "tidy"):
            assert run_once(job, around, now) is not None


def test_a_clock_that_is_years_ahead_for_an_hour_deletes_nothing(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    """Whose record has run out is erased, and again after a restore; everybody would have to sign in anew."""
    daily(years(around, 6), clock.now)
    before = numbers(database)
    daily(years(around, 6), clock.now + SEVEN_YEARS)
    erase.run(around, clock.now + SEVEN_YEARS)
    daily(years(around, 6), clock.forward(days=1))
    gone = {name for name, number in numbers(database).items() if number < before[name]}
    assert gone == {"tallies"}, "what is over after a day"


def test_nor_does_it_where_that_hour_lies_over_a_midnight(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    """Both of its days had a run then, and the second took the first for that of the day before."""
    midnight = datetime.combine(clock.now + SEVEN_YEARS, time(), UTC)
    before = numbers(database)
    for minutes in (-30, 30):
        daily(years(around, 6), midnight + timedelta(minutes=minutes))
    erase.run(around, midnight + timedelta(minutes=31))
    assert {name for name, number in numbers(database).items() if number < before[name]} == set()


def test_after_a_long_stop_it_begins_a_day_later(
    lived: Cast, clock: Clock, around: Around, database: Database
) -> None:
    daily(around, clock.now)
    clock.now += SEVEN_YEARS
    daily(around, clock.now)
    assert numbers(database)["export_links"] == 2
    daily(around, clock.forward(days=1))
    assert numbers(database)["export_links"] == 0


def test_only_after_a_long_stop_somebody_is_told_to_look_at_the_clock(
    clock: Clock, around: Around, caplog: pytest.LogCaptureFixture
) -> None:
    daily(around, clock.now)
    assert "the clock may be wrong" not in caplog.text, "a first start is no stop"
    daily(around, clock.forward(days=7))
    assert "the clock may be wrong" not in caplog.text
    daily(around, clock.forward(days=8))
    assert "retention has not run for a week" in caplog.text


def test_a_job_that_fails_every_day_goes_on_failing(clock: Clock, around: Around) -> None:
    """Else it would do nothing once a week, and its alarm fall silent as if all were well."""
    (job,) = (job for job in TIMETABLE if job.name == "retention")
    with around.database.write() as session:
        job_runs.begin(session, slot := Slot(job.name, clock.now), clock.now)
        job_runs.end(session, slot, clock.now, 0)
    broken = {job.name: partial(regularly, job.name, _fail)}
    assert [run_once(job, around, clock.forward(days=1), broken) for _ in range(12)] == [None] * 12


def _fail(_around: Around, _now: datetime) -> int:
    raise Incomplete("one clinic's could not be deleted")
