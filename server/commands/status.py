"""`afterglow status`: is the watch alive, as a table; exits with 1 where something is wrong."""

import json
from collections.abc import Iterator

import click
from rich.console import Console
from rich.table import Table

from jobs.timetable import LIMITS
from server.commands.start import started
from server.isolation import Extent
from server.services.health import Health, health, plain, troubles

Row = tuple[str, str, str]


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="The figures as JSON, for a script.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Say whether the watch is alive: jobs, what waits, what was lost, probes. Exits with 1 if it is not."""
    with started() as around, around.database.read(Extent.ALL) as session:
        found = health(session, around.now, LIMITS)
    wrong = troubles(found)
    if as_json:
        told = [{"code": one.code, "detail": one.detail} for one in wrong]
        click.echo(json.dumps({"wrong": told, **plain(found)}))
    else:
        Console(width=100).print(_table(found))
        click.echo("\n".join(one.detail for one in wrong) or "All is well.")
    context.exit(1 if wrong else 0)


def _table(found: Health) -> Table:
    table = Table("what", "which", "now")
    for row in _rows(found):
        table.add_row(*row)
    return table


def _rows(found: Health) -> Iterator[Row]:
    for job in found.jobs:
        age = "never" if job.age is None else f"{job.age.total_seconds():.0f} s ago"
        yield "job", job.name, f"{age}, LATE" if job.late else age
    for waiting in found.backlog:
        yield "waiting", f"{waiting.urgency} {waiting.state}", str(waiting.count)
    for urgency, oldest in (found.oldest or {}).items():
        yield "oldest", urgency, "none" if oldest is None else f"{oldest.total_seconds():.0f} s"
    for lost in found.lost:
        yield "lost in the last hour", f"{lost.channel} {lost.reason}", str(lost.count)
    for alerts in found.alerts:
        yield "alerts", f"{alerts.urgency} {alerts.state}", f"{alerts.count}, exhausted {alerts.exhausted}"
    yield from _of_the_service(found)
    for probe in found.probes:
        taken = "not taken" if probe.seconds is None else f"taken after {probe.seconds:.1f} s"
        yield "probe", probe.channel, f"{probe.verdict or 'under way'}, {taken}"


def _of_the_service(found: Health) -> Iterator[Row]:
    for urgency, left in (found.left or {}).items():
        if left:
            yield "left to the next look", urgency, str(left)
    if found.unsaved is not None:
        yield "backup", "newest, or first clinic", f"{found.unsaved.total_seconds():.0f} s ago"
    if found.apart is not None:
        yield "clock", "ahead of the database's", f"{found.apart.total_seconds():.1f} s"
