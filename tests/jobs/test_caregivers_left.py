"""Caregivers of an account that an earlier version had closed end by themselves."""

from flask.testing import FlaskClient
from sqlalchemy import select

from jobs import tidy
from jobs.around import Around
from server.isolation import Extent
from server.models import Account, Caregiver
from tests.cast import Cast
from tests.conftest import Clock
from tests.consents import caregiver


def test_caregivers_whom_nobody_can_end_any_more_end_and_nobody_elses(
    around: Around, cast: Cast, clock: Clock, client: FlaskClient
) -> None:
    gus = caregiver(cast)
    assert tidy.run(around, clock.now) == 0
    assert gus.get("/me").status_code == 200
    with around.database.write() as session:  # as that version closed an account
        session.get_one(Account, (cast.ana.clinic_id, cast.ana.account_id)).disabled_at = clock.now
    assert tidy.run(around, clock.now) == 1
    with around.database.read(Extent.ALL) as session:
        (row,) = session.scalars(select(Caregiver))
        whose = session.get_one(Account, (row.clinic_id, row.account_id))
        assert (row.ended_at, row.ended_by) == (clock.now, None)
        assert (whose.name, whose.sealed_email, whose.disabled_at) == ("", None, clock.now)
    assert gus.get("/me").status_code == 401
    assert tidy.run(around, clock.now) == 0
