"""Visits that a patient's own times make due before the plan does: worked out daily, for it costs much."""

from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.each_clinic import each_clinic
from jobs.looking import look_at_clinic
from server.clinical.maintenance import Chance


def run(around: Around, now: datetime) -> int:
    """Look at whoever is past the shortest interval of their plan; return how many visits were proposed."""
    return each_clinic(around, "looking for early visits", partial(_look, around, now))


def _look(around: Around, now: datetime, clinic_id: UUID) -> int:
    done = list(look_at_clinic(around, now, clinic_id, Chance.EARLY))
    if None in done:
        raise Incomplete("not every early visit could be looked for")
    return sum(one or 0 for one in done)
