"""All of the past judged again under another policy: patients with 180 days each, on all processors.

Under one policy: what a change takes where the verdicts of the old one are known. Under two: a draft tried
beside the policy in force (`afterglow replay`), where what both agree on is worked out once.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

import psutil

from benchmarks.policy_replay import DRAFT, LAST, clinic_of, pasts_of
from benchmarks.results import Section, Target, keep
from jobs.replay_pool import chunks, judge, pool
from server.database import Database
from server.quality.past import Question

PATIENTS, DAYS = {False: 2_000, True: 10_000}, 180
ASKED, ROUNDS = 100_000, 3
FIRST = LAST - timedelta(days=DAYS - 1)
QUESTIONS = {1: Question(DRAFT, DRAFT, FIRST, LAST), 2: Question({}, DRAFT, FIRST, LAST)}
HEADS = (
    *("policies", "patients", "days", "processes", "seconds", "ms a patient"),
    *("CPU ms a patient", "MiB, all processes"),
)
NOTES = (
    "SQLite. The work is that of the processors: seconds grow with the patients, memory does not.",
    "One policy is what a change takes where the verdicts of the old one are known already: the targets are "
    "those of this row. Two are a draft tried beside the policy in force; what both agree on (here all but "
    "two limits) is worked out once. CPU includes the start of the processes.",
)


@dataclass(frozen=True)
class Took:
    """Seconds by the clock and of the processors, and the most memory of all processes together."""

    seconds: float
    cpu: float
    memory: int


def main(full: bool = False) -> None:
    """Measure and keep the section."""
    number = PATIENTS[full]
    with tempfile.TemporaryDirectory() as folder:
        options = argparse.Namespace(patients=number, days=DAYS, missing=0.13)
        database, clinic_id = clinic_of(Path(folder), options)
        # In turns, so that a busy machine hits both alike.
        rounds = [
            {count: _judge(database, clinic_id, question) for count, question in QUESTIONS.items()}
            for _ in range(ROUNDS)
        ]
        database.close()
    took = {count: _usual([found[count] for found in rounds]) for count in QUESTIONS}
    rows = [(str(count), *_row(one, number)) for count, one in took.items()]
    asked, memory = took[1].seconds * ASKED / number, took[1].memory / 2**20
    what = f"{ASKED:,} patients × {DAYS} days judged again under a new policy"
    targets = [
        Target(what, f"{asked:.0f} s, from {number:,}", "≤ 60 s", asked <= 60),
        Target("the same, memory", f"{memory:.0f} MiB", "≤ 500 MB", memory <= 477),
    ]
    keep(Section("06_reassess", "All of the past judged again", HEADS, rows, targets, NOTES))


def _usual(rounds: list[Took]) -> Took:
    """Return the median of each figure."""
    seconds, cpu, memory = zip(*((one.seconds, one.cpu, one.memory) for one in rounds), strict=True)
    return Took(median(seconds), median(cpu), int(median(memory)))


def _judge(database: Database, clinic_id: UUID, question: Question) -> Took:
    begun, spent, most = time.perf_counter(), _cpu(), 0
    with pool() as workers:
        for _ in workers.map(judge, chunks(question, pasts_of(database, clinic_id, question))):
            most = max(most, _resident())
        return Took(time.perf_counter() - begun, _cpu() - spent, most)


def _row(took: Took, number: int) -> tuple[str, ...]:
    each = (f"{1000 * seconds / number:.2f}" for seconds in (took.seconds, took.cpu))
    counts = f"{number:,}", str(DAYS), str(os.cpu_count() or 1)
    return *counts, f"{took.seconds:.1f}", *each, f"{took.memory / 2**20:.0f}"


def _processes() -> list[psutil.Process]:
    here = psutil.Process()
    return [here, *here.children(recursive=True)]


def _cpu() -> float:
    return sum(sum(one.cpu_times()[:2]) for one in _processes())


def _resident() -> int:
    return sum(one.memory_info().rss for one in _processes())


if __name__ == "__main__":
    main()
