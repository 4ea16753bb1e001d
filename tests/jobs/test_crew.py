"""Several processes write a clinic: what one would have written, also after a break."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from jobs.crew import Crew, Desk, crew
from jobs.problem import Problem
from jobs.simulate import Wish, simulate
from server.database import Database
from server.isolation import Extent
from server.models import Entry, Patient
from server.services.people.passwords import Passwords
from server.settings import Settings
from server.simulator.clinic import simulate_clinic
from tests.conftest import NOON

WISH = Wish("virtual", 5, 56, 7, (NOON - timedelta(days=1)).date(), password="river stones 12")


def entries_of(database: Database) -> Mapping[UUID, int]:
    """Return how many entries each patient there is has."""
    query = select(Patient.id, func.count(Entry.id)).outerjoin(Entry, Entry.patient_id == Patient.id)
    with database.read(Extent.ALL) as session:
        return {row[0]: row[1] for row in session.execute(query.group_by(Patient.id))}


def test_two_processes_make_the_clinic_that_one_makes(database: Database, settings: Settings) -> None:
    desk = Desk(database, Passwords("cheap"))
    with crew(desk, settings, 2) as writing:
        made = {one.patient_id: one.entries for one in simulate(writing, WISH, NOON)}
    assert entries_of(database) == made
    virtuals = simulate_clinic(WISH.patients, WISH.days, WISH.seed, WISH.end)
    assert [*made.values()] == [len(one.diary) for one in virtuals]


def test_a_clinic_that_was_cut_off_is_finished_by_the_same_wish_and_by_no_other(database: Database) -> None:
    alone = Crew(Desk(database, Passwords("cheap")))
    first = next(simulate(alone, WISH, NOON))
    assert [*entries_of(database)] == [first.patient_id]
    made = {one.patient_id: one.entries for one in simulate(alone, WISH, NOON)}
    assert entries_of(database) == made
    assert len(made) == WISH.patients
    other = Wish(WISH.slug, WISH.patients, WISH.days + 1, WISH.seed, WISH.end)
    with pytest.raises(Problem, match="There is a clinic virtual already"):
        next(simulate(alone, other, NOON))


@pytest.mark.long
def test_ctrl_c_leaves_whole_patients_and_the_same_command_goes_on(
    database: Database, settings: Settings
) -> None:
    words = ("simulate", "--patients", "6", "--days", "56", "--seed", "7", "--end", str(WISH.end))
    environment = {
        **os.environ,
        "AFTERGLOW_DATABASE_URL": settings.sqlalchemy_url,
        "AFTERGLOW_DATA_DIR": str(settings.data_dir),
        "AFTERGLOW_MASTER_KEY": settings.master_key,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    command = [sys.executable, "-m", "server.cli", *words]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert started.stderr is not None
            assert "patients: 1 of 6" in started.stderr.readline()
            started.send_signal(signal.SIGINT)
            said = started.communicate(timeout=60)[1]
        finally:
            started.kill()
    assert started.returncode != 0
    assert "Traceback" not in said
    cut_off = entries_of(database)
    assert 1 <= len(cut_off) <= 6
    again = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert again.returncode == 0, again.stderr
    whole = entries_of(database)
    assert len(whole) == 6
    assert cut_off.items() <= whole.items()
