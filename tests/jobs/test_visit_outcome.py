"""Did it work: the visit took place, the next baseline formed, and the suggestion knows what it was worth."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from jobs import import_diary, import_export, visit_outcome
from jobs.around import Around, Incomplete
from server.database import Database
from server.models import BookingSuggestion, TreatmentSession
from server.services.visits import visit_outcome as visit_outcomes
from tests.cast import Cast, entry, push
from tests.clinical.diaries import mood_day
from tests.conftest import Clock
from tests.jobs.deeds import working
from tests.visits import Visits

WHY = {"override_reason": "Known to us."}


def logs(cast: Cast, clock: Clock, days: range, symptom: float) -> None:
    """Let Ana's phone bring days counted back from now, the earliest first."""
    felt = [clock.now - timedelta(days=back) for back in sorted(days, reverse=True)]
    entries = [entry(at, items=mood_day(symptom), recorded_at=at.isoformat()) for at in felt]
    push(cast.ana, [{"id": str(uuid7()), "action": "put", "entry": one} for one in entries])


@pytest.fixture
def visit(visits: Visits, cast: Cast, clock: Clock) -> str:
    """Ana was bad for two weeks; a visit was suggested, approved, booked, and took place today."""
    course = visits.course()
    logs(cast, clock, range(1, 15), 8)
    suggestion = visits.relapse()
    approved = cast.bo.post(f"/booking-suggestions/{suggestion}/approve", WHY, version=1)
    assert approved.status_code == 200, approved.text
    assert visits.book(cast.scheduler, str(suggestion), version=2, days=0.1).status_code == 200
    visits.session(course, clock.forward(hours=3))
    return str(suggestion)


def known(cast: Cast, visit: str) -> tuple[Any, ...]:
    stored = cast.bo.get(f"/booking-suggestions/{visit}").json
    assert stored["state"] == "fulfilled"
    return stored["responded"], stored["days_gained"], stored["gained_at_least"]


def test_a_benefit_is_gained_at_least_until_today_and_in_the_end_until_it_was_half_lost(
    cast: Cast, clock: Clock, around: Around, visit: str
) -> None:
    assert visit_outcome.run(around, clock.forward(days=20)) == 0
    logs(cast, clock, range(20), 2)
    assert known(cast, visit) == (None, None, None)
    clock.forward(days=10)
    logs(cast, clock, range(10), 2)
    assert visit_outcome.run(around, clock.now) == 1
    assert known(cast, visit) == (True, 30, True)
    assert visit_outcome.run(around, clock.forward(hours=1)) == 0
    clock.forward(days=20)
    logs(cast, clock, range(20), 9)
    assert visit_outcome.run(around, clock.now) == 1
    responded, days, at_least = known(cast, visit)
    assert (responded, at_least) == (True, False)
    assert 28 <= days <= 33
    events = cast.bo.get(f"/booking-suggestions/{visit}").json["events"]
    assert (events[-1]["action"], events[-1]["detail"]["days_gained"]) == ("outcome", days)
    assert visit_outcome.run(around, clock.forward(days=2)) == 0
    told = cast.ana.get("/visits").text
    assert "responded" not in told
    assert "gained" not in told


def test_a_bad_week_that_passes_is_not_what_a_visit_came_to(
    cast: Cast, clock: Clock, around: Around, visit: str
) -> None:
    for days, symptom in ((30, 2), (4, 9)):
        clock.forward(days=days)
        logs(cast, clock, range(days), symptom)
        visit_outcome.run(around, clock.now)
    assert known(cast, visit)[2] is False, "as far as can be seen it is lost"
    clock.forward(days=20)
    logs(cast, clock, range(20), 2)
    assert visit_outcome.run(around, clock.now) == 1
    assert known(cast, visit) == (True, 54, True)


def test_a_visit_that_did_not_help_gained_nothing(
    cast: Cast, clock: Clock, around: Around, visit: str
) -> None:
    clock.forward(days=29)
    logs(cast, clock, range(29), 8)
    assert visit_outcome.run(around, clock.now) == 1
    assert known(cast, visit) == (False, 0, False)


def test_a_session_that_was_an_error_leaves_nothing_to_learn(
    cast: Cast, clock: Clock, around: Around, visit: str
) -> None:
    with working(around, cast.bo, clock.now) as work:
        session = work.session.query(TreatmentSession).one()
        session_id, version = session.id, session.version
    path = f"/patients/{cast.ana.patient_id}/treatment-sessions/{session_id}"
    assert cast.bo.patch(path, {"status": "cancelled"}, version=version).status_code == 200
    assert visit_outcome.run(around, clock.forward(days=40)) == 0
    assert known(cast, visit) == (None, None, None)
    with working(around, cast.bo, clock.now) as work:
        assert visit_outcomes.due(work) == []
        assert not visit_outcomes.learn(work, UUID(visit)), "taken off while the job was at it"


@pytest.mark.parametrize("change", ["cancelled", "moved"])
def test_a_session_that_only_seemed_to_follow_does_not_settle_what_a_visit_was_worth(
    cast: Cast, clock: Clock, around: Around, visits: Visits, visit: str, change: str
) -> None:
    (course,) = cast.bo.get(f"{visits.ana}/courses").json["items"]
    clock.forward(days=10)
    logs(cast, clock, range(10), 2)
    wrong = visits.session(course["id"], clock.now)
    assert visit_outcome.run(around, clock.forward(days=1)) == 1
    assert known(cast, visit)[2] is True, "another one followed"
    before = (clock.now - timedelta(days=12)).isoformat()
    right = {"status": "cancelled"} if change == "cancelled" else {"at": before}
    path = f"{visits.ana}/treatment-sessions/{wrong['id']}"
    assert cast.bo.patch(path, right, version=1).status_code == 200
    clock.forward(days=30)
    logs(cast, clock, range(31), 2)
    assert visit_outcome.run(around, clock.now) == 1
    assert known(cast, visit) == (True, 41, True)


MAP = """
date: {column: day}
items: {mood: {column: mood, low: 0, high: 10, direction: high_good}}
sessions: ["%s"]
"""


def by_diary(database: Database, cast: Cast, at: datetime, now: datetime) -> None:
    assert cast.ana.patient_id is not None
    files = MAP % f"{at:%Y-%m-%d %H:%M}", b"day,mood\n2026-01-05,3\n"
    plan = import_diary.prepare(database, ("demo", cast.ana.patient_id), files, now)
    assert import_diary.write(database, plan).tally.sessions == 1


def by_export(database: Database, cast: Cast, at: datetime, now: datetime) -> None:
    assert cast.ana.patient_id is not None
    told = json.loads(cast.ana.get("/me/export").get_data())
    told["treatment_sessions"].append({**told["treatment_sessions"][-1], "at": at.isoformat()})
    told["counts"]["treatment_sessions"] += 1
    file = json.dumps(told).encode()
    plan = import_export.prepare(database, ("demo", cast.ana.patient_id), file, now)
    assert import_export.write(database, plan).sessions == 1


@pytest.mark.parametrize("bring", [by_diary, by_export])
def test_a_session_that_is_brought_later_is_one_that_followed(
    database: Database, cast: Cast, clock: Clock, around: Around, visit: str, bring: Any
) -> None:
    given = clock.now
    for days, symptom in ((30, 2), (20, 9)):
        clock.forward(days=days)
        logs(cast, clock, range(days), symptom)
        visit_outcome.run(around, clock.now)
    assert known(cast, visit) == (True, 29, False)
    bring(database, cast, given + timedelta(days=20), clock.now)
    visit_outcome.run(around, clock.forward(days=1))
    assert known(cast, visit) == (True, 19, True)


@pytest.mark.parametrize("bring", [by_diary, by_export])
def test_a_session_that_is_brought_is_the_visit_that_was_booked(
    database: Database, cast: Cast, clock: Clock, visits: Visits, bring: Any
) -> None:
    booked = visits.booked(3)
    at = clock.forward(days=5) - timedelta(days=2)
    bring(database, cast, at, clock.now)
    assert cast.bo.get(f"/booking-suggestions/{booked}").json["state"] == "fulfilled"


@pytest.mark.parametrize("batch", [250, 1])
def test_of_sessions_that_are_brought_together_the_one_of_its_day_is_the_visit(
    database: Database,
    cast: Cast,
    clock: Clock,
    visits: Visits,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    monkeypatch.setattr("jobs.past.BATCH", batch)
    booked, at = visits.booked(3), clock.now + timedelta(days=3)
    clock.forward(days=5)
    (course,) = cast.bo.get(f"{visits.ana}/courses").json["items"]
    there = visits.session(course["id"], at - timedelta(days=2.5))
    assert cast.bo.get(f"/booking-suggestions/{booked}").json["treatment_session_id"] == there["id"]
    several = ", ".join(f'"{at - timedelta(days=back):%Y-%m-%d %H:%M}"' for back in (1.5, 1, 0))
    files = MAP.replace('["%s"]', f"[{several}]"), b"day,mood\n2026-01-05,3\n"
    assert cast.ana.patient_id is not None
    plan = import_diary.prepare(database, ("demo", cast.ana.patient_id), files, clock.now)
    assert import_diary.write(database, plan).tally.sessions == 3
    found = cast.bo.get(f"/booking-suggestions/{booked}").json
    sessions = cast.bo.get(f"{visits.ana}/treatment-sessions").json["items"]
    (its,) = (one for one in sessions if one["at"].startswith(f"{at:%Y-%m-%d}"))
    assert (found["state"], found["treatment_session_id"]) == ("fulfilled", its["id"])


def test_what_comes_out_as_it_was_stands_in_the_log_once(
    cast: Cast, clock: Clock, around: Around, visits: Visits, visit: str
) -> None:
    (course,) = cast.bo.get(f"{visits.ana}/courses").json["items"]
    clock.forward(days=30)
    logs(cast, clock, range(30), 2)
    for _ in range(3):
        visits.session(course["id"], clock.now - timedelta(days=2))
        visit_outcome.run(around, clock.forward(days=9))
    events = cast.bo.get(f"/booking-suggestions/{visit}").json["events"]
    assert [event["action"] for event in events].count("outcome") == 1
    assert known(cast, visit)[2] is True


def test_what_a_course_has_left_half_a_year_behind_is_not_looked_at_every_day_again(
    cast: Cast, clock: Clock, around: Around, visits: Visits, visit: str
) -> None:
    """A session that is recorded late has every visit looked at again; the curve knows the last 180 days."""
    (course,) = cast.bo.get(f"{visits.ana}/courses").json["items"]
    clock.forward(days=30)
    logs(cast, clock, range(30), 2)
    visits.session(course["id"], clock.now)
    visit_outcome.run(around, clock.forward(days=1))
    learned = known(cast, visit)
    clock.forward(days=190)
    visits.session(course["id"], clock.now - timedelta(days=2))
    visit_outcome.run(around, clock.now)
    with working(around, cast.bo, clock.forward(days=1)) as work:
        assert visit_outcomes.due(work) == []
    assert known(cast, visit) == learned == (True, 29, True)


@pytest.mark.usefixtures("visit")
def test_one_that_can_not_be_read_is_said_and_the_others_are_not_held_up(
    cast: Cast, clock: Clock, around: Around
) -> None:
    with working(around, cast.bo, clock.now) as work:
        work.session.query(BookingSuggestion).one().treatment_session_id = uuid7()
    with pytest.raises(Incomplete):
        visit_outcome.run(around, clock.forward(days=40))


def test_the_yield_counts_it_and_withholds_what_became_of_few(
    cast: Cast, clock: Clock, around: Around, visit: str
) -> None:
    clock.forward(days=29)
    logs(cast, clock, range(29), 2)
    visit_outcome.run(around, clock.now)
    found = cast.admin.get("/visit-yield").json
    assert found["since"] == "2025-04-01"
    total = found["total"]
    assert (total["suggested"], total["approved"], total["booked"], total["fulfilled"]) == (1, 1, 1, 1)
    assert total["days_to_visit"] == {"visits": 1, "median": None}
    assert total["responses"] == {"known": 1, "responded": None, "share": None}
    assert total["days_gained"] == {"visits": 1, "at_least": None, "median": None}
    (only,) = found["by_reason"]
    assert only == {**total, "reason": "relapse_signal"}
    assert visit not in cast.bo.get("/visit-yield?months=1").text
