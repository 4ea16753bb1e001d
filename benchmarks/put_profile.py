"""Where a PUT spends its time: calls and share by part of the stack, in this process, on SQLite.

A profiler makes small functions look dearer than they are: it shows where to look, not how much is saved.
"""

import cProfile
import pstats
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from benchmarks.databases import fresh
from benchmarks.entry_put import puts
from benchmarks.load import Request
from benchmarks.results import Section, keep
from benchmarks.serving import JWT_KEY
from benchmarks.sync_batch import pushes
from benchmarks.ward import ward
from server.app import create_app
from server.database import Database
from server.settings import Settings, master_keys

PATIENTS, DAYS, REQUESTS, SHOWN = 60, 90, {"PUT": 100, "batch of 100": 10}, 12
OURS = str(Path(__file__).resolve().parent.parent)
Costs = dict[str, tuple[float, float]]


def main(full: bool = False) -> None:
    """Measure and keep the section."""
    rows = []
    with fresh("sqlite") as (url, folder):
        settings = Settings(data_dir=folder, database_url=url, jwt_key=JWT_KEY)
        database = Database(url, master_keys(settings))
        people = ward(database, PATIENTS, DAYS).patients
        database.close()
        client = create_app(settings).test_client()
        for what, number in REQUESTS.items():
            requests = (
                puts("/v1/entries", people, number + 5) if what == "PUT" else pushes(people, number + 5)
            )
            _send(client, requests[:5])
            profile = cProfile.Profile()
            profile.runcall(_send, client, requests[5:])
            for part, (share, calls) in list(_parts(profile).items())[:SHOWN]:
                rows.append((what, part, f"{share:.0%}", f"{calls / number:.0f}"))
    heads = ("request", "part", "share of the time", "calls a request")
    notes = ("cProfile, SQLite, without a server.",)
    keep(Section("11_put_profile", "Where the time goes", heads, rows, [], notes))


def _send(client: FlaskClient, requests: Sequence[Request]) -> None:
    for request in requests:
        headers = request.headers()
        answer = client.open(request.path, method=request.method, data=request.body, headers=headers)
        assert answer.status_code < 300, answer.text


def _parts(profile: cProfile.Profile) -> Costs:
    times: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    stats: Any = pstats.Stats(profile)
    for (file, _, _), (_, number, own, _, _) in stats.stats.items():
        part = _part(file)
        times[part] += own
        calls[part] += number
    return {part: (own / times.total(), calls[part]) for part, own in times.most_common()}


def _part(file: str) -> str:
    if "site-packages/" in file:
        return file.split("site-packages/")[1].split("/")[0]
    if file.startswith(OURS):
        return "/".join(Path(file).relative_to(OURS).parts[:2])
    return "built in" if file.startswith("~") else "standard library"


if __name__ == "__main__":
    main()
