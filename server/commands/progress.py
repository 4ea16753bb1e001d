"""Progress of long work: a bar on a terminal, now and then a plain line where the output goes to a file."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINES = 10


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that takes how many of ``total`` steps were done since it was last called."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _plain(title, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as shown:
        task = shown.add_task(title, total=total)
        yield lambda steps: shown.advance(task, steps)


def _plain(title: str, total: int) -> Callable[[int], None]:
    done = told = 0

    def advance(steps: int) -> None:
        nonlocal done, told
        done += steps
        # A line for each tenth keeps a log readable.
        if total and done * LINES // total > told:
            told = done * LINES // total
            click.echo(f"{title}: {min(done, total)} of {total}", err=True)

    return advance
