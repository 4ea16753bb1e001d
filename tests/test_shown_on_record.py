"""Who is shown what is stored reads it, also where they were about to change it and nothing is changed."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from schemas.scheduling_connection import ConnectionBody
from server.api.edge import Surroundings
from server.clinical.vocabulary import ReviewCode
from server.models import AuditEvent
from server.services.visits import review_task as review_tasks
from server.services.visits.review_task import Finding
from server.services.work import Work, system
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.scales import filled
from tests.visits import Visits

# Who asks, how, and what they are answered: it shows what is stored and changes nothing.
Asked = tuple[Person, tuple[Any, ...], int]
FAR = 77


@pytest.fixture
def ana(visits: Visits) -> str:
    """The path of Ana's record, with an alert and a booked visit."""
    visits.booked()
    return visits.ana


def lines(app: Flask) -> Sequence[Any]:
    with Surroundings.of(app).database.read() as session:
        found = select(AuditEvent.action, AuditEvent.account_id, AuditEvent.patient_id)
        return session.execute(found.order_by(AuditEvent.id)).all()


def only(who: Person, path: str) -> str:
    """Return the id of the only one that a list has, or of the newest."""
    return f"{path}/{who.get(path).json['items'][0]['id']}"


def as_it_is_known(cast: Cast, ana: str) -> Iterator[Asked]:
    """Yield changes of what is another version by now."""
    bo = cast.bo
    yield bo, ("PATCH", ana, {"name": "Q"}, FAR), 412
    yield bo, ("PATCH", only(bo, f"{ana}/courses"), {"max_interval_days": 30}, FAR), 412
    yield bo, ("PATCH", only(bo, f"{ana}/treatment-sessions"), {"status": "cancelled"}, FAR), 412
    alert = only(bo, "/alerts")
    yield bo, ("POST", f"{alert}/resolve", {"outcome": "contacted", "note": "x"}, FAR), 412
    yield bo, ("POST", f"{alert}/verdict", {"verdict": "confirmed", "reason": "x"}, FAR), 412
    visit = only(bo, "/booking-suggestions")
    yield bo, ("POST", f"{visit}/dismiss", {"reason": "x"}, FAR), 412
    yield cast.scheduler, ("POST", f"/inbox{visit}/cancel", None, FAR), 412
    assert cast.admin.post(f"{ana}/legal-holds", {"reason": "x"}).status_code == 201
    yield cast.admin, ("POST", f"{only(cast.admin, f'{ana}/legal-holds')}/release", None, FAR), 412


def once_more(cast: Cast, ana: str) -> Iterator[Asked]:
    """Yield changes to what is so already."""
    bo, dee = cast.bo, cast.coordinator
    alert = only(bo, "/alerts")
    bo.post(f"{alert}/acknowledge", {})
    yield dee, ("POST", f"{alert}/acknowledge", {}), 200
    said = {"verdict": "confirmed", "reason": "x"}
    assert bo.post(f"{alert}/verdict", said, version=2).status_code == 200
    yield bo, ("POST", f"{alert}/verdict", said, 3), 200
    dee.post(f"{ana}/blood-pressures", {"systolic": 120, "diastolic": 70})
    pressure = only(dee, f"{ana}/blood-pressures")
    assert dee.post(f"{pressure}/withdraw", version=1).status_code == 200
    yield dee, ("POST", f"{pressure}/withdraw", None, 1), 200
    bo.post(f"{ana}/precautions", {"code": "pregnancy", "note": "x"})
    precaution = only(bo, f"{ana}/precautions")
    assert bo.post(f"{precaution}/end", version=1).status_code == 200
    yield bo, ("POST", f"{precaution}/end", None, 1), 200
    no = {"given": False, "version": 0, "witness": "Dee"}
    assert bo.post(f"{ana}/consents/email", no).status_code == 200
    yield dee, ("POST", f"{ana}/consents/email", no), 200
    visit = f"/inbox{only(bo, '/booking-suggestions')}"
    assert cast.scheduler.post(f"{visit}/cancel", version=4).status_code == 200
    yield cast.scheduler, ("POST", f"{visit}/cancel", None, 4), 200


@pytest.mark.parametrize("what", [as_it_is_known, once_more])
def test_staff_and_systems_that_are_shown_a_patients_are_on_record_with_whom(
    app: Flask, cast: Cast, ana: str, what: Any
) -> None:
    for who, asked, status in what(cast, ana):
        before = len(lines(app))
        answer = who.send(*asked)
        assert answer.status_code == status, (asked, answer.text)
        shown = answer.json["current"] if status == 412 else answer.json
        assert shown, "it is what is stored"
        (line,) = lines(app)[before:]
        assert (line.account_id, line.patient_id) == (who.account_id, cast.ana.patient_id), asked[1]
        assert line.action.startswith("refused.") == (status == 412)


def test_a_patient_whose_entry_stands_against_another_is_on_record_too(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    path, scale = f"/entries/{uuid7()}", f"/questionnaire-responses/{uuid7()}"
    assert cast.ana.put(path, entry(clock.now)).status_code == 201
    assert cast.ana.put(scale, filled(clock.now)).status_code == 201
    other = entry(clock.now - timedelta(hours=1), note="Another phone's.")
    before = len(lines(app))
    assert cast.ana.put(path, other).json["current"]
    assert cast.ana.put(scale, filled(clock.now - timedelta(hours=1))).json["current"]
    cursor = cast.ana.post("/sync", {"items": []}).json["next_cursor"]
    item = {"id": path.rpartition("/")[2], "action": "put", "entry": other, "base_version": None}
    (result,) = cast.ana.post("/sync", {"items": [item], "cursor": cursor}).json["results"]
    assert result["current"]
    found = [(line.action, line.patient_id) for line in lines(app)[before:]]
    whose = cast.ana.patient_id
    shown = ["refused.put_entry", "refused.put_questionnaire_response", "sync.pull", "sync.pull"]
    assert found == [(action, whose) for action in shown]


def test_a_patient_who_answers_another_version_of_a_visit_is_on_record_with_whom(
    app: Flask, cast: Cast, ana: str
) -> None:
    path = only(cast.bo, "/booking-suggestions").replace("booking-suggestions", "visits")
    before = len(lines(app))
    assert cast.ana.post(f"{path}/answer", {"answer": "accepted"}, version=FAR).json["current"]
    (line,) = lines(app)[before:]
    assert (line.action, line.patient_id) == ("refused.answer_visit", cast.ana.patient_id)


def test_who_looks_at_or_does_something_about_one_patient_is_found_by_that_patient(
    app: Flask, cast: Cast, visits: Visits
) -> None:
    assert cast.admin.post("/clinic/scheduling-connections", dict(ConnectionBody.EXAMPLE)).status_code == 201
    visit = visits.approved()
    around = Surroundings.of(app)
    with around.database.write() as session:
        work = Work(session, around.clock(), system(cast.bo.clinic_id))
        task = review_tasks.raise_(work, Finding(ReviewCode.SAFETY_FIRST, "x", UUID(visit)))
        assert task is not None
    deeds = (
        (cast.bo, "GET", f"/booking-suggestions/{visit}/copy", None),
        (cast.bo, "POST", f"/booking-suggestions/{visit}/copy/retry", None),
        (cast.bo, "POST", f"/review-tasks/{task.id}/settle", {"note": "x"}),
        (cast.bo, "DELETE", f"/patients/{cast.ana.patient_id}/sign-ins", None),
        (cast.admin, "DELETE", f"/clinic/accounts/{cast.ana.account_id}/sign-ins", None),
    )
    for who, method, path, body in deeds:
        before = len(lines(app))
        assert who.send(method, path, body).status_code < 300, path
        (line,) = lines(app)[before:]
        assert (line.account_id, line.patient_id) == (who.account_id, cast.ana.patient_id), path
