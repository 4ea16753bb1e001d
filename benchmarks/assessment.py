"""What judging costs: one day of 120 days of history, and writing an entry with 90 days or ten years of it.

The first table is the pure core (`server.clinical.relapse.watch`), on a patient who logs every mood item
every day. The second sends `PUT /v1/entries/{id}` to two servers in one run, in turns, whose patients
have 90 days and ten years of diary and the same last session, 90 days ago: the ratio of the medians says
whether a write gets slower with the years. Run: `python -m benchmarks.assessment`.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table
from uuid_utils.compat import uuid7

from benchmarks.ground import new_entry
from benchmarks.server import PORT, served
from server.clinical.baseline import Treatment
from server.clinical.columns import logged
from server.clinical.policy import DEFAULT_POLICY, Policy
from server.clinical.readings import History, Reading
from server.clinical.relapse import watch
from server.clinical.series import COMPOSITE_ITEMS, SINGLE_ITEMS
from server.clinical.tally import ground, tallies
from server.clinical.vocabulary import Arm

FIRST, DAYS = date(2026, 1, 1), 120
LAST = FIRST + timedelta(days=DAYS - 1)
SHORT, LONG = 90, 3690
WARM_UP = 30


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300, help="judgements and requests of each kind")
    parser.add_argument("--core", action="store_true", help="the pure core alone")
    options = parser.parse_args()
    _print("one arm, milliseconds", _measure(_judgements(), options.rounds))
    if options.core:
        return
    with served(SHORT) as (short, _), served(LONG, PORT + 1, SHORT) as (long, _):
        random = Random(1)
        short.connection.close()  # it waited while ten years were written; the next request opens it anew

        def put(client: Any) -> Callable[[], object]:
            return lambda: client.send("PUT", f"/v1/entries/{uuid7()}", new_entry(random))

        requests = {f"PUT, {SHORT} days of diary": put(short), f"PUT, {LONG} days of diary": put(long)}
        times = _measure(requests, options.rounds)
    _print("writing an entry, milliseconds", times)
    one, other = (statistics.median(found) for found in times.values())
    Console().print(f"ten years / 90 days: {other / one:.2f}")


def _judgements() -> dict[str, Callable[[], object]]:
    found: dict[str, Callable[[], object]] = {}
    for name, keys in (("five items", COMPOSITE_ITEMS[Arm.MOOD]), ("eight items", SINGLE_ITEMS[Arm.MOOD])):
        asked = _history(keys), Arm.MOOD, (Treatment(FIRST),), DEFAULT_POLICY, LAST
        found[f"a day of {DAYS} days, {name}"] = partial(watch, *asked)
        found[f"all {DAYS} days of them, {name}"] = partial(_all_days, *asked)
    return found


def _all_days(history: History, arm: Arm, given: Sequence[Treatment], policy: Policy, last: date) -> object:
    said = logged(history, (one.day for one in given), policy)
    return tallies(ground(said, arm, policy, last), policy, FIRST)


def _history(keys: Sequence[str]) -> History:
    random = Random(3)
    days = (FIRST + timedelta(days=number) for number in range(DAYS))
    return History(tuple(Reading(day, {key: float(random.randint(2, 5)) for key in keys}) for day in days))


def _measure(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + WARM_UP):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            if number >= WARM_UP:
                times[name].append((time.perf_counter() - begun) * 1000)
    return times


def _print(title: str, times: dict[str, list[float]]) -> None:
    table = Table("what", "median", "p99", title=title)
    for name, found in times.items():
        found.sort()
        table.add_row(name, f"{statistics.median(found):.2f}", f"{found[int(len(found) * 0.99)]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
