"""A legal hold that is placed while an erasure goes on keeps what is there at that moment."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs import erase
from jobs.around import Around
from server.services.people import legal_hold as legal_holds
from server.services.work import Actor
from tests.cast import Cast
from tests.conftest import Clock, rows_of
from tests.jobs.leaving import Leaving
from tests.jobs.test_enrolling_beside_an_end import somebody_waits

pytestmark = pytest.mark.usefixtures("several")


def test_a_hold_that_is_being_placed_when_the_job_comes_keeps_everything(
    around: Around, cast: Cast, clock: Clock
) -> None:
    ana = Leaving(around, clock, cast.ana)
    ana.begin()
    clock.forward(days=2)
    admin = Actor(cast.admin.clinic_id, cast.admin.account_id)
    with ThreadPoolExecutor() as pool:
        with ana.beside(admin) as placing:
            legal_holds.place(placing, ana.id, "A court asks.", None)
            erasing = pool.submit(erase.run, around, clock.now)
            somebody_waits(around.database.engine)
        assert erasing.result() == 0
    rows = rows_of(around.database)
    assert [row["patient_id"] for row in rows["legal_holds"]] == [ana.id]
    assert ana.id in {row["id"] for row in rows["patients"]}
