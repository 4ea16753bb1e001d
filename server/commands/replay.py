"""`afterglow replay`: what a draft policy would have meant, before it is switched on."""

import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from jobs.problem import Problem
from jobs.replay import Days, Replayed, ask, of_clinic, of_simulated, read_draft
from jobs.replay_pool import pool
from server.commands.files import read_text
from server.commands.progress import progress
from server.commands.start import started
from server.quality.past import Compared
from server.quality.policy_replay import Load

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_LARGEST_DRAFT = 1_000_000


@click.command("replay")
@click.option("--clinic", "slug", help="try it on the past of this clinic")
@click.option("--simulated", "number", type=click.IntRange(1, 100_000), help="or on N virtual patients")
@click.option("--draft", type=_FILE, required=True, help="YAML with `values`: threshold keys and numbers")
@click.option("--first", type=_DAY, help="first day; by default 180 days are tried")
@click.option("--last", type=_DAY, help="last day; by default yesterday")
@click.option("--processes", type=click.IntRange(1, 256), help="by default one for each processor")
@click.option("--patients", "listed", is_flag=True, help="list the patients alarmed on other days")
def command(
    slug: str | None,
    number: int | None,
    draft: Path,
    first: datetime | None,
    last: datetime | None,
    processes: int | None,
    listed: bool,
) -> None:
    """Try a draft policy beside the one in force: alerts, lead time, false alarms, staff load."""
    if (slug is None) == (number is None):
        raise click.UsageError("Name one of --clinic and --simulated.")
    if number is not None and (first or last):
        raise click.UsageError("--first and --last are for a clinic; virtual patients have their own days.")
    begun = time.perf_counter()
    try:
        values = read_draft(read_text(draft, _LARGEST_DRAFT))
        if number is None:
            found = _clinic(str(slug), values, Days(_day(first), _day(last)), processes)
        else:
            found = _simulated(number, values, processes)
    except Problem as problem:
        raise click.ClickException(str(problem)) from None
    _tell(found, listed)
    click.echo(f"{time.perf_counter() - begun:.1f} s")


def _clinic(slug: str, values: Mapping[str, float], days: Days, processes: int | None) -> Replayed:
    with started() as around:
        asked = ask(around.database, slug, values, days, around.now)
        click.echo(f"Clinic {slug}, {asked.question.first} to {asked.question.last}")
        with pool(processes) as workers, progress("patients", asked.patients) as told:
            return of_clinic(around.database, asked, around.now, workers, told)


def _simulated(number: int, values: Mapping[str, float], processes: int | None) -> Replayed:
    with pool(processes) as workers, progress("patients", number) as told:
        return of_simulated(number, values, workers, told)


def _day(given: datetime | None) -> date | None:
    return None if given is None else given.date()


def _tell(found: Replayed, listed: bool) -> None:
    figures = found.figures
    table = Table("", "in force", "draft")
    rows = zip(_rows(figures.current), _rows(figures.draft), strict=True)
    for (label, current), (_, draft) in rows:
        table.add_row(label, current, draft)
    # As wide as it needs to be: a table cut to a terminal that is none can't be read.
    console = Console(width=100)
    console.print(table)
    click.echo(
        f"{figures.patients} patients, {figures.patient_days} days; recorded: {figures.relapses} relapses, "
        f"{figures.retreatments} re-treatments; {figures.differing} patients alarmed on other days"
    )
    if found.set_aside:
        click.echo(f"Set aside, their own values contradict the draft: {', '.join(found.set_aside)}")
    if found.not_shown:
        click.echo(f"Changed, but no replay shows what it does: {', '.join(found.not_shown)}")
    if listed:
        console.print(_differences(found))


def _rows(load: Load) -> Iterator[tuple[str, str]]:
    share = load.insufficient_share
    yield "alarms", str(load.alarms)
    yield "alarms a week", f"{load.alarms_per_week:.2f}"
    yield "alarms a patient-month", _number(load.alarms_per_patient_month, 3)
    yield "false alarms", str(load.false_alarms)
    yield "alarms too late to tell", str(load.undecided)
    yield "relapses without an alarm before", str(load.missed_relapses)
    yield "re-treatments without an alarm before", str(load.missed_retreatments)
    yield "median lead to a relapse, days", _number(load.lead_relapse_days, 1)
    yield "median lead to a re-treatment, days", _number(load.lead_retreatment_days, 1)
    yield "staff minutes a week", f"{load.staff_minutes_per_week:.0f}"
    yield "days with too few entries", "none" if share is None else f"{share:.1%}"


def _differences(found: Replayed) -> Table:
    table = Table("patient", "arm", "in force", "draft", "first in force", "first draft")
    differing = (one for one in found.patients if one.differs())
    for row in (row for one in differing for row in _arms(one)):
        table.add_row(*row)
    return table


def _arms(one: Compared) -> Iterator[tuple[str, ...]]:
    for arm, (current, draft) in one.arms.items():
        firsts = (str(next(iter(told.alarms), "none")) for told in (current, draft))
        yield one.patient_id, str(arm), str(len(current.alarms)), str(len(draft.alarms)), *firsts


def _number(value: float | None, digits: int) -> str:
    return "none" if value is None else f"{value:.{digits}f}"
