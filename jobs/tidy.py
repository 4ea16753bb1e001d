"""The run ledger is for the last weeks, not for ever."""

from datetime import datetime, timedelta

from jobs.around import Around
from server.services import job_run as job_runs

KEPT = timedelta(days=30)


def run(around: Around, now: datetime) -> int:
    """Forget lines of the ledger older than 30 days; return how many."""
    with around.database.write() as session:
        return job_runs.forget(session, now - KEPT)
