"""All of the past judged again under another policy: patients with 180 days each, on all processors.

The same as trying a draft (`afterglow replay`): each day judged by the policy in force and by the draft.
"""

import argparse
import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import psutil

from benchmarks.policy_replay import DRAFT, LAST, clinic_of, pasts_of
from benchmarks.results import Section, Target, keep
from jobs.replay_pool import chunks, judge, pool
from server.quality.past import Question

PATIENTS, DAYS = {False: 400, True: 10_000}, 180
ASKED = 100_000


def main(full: bool = False) -> None:
    """Measure and keep the section."""
    number, processes = PATIENTS[full], os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        options = argparse.Namespace(patients=number, days=DAYS, missing=0.13)
        database, clinic_id = clinic_of(Path(folder), options)
        question = Question({}, DRAFT, LAST - timedelta(days=DAYS - 1), LAST)
        begun, most = time.perf_counter(), 0
        with pool(processes) as workers:
            for _ in workers.map(judge, chunks(question, pasts_of(database, clinic_id, question))):
                most = max(most, _resident())
        took = time.perf_counter() - begun
        database.close()
    asked, memory = took * ASKED / number, most / 2**20
    heads = (
        "patients",
        "days",
        "processes",
        "seconds",
        "ms a patient",
        "µs a day and policy",
        "MiB, all processes",
    )
    each = 1e6 * took * processes / number / DAYS / 2
    row = (f"{number:,}", str(DAYS), str(processes), f"{took:.1f}", f"{1000 * took / number:.2f}")
    targets = [
        Target(
            f"{ASKED:,} patients × {DAYS} days judged again",
            f"{asked:.0f} s, from {number:,}",
            "≤ 60 s",
            asked <= 60,
        ),
        Target("the same, memory", f"{memory:.0f} MiB", "≤ 500 MB", memory <= 477),
    ]
    notes = ("SQLite. The work is that of the processors: seconds grow with the patients, memory does not.",)
    rows = [(*row, f"{each:.0f}", f"{memory:.0f}")]
    keep(Section("06_reassess", "All of the past judged again", heads, rows, targets, notes))


def _resident() -> int:
    here = psutil.Process()
    return sum(one.memory_info().rss for one in (here, *here.children(recursive=True)))


if __name__ == "__main__":
    main()
