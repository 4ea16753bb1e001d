"""Courses on the wire."""

from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import COURSE, Visits


def test_a_course_comes_back_as_it_was_planned(visits: Visits, cast: Cast) -> None:
    visits.course()
    (stored,) = cast.coordinator.get(f"{visits.ana}/courses").json["items"]
    assert {key: stored[key] for key in COURSE} == COURSE
    assert (stored["ended_on"], stored["version"]) == (None, 1)


def test_a_course_changes_only_under_its_current_version(visits: Visits, cast: Cast) -> None:
    path = f"{visits.ana}/courses/{visits.course()}"
    changed = cast.bo.patch(path, {"phase": "taper", "ended_on": "2026-03-01"}, version=1)
    assert (changed.status_code, changed.json["phase"], changed.headers["ETag"]) == (200, "taper", '"v2"')
    stale = cast.bo.patch(path, {"phase": "induction"}, version=1)
    assert (stale.status_code, stale.json["current"]["phase"]) == (412, "taper")
    assert cast.bo.patch(path, {"phase": "induction"}).status_code == 428


def test_a_course_does_not_contradict_itself(visits: Visits, cast: Cast) -> None:
    crossed = cast.bo.post(f"{visits.ana}/courses", {**COURSE, "min_interval_days": 29})
    assert (crossed.status_code, crossed.json["errors"][0]["pointer"]) == (422, "/min_interval_days")
    path = f"{visits.ana}/courses/{visits.course()}"
    backward = cast.bo.patch(path, {"ended_on": "2026-01-04"}, version=1)
    assert (backward.status_code, backward.json["errors"][0]["pointer"]) == (422, "/ended_on")
    assert cast.bo.get(f"{visits.ana}/courses").json["items"][0]["version"] == 1


def test_a_course_has_no_end_before_it_has_come(visits: Visits, cast: Cast, clock: Clock) -> None:
    path = f"{visits.ana}/courses/{visits.course()}"
    ahead = cast.bo.patch(path, {"ended_on": "2026-03-03"}, version=1)
    assert (ahead.status_code, ahead.json["errors"][0]["pointer"]) == (422, "/ended_on")
    clock.forward(hours=11, minutes=30)  # half past midnight in Oslo
    assert cast.bo.patch(path, {"ended_on": "2026-03-03"}, version=1).status_code == 200


def test_a_course_that_has_not_begun_is_called_off_on_its_first_day(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    path = f"{visits.ana}/courses/{visits.course(started_on='2026-04-06')}"
    for day in ("2026-03-02", "2026-04-05", "2026-04-07"):
        assert cast.bo.patch(path, {"ended_on": day}, version=1).status_code == 422, day
    assert cast.bo.patch(path, {"ended_on": "2026-04-06"}, version=1).status_code == 200
    assert cast.bo.patch(path, {"ended_on": None}, version=2).status_code == 200, "it takes place after all"


def test_a_course_ends_on_the_clinics_day_also_where_its_patient_is_a_day_behind(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    path = f"{visits.ana}/courses/{visits.course()}"
    assert cast.ana.patch("/me/zone", {"zone": "Pacific/Honolulu"}).status_code == 200
    clock.forward(hours=20)  # nine in the morning of the 3rd in Oslo, and the evening before in Honolulu
    assert cast.bo.patch(path, {"ended_on": "2026-03-03"}, version=1).status_code == 200
