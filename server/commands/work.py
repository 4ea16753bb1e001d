"""`afterglow work`: the job runner's process. The only place of the jobs where the clock is asked."""

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from jobs.around import Around
from jobs.runner import run_once
from jobs.timetable import Job, scheduler
from server.commands.ground import child_option, database_of, settings_here
from server.gateways.email import SmtpGateway
from server.gateways.mailbox import EmbeddedMailbox
from server.settings import Settings

# Their chatter: a line a tick, a line a message.
_QUIET = ("apscheduler", "mail.log", "mail.debug")


@click.command("work")
@child_option
def command() -> None:
    """Start the job runner. Any number may run side by side: the database decides who does what."""
    settings = settings_here()
    with database_of(settings) as database, _email(settings) as email:
        _log_to_stderr()
        work(Around(database, settings, email))


def work(around: Around) -> None:
    """Run jobs by the timetable until SIGINT or SIGTERM; the jobs in hand end their piece of work."""
    clock = scheduler(lambda job: _tick(job, around))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: around.stopping.set())
    clock.start()
    around.stopping.wait()
    clock.shutdown(wait=True)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def _tick(job: Job, around: Around) -> None:
    run_once(job, around, datetime.now(UTC))


@contextmanager
def _email(settings: Settings) -> Iterator[SmtpGateway]:
    """Give the way out by e-mail: the server of the settings, or the embedded mailbox."""
    if settings.smtp_url:
        try:
            yield SmtpGateway(settings.smtp_url, settings.mail_from)
        except ValueError:
            raise click.ClickException("AFTERGLOW_SMTP_URL can't be used as a mail server.") from None
        return
    mailbox = EmbeddedMailbox(settings.mailbox_dir)
    mailbox.start()
    try:
        yield SmtpGateway(mailbox.url, settings.mail_from)
    finally:
        mailbox.stop()
