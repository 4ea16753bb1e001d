"""What it costs to take a diary away: seconds, speed and memory for one year and for five, twice a day.

Each kind of database, each way. Memory is where the resident set of a process of its own stood at its
highest, and how far it rose for the answer. Needs Linux. Run: `python -m benchmarks.export`.
"""

import argparse
import base64
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from uuid_utils.compat import uuid7

from benchmarks.databases import KINDS, fresh
from server.api.edge import Surroundings
from server.app import create_app
from server.settings import Settings
from tests.cast import new_clinic, new_patient
from tests.taking_away import Taken, in_process
from tests.years import live_through

EVERYTHING = "/fhir/R4/Patient/{patient}/$everything"
WAYS = {
    "export, JSON": ("/v1/me/export", "application/json"),
    "export, CSV": ("/v1/me/export?format=csv", "*/*"),
    "export, FHIR": ("/v1/me/export?format=fhir", "*/*"),
    "FHIR, a bundle": (EVERYTHING, "application/fhir+json"),
    "FHIR, line by line": (EVERYTHING, "application/fhir+ndjson"),
}
MIB = 2**20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=5, help="of the longer diary")
    years = parser.parse_args().years
    table = Table("database", "way", "years", "MiB", "seconds", "MiB/s", "memory, MiB", "rose by", "ratio")
    for kind in KINDS:
        for way, one, many in _measured(kind, years):
            for length, taken in ((1, one), (years, many)):
                table.add_row(kind, way, str(length), *_figures(taken), f"{taken.highest / one.highest:.2f}")
    Console(width=110).print(table)


def _measured(kind: str, years: int) -> list[tuple[str, Taken, Taken]]:
    """Return what one year took and what ``years`` took, for each way."""
    with fresh(kind) as (url, folder):
        settings = Settings(
            database_url=url,
            data_dir=folder,
            password_cost="cheap",
            jwt_key="0" * 32,
            master_key=base64.b64encode(b"0" * 32).decode(),
        )
        app, clinic = create_app(settings), uuid7()
        new_clinic(app, clinic, "demo")
        ana, lea = (new_patient(app, clinic, name, None) for name in ("Ana", "Lea"))
        database = Surroundings.of(app).database
        for person, length in ((ana, 1), (lea, years)):
            assert person.patient_id is not None
            live_through(database, clinic, person.patient_id, datetime.now(UTC), length)
        # The first time is for what is made once and kept.
        _, one, many = in_process(settings, WAYS, [ana, ana, lea])
        database.close()
    return [(way, one[way], many[way]) for way in WAYS]


def _figures(taken: Taken) -> tuple[str, ...]:
    size = taken.size / MIB
    return (
        *(f"{size:.1f}", f"{taken.seconds:.2f}", f"{size / taken.seconds:.1f}"),
        *(f"{taken.highest / 1024:.0f}", f"{taken.rose / 1024:.1f}"),
    )


if __name__ == "__main__":
    main()
