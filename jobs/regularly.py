"""What deletes for good waits for its next day where it has not run for long: the clock may be wrong."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from jobs.around import Around
from server.isolation import Extent
from server.services import job_run as job_runs

log = logging.getLogger(__name__)

# A wrong day of this size makes nothing run out that would not have soon.
LONGEST_PAUSE = timedelta(days=7)
# A run of the day before; two by one wrong clock, before midnight and after it, are none.
SHORTEST_PAUSE = timedelta(hours=20)


def regularly(job: str, run: Callable[[Around, datetime], int], around: Around, now: datetime) -> int:
    """Run ``job`` where it did so on a day of the last week, well or not; else do nothing, and succeed.

    By a clock years ahead, if only for a minute, everything has run out: sign-ins, messages and whole
    records, which even a restore would erase again. After a long stop, or at first, it begins a day later.
    """
    with around.database.read(Extent.NONE) as session:
        before = job_runs.last_end(session, job, now - SHORTEST_PAUSE)
    if before is None:
        return 0  # at a first start nobody has to look at anything
    if now - before > LONGEST_PAUSE:
        log.warning("%s has not run for a week: it begins with its next run, the clock may be wrong", job)
        return 0
    return run(around, now)
