"""Suggestions under the pressure of several workers at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask

from server.api.edge import Surroundings
from server.clinical.vocabulary import Condition
from server.services.errors import Conflict, ServiceError, Stale
from server.services.visits import booking_suggestion as booking_suggestions
from server.services.visits import inbox
from server.services.visits.inbox import Appointment
from server.services.work import Work
from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import Visits

WORKERS = 4


def at_once(verb: Callable[[int], object]) -> list[object]:
    """Return what ``verb`` gave to each of several workers that start together; errors as they are."""
    start = Barrier(WORKERS)

    def one(number: int) -> object:
        start.wait()
        try:
            return verb(number)
        except ServiceError as error:
            return error

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, range(WORKERS)))


def test_workers_that_look_at_once_draft_one_suggestion(visits: Visits, cast: Cast, clock: Clock) -> None:
    visits.on_treatment()
    clock.forward(days=10)
    made = at_once(lambda _: visits.maintenance())
    assert len([one for one in made if one is not None]) == 1
    assert len(cast.bo.get("/booking-suggestions").json["items"]) == 1


def test_of_several_approvals_at_once_one_counts(visits: Visits, app: Flask, cast: Cast) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    assert suggestion is not None

    def approve(work: Work) -> object:
        return booking_suggestions.approve(work, suggestion, 1, None)

    made = at_once(lambda _: written(app, visits, approve))
    assert sum(isinstance(one, Stale) for one in made) == WORKERS - 1
    log = cast.bo.get(f"/booking-suggestions/{suggestion}").json["events"]
    assert [move["action"] for move in log] == ["draft", "approve"]


def test_of_several_appointments_at_once_one_is_booked(visits: Visits, app: Flask, cast: Cast) -> None:
    suggestion = UUID(visits.approved())

    def book(number: int) -> object:
        appointment = Appointment(f"apt-{number}", visits.now)
        return written(app, visits, lambda work: inbox.book(work, suggestion, 2, appointment))

    made = at_once(book)
    assert sum(isinstance(one, Stale | Conflict) for one in made) == WORKERS - 1
    log = cast.bo.get(f"/booking-suggestions/{suggestion}").json["events"]
    assert [move["action"] for move in log] == ["draft", "approve", "send", "book"]


def written(app: Flask, visits: Visits, verb: Callable[[Work], object]) -> object:
    with Surroundings.of(app).database.write() as session:
        return verb(visits.work(session))


@pytest.mark.parametrize("condition", Condition)
def test_every_condition_belongs_to_one_programme(condition: Condition) -> None:
    pain = condition.value in {"crps", "neuropathic_pain", "fibromyalgia", "chronic_pain"}
    assert condition.programme == ("pain" if pain else "mood")
