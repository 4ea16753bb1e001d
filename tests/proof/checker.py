"""Reads a recorded history and says which invariant is broken first: `python -m tests.proof.checker FILE`.

It knows nothing of how the history came about, and asks no database: what is not in the file did not happen.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.proof.history import Line, of, read

# Taken by the mail server; the far end confirmed it.
SENT = ("accepted", "delivered")
WAITING = ("queued", "claimed", "sent")
# Seconds in which what was sent is noted, on a busy machine; in which the mail server reads what a dead one
# has written; for how long a paused worker may stand still.
NOTED, READ, PAUSED = 2.0, 1.0, 6.0


class Told:
    """A history, sorted out."""

    def __init__(self, history: Sequence[Line]) -> None:
        self.run = of(history, "run")[0]
        self.tries = of(history, "invoke")
        self.answers = of(history, "ok", "fail", "unknown")
        self.arrived: dict[str, list[float]] = defaultdict(list)
        for line in of(history, "mail"):
            self.arrived[line["id"]].append(line["at"])
        self.crashes = list(_crashes(history))
        self.pulls = of(history, "pull")
        self.end: dict[str, list[dict[str, Any]]] = of(history, "end")[0]["state"]
        self.acknowledged = {line["entry"] for line in self.answers if line["type"] == "ok"}
        self.asked = {line["entry"]: line for line in self.tries}


def whole(told: Told) -> Iterator[str]:
    """Every try has one answer, after it."""
    began = {line["op"]: line["at"] for line in told.tries}
    ended = Counter(line["op"] for line in told.answers)
    for op in began:
        if ended[op] != 1:
            yield f"try {op} has {ended[op]} answers"
    for line in told.answers:
        if line["at"] < began.get(line["op"], float("inf")):
            yield f"try {line['op']} was answered before it was made"


def civil(told: Told) -> Iterator[str]:
    """F17: whatever breaks, nobody gets an error that is nobody's fault."""
    yield from (
        f"try {line['op']} got {line['status']}" for line in told.answers if line.get("status") == 500
    )


def durable(told: Told) -> Iterator[str]:
    """G1: every acknowledged entry is there. No entry is there that nobody sent."""
    there = Counter(row["id"] for row in told.end["entries"])
    for entry in sorted(told.acknowledged):
        if there[entry] != 1:
            yield f"acknowledged entry {entry} is there {there[entry]} times"
    for entry, count in there.items():
        if entry not in told.asked or count != 1:
            yield f"entry {entry} is there {count} times, sent: {entry in told.asked}"


def once(told: Told) -> Iterator[str]:
    """G2: however often it was sent, it was created once, has one version, and is its sender's."""
    made = Counter(line["entry"] for line in told.answers if line.get("outcome") == "created")
    yield from (f"entry {entry} was created {count} times" for entry, count in made.items() if count > 1)
    versions = Counter(row["entry_id"] for row in told.end["revisions"])
    for row in told.end["entries"]:
        if (row["version"], versions[row["id"]]) != (1, 1):
            yield f"entry {row['id']} has version {row['version']} and {versions[row['id']]} revisions"
        if row["id"] in told.asked and told.asked[row["id"]]["patient"] != row["patient_id"]:
            yield f"entry {row['id']} is another patient's"


def numbered(told: Told) -> Iterator[str]:
    """G8: the changes of a patient are numbered without a gap or a double."""
    numbers = defaultdict(list)
    for row in told.end["entries"]:
        numbers[row["patient_id"]].append(row["sequence"])
    for row in told.end["patients"]:
        if sorted(numbers[row["id"]]) != list(range(1, row["change_counter"] + 1)):
            yield f"the changes of patient {row['id']} are not numbered 1 to {row['change_counter']}"


def pulled(told: Told) -> Iterator[str]:
    """G8: a phone that pulled on from its cursor each time has everything, and no change twice."""
    got = Counter((line["patient"], entry) for line in told.pulls for entry in line["entries"])
    for (patient, entry), count in got.items():
        if count > 1:
            yield f"patient {patient} pulled entry {entry} {count} times"
    for row in told.end["entries"]:
        if (row["patient_id"], row["id"]) not in got:
            yield f"no pull brought entry {row['id']}"


def alerted(told: Told) -> Iterator[str]:
    """G3: who said what can't wait has exactly one alert; who did not has none."""
    said = {row["patient_id"] for row in told.end["entries"] if told.asked[row["id"]]["red"]}
    alerts = Counter(row["patient_id"] for row in told.end["alerts"])
    for patient in sorted(said | set(alerts)):
        if alerts[patient] != (patient in said):
            yield f"patient {patient} has {alerts[patient]} alerts"


def addressed(told: Told) -> Iterator[str]:
    """G3: an alert has exactly one delivery a person and way."""
    rows = [row for row in told.end["deliveries"] if row["subject"] == "alert"]
    ways = Counter((row["subject_id"], row["account_id"], row["channel"]) for row in rows)
    yield from (
        f"{count} deliveries to one person of alert {key[0]}" for key, count in ways.items() if count > 1
    )
    told_of = {row["subject_id"] for row in rows}
    yield from (
        f"alert {row['id']} has no delivery" for row in told.end["alerts"] if row["id"] not in told_of
    )


def drained(told: Told) -> Iterator[str]:
    """G4: nothing waits any more, and nothing was given up."""
    for row in told.end["deliveries"]:
        if row["state"] not in SENT and row["failure"] != "not_needed":
            yield f"delivery {row['id']} is {row['state']} ({row['failure']})"


def sent(told: Told) -> Iterator[str]:
    """G5: what is noted as sent arrived under its one id, and once more for each crash that hit it."""
    heads = {row["bundle_id"] or row["id"] for row in told.end["deliveries"] if row["state"] in SENT}
    for head in sorted(heads):
        times = told.arrived[head]
        if not 1 <= len(times) <= 1 + _hits(told, times):
            yield f"message {head} arrived {len(times)} times, at {times}"
    known = {row["bundle_id"] or row["id"] for row in told.end["deliveries"]}
    yield from (f"message {one} is nobody's" for one in told.arrived if one not in known)


def _hits(told: Told, times: Sequence[float]) -> int:
    """Return after how many of the arrivals at ``times`` something kept it from being noted."""
    left, hits = list(told.crashes), 0
    for at in times:
        crash = next((one for one in left if one[0] <= at + NOTED and at <= one[1]), None)
        if crash is not None:
            left.remove(crash)
            hits += 1
    return hits


def _crashes(history: Sequence[Line]) -> Iterator[tuple[float, float]]:
    """Yield from when to when each fault kept workers from noting what they had sent."""
    back = [line["at"] for line in of(history, "note")]
    for line in of(history, "fault"):
        at = line["at"]
        if line["what"].startswith("kill -9 worker"):
            yield at, at + READ
        elif line["what"].startswith("worker"):
            yield at, at + PAUSED
        elif line["what"].startswith("database"):
            yield at, min((one for one in back if one > at), default=float("inf"))


def stopped(told: Told) -> Iterator[str]:
    """F40: whoever is asked to stop is gone within half a minute."""
    yield from (f"{row['name']} did not stop" for row in told.end["late"])


def ticked(told: Told) -> Iterator[str]:
    """However many clocks tick, a slot of a job is one line, and what it does is done once."""
    slots = Counter((row["job"], row["slot"]) for row in told.end["job_runs"])
    yield from (f"{job} ran {count} times at {slot}" for (job, slot), count in slots.items() if count > 1)
    probes = sum(row["template"] == "probe" for row in told.end["deliveries"])
    looked = sum(1 for job, _ in slots if job == "probe")
    if probes > looked:
        yield f"{looked} slots of the probe made {probes} probes"


INVARIANTS: Sequence[Callable[[Told], Iterator[str]]] = (
    whole, civil, durable, once, numbered, pulled, alerted, addressed, drained, sent, stopped, ticked
)  # fmt: skip


def first_broken(history: Sequence[Line]) -> str | None:
    """Return the first broken invariant with the seed of the run, or None: all hold."""
    told = Told(history)
    for invariant in INVARIANTS:
        for found in invariant(told):
            return f"seed {told.run['seed']}: {invariant.__name__}: {found}"
    return None


def figures(history: Sequence[Line]) -> str:
    """Return what the run consisted of, in one line."""
    told = Told(history)
    kinds = Counter(line["type"] for line in history)
    faults = Counter(line["what"] for line in of(history, "fault"))
    repeats = Counter(len(times) for times in told.arrived.values())
    return (
        f"{len(told.tries)} tries ({kinds['unknown']} unknown), "
        f"{len(told.acknowledged)} entries acknowledged, "
        f"{len(told.end['alerts'])} alerts, {len(told.arrived)} messages, "
        f"of them {repeats[2]} twice and {repeats.total() - repeats[1] - repeats[2]} oftener; "
        + ", ".join(f"{count} x {what}" for what, count in sorted(faults.items()))
    )


def main() -> int:
    """Check the history named on the command line."""
    history = read(Path(sys.argv[1]))
    broken = first_broken(history)
    sys.stdout.write(f"{figures(history)}\n{broken or 'every invariant holds'}\n")
    return 0 if broken is None else 1


if __name__ == "__main__":
    sys.exit(main())
