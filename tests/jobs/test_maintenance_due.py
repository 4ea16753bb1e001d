"""Visits that fall due are proposed once, overdue proposals end, one patient never stops the others."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from uuid_utils.compat import uuid7

from jobs import maintenance_due
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import SuggestionState
from server.models import BookingSuggestion, Course
from server.services.visits import course as courses
from server.services.visits import treatment_session as treatment_sessions
from tests.cast import Cast, Person, entry
from tests.clinical.diaries import mood_day, steps
from tests.conftest import Clock
from tests.jobs.deeds import working
from tests.visits import Visits


def is_treated(around: Around, person: Person, clock: Clock) -> None:
    """Give the patient a weekly course with one delivered session, now."""
    assert person.patient_id is not None
    plan = {
        "phase": "maintenance",
        "route": "intravenous",
        "condition": "depression",
        "started_on": clock.now.date(),
        "min_interval_days": 7,
        "max_interval_days": 14,
    }
    with working(around, person, clock.now) as work:
        course = courses.create(work, person.patient_id, plan)
        done = {"course_id": course.id, "at": clock.now, "status": "delivered"}
        treatment_sessions.create(work, person.patient_id, done)


def proposals(around: Around) -> list[BookingSuggestion]:
    with around.database.read() as session:
        return list(session.query(BookingSuggestion).order_by(BookingSuggestion.id))


def test_a_visit_that_falls_due_is_proposed_once(cast: Cast, clock: Clock, around: Around) -> None:
    is_treated(around, cast.ana, clock)
    assert maintenance_due.run(around, clock.forward(days=6)) == 0
    assert maintenance_due.run(around, clock.forward(days=1)) == 1
    assert maintenance_due.run(around, clock.forward(hours=1)) == 0
    (proposal,) = proposals(around)
    assert (proposal.patient_id, proposal.state) == (cast.ana.patient_id, SuggestionState.DRAFT)


def logs(cast: Cast, clock: Clock, days: int, level: Callable[[int], float]) -> None:
    """Let Ana's phone bring the last ``days`` days; ``level`` counts them back from today."""
    items = []
    for back in range(days):
        at = clock.now - timedelta(days=back)
        told = entry(at, items=dict(mood_day(level(-back))), recorded_at=at.isoformat())
        items.append({"id": str(uuid7()), "action": "put", "entry": told})
    answer = cast.ana.post("/sync", {"items": items})
    assert {one["verdict"] for one in answer.json["results"]} == {"created"}


def test_a_visit_is_proposed_before_the_benefit_is_expected_to_be_lost(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    clock.forward(days=-20)
    course = visits.course(max_interval_days=90)
    visits.session(course, clock.now - timedelta(days=46))
    logs(cast, clock, 60, steps((-60, 8), (-45, 2), (-32, 8)))
    visits.session(course, clock.now)
    clock.forward(days=20)
    logs(cast, clock, 19, lambda _: 2)
    maintenance_due.run(around, clock.now)  # ends what the first relapse called for
    assert maintenance_due.run(around, clock.now) == 0
    clock.forward(days=7)
    logs(cast, clock, 7, lambda _: 2)
    assert maintenance_due.run(around, clock.now) == 1
    assert maintenance_due.run(around, clock.now) == 0
    proposal = cast.bo.get("/booking-suggestions").json["items"][-1]
    assert (proposal["reason"], proposal["urgency"]) == ("loss_expected", "P3")
    (mood,) = cast.bo.get(f"{visits.ana}/response-curve").json["arms"]
    # Long before the plan's 90 days; the cohort's 72 days and her own 14 meet about day 32.
    assert proposal["earliest"] == "2026-03-09"
    assert date(2026, 3, 12) <= date.fromisoformat(proposal["latest"]) <= date(2026, 3, 18)
    assert mood["expected_loss"]["median"] > proposal["latest"], "it moves on while the benefit holds"
    (draft,) = cast.bo.get(f"/booking-suggestions/{proposal['id']}").json["events"]
    assert "from 1 own time lost and the cohort of McInnes 2022" in draft["detail"]["text"]


def test_nobody_is_seen_sooner_for_a_benefit_that_never_came(
    visits: Visits, cast: Cast, clock: Clock, around: Around
) -> None:
    clock.forward(days=-27)
    course = visits.course(max_interval_days=90)
    visits.session(course, clock.now - timedelta(days=46))
    logs(cast, clock, 60, steps((-60, 8), (-45, 2), (-32, 8)))
    visits.session(course, clock.now)
    clock.forward(days=27)
    logs(cast, clock, 26, lambda _: 7)
    maintenance_due.run(around, clock.now)
    found = cast.bo.get("/booking-suggestions").json["items"]
    assert {(one["reason"], one["state"]) for one in found} <= {("relapse_signal", "expired")}


def test_a_proposal_nobody_took_up_ends(cast: Cast, clock: Clock, around: Around) -> None:
    is_treated(around, cast.ana, clock)
    maintenance_due.run(around, clock.forward(days=7))
    (proposal,) = proposals(around)
    clock.now += timedelta(days=(proposal.latest - date(2026, 3, 9)).days + 2)
    assert maintenance_due.run(around, clock.now) >= 1
    assert proposals(around)[0].state is SuggestionState.EXPIRED


def test_one_patient_whose_plan_cannot_be_read_does_not_stop_the_others(
    cast: Cast, clock: Clock, around: Around, caplog: pytest.LogCaptureFixture
) -> None:
    for person in (cast.ana, cast.other_patient):
        is_treated(around, person, clock)
    with around.database.write() as session:
        # No calendar reaches so far: the window can't be computed.
        poisoned = session.query(Course).filter_by(patient_id=cast.ana.patient_id).one()
        poisoned.min_interval_days = poisoned.max_interval_days = 2_000_000_000
    clock.forward(days=7)
    with pytest.raises(Incomplete):
        maintenance_due.run(around, clock.now)
    assert [p.patient_id for p in proposals(around)] == [cast.other_patient.patient_id]
    assert str(cast.ana.patient_id) in caplog.text
