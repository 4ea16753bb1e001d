"""Visits that a patient's own times make due before the plan does: worked out daily, for it costs much.

It runs every hour: what was cut off or failed is not left until the next day.
"""

from datetime import UTC, datetime, time
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.each_clinic import each_clinic
from jobs.looking import look_at_clinic
from server.clinical.maintenance import Chance
from server.isolation import Extent
from server.services import job_run as job_runs

NAME = "visit_early"


def run(around: Around, now: datetime) -> int:
    """Look at whoever is past the shortest interval of their plan; return how many visits were proposed.

    Nothing where it was all done since midnight (UTC). Raises `Incomplete` where it was stopped, or failed
    for somebody: the next run begins again.
    """
    with around.database.read(Extent.NONE) as session:
        done_at = job_runs.last_success(session, NAME, now)
    if done_at is not None and done_at >= datetime.combine(now.astimezone(UTC), time.min, UTC):
        return 0
    return each_clinic(around, "looking for early visits", partial(_look, around, now))


def _look(around: Around, now: datetime, clinic_id: UUID) -> int:
    done = list(look_at_clinic(around, now, clinic_id, Chance.EARLY))
    if None in done or around.stopping.is_set():
        raise Incomplete("not every early visit could be looked for")
    return sum(one or 0 for one in done)
