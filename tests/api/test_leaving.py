"""From the confirmation of an erasure on staff find nothing of the patient, and the clinic's system is told.

What every single route answers then is the column `leaving` of `tests/access_matrix.csv`.
"""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from server.api.edge import Surroundings
from server.clinical.vocabulary import ReviewCode
from server.isolation import Extent
from server.services import health as healths
from server.services.alerts import digest as digests
from server.services.visits import review_task as review_tasks
from server.services.visits.review_task import Finding
from server.services.work import Work, system
from tests.cast import Cast
from tests.fhir_client import Fhir
from tests.leaving import leaves
from tests.visits import Visits

NAME = "Ana Canary-Aasen"
INBOX = "/inbox/booking-suggestions"


@pytest.fixture
def suggestion(visits: Visits, cast: Cast) -> str:
    """An approved visit of Ana's, and the alert it came from."""
    suggestion = visits.approved()
    assert cast.bo.patch(visits.ana, {"name": NAME}, version=1).status_code == 200
    return suggestion


@pytest.fixture
def alert(cast: Cast, suggestion: str) -> dict[str, Any]:
    """That alert, which Bo has in hand."""
    alert = cast.bo.get("/alerts").json["items"][0]
    taken = cast.bo.post(f"/alerts/{alert['id']}/acknowledge", {}, version=alert["version"])
    assert taken.status_code == 200, taken.text
    return dict(taken.json)


def lists(cast: Cast) -> dict[str, int]:
    """Return how much every list and count of the care team knows of."""
    counts, digest = cast.bo.get("/alerts/counts").json, cast.bo.get("/digests/2026-W10").json
    return {
        "alerts": len(cast.bo.get("/alerts").json["items"]),
        "counted": counts["acknowledged"] + counts["mine"] + sum(counts["open"].values()),
        "digest": digest["acknowledged"]["count"],
        "became": sum(digest["became"].values()),
        "budget": cast.bo.get("/alert-budget").json["patients"],
        "suggestions": len(cast.coordinator.get("/booking-suggestions").json["items"]),
        "requests": len(Fhir(cast.bo).found("ServiceRequest")),
        "appointments": len(Fhir(cast.coordinator).found("Appointment")),
    }


def test_staff_find_nothing_of_who_leaves_in_any_list_also_while_a_hold_keeps_the_rows(
    visits: Visits, cast: Cast, alert: dict[str, Any]
) -> None:
    assert all(lists(cast).values()), lists(cast)
    leaves(cast, NAME)
    assert cast.admin.post(f"{visits.ana}/legal-holds", {"reason": "A court asks."}).status_code == 201
    assert not any(lists(cast).values()), lists(cast)
    for state in ("open", "acknowledged", "resolved"):
        assert cast.bo.get(f"/alerts?state={state}").json["items"] == []
    assert cast.bo.get(f"/alerts?patient_id={cast.ana.patient_id}").json["items"] == []


def test_no_figure_counts_an_alert_that_nobody_finds(app: Flask, cast: Cast, alert: dict[str, Any]) -> None:
    around = Surroundings.of(app)

    def told() -> tuple[int, bool]:
        with around.database.read(Extent.ALL) as session:
            unresolved = healths.health(session, around.clock(), ()).alerts
        with around.database.read() as session:
            work = Work(session, around.clock(), system(cast.bo.clinic_id))
            return sum(one.count for one in unresolved), digests.has_news(work, digests.newest(work))

    assert told() == (1, True)
    leaves(cast, NAME)
    assert told() == (0, False)


def test_what_staff_saw_of_who_leaves_can_not_be_changed_any_more(
    cast: Cast, suggestion: str, alert: dict[str, Any]
) -> None:
    visit = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    leaves(cast, NAME)
    one, given = f"/alerts/{alert['id']}", {"account_id": str(cast.coordinator.account_id), "note": "Yours."}
    resolved = {"outcome": "contacted", "note": "Called."}
    for path, body in (("acknowledge", {}), ("assign", given), ("resolve", resolved)):
        answer = cast.bo.post(f"{one}/{path}", body, version=alert["version"])
        assert (answer.status_code, answer.json["code"]) == (404, "not-found"), path
    handed = cast.bo.post("/alerts/hand-over", given)
    assert (handed.status_code, handed.json["alerts"]) == (200, [])
    dismissed = cast.bo.post(
        f"/booking-suggestions/{suggestion}/dismiss", {"reason": "Gone."}, version=visit["version"] + 1
    )
    assert dismissed.status_code == 404


@pytest.mark.parametrize("settled", [False, True])
def test_what_had_to_be_looked_at_of_who_leaves_is_there_no_more_and_what_is_about_others_is(
    app: Flask, cast: Cast, visits: Visits, suggestion: str, settled: bool
) -> None:
    with Surroundings.of(app).database.write() as session:
        work = Work(session, Surroundings.of(app).clock(), system(cast.bo.clinic_id))
        hers = review_tasks.raise_(work, Finding(ReviewCode.SAFETY_FIRST, "hers", UUID(suggestion)))
        others = review_tasks.raise_(work, Finding(ReviewCode.UNKNOWN_ID, "others"))
        assert hers is not None
        assert others is not None
    said, listed = {"note": "Ana is in hospital."}, f"/review-tasks?settled={str(settled).lower()}"
    settle = f"/review-tasks/{hers.id}/settle"
    for one in (hers, others) if settled else ():
        assert cast.bo.post(f"/review-tasks/{one.id}/settle", said).status_code == 200
    assert str(hers.id) in [one["id"] for one in cast.coordinator.get(listed).json["items"]]
    leaves(cast, NAME)
    assert cast.admin.post(f"{visits.ana}/legal-holds", {"reason": "A court asks."}).status_code == 201
    assert [one["id"] for one in cast.coordinator.get(listed).json["items"]] == [str(others.id)]
    assert cast.bo.post(settle, said).status_code == 404


def test_the_clinic_s_system_still_reads_that_the_visit_is_withdrawn(cast: Cast, suggestion: str) -> None:
    leaves(cast, NAME)
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "withdrawn"
    assert [one["id"] for one in cast.scheduler.get(f"{INBOX}?state=withdrawn").json["items"]] == [suggestion]
    assert cast.scheduler.get(f"{INBOX}/{suggestion}/history").json["items"][-1]["action"] == "dismiss"
    system = Fhir(cast.scheduler)
    (request,), (appointment,) = system.found("ServiceRequest"), system.found("Appointment")
    assert (request["status"], appointment["status"]) == ("revoked", "cancelled")
    assert system.read(f"ServiceRequest/{suggestion}") == request
    assert NAME not in f"{request} {appointment}"
    assert "mood" not in f"{request} {appointment}".lower()
