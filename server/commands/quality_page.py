"""Measuring everything and writing the page of figures: `afterglow watch-report --all`."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from jobs.holding_quality import holding_forecasts
from jobs.library_rivals import library_version
from jobs.watch_quality import Task, gathered, judge_all, tasks
from server.commands.progress import progress
from server.quality.cases import Case
from server.quality.page import Run, page
from server.quality.targets import targets

EACH_HELP = "with --all: stable, and as many relapsing, simulated patients"
DIARIES_HELP = "with --all: folder of the published diaries of real people"
PAGE_HELP = "with --all: the page to write"


def write_page(target: Path, diaries: Path, run: Run) -> None:
    """Measure the watch and its rivals and write the page; without ``diaries`` on the simulator only."""
    # Said now and not after minutes of work.
    if not target.parent.is_dir():
        raise click.ClickException(f"There is no folder {target.parent} for the page.")
    begun = time.perf_counter()
    if not diaries.is_dir():
        click.echo(f"There is no folder {diaries}: real diaries are left out.", err=True)
    wanted = tasks(run.each, run.seed, diaries if diaries.is_dir() else None)
    with progress("diaries", len(wanted)) as told:
        cases = gathered(_counted(judge_all(wanted), told))
    # A third as many: each patient has four courses.
    holding = holding_forecasts(-(-run.each // 3), run.seed)
    target.write_text(page(cases, replace(run, library=library_version()), holding), encoding="utf-8")
    found = list(targets(cases))
    reached = sum(one.met() for one in found)
    click.echo(f"{target}: {reached} of {len(found)} targets reached, {time.perf_counter() - begun:.0f} s")


def _counted(found: Iterator[tuple[Task, Case]], told: Callable[[int], None]) -> Iterator[tuple[Task, Case]]:
    for one in found:
        yield one
        told(1)
