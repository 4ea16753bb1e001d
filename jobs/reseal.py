"""What older keys sealed is sealed anew with the newest, clinic by clinic, so that older keys can go.

Numbers from before they could be looked up get their index first.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.each_clinic import each_clinic
from server.database import Database
from server.services import clinic_key as clinic_keys
from server.services import resealing
from server.services.messages import number_index
from server.services.people import contact_sealing
from server.services.resealing import Spot, Step
from server.services.work import Work, system


def run(around: Around, now: datetime) -> int:
    """Index numbers and seal anew what older keys sealed, a few rows a transaction; return how many.

    Raises `Incomplete`, at the end, where a value does not open: it stays as it is.
    """
    return each_clinic(around, "sealing anew", partial(_clinic, around, now))


def _clinic(around: Around, now: datetime, clinic_id: UUID) -> int:
    stop = around.stopping.is_set
    indexed = index_numbers(around.database, now, clinic_id, stop)
    return indexed + seal_anew(around.database, now, clinic_id, stop)


def seal_anew(
    database: Database, now: datetime, clinic_id: UUID, stop: Callable[[], bool] = lambda: False
) -> int:
    """Seal anew all of one clinic, column by column, until ``stop``; return how many values."""
    with database.read() as session:
        if not clinic_keys.older(Work(session, now, system(clinic_id))):
            return 0
    done = unreadable = 0
    for step in (step for spot in resealing.spots() for step in _steps(database, now, clinic_id, spot)):
        done, unreadable = done + step.sealed, unreadable + step.unreadable
        if stop():
            return done
    if unreadable:
        raise Incomplete(f"{unreadable} sealed values do not open")
    return done


def index_numbers(
    database: Database, now: datetime, clinic_id: UUID, stop: Callable[[], bool] = lambda: False
) -> int:
    """Give the telephone numbers of one clinic that have no index theirs, until ``stop``; return how many."""
    with database.read() as session:
        more = number_index.is_due(Work(session, now, system(clinic_id)))
    done, after = 0, None
    while more and not stop():
        with database.write() as session:
            after, some = number_index.fill_some(Work(session, now, system(clinic_id)), after)
        done, more = done + some, after is not None
    return done


def seal_all(database: Database, now: datetime, clinic_id: UUID, finish: bool) -> tuple[int, int]:
    """Seal the addresses of one clinic and index its numbers; with ``finish`` forget what lies plain.

    Return how many addresses were sealed and how many lie plain still.
    """
    index_numbers(database, now, clinic_id)
    sealed, after, more = 0, None, True
    while more:
        with database.write() as session:
            after, done = contact_sealing.seal_some(Work(session, now, system(clinic_id)), after)
        sealed, more = sealed + done, after is not None
    with database.write() as session:
        work = Work(session, now, system(clinic_id))
        if finish:
            contact_sealing.finish(work)
        left = contact_sealing.plain_left(work)
    database.scrub()
    return sealed, left


def _steps(database: Database, now: datetime, clinic_id: UUID, spot: Spot) -> Iterator[Step]:
    after: tuple[Any, ...] | None = None
    while True:
        with database.read() as session:
            found = resealing.older(Work(session, now, system(clinic_id)), spot, after)
        if not found:
            return
        with database.write() as session:
            step = resealing.reseal(Work(session, now, system(clinic_id)), spot, found)
        yield step
        if (after := step.after) is None:
            return
