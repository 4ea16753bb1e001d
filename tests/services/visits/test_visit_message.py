"""Who writes to Ana about her visit: this service or the clinic's own, never both, never why."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.api.edge import Surroundings
from server.clinical.vocabulary import DeliverySubject
from server.models import Account, Delivery
from server.services.messages import outbox
from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import Visits

INBOX = "/inbox/booking-suggestions"


@pytest.fixture
def ours(cast: Cast) -> None:
    """The clinic lets this service write."""
    answer = cast.admin.patch("/clinic", {"patient_messages_by": "us", "visit_minutes": 60})
    assert (answer.status_code, answer.json["patient_messages_by"]) == (200, "us"), answer.text


TEAM = ("visit_ended", "visit_declined")


def told(visits: Visits) -> list[tuple[str, Any]]:
    """Return what was written about visits, and to whom, but for what the care team alone hears."""
    query = select(Delivery).where(Delivery.subject == DeliverySubject.VISIT, Delivery.template.not_in(TEAM))
    query = query.order_by(Delivery.id)
    with Surroundings.of(visits.app).database.read() as session:
        return [(row.template, row.account_id) for row in session.scalars(query)]


def test_nobody_is_written_to_where_the_clinics_own_system_writes(visits: Visits, cast: Cast) -> None:
    visits.booked()
    assert told(visits) == []
    assert cast.ana.get("/visits").json["items"][0]["state"] == "booked"


@pytest.mark.usefixtures("ours")
def test_an_offer_a_time_an_appointment_and_its_end_are_told_once_each(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    path = f"{INBOX}/{suggestion}"
    time = {"starts_at": "2026-03-05T09:30:00+01:00"}
    for _ in range(2):
        cast.scheduler.post(f"{path}/propose-time", time, version=2)
        booked = visits.book(cast.scheduler, suggestion, version=4)
        assert booked.json["ends_at"] == "2026-03-05T13:00:00+00:00"
    for _ in range(2):
        visits.book(cast.scheduler, suggestion, version=5, days=4)
    for _ in range(2):
        cast.scheduler.post(f"{path}/cancel", version=6)
    assert told(visits) == [
        ("visit_offered", cast.ana.account_id),
        ("visit_changed", cast.ana.account_id),
        ("visit_booked", cast.ana.account_id),
        ("visit_changed", cast.ana.account_id),
        ("visit_changed", cast.ana.account_id),
    ]


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(("said", "hears"), [("accepted", True), (None, True), ("declined", False)])
def test_that_the_time_she_was_asked_about_is_off_because_another_offer_follows(
    visits: Visits, cast: Cast, clock: Clock, said: str | None, hears: bool
) -> None:
    visits.on_treatment()
    clock.forward(days=10)
    suggestion = visits.maintenance()
    reviewed = cast.bo.post(f"/booking-suggestions/{suggestion}/approve", {"override_reason": "x"}, version=1)
    assert reviewed.status_code == 200, reviewed.text
    time = {"starts_at": (clock.now + timedelta(days=2)).isoformat()}
    assert cast.scheduler.post(f"{INBOX}/{suggestion}/propose-time", time, version=2).status_code == 200
    if said is not None:
        answered = cast.ana.post(f"/visits/{suggestion}/answer", {"answer": said}, version=4)
        assert answered.status_code == 200, answered.text
    before = told(visits)
    visits.relapse()
    assert cast.ana.get(f"/visits/{suggestion}").json["state"] == "ended"
    assert told(visits) == before + [("visit_changed", cast.ana.account_id)] * hears


@pytest.mark.usefixtures("ours")
def test_what_she_was_never_offered_is_not_taken_back_from_her(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    cast.bo.post(f"/booking-suggestions/{suggestion}/change", {"minutes": 30, "reason": "x"}, version=1)
    cast.bo.post(f"/booking-suggestions/{suggestion}/dismiss", {"reason": "x"}, version=2)
    assert told(visits) == []


def claimed(visits: Visits) -> list[str]:
    with Surroundings.of(visits.app).database.write() as session:
        found = outbox.claim(session, visits.now, 10, timedelta(minutes=1))
        named = [one.template for one in found if one.template.startswith("visit")]
        return [name for name in named if name not in TEAM]


@pytest.mark.usefixtures("ours")
def test_an_offer_that_was_withdrawn_before_it_was_sent_is_not_sent(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    cast.bo.post(f"/booking-suggestions/{suggestion}/dismiss", {"reason": "x"}, version=2)
    assert claimed(visits) == ["visit_changed"]


@pytest.mark.usefixtures("ours")
def test_an_offer_of_the_night_waits_for_the_patients_morning(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    clock.now = clock.now.replace(hour=22, minute=30)  # half past eleven where she is
    approved = cast.bo.post(f"/booking-suggestions/{suggestion}/approve", {}, version=1)
    assert approved.status_code == 200, approved.text
    assert claimed(visits) == []
    clock.forward(hours=7, minutes=30)
    assert claimed(visits) == ["visit_offered"]


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(("days", "waits"), [(3, True), (0.5, False)])
def test_an_appointment_is_told_at_night_only_where_it_is_near(
    days: float, waits: bool, visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    clock.now = clock.now.replace(hour=22, minute=30)
    starts = (clock.now + timedelta(days=days)).isoformat()
    booking = {"external_id": "apt-1", "starts_at": starts}
    booked = cast.scheduler.post(f"{INBOX}/{suggestion}/book", booking, version=2)
    assert booked.status_code == 200, booked.text
    assert claimed(visits) == ([] if waits else ["visit_booked"])
    cancelled = cast.scheduler.post(f"{INBOX}/{suggestion}/cancel", version=booked.json["version"])
    assert cancelled.status_code == 200, cancelled.text
    assert claimed(visits) == ["visit_changed"]  # who does not know sets out in vain


@pytest.mark.usefixtures("ours")
def test_an_appointment_that_was_cancelled_or_has_begun_is_announced_no_more(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked()
    clock.forward(days=3)
    assert claimed(visits) == ["visit_offered"]
    cast.scheduler.post(f"{INBOX}/{suggestion}/cancel", version=4)
    assert claimed(visits) == ["visit_changed"]


@pytest.mark.usefixtures("ours")
def test_an_offer_and_an_appointment_are_sent(visits: Visits) -> None:
    visits.booked()
    assert claimed(visits) == ["visit_offered", "visit_booked"]


@pytest.mark.usefixtures("ours")
def test_what_waits_is_not_sent_once_the_clinics_own_system_writes(visits: Visits, cast: Cast) -> None:
    visits.booked()
    assert cast.admin.patch("/clinic", {"patient_messages_by": "clinic"}).status_code == 200
    assert claimed(visits) == []


@pytest.mark.usefixtures("ours")
def test_who_is_not_enrolled_is_not_written_to(visits: Visits, cast: Cast) -> None:
    with Surroundings.of(visits.app).database.write() as session:
        session.get_one(Account, (cast.ana.clinic_id, cast.ana.account_id)).disabled_at = visits.now
    visits.course()
    suggestion = visits.relapse()
    body = {"override_reason": "Known."}
    assert cast.bo.post(f"/booking-suggestions/{suggestion}/approve", body, version=1).status_code == 200
    assert told(visits) == []
