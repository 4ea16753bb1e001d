"""What a clock that was ahead has planned with the clinic's system is done as soon as it is right."""

from datetime import datetime, timedelta

import pytest
from flask import Flask

from jobs import booking_sync
from server.database import Database
from server.isolation import Extent
from server.services.visits import scheduling_copy
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.practice import Practice, practice_at

AHEAD = {"hours": 5}


@pytest.fixture
def friday(clock: Clock) -> datetime:
    """A time inside the window."""
    return clock.now + timedelta(days=4)


def put_back(clock: Clock) -> None:
    clock.forward(hours=-5)


@pytest.mark.parametrize("answers", [True, False])
def test_what_staff_do_there_is_known_here_within_minutes(
    practice: Practice, clock: Clock, friday: datetime, answers: bool
) -> None:
    practice.sync()
    clock.forward(**AHEAD)
    if not answers:
        practice.line.lose_answer(1)
    practice.sync()
    put_back(clock)
    practice.staff("fixed", friday)
    practice.sync(minutes=6)
    assert (practice.state(), practice.row().starts_at) == ("booked", friday)
    assert practice.sync() == 0, "asked once, and then as often as ever"


def test_a_visit_that_was_approved_then_goes_there(
    app: Flask, database: Database, settings: Settings, clock: Clock, cast: Cast
) -> None:
    with practice_at(app, database, settings, clock, cast) as practice:
        practice.sync()
        clock.forward(**AHEAD)
        practice.approve()
        put_back(clock)
        practice.sync()
        assert practice.live() == 1
        assert practice.sync() == 0


def test_a_message_that_came_then_is_followed(practice: Practice, clock: Clock, friday: datetime) -> None:
    practice.sync()
    practice.staff("fixed", friday)
    clock.forward(**AHEAD)
    assert practice.send(*practice.message()).status_code == 202
    put_back(clock)
    practice.sync()
    assert practice.state() == "booked"


def test_a_worker_that_died_then_keeps_a_visit_for_no_longer_than_ever(
    practice: Practice, clock: Clock
) -> None:
    clock.forward(**AHEAD)
    with practice.around.database.write(Extent.ALL) as session:
        assert scheduling_copy.claim(session, clock.now, 1, booking_sync.LEASE)
    put_back(clock)
    practice.sync(minutes=1)
    assert practice.live() == 1


def test_of_two_machines_whose_clocks_are_apart_each_asks_no_more_than_that(practice: Practice) -> None:
    """What the one had asked the other took for the future, and compared everything at each of its looks."""
    practice.sync()
    asked = 0
    for _ in range(12):
        now = practice.clock.forward(seconds=10)
        for clock in (now + timedelta(minutes=7), now):
            asked += booking_sync.run(practice.around, clock)
    assert asked <= 2
