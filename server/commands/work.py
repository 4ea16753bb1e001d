"""`afterglow work`: the job runner's process. The only place of the jobs where the clock is asked."""

import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import click
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from jobs.around import Around
from jobs.clock import catch_up, scheduler
from jobs.probe_destinations import check, destinations, untested
from jobs.problem import Problem
from jobs.runner import run_once
from jobs.timetable import TIMETABLE, Job
from server import logs, memory, service_manager
from server.commands.channels import armed
from server.commands.ground import check_takes_writes, child_option, database_of, settings_here
from server.commands.worker_clock import WorkerClock
from server.isolation import Extent
from server.readiness import warn_of_log
from server.services.messages import bell, operations

log = logging.getLogger(__name__)

# Nearly to the next slot of the ledger, which a run of the delivery must not sleep through.
LINGER = timedelta(seconds=50)
# Seconds between two looks whether the machine's clock was put back.
LOOK = 5.0
# Connections to one mail server at once: each waits for its answer, and each outcome for the disk.
HANDS = 4
# Their chatter: a line a tick, a line a message.
_QUIET = ("apscheduler", "mail.log", "mail.debug")


@click.command("work")
@child_option
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([job.name for job in TIMETABLE]),
    help="Run only this job; may be said several times. The others must run elsewhere.",
)
def command(only: tuple[str, ...]) -> None:
    """Start the job runner. Any number may run side by side: the database decides who does what."""
    settings = settings_here()
    with database_of(settings) as database, armed(settings) as gateways:
        check_takes_writes(settings)
        _log_to_stderr(settings.log)
        warn_of_log(settings, database)
        lease = timedelta(seconds=settings.lease_seconds)
        around = Around(database, settings, gateways, linger=LINGER, lease=lease, hands=HANDS)
        _set_up_operations(around)
        memory.settle()
        with listening(around):
            work(around, [job for job in TIMETABLE if not only or job.name in only])


def work(around: Around, jobs: Sequence[Job] = TIMETABLE) -> None:
    """Run ``jobs`` by the timetable until SIGINT or SIGTERM; those in hand end their piece of work."""
    time = WorkerClock(around.database)
    clock = scheduler(lambda job: _tick(job, around, time), jobs)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: around.stopping.set())
    clock.start()
    service_manager.tell_ready()
    while not around.stopping.wait(LOOK):
        if catch_up(clock, datetime.now(UTC)):
            log.warning("this machine's clock was put back: jobs go on by the time that it is now")
    clock.shutdown(wait=True)


@contextmanager
def listening(around: Around) -> Iterator[None]:
    """Let the bell ring meanwhile, where there is a way to hear it: on PostgreSQL, past a pooler."""
    settings = around.settings
    past_pooler = "" if settings.limits.pooler else settings.sqlalchemy_url
    url = settings.direct_database_url or past_pooler
    if around.database.is_sqlite or not url:
        yield
        return
    with around.bell.hung(url, settings.limits.bell_args(), bell.CHANNEL):
        yield


def _set_up_operations(around: Around) -> None:
    """Make sure that operations can be told, and that the probe knows where to go."""
    try:
        found = destinations(around.settings)
        check(found, around.gateways)
    except Problem as problem:
        raise click.ClickException(str(problem)) from None
    for channel in untested(found, around.gateways):
        log.warning("no probe goes over %s: AFTERGLOW_PROBE names no destination for it", channel)
    with around.database.write(Extent.ALL) as session:
        operations.ensure(session, datetime.now(UTC), around.settings.operations_address)


def _log_to_stderr(form: str) -> None:
    logs.set_up(form)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _tick(job: Job, around: Around, time: WorkerClock) -> None:
    try:
        now = time()
    except (DBAPIError, PoolTimeout) as error:
        log.error("%s did not run: %s", job.name, logs.kind_of(error))
        return
    run_once(job, around, now)
