"""An approved visit that nothing came of is told to whoever approved it and to who makes appointments."""

from uuid import UUID

import pytest
from flask import Flask

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertClass, DeliverySubject, Role
from server.isolation import Extent
from server.models import Account, Delivery
from server.services.people import erasure as erasures
from tests.cast import Cast, Person, new_staff
from tests.conftest import Clock
from tests.visits import Visits

INBOX = "/inbox/booking-suggestions"


def told(app: Flask) -> list[UUID]:
    """Return who was told, each time."""
    with Surroundings.of(app).database.read(Extent.ALL) as session:
        rows = list(session.query(Delivery).filter_by(template="visit_ended"))
    assert {(row.subject, row.urgency) for row in rows} <= {(DeliverySubject.VISIT, AlertClass.P2)}
    return [row.account_id for row in rows]


def leaves(app: Flask, *people: Person) -> None:
    """Let somebody work at the clinic no more."""
    around = Surroundings.of(app)
    with around.database.write(Extent.ALL) as session:
        for one in people:
            session.get_one(Account, (one.clinic_id, one.account_id)).disabled_at = around.clock()


def told_once(app: Flask, cast: Cast) -> None:
    assert sorted(told(app)) == sorted([cast.bo.account_id, cast.coordinator.account_id])


def test_that_the_clinic_will_not_book_it(app: Flask, visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    for _ in range(2):
        said = cast.scheduler.post(f"{INBOX}/{suggestion}/decline", {"code": "no_capacity"}, version=2)
        assert said.status_code == 200
    told_once(app, cast)


@pytest.mark.parametrize("report", ["cancel", "noshow"])
def test_that_it_was_cancelled_or_missed(app: Flask, visits: Visits, cast: Cast, report: str) -> None:
    suggestion = visits.booked()
    for _ in range(2):
        assert cast.scheduler.post(f"{INBOX}/{suggestion}/{report}", version=4).status_code == 200
    told_once(app, cast)


def test_that_its_window_passed(app: Flask, visits: Visits, cast: Cast, clock: Clock) -> None:
    visits.approved()
    clock.forward(days=9)
    assert (visits.expire(), visits.expire()) == (1, 0)
    told_once(app, cast)


def test_that_nobody_reported_on_it(app: Flask, visits: Visits, cast: Cast, clock: Clock) -> None:
    visits.booked()
    clock.forward(days=18)
    assert visits.expire() == 1
    told_once(app, cast)


def test_that_it_had_passed_when_another_one_was_looked_for(
    app: Flask, visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.approved()
    clock.forward(days=9)
    visits.maintenance()
    told_once(app, cast)


def test_every_clinician_hears_where_neither_works_here_any_more(
    app: Flask, visits: Visits, cast: Cast
) -> None:
    suggestion = visits.booked()
    gus = new_staff(app, cast.bo.clinic_id, Role.CLINICIAN, "Gus")
    leaves(app, cast.coordinator, cast.bo)
    assert cast.scheduler.post(f"{INBOX}/{suggestion}/noshow", version=4).status_code == 200
    assert told(app) == [gus.account_id]


def test_nobody_hears_of_a_draft_or_of_a_visit_that_took_place(
    app: Flask, visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    visits.relapse()
    clock.forward(days=9)
    assert visits.expire() == 1
    suggestion = visits.booked()
    clock.forward(days=3)
    assert cast.scheduler.post(f"{INBOX}/{suggestion}/complete", version=4).status_code == 200
    assert told(app) == []


def test_nobody_hears_of_somebody_who_leaves(app: Flask, visits: Visits, cast: Cast, clock: Clock) -> None:
    suggestion = visits.booked()
    clock.forward(days=3)
    assert cast.scheduler.post(f"{INBOX}/{suggestion}/arrive", version=4).status_code == 200
    assert cast.ana.patient_id is not None
    with Surroundings.of(app).database.write() as session:
        erasures.again(visits.work(session), cast.ana.patient_id)
    assert visits.expire() == 0
    assert told(app) == []
