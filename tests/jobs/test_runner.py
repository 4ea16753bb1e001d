"""Slots, the ledger, and the proof of life."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy import event

from jobs.around import Around
from jobs.clock import scheduler
from jobs.runner import RUNS, run_once
from jobs.timetable import HEARTBEAT, TIMETABLE, Job
from server.isolation import Extent
from server.models import JobRun
from server.services import job_run as job_runs
from server.services.job_run import Slot
from server.settings import Settings
from tests.conftest import Clock

JOBS = {job.name: job for job in TIMETABLE}
CLOSE, DELIVER, BEAT = JOBS["day_close"], JOBS["deliver"], JOBS[HEARTBEAT]


def one(_around: Around, _now: datetime) -> int:
    return 1


def fails(_around: Around, _now: datetime) -> int:
    raise LookupError("Ana said something")


def ledger(around: Around) -> list[tuple[str, int | None, str | None]]:
    with around.database.read() as session:
        return [(r.job, r.done, r.failure) for r in session.query(JobRun).order_by(JobRun.job, JobRun.slot)]


def test_a_slot_runs_once_however_many_clocks_tick(around: Around, clock: Clock) -> None:
    runs = {CLOSE.name: one}
    assert [run_once(CLOSE, around, clock.forward(seconds=1), runs) for _ in range(3)] == [1, None, None]
    assert run_once(CLOSE, around, clock.forward(minutes=5), runs) == 1
    assert ledger(around) == [("day_close", 1, None)] * 2


def test_two_workers_at_the_same_moment_make_one_run(around: Around, clock: Clock) -> None:
    done: list[int | None] = []
    start = threading.Barrier(2)

    def worker() -> None:
        start.wait()
        done.append(run_once(CLOSE, around, clock.now, {CLOSE.name: one}))

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done, key=str) == [1, None]


def test_of_two_workers_that_find_a_clock_was_put_back_one_runs(around: Around, clock: Clock) -> None:
    database = around.database
    if database.is_sqlite:
        pytest.skip("one writer at a time")
    slots = [Slot(CLOSE.name, clock.now + timedelta(days=days)) for days in range(3)]
    for slot in slots:
        with database.write(Extent.NONE) as session:
            assert job_runs.begin(session, slot, slot.at)
    others: list[bool] = []

    def meanwhile(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("DELETE") and not others:
            others.append(False)
            with database.write(Extent.NONE) as other:
                others[0] = job_runs.begin(other, slots[0], clock.now)

    with database.write(Extent.NONE) as session:
        event.listen(session.connection(), "before_cursor_execute", meanwhile)
        mine = job_runs.begin(session, slots[0], clock.now)
    assert (others, mine) == ([True], False)


def test_deliveries_are_looked_for_at_every_tick_under_one_line_a_minute(
    around: Around, clock: Clock
) -> None:
    runs = {DELIVER.name: one}
    assert [run_once(DELIVER, around, clock.forward(seconds=10), runs) for _ in range(3)] == [1, 1, 1]
    assert ledger(around) == [("deliver", 3, None)]


def test_a_failure_is_kept_by_its_kind_only_and_the_next_slot_runs(
    around: Around, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    assert run_once(CLOSE, around, clock.now, {CLOSE.name: fails}) is None
    assert run_once(CLOSE, around, clock.forward(minutes=5), {CLOSE.name: one}) == 1
    assert ledger(around) == [("day_close", 0, "LookupError"), ("day_close", 1, None)]
    assert "Ana said" not in caplog.text


def test_every_line_of_the_timetable_has_its_job_and_time_to_be_late() -> None:
    assert set(RUNS) == set(JOBS)
    assert all(job.late_after >= 2 * job.every for job in TIMETABLE)


def test_the_clock_makes_up_a_missed_tick_once_and_never_overlaps() -> None:
    clock = scheduler(lambda job: None)
    clock.start(paused=True)
    try:
        jobs = clock.get_jobs()
        assert {job.id for job in jobs} == set(JOBS)
        assert {(job.coalesce, job.max_instances, job.misfire_grace_time) for job in jobs} == {
            (True, 1, None)
        }
        assert {job.next_run_time.tzinfo for job in jobs} == {UTC}
    finally:
        clock.shutdown()


class _Monitor(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.heard.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """An outside monitor: its address and what it heard."""
    with HTTPServer(("127.0.0.1", 0), _Monitor) as server:
        server.heard = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/beat", server.heard
        server.shutdown()
        thread.join()


@pytest.fixture
def watched(around: Around, settings: Settings, heard: tuple[str, list[str]]) -> Around:
    """The surroundings, with the monitor's address."""
    return replace(around, settings=replace(settings, heartbeat_url=heard[0]))


def all_ran(around: Around, now: datetime, *, but: str = "") -> None:
    for job in TIMETABLE:
        if job.name not in (HEARTBEAT, but):
            run_once(job, around, now)


def test_the_monitor_hears_of_us_once_every_job_has_run(
    watched: Around, clock: Clock, heard: tuple[str, list[str]]
) -> None:
    all_ran(watched, clock.now)
    assert run_once(BEAT, watched, clock.now) == 1
    assert heard[1] == ["/beat"]


@pytest.mark.parametrize("stopped", ["day_close", "deliver", "escalate"])
def test_the_monitor_hears_nothing_while_a_job_does_not_run(
    watched: Around, clock: Clock, heard: tuple[str, list[str]], stopped: str
) -> None:
    all_ran(watched, clock.now)
    later = clock.now + JOBS[stopped].late_after + timedelta(minutes=1)
    all_ran(watched, later, but=stopped)
    assert run_once(BEAT, watched, later) is None
    assert heard[1] == []
    assert (HEARTBEAT, 0, "Unwell") in ledger(watched)


def test_a_job_that_only_fails_counts_as_stopped(
    watched: Around, clock: Clock, heard: tuple[str, list[str]]
) -> None:
    all_ran(watched, clock.now, but="escalate")
    run_once(JOBS["escalate"], watched, clock.now, {"escalate": fails})
    assert run_once(BEAT, watched, clock.now) is None
    assert heard[1] == []


def test_where_the_clock_was_put_back_an_hour_its_slots_are_run_again(around: Around, clock: Clock) -> None:
    runs, begun = {CLOSE.name: one}, clock.now
    assert [run_once(CLOSE, around, begun + timedelta(minutes=5 * n), runs) for n in range(13)] == [1] * 13
    again = [begun + timedelta(minutes=5 * n, seconds=30) for n in (0, 0, 1, 2)]
    assert [run_once(CLOSE, around, at, runs) for at in again] == [1, None, 1, 1]


def test_what_ended_in_an_hour_that_is_to_come_proves_nothing(around: Around, clock: Clock) -> None:
    run_once(CLOSE, around, clock.now, {CLOSE.name: one})
    run_once(CLOSE, around, clock.now + timedelta(hours=1), {CLOSE.name: one})
    with around.database.read() as session:
        found = job_runs.last_success(session, CLOSE.name, clock.now)
    assert found == pytest.approx(clock.now, abs=timedelta(seconds=5))


def test_the_ledger_forgets_after_thirty_days(around: Around, clock: Clock) -> None:
    run_once(CLOSE, around, clock.now, {CLOSE.name: one})
    run_once(CLOSE, around, clock.forward(days=30), {CLOSE.name: one})
    run_once(JOBS["tidy"], around, clock.now)  # the first one only begins
    assert run_once(JOBS["tidy"], around, clock.forward(days=1)) == 1
    with around.database.read() as session:
        assert job_runs.last_success(session, "day_close", clock.now) == pytest.approx(
            clock.now - timedelta(days=1), abs=timedelta(seconds=5)
        )


def test_a_slot_is_the_time_rounded_down() -> None:
    job = Job("any", timedelta(minutes=5), timedelta(hours=1), "")
    at = datetime(2026, 3, 2, 12, 7, 59, tzinfo=UTC)
    assert job.slot_of(at) == datetime(2026, 3, 2, 12, 5, tzinfo=UTC)
