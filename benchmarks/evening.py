"""An evening: patients open the app, log and look, the care team has its lists open; all of it mixed.

An evening of one patient is what the app asks for: what is due, an entry, what is new since the last time;
one in three also reads 90 days and the trend. For thirty of them somebody at the clinic reads the worklist
and one patient's watch.
"""

import json
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from itertools import cycle

from benchmarks.databases import KINDS, running
from benchmarks.entry_put import DAYS, HOW, figures, puts
from benchmarks.load import Load, Pace, Request, drive, json_body, median
from benchmarks.read_days import reads
from benchmarks.results import Section, keep
from benchmarks.serving import Served, serving
from benchmarks.ward import Person, Ward, ward
from benchmarks.worklist import alarm
from server.database import Database
from server.settings import Settings, master_keys

ROUNDS, SECONDS, ALERTS = 5, 3, 20
PATIENTS = {False: 300, True: 1000}
# More evenings than any round takes: requests are made beforehand.
MOST = 600 * SECONDS
CURIOUS, WATCHED = 3, 30  # one patient in so many looks at the past, is looked at by the clinic
# So many other patients' requests lie between two of one patient, who waits for each answer.
APART = 25
HOURS = 3


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    rows = []
    for kind in KINDS:
        load, each = _measure(kind, PATIENTS[full])
        evenings = load.rate / each
        rows.append((kind, *figures(load), f"{evenings:.0f}", f"{evenings * HOURS * 3600:,.0f}"))
    heads = ("database", "requests/s", "p50 ms", "p99 ms", "CPU ms", "evenings/s", f"in {HOURS} hours")
    notes = (
        f"{PATIENTS[full]} patients with {DAYS} days of diary, {each:.2f} requests an evening, over "
        f"{Pace().connections} connections; {ROUNDS} rounds of {SECONDS} s. SQLite: one process, "
        "PostgreSQL: two. At full load: plan for a third of it.",
    )
    keep(Section("04_evening", "An evening", heads, rows, notes=notes))


def _measure(kind: str, number: int) -> tuple[Load, float]:
    """Return the load of a usual round, and how many requests an evening takes."""
    rounds = []
    with running(kind) as (url, folder, pids):
        database = Database(url, master_keys(Settings(data_dir=folder)))
        clinic = ward(database, number, DAYS)
        alarm(database, clinic, ALERTS)
        database.close()
        with serving(url, folder, HOW[kind], pids) as served:
            for _ in range(ROUNDS + 1):
                made = evenings(clinic, _synced(served, clinic.patients), MOST)
                rounds.append(drive(served, made, Pace(SECONDS)))
    return median(rounds[1:]), len(made) / MOST


def _synced(served: Served, people: Sequence[Person]) -> list[Request]:
    """Return each patient's question for what is new, after a phone has fetched all there is."""
    connection, found = HTTPConnection("127.0.0.1", served.port, timeout=30), []
    for who in people:
        first = _sync(who, None)
        connection.request(first.method, first.path, first.body, first.headers())
        found.append(_sync(who, json.load(connection.getresponse())["next_cursor"]))
    connection.close()
    return found


def _sync(who: Person, cursor: str | None) -> Request:
    return Request("POST", "/v1/sync", who.token, json_body({"items": [], "cursor": cursor, "limit": 200}))


def evenings(clinic: Ward, syncs: Sequence[Request], number: int) -> list[Request]:
    """Return the requests of ``number`` evenings, one patient after the other, in the order they come in."""
    people = clinic.patients
    parts = (puts("/v1/entries", people, number), cycle(syncs), cycle(reads(people)))
    turns = zip(range(number), cycle(people), *parts, strict=False)
    timed = [
        (turn + APART * step, request)
        for turn, who, put, sync, read in turns
        for step, request in enumerate(_evening(clinic, turn, who, (put, sync, read)))
    ]
    return [request for _, request in sorted(timed, key=lambda one: one[0])]


def _evening(
    clinic: Ward, turn: int, who: Person, made: tuple[Request, Request, Request]
) -> Iterator[Request]:
    put, sync, read = made
    yield from (Request("GET", "/v1/me/today", who.token), put, sync)
    if turn % CURIOUS == 0:
        yield from (read, Request("GET", "/v1/me/trend", who.token))
    if turn % WATCHED == 0:
        staff = clinic.clinician.token
        yield Request("GET", "/v1/alerts", staff)
        yield Request("GET", f"/v1/patients/{who.patient_id}/watch", staff)


if __name__ == "__main__":
    main()
