"""What is recorded while a visit is approved or booked already: a person looks at that visit first."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.cast import Cast
from tests.visits import Visits

Record = Callable[[Visits], Any]


def tasks(cast: Cast) -> list[tuple[str, str]]:
    found = cast.coordinator.get("/review-tasks").json["items"]
    return [(task["code"], task["suggestion_id"]) for task in found]


def precaution(visits: Visits, code: str = "pregnancy", **parts: Any) -> None:
    answer = visits.cast.bo.post(f"{visits.ana}/precautions", {"code": code, **parts})
    assert answer.status_code == 201, answer.text


def pressure(visits: Visits, systolic: int = 165, diastolic: int = 95) -> None:
    body = {"systolic": systolic, "diastolic": diastolic}
    assert visits.cast.coordinator.post(f"{visits.ana}/blood-pressures", body).status_code == 201


def end_of_course(visits: Visits) -> None:
    (course,) = visits.cast.bo.get(f"{visits.ana}/courses").json["items"]
    body = {"ended_on": visits.now.date().isoformat()}
    done = visits.cast.bo.patch(f"{visits.ana}/courses/{course['id']}", body, version=course["version"])
    assert done.status_code == 200, done.text


@pytest.mark.parametrize("record", [precaution, pressure, end_of_course])
@pytest.mark.parametrize("is_booked", [False, True])
def test_a_visit_that_is_under_way_is_put_before_the_care_team(
    visits: Visits, cast: Cast, record: Record, is_booked: bool
) -> None:
    visit = visits.booked() if is_booked else visits.approved()
    record(visits)
    assert tasks(cast) == [("safety_first", visit)]


def test_what_speaks_against_nothing_asks_nobody(visits: Visits, cast: Cast) -> None:
    visits.approved()
    precaution(visits, since="2026-03-20")
    pressure(visits, 120, 80)
    assert tasks(cast) == []


def test_what_the_approval_has_overridden_is_not_asked_again(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    precaution(visits)
    draft = visits.relapse()
    approved = {"override_reason": "Talked it through."}
    assert cast.bo.post(f"/booking-suggestions/{draft}/approve", approved, version=1).status_code == 200
    precaution(visits, note="Confirmed by a test.")
    assert tasks(cast) == []
    precaution(visits, code="liver")
    assert tasks(cast) == [("safety_first", str(draft))]


def test_a_draft_is_a_review_anyway_and_what_is_over_is_over(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    draft = visits.relapse()
    precaution(visits)
    assert cast.bo.get(f"/booking-suggestions/{draft}").json["state"] == "draft"
    dismissed = {"reason": "Not now."}
    assert cast.bo.post(f"/booking-suggestions/{draft}/dismiss", dismissed, version=1).status_code == 200
    precaution(visits, code="liver")
    assert tasks(cast) == []


def test_nobody_reads_in_a_task_what_was_recorded(visits: Visits, cast: Cast) -> None:
    visits.approved()
    precaution(visits, note="Told on the telephone.")
    said = str(cast.coordinator.get("/review-tasks").json).lower()
    assert "preg" not in said
    assert "telephone" not in said
