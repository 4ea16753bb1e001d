"""PostgreSQL plans what is asked of one patient once for all of them, and everything else as it likes."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from server import planning
from server.clinical.maintenance import Chance
from server.database import Database
from server.isolation import Extent
from server.services.people import patient as patients
from server.services.visits import prospect as prospects
from server.services.work import Work, system
from tests.cast import Cast
from tests.conftest import NOON


@pytest.fixture
def postgresql(database: Database) -> Iterator[Database]:
    """The database that plans, with what it usually does."""
    if database.is_sqlite:
        with database.write(Extent.ALL) as session:
            planning.keep(session)  # nothing to be said
        pytest.skip("SQLite keeps no plans for values")
    # That of the tests keeps every plan.
    usually(database, "SET plan_cache_mode = auto")
    try:
        yield database
        with database.read(Extent.ALL) as session:
            assert said(session) == "auto", "nothing is left of it on the connection"
    finally:
        usually(database, "RESET plan_cache_mode")


def usually(database: Database, what: str) -> None:
    """Say how the connections of this role begin from now on."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"ALTER ROLE CURRENT_USER {what}")
    database.engine.dispose()


def said(session: Session) -> str:
    found: str = session.execute(text("SHOW plan_cache_mode")).scalar_one()
    return found


def test_who_locks_a_patient_has_their_questions_planned_once(postgresql: Database, cast: Cast) -> None:
    assert cast.ana.patient_id is not None
    with postgresql.write() as session:
        patients.lock(Work(session, NOON, system(cast.ana.clinic_id)), cast.ana.patient_id)
        assert said(session) == "force_generic_plan"


def test_a_look_over_all_patients_is_planned_for_its_values_each_time(
    postgresql: Database, cast: Cast
) -> None:
    with postgresql.read() as session:
        work = Work(session, NOON, system(cast.ana.clinic_id))
        assert prospects.page(work, Chance.BY_PLAN, None, 10).last is not None
        assert said(session) == "force_custom_plan"


def test_it_may_be_said_in_the_middle_and_ends_with_the_transaction(postgresql: Database) -> None:
    with postgresql.write(Extent.ALL) as session:
        assert said(session) == "auto"
        planning.keep(session)
        assert said(session) == "force_generic_plan"
        planning.keep(session)
