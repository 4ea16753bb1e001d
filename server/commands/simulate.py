"""`afterglow simulate`: make a clinic of virtual patients."""

import json
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from jobs.crew import Desk, crew
from jobs.problem import Problem
from jobs.simulate import Made, Wish, truth_of
from jobs.simulate import simulate as make_clinic
from server.commands.progress import progress
from server.commands.start import Around, started, told_plainly

# Diaries of up to ten years must start in years that every calendar of the stack can hold.
EARLIEST = 1990
SHORTEST_PASSWORD = 15


@click.command("simulate")
@click.option("--patients", type=click.IntRange(1, 100_000), required=True, help="how many patients")
@click.option("--days", type=click.IntRange(1, 3650), required=True, help="length of each diary")
@click.option("--seed", type=int, required=True, help="the same seed makes the same patients")
@click.option("--clinic", "slug", help="short name of the clinic to make; simulated-SEED by default")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), help="last diary day; yesterday by default")
@click.option(
    "--truth", type=click.Path(dir_okay=False, path_type=Path), help="write what is true here (JSON)"
)
@click.option("--password", help="give clinician and patients accounts with this password")
def command(
    patients: int,
    days: int,
    seed: int,
    slug: str | None,
    end: datetime | None,
    truth: Path | None,
    password: str | None,
) -> None:
    """Make a clinic of virtual patients whose truth is known, through the same services as the API."""
    with started() as around, told_plainly():
        last = end.date() if end else _last_over(around.now)
        _check(truth, last, around.now)
        if password is not None and len(password) < SHORTEST_PASSWORD:
            raise Problem(f"A password has at least {SHORTEST_PASSWORD} characters.")
        wish = Wish(slug or f"simulated-{seed}", patients, days, seed, last, password)
        begun = time.perf_counter()
        made = _make(around, wish)
        _tell(wish, made, time.perf_counter() - begun)
        if truth is not None:
            truth.write_text(json.dumps(truth_of(wish, made), indent=1) + "\n")
            click.echo(f"The truth about them is in {truth}.")


def _make(around: Around, wish: Wish) -> list[Made]:
    desk = Desk(around.database, around.passwords)
    with progress("patients", wish.patients) as told, crew(desk, around.settings) as writing:
        made = []
        for one in make_clinic(writing, wish, around.now):
            made.append(one)
            told(1)
    return made


def _tell(wish: Wish, made: list[Made], seconds: float) -> None:
    entries, alerted = sum(one.entries for one in made), sum(one.alerts > 0 for one in made)
    rate = wish.patients * wish.days / seconds
    click.echo(
        f"Clinic {wish.slug}: {len(made)} patients, {entries} entries, {alerted} patients with alerts."
    )
    click.echo(f"{seconds:.1f} s, {rate:.0f} patient-days a second.")
    if wish.password:
        click.echo(
            f"Sign in as clinician@{wish.slug}.example or patient1@{wish.slug}.example, clinic {wish.slug}."
        )


def _check(truth: Path | None, last: date, now: datetime) -> None:
    if truth is not None and not truth.absolute().parent.is_dir():
        raise Problem(f"There is no folder {truth.absolute().parent} to write the truth into.")
    if last.year < EARLIEST:
        raise Problem(f"The last diary day must lie in {EARLIEST} or later.")
    if last > _last_over(now):
        raise Problem(
            f"The last diary day must be over everywhere: --end may be {_last_over(now)} at the latest."
        )


def _last_over(now: datetime) -> date:
    # West of the Americas' last zone the evening of a day is still to come for hours after UTC's midnight.
    return (now.astimezone(UTC) - timedelta(hours=32)).date()
