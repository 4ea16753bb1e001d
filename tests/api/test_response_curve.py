"""What each session did for Ana, told to her care team and to nobody else."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from server.database import Database
from server.models import AuditEvent
from tests.cast import Cast, entry
from tests.clinical.diaries import mood_day, pain_day, steps
from tests.conftest import Clock
from tests.visits import Visits

BATCH = 180
Items = Mapping[str, float]


def written(at: datetime, items: Items) -> dict[str, Any]:
    """Return an entry that was written down when it was felt, and may come much later."""
    return entry(at, items=dict(items), recorded_at=at.isoformat())


def logs(visits: Visits, first: datetime, days: int, items_of: Callable[[int], Items]) -> None:
    """Let Ana's phone bring one entry a day from ``first`` on."""
    told = [written(first + timedelta(days=n), items_of(n)) for n in range(days)]
    for start in range(0, days, BATCH):
        part = told[start : start + BATCH]
        items = [{"id": str(uuid7()), "action": "put", "entry": one} for one in part]
        answer = visits.cast.ana.post("/sync", {"items": items})
        assert {one["verdict"] for one in answer.json["results"]} == {"created"}


def curve(visits: Visits) -> list[dict[str, Any]]:
    answer = visits.cast.bo.get(f"{visits.ana}/response-curve")
    assert answer.status_code == 200, answer.text
    arms: list[dict[str, Any]] = answer.json["arms"]
    return arms


def is_treated(visits: Visits, level: Callable[[int], float], days: int, **course: Any) -> str:
    """Give Ana a session ``days`` ago and a mood diary from two weeks before it on; return the course."""
    session = visits.now - timedelta(days=days)
    begun = visits.course(started_on=session.date().isoformat(), **course)
    visits.session(begun, session)
    first = session - timedelta(days=14)
    logs(visits, first, days + 15, lambda n: mood_day(level(n - 14)))
    return begun


def test_ana_responds_fades_and_is_treated_again(visits: Visits, clock: Clock) -> None:
    begun = is_treated(visits, steps((-14, 8), (1, 2), (40, 7)), 56)
    (mood,) = curve(visits)
    (course,) = mood["courses"]
    (session,) = course["sessions"]
    assert (mood["arm"], course["course_id"], course["condition"]) == ("mood", begun, "depression")
    assert (course["began"], course["pre_level"], session["best_level"]) == ("2026-01-05", 8, 2)
    assert (session["responded"], session["onset"]) == (True, {"days": 1, "hours": 24})
    assert session["held"] == {"until": 40, "lost_by": 41}
    assert session["retained"]["percent"] == 16.67
    assert session["retained"]["low"] < 17 < session["retained"]["high"]
    assert session["fade_per_week"] > 1
    assert mood["expected_loss"] is None, "what is lost is not forecast"
    assert "half of it lost between day 40 and day 41" in mood["text"]

    visits.session(begun, clock.now)
    logs(visits, clock.forward(days=1), 1, lambda _: mood_day(2))
    clock.forward(days=20)
    logs(visits, clock.now - timedelta(days=19), 20, lambda _: mood_day(2))
    (mood,) = curve(visits)
    first, second = mood["courses"][0]["sessions"]
    assert (first["until"], first["retreated"], first["held"]["lost_by"]) == ("2026-03-01", True, 41)
    assert (second["session"], second["responded"], second["held"]) == (
        "2026-03-02",
        True,
        {"until": 21, "lost_by": None},
    )
    loss = mood["expected_loss"]
    assert (loss["session"], loss["cohort"]) == ("2026-03-02", "McInnes 2022")
    assert (loss["days"]["lost"], loss["days"]["censored"]) == (1, 0)
    assert "2026-03-23" <= loss["low"] < loss["median"] < loss["high"]
    expected = f"expected to be lost about {loss['median']} (80 %: {loss['low']} to {loss['high']})"
    assert expected in mood["text"]
    assert mood["text"].endswith("from 1 own time lost and the cohort of McInnes 2022")


def test_who_did_not_respond_is_told_so_plainly(visits: Visits) -> None:
    is_treated(visits, steps((-14, 8), (1, 6)), 40)
    (mood,) = curve(visits)
    (session,) = mood["courses"][0]["sessions"]
    assert session["responded"] is False
    assert session["text"] == (
        "did not respond (best week 6.0 against 8.0 before the course): "
        "there is nothing to lose, relapse detection is off"
    )
    assert (session["onset"], session["retained"], session["held"], mood["expected_loss"]) == (None,) * 4
    (arm,) = visits.cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert (arm["latest"]["state"], arm["expected_loss"]) == ("no_response", None)
    assert "did not respond: there is nothing to lose, relapse detection is off" in arm["latest"]["text"]


def test_too_few_days_before_the_course_leave_the_response_open(visits: Visits) -> None:
    session = visits.now - timedelta(days=30)
    visits.session(visits.course(), session)
    logs(visits, session - timedelta(days=2), 33, lambda _: mood_day(2))
    (mood,) = curve(visits)
    (course,) = mood["courses"]
    assert (course["pre_level"], course["sessions"][0]["responded"]) == (None, None)
    assert course["sessions"][0]["text"] == (
        "too few entries in the 14 days before 2026-01-31: whether it helped can't be said"
    )


@pytest.mark.long
def test_a_second_course_is_expected_to_hold_as_the_first_one_did(visits: Visits) -> None:
    is_treated(visits, steps((-14, 8), (1, 2), (20, 8), (86, 2)), 100)
    (alone,) = curve(visits)
    visits.session(visits.course(), visits.now - timedelta(days=15))
    (mood,) = curve(visits)
    assert alone["expected_loss"] is None
    old, new = mood["courses"]
    assert (old["sessions"][0]["held"]["lost_by"], old["sessions"][0]["retreated"]) == (20, True)
    # 72 days is the cohort's median; a loss after 20 days makes it much less.
    assert mood["expected_loss"]["days"]["lost"] == 1
    assert mood["expected_loss"]["days"]["median"] < 60
    assert new["began"] == "2026-02-15"


@pytest.mark.long
def test_a_session_ends_with_the_next_one_however_long_ago_that_was(visits: Visits) -> None:
    days = 250
    is_treated(visits, steps((-14, 8), (1, 2)), days, phase="induction")
    going_on = visits.course()
    for day in range(30, days, 14):
        visits.session(going_on, visits.now - timedelta(days=days - day))
    (mood,) = curve(visits)
    first, second = mood["courses"]
    (only,) = first["sessions"]
    assert (only["held"], only["retreated"]) == ({"until": 29, "lost_by": None}, True)
    assert len(second["sessions"]) == 13, "those of the last 180 days"
    assert (second["began"], second["pre_level"]) == (first["began"], 8)
    assert {session["responded"] for session in second["sessions"]} == {True}


def test_a_course_that_goes_on_while_the_benefit_holds_is_measured_from_the_same_days(visits: Visits) -> None:
    is_treated(visits, steps((-14, 8), (1, 2)), 60, phase="induction")
    visits.session(visits.course(), visits.now - timedelta(days=30))
    (mood,) = curve(visits)
    first, second = mood["courses"]
    assert (second["began"], second["pre_level"]) == (first["began"], 8)
    assert (first["sessions"][0]["held"], second["sessions"][0]["responded"]) == (
        {"until": 29, "lost_by": None},
        True,
    )
    assert mood["expected_loss"]["days"]["censored"] == 1


def test_pain_and_mood_are_told_apart(visits: Visits) -> None:
    session = visits.now - timedelta(days=30)
    visits.session(visits.course(condition="crps"), session)
    mood, pain = steps((-14, 8), (1, 7)), steps((-14, 8), (1, 3))
    first = session - timedelta(days=14)
    logs(visits, first, 45, lambda n: {**mood_day(mood(n - 14)), **pain_day(pain(n - 14))})
    one, other = curve(visits)
    assert [(arm["arm"], arm["courses"][0]["sessions"][0]["responded"]) for arm in (one, other)] == [
        ("mood", False),
        ("pain", True),
    ]
    assert (one["expected_loss"], other["expected_loss"]["cohort"]) == (None, "Mangnus 2022")


def test_an_entry_hours_after_the_session_tells_the_onset_in_hours(visits: Visits) -> None:
    is_treated(visits, steps((-14, 8), (2, 2)), 30)
    soon = visits.now - timedelta(days=30) + timedelta(hours=5)
    visits.cast.ana.put(f"/entries/{uuid7()}", written(soon, mood_day(3)))
    (mood,) = curve(visits)
    assert mood["courses"][0]["sessions"][0]["onset"] == {"days": 0, "hours": 5}
    assert "first seen after 5 hours" in mood["text"]


def test_what_was_taken_back_is_not_told(visits: Visits, cast: Cast) -> None:
    is_treated(visits, steps((-14, 8), (2, 2)), 30)
    soon, path = visits.now - timedelta(days=30) + timedelta(hours=5), f"/entries/{uuid7()}"
    cast.ana.put(path, written(soon, mood_day(3)))
    cast.ana.delete(path, version=1)
    (mood,) = curve(visits)
    assert mood["courses"][0]["sessions"][0]["onset"] == {"days": 2, "hours": 48}


def test_before_the_first_session_there_is_no_curve(visits: Visits) -> None:
    logs(visits, visits.now - timedelta(days=9), 10, lambda _: mood_day(2))
    visits.session(visits.course(), visits.now + timedelta(days=3), "planned")
    assert curve(visits) == []
    (arm,) = visits.cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert arm["expected_loss"] is None


def test_a_session_of_long_ago_is_not_forecast(visits: Visits, clock: Clock) -> None:
    is_treated(visits, steps((-14, 8), (1, 2)), 30)
    assert curve(visits)[0]["expected_loss"] is not None
    clock.forward(days=400)
    (mood,) = curve(visits)
    assert (mood["courses"][0]["day"], mood["expected_loss"]) == ("2027-01-31", None)


def test_only_the_care_team_reads_it_and_reading_is_audited(
    visits: Visits, cast: Cast, database: Database
) -> None:
    path = f"{visits.ana}/response-curve"
    assert cast.cyd.get(path).status_code == 404
    for person in (cast.ana, cast.admin, cast.scheduler):
        assert person.get(path).status_code == 403
    assert cast.coordinator.get(path).status_code == 200
    with database.read() as session:
        read = session.query(AuditEvent).filter_by(action="response-curve.read").one()
    assert (read.patient_id, read.account_id) == (cast.ana.patient_id, cast.coordinator.account_id)


def test_the_watch_tells_the_care_team_the_expected_loss_and_ana_is_told_none(
    visits: Visits, cast: Cast
) -> None:
    is_treated(visits, steps((-14, 8), (1, 2)), 30)
    (arm,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    (mood,) = curve(visits)
    assert arm["expected_loss"] == mood["expected_loss"]
    forecast = ("expected_loss", *(arm["expected_loss"][key] for key in ("low", "median", "high")))
    for path in ("", "/today", "/trend", "/response", "/timeline", "/export"):
        told = cast.ana.get(f"/me{path}")
        assert told.status_code == 200, path
        assert not [word for word in forecast if word in told.text], path
