"""A stopped watch never looks like a calm night: whatever stands still, it is heard outside in five minutes.

The monitor is a real HTTP server on loopback; the time is the test's, ten seconds at a step.
"""

import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask.testing import FlaskClient

from jobs import heartbeat
from jobs.around import Around
from jobs.runner import RUNS, run_once
from jobs.timetable import TIMETABLE
from server.clinical.vocabulary import Channel
from server.gateways.message import Message, Receipt, RecordingGateway, SendError
from server.services import job_run as job_runs
from server.services.job_run import Slot
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag

IN_TIME = timedelta(minutes=5)
STEP = timedelta(seconds=10)
# What docs/operations.md asks of the monitor: it alarms when it has heard nothing for so long.
PATIENCE = timedelta(minutes=2)
JOBS = {job.name: job for job in TIMETABLE}


@dataclass
class Monitor:
    """An outside monitor: alarms when it heard nothing for two minutes."""

    clock: Clock
    beats: list[datetime] = field(default_factory=list)
    url: str = ""
    stop: Callable[[], None] = lambda: None

    def alarms(self) -> bool:
        return not self.beats or self.clock.now - self.beats[-1] > PATIENCE


@pytest.fixture
def monitor(clock: Clock) -> Iterator[Monitor]:
    """A monitor that listens on loopback."""
    monitor = Monitor(clock)

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            monitor.beats.append(clock.now)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def stop() -> None:
            server.shutdown()
            thread.join()
            server.server_close()

        monitor.url, monitor.stop = f"http://127.0.0.1:{server.server_port}/beat", stop
        yield monitor
        stop()


@pytest.fixture
def watch(around: Around, settings: Settings, monitor: Monitor) -> Around:
    """The surroundings of a worker that tells the monitor."""
    return replace(around, settings=replace(settings, heartbeat_url=monitor.url))


def run_jobs(watch: Around, clock: Clock, but: Collection[str] = ()) -> None:
    """Run at a whole minute, in the order of the timetable, every job that has a slot to run in."""
    if clock.now.second == 0:
        for job in TIMETABLE:
            if job.name not in but:
                run_once(job, watch, clock.now)


def tick(watch: Around, clock: Clock, but: Collection[str] = ()) -> None:
    """Let a minute pass and run the jobs."""
    clock.forward(minutes=1)
    run_jobs(watch, clock, but)


def until(alarms: Callable[[], bool], clock: Clock, at_work: Callable[[], None] = lambda: None) -> timedelta:
    """Return after how long somebody outside alarms, while ``at_work`` is what still goes on."""
    begun = clock.now
    while not alarms():
        assert clock.now - begun <= IN_TIME, "nobody heard in time"
        clock.now += STEP
        at_work()
    return clock.now - begun


@pytest.mark.long
def test_while_all_is_well_the_monitor_hears_of_it_every_minute(
    watch: Around, clock: Clock, monitor: Monitor
) -> None:
    for _ in range(35):  # over two probes
        tick(watch, clock)
        assert not monitor.alarms()
    assert len(monitor.beats) == 35


def test_a_scheduler_that_stopped_is_heard_of(watch: Around, clock: Clock, monitor: Monitor) -> None:
    tick(watch, clock)
    assert until(monitor.alarms, clock) <= IN_TIME


def test_a_worker_that_was_killed_in_the_middle_of_its_runs_is_heard_of(
    watch: Around, clock: Clock, monitor: Monitor
) -> None:
    tick(watch, clock)
    clock.forward(minutes=1)
    with watch.database.write() as session:
        for job in TIMETABLE:
            job_runs.begin(session, Slot(job.name, job.slot_of(clock.now)), clock.now)
    assert until(monitor.alarms, clock) <= IN_TIME


class Stuck(RecordingGateway):
    """A far end that takes the connection and never lets go, until the test is over."""

    def __init__(self) -> None:
        super().__init__()
        self.held, self.over = threading.Event(), threading.Event()

    def send(self, message: Message) -> Receipt:
        self.held.set()
        self.over.wait(30)
        return super().send(message)


def test_a_worker_that_is_alive_but_stuck_is_heard_of(
    cast: Cast, watch: Around, clock: Clock, monitor: Monitor
) -> None:
    tick(watch, clock)
    far_end = Stuck()
    stuck = replace(watch, gateways={Channel.EMAIL: far_end})
    ana_raises_a_red_flag(cast, clock)
    thread = threading.Thread(target=run_once, args=(JOBS["deliver"], stuck, clock.now))
    thread.start()
    try:
        assert far_end.held.wait(10)
        assert until(monitor.alarms, clock, lambda: run_jobs(watch, clock, but=("deliver",))) <= IN_TIME
    finally:
        far_end.over.set()
        thread.join()


@pytest.mark.parametrize("job", ["deliver", "escalate"])
def test_one_stuck_job_on_an_alert_s_way_is_heard_of_although_the_others_go_on(
    watch: Around, clock: Clock, monitor: Monitor, job: str
) -> None:
    tick(watch, clock)
    assert until(monitor.alarms, clock, lambda: run_jobs(watch, clock, but=(job,))) <= IN_TIME


def test_a_job_that_fails_at_every_run_is_heard_of(watch: Around, clock: Clock, monitor: Monitor) -> None:
    def fails(_around: Around, _now: datetime) -> int:
        raise LookupError

    tick(watch, clock)

    runs = {**RUNS, "deliver": fails}

    def at_work() -> None:
        if clock.now.second == 0:
            for job in TIMETABLE:
                run_once(job, watch, clock.now, runs)

    assert until(monitor.alarms, clock, at_work) <= IN_TIME


def test_a_monitor_that_is_down_is_heard_of_by_whoever_asks_readyz(
    watch: Around, clock: Clock, monitor: Monitor, client: FlaskClient
) -> None:
    tick(watch, clock)
    assert client.get("/readyz").status_code == 200
    monitor.stop()
    passed = until(lambda: client.get("/readyz").status_code == 503, clock, lambda: run_jobs(watch, clock))
    assert passed <= IN_TIME
    wrong = client.get("/readyz").json["wrong"]
    assert [one["detail"] for one in wrong] == ["The job heartbeat has not finished in time."]


@pytest.mark.parametrize("stopped", [None, "deliver"])
def test_a_stopped_watch_is_also_heard_of_by_whoever_asks_readyz(
    watch: Around, clock: Clock, client: FlaskClient, stopped: str | None
) -> None:
    tick(watch, clock)
    assert client.get("/readyz").status_code == 200
    everything = [job.name for job in TIMETABLE]
    but = everything if stopped is None else [stopped]
    passed = until(
        lambda: client.get("/readyz").status_code == 503, clock, lambda: run_jobs(watch, clock, but=but)
    )
    assert passed <= IN_TIME


def test_a_channel_that_fails_its_probe_silences_the_heartbeat_until_a_probe_arrives(
    watch: Around, clock: Clock, monitor: Monitor, email: RecordingGateway
) -> None:
    to = watch.settings.operations_address
    email.refusals[to] = SendError(True, "refused_550")
    tick(watch, clock)
    assert monitor.beats == []
    email.refusals.clear()
    for _ in range(15):
        tick(watch, clock)
    assert monitor.beats != []


def test_an_emergency_that_waits_for_more_than_five_minutes_silences_the_heartbeat(
    cast: Cast, watch: Around, clock: Clock, monitor: Monitor, email: RecordingGateway
) -> None:
    tick(watch, clock)
    ana_raises_a_red_flag(cast, clock)
    email.refusals["bo@clinic.example"] = SendError(False, "refused_450")
    for _ in range(5):
        tick(watch, clock)
    beats = len(monitor.beats)
    assert not monitor.alarms()
    tick(watch, clock)
    assert len(monitor.beats) == beats


def test_the_log_says_why_there_is_no_heartbeat(
    watch: Around, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(heartbeat.Unwell):
        heartbeat.run(watch, clock.now)
    assert "The job deliver has not finished in time." in caplog.text
