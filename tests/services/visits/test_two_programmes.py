"""Who is treated for mood and for pain comes once for both: its session is the visit, in either course."""

from datetime import timedelta
from typing import Any

import pytest

from server.clinical.vocabulary import AlertFamily
from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import Visits


@pytest.fixture
def pain(visits: Visits) -> str:
    """The course that Ana has for pain, beside that for depression."""
    return visits.course(condition="chronic_pain")


def stored(cast: Cast, suggestion: str) -> Any:
    found = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    return found["state"], found["treatment_session_id"]


def test_a_session_of_the_other_course_is_the_visit_of_that_day_and_of_no_other(
    visits: Visits, cast: Cast, clock: Clock, pain: str
) -> None:
    suggestion = visits.booked(3)
    visits.session(pain, clock.forward(days=2))
    assert stored(cast, suggestion) == ("booked", None), "expected tomorrow"
    given = visits.session(pain, clock.forward(days=1, hours=4))
    assert stored(cast, suggestion) == ("fulfilled", given["id"])
    path = f"{visits.ana}/treatment-sessions/{given['id']}"
    for version, hours in ((1, 3), (2, 30)):
        right = (clock.now - timedelta(hours=hours)).isoformat()
        assert cast.bo.patch(path, {"at": right}, version=version).status_code == 200
    assert stored(cast, suggestion) == ("fulfilled", None)
    (task,) = cast.bo.get("/review-tasks").json["items"]
    assert task["code"] == "session_taken_off"


def test_so_it_is_where_the_visit_is_reported_only_afterwards(
    visits: Visits, cast: Cast, clock: Clock, pain: str
) -> None:
    suggestion = visits.approved()
    given = visits.session(pain, clock.forward(days=1))
    assert visits.book(cast.scheduler, suggestion, version=2, days=0).json["state"] == "fulfilled"
    assert stored(cast, suggestion) == ("fulfilled", given["id"])


def test_who_comes_today_comes_for_the_visit_of_today(
    visits: Visits, cast: Cast, clock: Clock, pain: str
) -> None:
    ours = visits.booked(2)
    other = str(visits.relapse(AlertFamily.PAIN_RELAPSE))
    approved = cast.bo.post(f"/booking-suggestions/{other}/approve", {"override_reason": "x"}, version=1)
    assert approved.status_code == 200, approved.text
    assert visits.book(cast.scheduler, other, version=2, days=1, external_id="apt-2").status_code == 200
    (course,) = (one for one in cast.bo.get(f"{visits.ana}/courses").json["items"] if one["id"] != pain)
    given = visits.session(course["id"], clock.forward(days=1))
    assert stored(cast, other) == ("fulfilled", given["id"])
    assert stored(cast, ours) == ("booked", None), "she is expected tomorrow"
