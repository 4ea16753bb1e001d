"""A patient is erased while a visit is offered: the practice's own book hears of it before the rows go."""

from collections.abc import Iterator

import pytest
from flask import Flask

from jobs import erase
from server.database import Database
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock, rows_of
from tests.practice import Practice, practice_at


@pytest.fixture
def practice(
    app: Flask, database: Database, settings: Settings, clock: Clock, cast: Cast
) -> Iterator[Practice]:
    """A practice with a book of its own, connected to Ana's clinic."""
    with practice_at(app, database, settings, clock, cast) as made:
        yield made


def test_the_visit_is_called_off_in_the_practice_s_book_and_then_the_rows_go(
    practice: Practice, cast: Cast, database: Database
) -> None:
    practice.approve()
    practice.sync()
    assert practice.live() == 1
    path = f"/patients/{cast.ana.patient_id}/erasure"
    cast.admin.post(path, {"reason": "patient_asked"})
    assert cast.admin.post(f"{path}/confirm", {"patient_name": "Ana"}, version=1).status_code == 200
    assert erase.run(practice.around, practice.clock.now) == 0, "they do not know yet"
    practice.sync(minutes=1)
    assert practice.live() == 0
    assert erase.run(practice.around, practice.clock.now) == 1, "long before the day is over"
    left = rows_of(database)
    for name in ("booking_suggestions", "scheduling_copies", "scheduling_mappings", "patients"):
        assert str(cast.ana.patient_id) not in repr(left[name]), name
    practice.sync(minutes=60)
    assert practice.live() == 0


def test_a_book_that_can_not_be_reached_holds_the_erasure_up_for_a_day_at_the_most(
    practice: Practice, cast: Cast
) -> None:
    practice.approve()
    practice.sync()
    path = f"/patients/{cast.ana.patient_id}/erasure"
    cast.admin.post(path, {"reason": "patient_asked"})
    cast.admin.post(f"{path}/confirm", {"patient_name": "Ana"}, version=1)
    assert erase.run(practice.around, practice.clock.forward(hours=23)) == 0
    assert erase.run(practice.around, practice.clock.forward(hours=1)) == 1
    practice.sync(minutes=60)
