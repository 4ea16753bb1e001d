"""Days of several patients closed at once leave what each alone would have left."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from jobs.crew import Crew, Desk
from jobs.simulate import Wish, simulate
from server.database import Database
from server.models import Patient, WatchMove
from server.services.people.passwords import Passwords
from server.services.watch import assessment as assessments
from server.services.watch import silence as silences
from server.services.work import Work, system
from tests.conftest import NOON
from tests.past import once
from tests.past_by_day import left_of

LAST = (NOON - timedelta(days=1)).date()
WISH = Wish("virtual", 4, 55, 3, LAST, password="river stones 12")
# Days that are judged once more, from where moves are forgotten, and days on which all are silent.
AGAIN, SILENT = 20, 6


class Undone(Exception):
    """What was written is taken back."""


@pytest.fixture
def clinic_id(database: Database) -> UUID:
    """A clinic of virtual patients, some of whom relapse or fall silent."""
    alone = Crew(Desk(database, Passwords("cheap")))
    once(database, ("virtual", WISH), lambda: list(simulate(alone, WISH, NOON)))
    with database.read() as session:
        (found,) = session.scalars(select(Patient.clinic_id).distinct())
    return found


@contextmanager
def undone(database: Database, clinic_id: UUID) -> Iterator[Work]:
    with suppress(Undone), database.write() as session:
        yield Work(session, NOON, system(clinic_id))
        raise Undone


def forget(work: Work) -> Sequence[Patient]:
    """Forget the last moves, and return the patients, with data a version younger than what was judged."""
    work.session.execute(delete(WatchMove).where(WatchMove.day > LAST - timedelta(days=AGAIN)))
    patients = work.session.scalars(select(Patient).order_by(Patient.id)).all()
    for patient in patients:
        patient.change_counter += 1
    work.session.flush()
    return patients


def close(work: Work, patients: Sequence[Patient], size: int) -> None:
    """Judge the last days anew and some that follow, ``size`` patients at a time."""
    for day in (LAST + timedelta(days=n) for n in range(1 - AGAIN, SILENT)):
        for start in range(0, len(patients), size):
            part: list[tuple[Patient, date]] = [(one, day) for one in patients[start : start + size]]
            assessments.judge_each(work, part)
            silences.check_each(work, part)


def left(work: Work) -> dict[str, list[str]]:
    """Return every row of the clinic, whatever the order in which they were written."""
    tables: dict[str, Sequence[Any]] = dict(left_of(work.session, work))
    return {
        name: sorted(re.sub(r"([a-z_]+) \d+", r"\1", repr(row)) for row in rows)
        for name, rows in tables.items()
    }


@pytest.mark.long
def test_days_closed_together_leave_what_each_alone_leaves(database: Database, clinic_id: UUID) -> None:
    found = []
    for at_once in (1, 3):
        with undone(database, clinic_id) as work:
            patients, before = forget(work), left(work)
            close(work, patients, at_once)
            work.session.flush()
            found.append(left(work))
    alone, together = found
    assert together == alone
    written = {table for table in alone if alone[table] != before.get(table)}
    assert {"assessments", "activations", "watch_moves", "alerts", "alert_events"} <= written
