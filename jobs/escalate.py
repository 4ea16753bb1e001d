"""Alerts nobody has answered in time, or taken on and left: another way, then further people.

And records that were opened in an emergency where nobody else at a clinic looks: operations hear.
"""

import logging
from datetime import datetime
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from server.isolation import Extent
from server.services.alerts import escalation as escalations
from server.services.messages import operations
from server.services.people import break_glass as break_glasses
from server.services.people import clinic as clinics
from server.services.work import Work, system

log = logging.getLogger(__name__)


def run(around: Around, now: datetime) -> int:
    """Attend to every alert that is due, each in its own transaction; return how many needed it."""
    with around.database.read(Extent.ALL) as session:
        clinic_ids = clinics.every_id(session)
    due = [_due(around, now, clinic_id) for clinic_id in clinic_ids]
    # The most urgent of each clinic first, and none behind what can't be found out about another clinic.
    done = [_attend(around, now, *one) for found in due for one in found or ()]
    done += [None for found in due if found is None]
    done.append(careful(log, "operations could not be told of an opened record", partial(_page, around, now)))
    if None in done:
        raise Incomplete("an alert could not be attended to")
    return sum(one or 0 for one in done)


def _page(around: Around, now: datetime) -> int:
    """Tell operations, who are another clinic, of records that were opened with nobody else to look."""
    with around.database.read(Extent.ALL) as session:
        opened = [(one.clinic_id, one.id) for one in break_glasses.alone(session, now)]
    told = [
        careful(log, f"operations could not be told of record {one[1]}", partial(_page_of, around, now, *one))
        for one in opened
    ]
    if None in told:
        raise Incomplete("operations were not told of every opened record")
    return sum(one or 0 for one in told)


def _page_of(around: Around, now: datetime, clinic_id: UUID, opened_id: UUID) -> bool:
    with around.database.write(Extent.ALL) as session:
        is_new = operations.page(session, now, "glass_broken_alone", f"glass:{opened_id}")
    if is_new:
        log.warning("at clinic %s a record was opened in an emergency, and nobody else looks", clinic_id)
    return is_new


def _due(around: Around, now: datetime, clinic_id: UUID) -> list[tuple[UUID, UUID]] | None:
    """Return the alerts of a clinic that are due, None where that could not be found out."""

    def due() -> list[tuple[UUID, UUID]]:
        with around.database.read() as session:
            work = Work(session, now, system(clinic_id))
            return [(clinic_id, alert_id) for alert_id in escalations.due(work)]

    return careful(log, f"which alerts of clinic {clinic_id} are due could not be found out", due)


def _attend(around: Around, now: datetime, clinic_id: UUID, alert_id: UUID) -> int | None:
    """Return 1 where something was done, 0 where nothing had to be, None where it could not."""

    def attend() -> int:
        # Of a ladder that is exhausted operations are told, who are another clinic.
        with around.database.write(Extent.ALL) as session:
            return int(escalations.attend(Work(session, now, system(clinic_id)), alert_id))

    done = careful(log, f"alert {alert_id} could not be attended to", attend)
    if done:
        log.warning("alert %s was not answered in time: more is told", alert_id)
    return done
