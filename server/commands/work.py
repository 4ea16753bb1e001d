"""`afterglow work`: the job runner's process. The only place of the jobs where the clock is asked."""

import logging
import signal
from datetime import UTC, datetime, timedelta

import click

from jobs.around import Around
from jobs.clock import scheduler
from jobs.probe_destinations import check, destinations, untested
from jobs.problem import Problem
from jobs.runner import run_once
from jobs.timetable import Job
from server import logs
from server.commands.channels import armed
from server.commands.ground import child_option, database_of, settings_here
from server.isolation import Extent
from server.services.messages import operations

log = logging.getLogger(__name__)

# Nearly to the next slot of the ledger, which a run of the delivery must not sleep through.
LINGER = timedelta(seconds=50)
# Their chatter: a line a tick, a line a message.
_QUIET = ("apscheduler", "mail.log", "mail.debug")


@click.command("work")
@child_option
def command() -> None:
    """Start the job runner. Any number may run side by side: the database decides who does what."""
    settings = settings_here()
    with database_of(settings) as database, armed(settings) as gateways:
        _log_to_stderr(settings.log)
        around = Around(database, settings, gateways, linger=LINGER)
        _set_up_operations(around)
        work(around)


def work(around: Around) -> None:
    """Run jobs by the timetable until SIGINT or SIGTERM; the jobs in hand end their piece of work."""
    clock = scheduler(lambda job: _tick(job, around))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: around.stopping.set())
    clock.start()
    around.stopping.wait()
    clock.shutdown(wait=True)


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


def _tick(job: Job, around: Around) -> None:
    run_once(job, around, datetime.now(UTC))
