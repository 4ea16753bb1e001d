"""What an installation with very many clinics costs in which nothing is due: every job's look at all of them.

Each look at 10 clinics and at ten times as many, all quiet: three patients each, nothing waits, and the last
event is minutes old.
"""

import logging
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from benchmarks.databases import KINDS, fresh
from benchmarks.results import Section, keep
from benchmarks.serving import JWT_KEY
from jobs.around import Around, Incomplete
from jobs.heartbeat import Unwell
from jobs.runner import RUNS
from jobs.timetable import TIMETABLE
from server.database import Database
from server.isolation import Extent
from server.services.messages import operations
from server.services.people import clinic as clinics
from server.services.people import patient as patients
from server.services.work import Work, system
from server.settings import Settings, master_keys

CLINICS, TIMES = {False: 10, True: 100}, 10
PATIENTS, ROUNDS = 3, 4
AGE, QUIET = timedelta(days=3), timedelta(minutes=5)


def main(full: bool = False) -> None:
    """Measure both databases and keep the section."""
    # Each run without a channel says so, which here is no news.
    logging.disable(logging.ERROR)
    rows = []
    for kind in KINDS:
        few, many = (_measure(kind, CLINICS[full] * times) for times in (1, TIMES))
        for job in TIMETABLE:
            cost, share = few[job.name], 100 * many[job.name] / (1000 * job.every.total_seconds())
            row = (f"{cost:.1f}", f"{many[job.name]:.1f}", f"{many[job.name] / cost:.1f}", f"{share:.2f}")
            rows.append((kind, job.name, f"{job.every.total_seconds():.0f}", *row))
    logging.disable(logging.NOTSET)
    number = CLINICS[full]
    heads = (
        *("database", "job", "every s", f"CPU ms, {number} clinics", f"CPU ms, {TIMES * number}", "ratio"),
        f"% of a processor, {TIMES * number}",
    )
    notes = (f"{PATIENTS} patients a clinic, nothing is due. Least of {ROUNDS}, the job's process alone.",)
    keep(Section("14_many_clinics", "Many quiet clinics", heads, rows, [], notes))


def _measure(kind: str, number: int) -> dict[str, float]:
    with fresh(kind) as (url, folder):
        settings = Settings(data_dir=folder, database_url=url, jwt_key=JWT_KEY)
        database = Database(url, master_keys(settings))
        now = datetime.now(UTC)
        with database.write(Extent.ALL) as session:
            for one in range(number):
                work = Work(session, now - AGE, system(clinics.new_clinic_id()))
                clinics.create(work, slug=f"c{one}", name=f"C{one}", zone="Europe/London", country="GB")
                for _ in range(PATIENTS):
                    patients.create(work, {"name": "P", "zone": "Europe/London"})
            operations.ensure(session, now, settings.operations_address)
        around = Around(database, settings, {})
        found = {job.name: _least(job.name, around, now + QUIET) for job in TIMETABLE}
        database.close()
    return found


def _least(name: str, around: Around, now: datetime) -> float:
    """Return the milliseconds of processor time of the cheapest run, after one that does what is due."""
    taken = []
    for _ in range(ROUNDS + 1):
        begun = time.process_time()
        # No channel is armed and the ledger is empty: the heartbeat says so.
        with suppress(Incomplete, Unwell):
            RUNS[name](around, now)
        taken.append(1000 * (time.process_time() - begun))
    return min(taken[1:])


if __name__ == "__main__":
    main()
