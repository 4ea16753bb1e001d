"""`afterglow watch-report`: how good the watch is."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from click.core import ParameterSource

from jobs.problem import Problem
from jobs.watch_report import Reported, of_clinic, of_export, of_simulator, read_truth
from server.commands.files import read_bytes, read_text
from server.commands.map_option import MAP, MAP_HELP, map_text
from server.commands.progress import progress
from server.commands.quality_page import DIARIES_HELP, EACH_HELP, PAGE_HELP, write_page
from server.commands.start import started
from server.diary_import.table import LARGEST_BYTES
from server.quality.figures import Figures, Truth, false_alarms, figures
from server.quality.page import FULL, Run
from server.quality.replay import Replay

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LARGEST_TRUTH = 50_000_000
_FOLDER = click.Path(file_okay=False, path_type=Path)
_PAGE = click.Path(dir_okay=False, writable=True, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])
_WAYS = {"slug": "--clinic", "file": "--csv", "count": "--simulator", "everything": "--all"}
# What only some ways of reporting heed; said with another one it would change nothing.
_ONLY_FOR = {
    "truth": ("slug",),
    "map_name": ("file",),
    "stable": ("file",),
    "each": ("everything",),
    "diaries": ("everything",),
    "page": ("everything",),
    "seed": ("count", "everything"),
}


@click.command("watch-report")
@click.option("--clinic", "slug", help="report on every patient of this clinic")
@click.option("--truth", type=_FILE, help="what `simulate --truth` wrote about that clinic")
@click.option("--csv", "file", type=_FILE, help="report on a diary export instead")
@click.option("--map", "map_name", type=MAP, help=MAP_HELP)
@click.option("--stable", type=(_DAY, _DAY), help="first and last day on which an alarm in it would be false")
@click.option(
    "--simulator", "count", type=click.IntRange(1, 100_000), help="N stable and N relapsing patients"
)
@click.option("--all", "everything", is_flag=True, help="measure everything there is and write the page")
@click.option("--each", type=click.IntRange(1, 100_000), default=FULL, show_default=True, help=EACH_HELP)
@click.option("--diaries", type=_FOLDER, default="../shared/data", show_default=True, help=DIARIES_HELP)
@click.option("--page", type=_PAGE, default="docs/watch-quality.md", show_default=True, help=PAGE_HELP)
@click.option("--seed", type=int, default=1, show_default=True, help="first seed of the simulator")
@click.pass_context
def command(
    context: click.Context,
    slug: str | None,
    truth: Path | None,
    file: Path | None,
    map_name: str | None,
    stable: tuple[datetime, datetime] | None,
    count: int | None,
    everything: bool,
    each: int,
    diaries: Path,
    page: Path,
    seed: int,
) -> None:
    """Say how good the watch is: baseline, alarms and evidence; figures where the truth is known."""
    if sum(given is not None for given in (slug, file, count, everything or None)) != 1:
        raise click.UsageError("Name one of --clinic, --csv, --simulator and --all.")
    _check_ways(context, next(way for way in _WAYS if context.params[way] not in (None, False)))
    if stable is not None and stable[1] < stable[0]:
        raise click.UsageError("--stable: the last day lies before the first.")
    if everything:
        write_page(page, diaries, Run(each, seed))
    elif count is not None:
        _simulator(count, seed)
    elif slug is not None:
        _clinic(slug, truth)
    elif file is not None:
        _export(file, map_name, stable)


def _check_ways(context: click.Context, way: str) -> None:
    """Raise UsageError for an option that ``way`` (a key of ``_WAYS``) does not heed."""
    for option in context.command.params:
        ways = _ONLY_FOR.get(str(option.name), (way,))
        is_said = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
        if is_said and way not in ways:
            told = " and ".join(_WAYS[one] for one in ways)
            raise click.UsageError(f"{option.opts[0]} is for {told}: {_WAYS[way]} does not heed it.")


def _simulator(count: int, seed: int) -> None:
    begun = time.perf_counter()
    found = []
    with progress("diaries", 2 * count) as told:
        for one in of_simulator(count, seed):
            found.append(one)
            told(1)
    click.echo(f"Reference simulation, seeds {seed} to {seed + count - 1}, mood arm, default policy")
    _tell_figures(figures(found))
    click.echo(f"{'time':38} {time.perf_counter() - begun:.1f} s")


def _clinic(slug: str, truth: Path | None) -> None:
    with started() as around:
        known = read_truth(read_text(truth, _LARGEST_TRUTH)) if truth else None
        found = []
        for one in of_clinic(around.database, slug, around.now, known):
            found.append(one)
            _tell(one, None)
    if not found:
        click.echo("There is no diary at this clinic yet.")
    elif truth is not None:
        _tell_figures(figures(_known(found)))


def _export(file: Path, map_name: str | None, stable: tuple[datetime, datetime] | None) -> None:
    if map_name is None:
        raise click.UsageError("--csv needs --map.")
    try:
        files = map_text(map_name), read_bytes(file, LARGEST_BYTES)
        _tell(of_export(*files, file.stem, datetime.now(UTC)), stable)
    except Problem as problem:
        raise click.ClickException(str(problem)) from None


def _known(found: list[Reported]) -> Iterator[tuple[Truth, Replay]]:
    for one in found:
        if one.truth is not None:
            yield from ((one.truth, said) for said in one.replays)


def _tell(one: Reported, stable: tuple[datetime, datetime] | None) -> None:
    for said in one.replays:
        click.echo(f"{one.diary.name} ({said.arm}), {one.diary.first} to {one.diary.last}")
        click.echo(f"  baseline       {_baseline(said)}")
        if said.alarms:
            first = said.alarms[0]
            day = (first.day - one.diary.first).days + 1
            click.echo(f"  first alarm    {first.day} (day {day} of the diary): {', '.join(first.rules)}")
            click.echo(f"  evidence       {first.text}")
            click.echo(f"  alarms         {', '.join(str(alarm.day) for alarm in said.alarms)}")
        else:
            click.echo("  alarms         none")
        if one.truth is not None:
            click.echo(f"  in stable time {false_alarms(one.truth, said)} in {one.truth.stable_days()} days")
        elif stable is not None:
            first_day, last_day = stable[0].date(), stable[1].date()
            days = (last_day - first_day).days + 1
            click.echo(f"  in stable time {said.alarms_between(first_day, last_day)} in {days} days")
    if not one.replays:
        click.echo(f"{one.diary.name}: nothing that can be watched")


def _baseline(said: Replay) -> str:
    found = said.baseline
    if found is None:
        return "none"
    answer = {None: "response not known", True: "responded", False: "did not respond"}[found.responded]
    level = found.levels["composite"]
    return (
        f"{found.first_day} to {found.last_day} ({found.days_observed} days), "
        f"mean {level.mean:.1f}, SD {level.sd:.1f}; {answer}"
    )


def _tell_figures(found: Figures) -> None:
    days = "none" if found.median_delay is None else f"{found.median_delay:g} days"
    month = "none" if found.per_month is None else f"{found.per_month:.3f}"
    for label, value in (
        ("patients: stable, relapsing", f"{found.stable}, {found.relapsing}"),
        ("sensitivity", _percent(found.sensitivity)),
        ("stable patients with a false alarm", _percent(found.false_alarmed)),
        ("false alarms per patient-month", month),
        ("median delay from onset", days),
        ("days with insufficient data", _percent(found.insufficient)),
    ):
        click.echo(f"{label:38} {value}")


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"
