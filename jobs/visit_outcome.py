"""Did it work: what the session of each fulfilled visit did, looked at daily until it is final."""

import logging
from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.each_clinic import each_clinic
from server.services.visits import visit_outcome as visit_outcomes
from server.services.work import Work, system

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Look at every visit whose outcome may have changed; return of how many something new is known."""
    return each_clinic(around, "learning what visits did", partial(_learn_all, around, now))


def _learn_all(around: Around, now: datetime, clinic_id: UUID) -> int:
    with around.database.read() as session:
        found = visit_outcomes.due(Work(session, now, system(clinic_id)))
    done = [_learn(around, now, clinic_id, one) for one in found if not around.stopping.is_set()]
    if None in done:
        raise Incomplete("what a visit did could not be read")
    return sum(one or 0 for one in done)


def _learn(around: Around, now: datetime, clinic_id: UUID, suggestion_id: UUID) -> int | None:
    """Return 1 where something new is known, None where it failed."""

    def learn() -> int:
        with around.database.write() as session:
            return int(visit_outcomes.learn(Work(session, now, system(clinic_id)), suggestion_id))

    return careful(log, f"what visit {suggestion_id} did could not be read", learn)
