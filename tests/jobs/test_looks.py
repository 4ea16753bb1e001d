"""What is looked for every few seconds or minutes is found by an index, however much there is besides."""

import re
from contextlib import suppress
from datetime import timedelta

import pytest

from jobs.around import Around, Incomplete
from jobs.heartbeat import Unwell
from jobs.runner import RUNS
from jobs.timetable import TIMETABLE
from server.isolation import Extent
from tests.cast import Cast
from tests.conftest import Clock
from tests.plans import asked_of, explained

OFTEN = [job.name for job in TIMETABLE if job.every <= timedelta(minutes=5)]
# Clinics themselves, and what is rare at all of them together.
FEW = "(clinics|erasures|break_glass|alembic_version)"
WHOLE = re.compile(rf"'SCAN (?!CONSTANT|\(|{FEW}\b)\w+")


@pytest.mark.parametrize("name", OFTEN)
def test_a_look_goes_through_no_table(name: str, cast: Cast, clock: Clock, around: Around) -> None:
    if not around.database.is_sqlite:
        pytest.skip("PostgreSQL goes through a table that has few rows")
    with suppress(Incomplete, Unwell):
        RUNS[name](around, clock.now)
    with asked_of(around.database) as asked, suppress(Incomplete, Unwell):
        RUNS[name](around, clock.forward(hours=1))
    questions = [(one, values) for one, values in asked if one.lstrip().startswith(("SELECT", "UPDATE"))]
    assert questions
    with around.database.read(Extent.ALL) as session:
        for one, values in questions:
            plan = explained(session, True, one, values)
            assert not WHOLE.search(plan), f"{one}\n{plan}"
