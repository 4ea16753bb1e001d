"""The figures that show whether the watch is alive, and what of them is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event, text
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import (
    AlertClass,
    AlertState,
    Channel,
    DeliveryState,
    DeliverySubject,
)
from server.database import Database
from server.isolation import Extent
from server.models import Alert, Delivery
from server.services import job_run as job_runs
from server.services.backup_state import RUN
from server.services.health import Backlog, Lost, Unresolved, health, troubles
from server.services.job_run import Slot
from server.services.people import closing
from tests.cast import Cast, as_work, entry
from tests.conftest import Clock, owner_of

LIMITS = (("deliver", timedelta(minutes=3)),)
Add = Callable[..., UUID]


@pytest.fixture
def add(cast: Cast, database: Database, clock: Clock) -> Add:
    """Write a message to Bo, as it is after some time."""

    def write(**parts: object) -> UUID:
        row = {
            "channel": Channel.EMAIL,
            "template": "patient_needs_review",
            "subject": DeliverySubject.ALERT,
            "subject_id": uuid7(),
            "urgency": AlertClass.P0,
            "state": DeliveryState.QUEUED,
            "due_at": clock.now,
            "attempt": 0,
            "created_at": clock.now,
            **parts,
        }
        with database.write() as session:
            key = str(uuid7())
            new = Delivery(
                clinic_id=cast.bo.clinic_id, id=uuid7(), key=key, account_id=cast.bo.account_id, **row
            )
            session.add(new)
            return new.id

    return write


def codes(database: Database, now: datetime) -> list[str]:
    with database.read() as session:
        return [one.code for one in troubles(health(session, now, LIMITS))]


def ran(database: Database, at: datetime, failure: str | None = None) -> None:
    with database.write() as session:
        slot = Slot("deliver", at)
        job_runs.begin(session, slot, at)
        job_runs.end(session, slot, at, 0, failure)


def test_a_job_that_never_succeeded_is_late_and_so_is_one_that_only_fails(
    database: Database, clock: Clock
) -> None:
    assert codes(database, clock.now) == ["job-late"]
    ran(database, clock.now)
    assert codes(database, clock.forward(minutes=3)) == []
    ran(database, clock.forward(seconds=1), "KeyError")
    assert codes(database, clock.now) == ["job-late"]


def test_a_run_that_began_and_never_ended_is_no_success(database: Database, clock: Clock) -> None:
    ran(database, clock.now)
    with database.write() as session:
        job_runs.begin(session, Slot("deliver", clock.forward(minutes=4)), clock.now)
    assert codes(database, clock.now) == ["job-late"]


def test_what_waits_is_counted_by_state_and_urgency(database: Database, clock: Clock, add: Add) -> None:
    add(), add(), add(state=DeliveryState.CLAIMED, urgency=AlertClass.P2), add(state=DeliveryState.DELIVERED)
    with database.read() as session:
        found = health(session, clock.now, ())
    assert found.backlog == [
        Backlog(DeliveryState.CLAIMED, AlertClass.P2, 1),
        Backlog(DeliveryState.QUEUED, AlertClass.P0, 2),
    ]


def test_an_emergency_that_waits_five_minutes_is_wrong_and_a_p1_that_waits_ten(
    database: Database, clock: Clock, add: Add
) -> None:
    first = add()
    assert troubles_without_jobs(database, clock.forward(minutes=5)) == []
    assert troubles_without_jobs(database, clock.forward(seconds=1)) == ["undelivered"]
    with database.write() as session:
        session.query(Delivery).filter_by(id=first).update({"urgency": AlertClass.P1})
    assert troubles_without_jobs(database, clock.now) == []
    assert troubles_without_jobs(database, clock.forward(minutes=5)) == ["undelivered"]


def troubles_without_jobs(database: Database, now: datetime) -> list[str]:
    with database.read() as session:
        return [one.code for one in troubles(health(session, now, ()))]


def test_what_quiet_hours_hold_does_not_wait_until_they_end(
    database: Database, clock: Clock, add: Add
) -> None:
    add(urgency=AlertClass.P1, held=True, due_at=clock.now + timedelta(hours=8))
    assert troubles_without_jobs(database, clock.forward(hours=8)) == []
    with database.read() as session:
        oldest = health(session, clock.forward(minutes=2), ()).oldest
    assert oldest == {AlertClass.P0: None, AlertClass.P1: timedelta(minutes=2)}


def test_what_reached_nobody_is_told_for_an_hour_by_channel_and_reason(
    database: Database, clock: Clock, add: Add
) -> None:
    for state, failure in (
        (DeliveryState.GIVEN_UP, "refused_550"),
        (DeliveryState.FAILED, "refused_550"),
        (DeliveryState.UNKNOWN, "no_report"),
        (DeliveryState.GIVEN_UP, "not_needed"),
        (DeliveryState.GIVEN_UP, "expired"),
    ):
        add(state=state, failure=failure, finished_at=clock.now)
    with database.read() as session:
        found = health(session, clock.forward(minutes=59), ())
        assert found.lost == [Lost(Channel.EMAIL, "no_report", 1), Lost(Channel.EMAIL, "refused_550", 2)]
        assert health(session, clock.forward(minutes=2), ()).lost == []


def test_open_alerts_are_counted_and_those_nobody_answered(
    cast: Cast, database: Database, clock: Clock
) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan"))
    cast.other_patient.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    with database.write() as session:
        session.query(Alert).filter_by(urgency=AlertClass.P0).update({"exhausted_at": clock.now})
    with database.read() as session:
        found = health(session, clock.now, ())
    assert found.alerts == [
        Unresolved(AlertClass.P0, AlertState.OPEN, 1, 1),
        Unresolved(AlertClass.P1, AlertState.OPEN, 1, 0),
    ]


def test_alerts_of_a_closed_clinic_ring_no_alarm(
    cast: Cast, clock: Clock, database: Database, app: Flask
) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    with database.write() as session:
        session.query(Alert).update({"exhausted_at": clock.now})
    with database.write() as session:
        closing.erase(as_work(app, cast.admin, session), "Demo")
    with database.read() as session:
        assert health(session, clock.now, ()).alerts == []


def test_a_database_behind_the_code_is_asked_nothing_else_and_one_ahead_is_well(
    database: Database, clock: Clock
) -> None:
    for version, wrong in (("0001", ["not-migrated"]), ("9999", ["job-late"])):
        with owner_of(database).read(Extent.ALL) as session:  # never committed
            session.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
            assert [one.code for one in troubles(health(session, clock.now, LIMITS))] == wrong


def test_every_figure_comes_from_an_index(database: Database, clock: Clock, cast: Cast) -> None:
    """A million old rows must cost nothing: no table of the many is read from end to end."""
    if not database.is_sqlite:
        pytest.skip("PostgreSQL plans by the number of rows, and there are none here")
    asked: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            health(session, clock.now, LIMITS)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    with database.engine.connect() as connection:
        plans = [
            step[3]
            for statement, parameters in asked
            if statement.lstrip().startswith("SELECT")
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert any("deliveries" in step for step in plans)
    assert [step for step in plans if step.startswith("SCAN") and "alembic_version" not in step] == []


def test_what_no_backup_holds_is_as_old_as_the_newest_one_and_without_any_as_the_first_clinic(
    database: Database, cast: Cast, clock: Clock
) -> None:
    def unsaved() -> timedelta | None:
        with database.read() as session:
            return health(session, clock.now, LIMITS).unsaved

    clock.forward(hours=3)
    assert unsaved() == timedelta(hours=3)
    with database.write() as session:
        for failure in (None, "Problem"):
            slot = Slot(RUN, clock.now)
            job_runs.begin(session, slot, clock.now)
            job_runs.end(session, slot, clock.now, 1, failure)
            clock.forward(hours=1)
    assert unsaved() == timedelta(hours=2)


def test_whose_clock_is_wrong_hears_how_far_where_the_database_is_a_server(database: Database) -> None:
    now = datetime.now(UTC)
    with database.read() as session:
        found = [health(session, now + timedelta(seconds=by), LIMITS).apart for by in (600, -600)]
    seconds = [round(one.total_seconds(), -1) for one in found if one is not None]
    assert seconds == ([0, 0] if database.is_sqlite else [600, -600])
