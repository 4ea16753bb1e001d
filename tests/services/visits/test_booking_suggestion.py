"""Suggestions under the pressure of several workers at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from flask import Flask

from server.api.edge import Surroundings
from server.clinical.vocabulary import Condition, Language, PatientAnswer
from server.services.errors import Conflict, ServiceError, Stale
from server.services.visits import booking_suggestion as booking_suggestions
from server.services.visits import inbox
from server.services.visits import offered_visit as offered_visits
from server.services.visits import unseen_visit as unseen_visits
from server.services.visits.inbox import Appointment
from server.services.visits.offered_visit import Said
from server.services.work import Work
from tests.cast import Cast, as_work
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


def test_of_several_answers_at_once_one_counts_and_the_same_one_is_harmless(
    visits: Visits, app: Flask, cast: Cast
) -> None:
    suggestion = UUID(visits.approved())

    def answer(said: PatientAnswer) -> object:
        with Surroundings.of(app).database.write() as session:
            return offered_visits.answer(
                as_work(app, cast.ana, session), suggestion, 2, Said(said, []), Language.EN
            )

    made = at_once(lambda _: answer(PatientAnswer.ACCEPTED))
    assert not any(isinstance(one, ServiceError) for one in made)
    assert isinstance(at_once(lambda _: answer(PatientAnswer.DECLINED))[0], Stale)
    log = cast.bo.get(f"/booking-suggestions/{suggestion}").json["events"]
    assert [move["action"] for move in log] == ["draft", "approve", "answer"]


def test_of_several_workers_one_tells_of_an_unseen_visit(
    visits: Visits, app: Flask, cast: Cast, clock: Clock
) -> None:
    suggestion = UUID(visits.approved())
    clock.forward(days=1)
    told = at_once(lambda _: written(app, visits, lambda work: unseen_visits.tell(work, suggestion)))
    assert sorted(map(str, told)) == ["0", "0", "0", "2"]


def test_an_alert_takes_the_place_of_a_planned_visit_also_while_others_look(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    clock.forward(days=10)
    visits.maintenance()
    made = at_once(lambda number: visits.maintenance() if number else visits.relapse())
    assert len([one for one in made if one is not None]) == 1
    states = [one["state"] for one in cast.bo.get("/booking-suggestions").json["items"]]
    assert states == ["superseded", "draft"]


def written(app: Flask, visits: Visits, verb: Callable[[Work], object]) -> object:
    with Surroundings.of(app).database.write() as session:
        return verb(visits.work(session))


@pytest.mark.parametrize("condition", Condition)
def test_every_condition_belongs_to_one_programme(condition: Condition) -> None:
    pain = condition.value in {"crps", "neuropathic_pain", "fibromyalgia", "chronic_pain"}
    assert condition.programme == ("pain" if pain else "mood")
