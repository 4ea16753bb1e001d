"""A page of entries: days are found by days, however many years a patient has behind them."""

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from server.api.edge import Surroundings
from server.services.journal import entry_page
from server.services.journal.entry_page import Range
from server.services.work import Work, system
from tests.cast import Cast, entry, push, pushed
from tests.conftest import NOON
from tests.plans import asked_of, explained

BY_DAYS = "ix_entries_clinic_id_patient_id_local_day_id"
TODAY = NOON.date()


def planned(app: Flask, cast: Cast, wanted: Range) -> str:
    """Return how the database answers ``wanted`` of Ana's entries."""
    database = Surroundings.of(app).database
    with asked_of(database) as asked, database.read() as session:
        if not database.is_sqlite:
            # So few rows it would rather read all.
            session.execute(text("SET LOCAL enable_seqscan = off"))
            session.execute(text("SET LOCAL enable_bitmapscan = off"))
        assert cast.ana.patient_id is not None
        entry_page.page(Work(session, NOON, system(cast.ana.clinic_id)), cast.ana.patient_id, wanted)
        return explained(session, database.is_sqlite, *asked[-1])


@pytest.mark.parametrize(
    ("first", "last"), [(90, 0), (90, None), (366, 0), (800, 500)], ids=lambda days: str(days)
)
def test_some_days_are_found_by_days(app: Flask, cast: Cast, first: int, last: int | None) -> None:
    ended = None if last is None else TODAY - timedelta(days=last)
    assert BY_DAYS in planned(app, cast, Range(TODAY - timedelta(days=first), ended, None, 200))


@pytest.mark.parametrize("first", [None, TODAY - timedelta(days=3650), date(1970, 1, 1)])
def test_pages_of_many_years_go_on_where_the_last_one_ended(
    app: Flask, cast: Cast, first: date | None
) -> None:
    push(cast.ana, [pushed("entry", entry(NOON - timedelta(days=back))) for back in range(9)])
    whole = [one["id"] for one in cast.ana.get("/entries?limit=200").json["items"]]
    assert cast.ana.patient_id is not None
    found, after = [], None
    with Surroundings.of(app).database.read() as session:
        work = Work(session, NOON, system(cast.ana.clinic_id))
        while page := entry_page.page(work, cast.ana.patient_id, Range(first, None, after, 4)):
            found += [str(one.id) for one in page]
            after = page[-1].id
    assert found == whole
    assert len(found) == 9
