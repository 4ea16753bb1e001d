"""Visits that fall due are proposed once, overdue proposals end, one patient never stops the others."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from jobs import maintenance_due, visit_early
from jobs.around import Around, Incomplete
from jobs.runner import run_once
from jobs.timetable import TIMETABLE
from server.clinical.maintenance import Chance
from server.clinical.vocabulary import Arm, Condition, SuggestionState
from server.models import BookingSuggestion, Course
from server.services.people import patient as patients
from server.services.visits import course as courses
from server.services.visits import prospect as prospects
from server.services.visits import treatment_session as treatment_sessions
from tests.cast import Cast, Person, entry
from tests.clinical.diaries import mood_day, steps
from tests.conftest import Clock
from tests.jobs.deeds import working
from tests.visits import Visits

EARLY = next(job for job in TIMETABLE if job.name == visit_early.NAME)


def of(person: Person) -> UUID:
    assert person.patient_id is not None
    return person.patient_id


def is_treated(around: Around, person: Person, clock: Clock, condition: str = "depression") -> None:
    """Give the patient a weekly course with one delivered session, now."""
    assert person.patient_id is not None
    plan = {
        "phase": "maintenance",
        "route": "intravenous",
        "condition": Condition(condition),
        "started_on": clock.now.date(),
        "min_interval_days": 7,
        "max_interval_days": 14,
    }
    with working(around, person, clock.now) as work:
        course = courses.create(work, person.patient_id, plan)
        done = {"course_id": course.id, "at": clock.now, "status": "delivered"}
        treatment_sessions.create(work, person.patient_id, done)


def is_treated_again(around: Around, person: Person, course_id: UUID, clock: Clock) -> None:
    """Deliver one more session of the patient's course, now."""
    assert person.patient_id is not None
    with working(around, person, clock.now) as work:
        done = {"course_id": course_id, "at": clock.now, "status": "delivered"}
        treatment_sessions.create(work, person.patient_id, done)


def looked_at(around: Around, cast: Cast, clock: Clock, wanted: Chance) -> list[UUID]:
    with working(around, cast.ana, clock.now) as work:
        return [*prospects.page(work, wanted, None, 10).ids]


def test_only_for_whom_a_visit_may_be_due_is_all_of_it_looked_at(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_treated(around, cast.ana, clock)
    assert cast.ana.patient_id is not None
    with working(around, cast.ana, clock.now) as work:
        course = courses.active(work, cast.ana.patient_id, clock.now.date())
        assert course is not None
        course.max_interval_days = 60
        course_id = course.id
    assert not any(looked_at(around, cast, clock, chance) for chance in (Chance.EARLY, Chance.BY_PLAN))
    clock.forward(days=8)
    is_treated_again(around, cast.ana, course_id, clock)
    clock.forward(days=8)
    assert looked_at(around, cast, clock, Chance.EARLY) == [cast.ana.patient_id]
    assert looked_at(around, cast, clock, Chance.BY_PLAN) == []
    assert visit_early.run(around, clock.now) == 0
    clock.forward(days=60)
    assert looked_at(around, cast, clock, Chance.BY_PLAN) == [cast.ana.patient_id]
    assert maintenance_due.run(around, clock.now) == 1
    assert looked_at(around, cast, clock, Chance.BY_PLAN) == [], "one is open"


def test_who_has_thresholds_of_their_own_is_looked_at_every_hour(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_treated(around, cast.ana, clock)
    with working(around, cast.ana, clock.now) as work:
        patients.get(work, of(cast.ana)).policy_version = 1
    assert looked_at(around, cast, clock, Chance.BY_PLAN) == [cast.ana.patient_id]


def test_a_course_that_another_one_follows_makes_nothing_due(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_treated(around, cast.ana, clock)
    clock.forward(days=20)
    assert looked_at(around, cast, clock, Chance.BY_PLAN) == [cast.ana.patient_id]
    with working(around, cast.ana, clock.now) as work:
        plan = {"phase": "maintenance", "route": "intravenous", "condition": "depression"}
        plan |= {"started_on": clock.now.date(), "min_interval_days": 60, "max_interval_days": 90}
        courses.create(work, of(cast.ana), plan)
    assert looked_at(around, cast, clock, Chance.BY_PLAN) == []


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


@pytest.mark.long
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
    assert run_once(EARLY, around, clock.now) == 0
    clock.forward(days=7)
    logs(cast, clock, 7, lambda _: 2)
    assert maintenance_due.run(around, clock.now) == 0
    around.stopping.set()
    assert run_once(EARLY, around, clock.now) is None
    around.stopping.clear()
    # What was cut off begins again an hour later; after that all is done for the day.
    assert [run_once(EARLY, around, clock.now + timedelta(hours=n)) for n in (1, 2)] == [1, 0]
    proposal = cast.bo.get("/booking-suggestions").json["items"][-1]
    assert (proposal["reason"], proposal["urgency"]) == ("loss_expected", "P3")
    (mood,) = cast.bo.get(f"{visits.ana}/response-curve").json["arms"]
    # Long before the plan's 90 days; the cohort's 72 days and her own 14 meet about day 32.
    assert proposal["earliest"] == "2026-03-09"
    assert date(2026, 3, 12) <= date.fromisoformat(proposal["latest"]) <= date(2026, 3, 18)
    assert mood["expected_loss"]["median"] > proposal["latest"], "it moves on while the benefit holds"
    (draft,) = cast.bo.get(f"/booking-suggestions/{proposal['id']}").json["events"]
    assert "from 1 own time lost and the cohort of McInnes 2022" in draft["detail"]["text"]


@pytest.mark.long
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
    visit_early.run(around, clock.now)
    found = cast.bo.get("/booking-suggestions").json["items"]
    assert {(one["reason"], one["state"]) for one in found} <= {("relapse_signal", "expired")}


@pytest.mark.parametrize("first", ["depression", "chronic_pain"])
def test_each_of_two_programmes_makes_a_visit_due_and_one_serves_both(
    cast: Cast, clock: Clock, around: Around, first: str
) -> None:
    is_treated(around, cast.ana, clock, condition=first)
    clock.forward(days=1)
    with working(around, cast.ana, clock.now) as work:
        other = {"depression": "chronic_pain", "chronic_pain": "depression"}[first]
        plan = {"phase": "maintenance", "route": "intravenous", "condition": Condition(other)}
        plan |= {"started_on": clock.now.date(), "min_interval_days": 28, "max_interval_days": 84}
        courses.create(work, of(cast.ana), plan)
    assert maintenance_due.run(around, clock.forward(days=60)) == 1
    (proposal,) = proposals(around)
    assert proposal.programme is Condition(first).programme
    with working(around, cast.ana, clock.forward(days=1)) as work:
        open_one = work.session.get_one(BookingSuggestion, (work.clinic_id, proposal.id))
        open_one.latest = clock.now.date() + timedelta(days=40)
    assert maintenance_due.run(around, clock.forward(days=30)) == 0


@pytest.mark.parametrize("booked", [False, True])
def test_a_visit_that_comes_too_late_for_the_other_plan_serves_only_its_own(
    cast: Cast, clock: Clock, around: Around, booked: bool
) -> None:
    for condition in ("chronic_pain", "depression"):
        is_treated(around, cast.ana, clock, condition=condition)
    assert maintenance_due.run(around, clock.forward(days=8)) == 1
    (first,) = proposals(around)
    with working(around, cast.ana, clock.now) as work:
        late = work.session.get_one(BookingSuggestion, (work.clinic_id, first.id))
        late.earliest, late.latest = (clock.now.date() + timedelta(days=days) for days in (4, 60))
        if booked:
            late.state, late.starts_at = SuggestionState.BOOKED, clock.now + timedelta(days=4)
    assert maintenance_due.run(around, clock.forward(hours=1)) == 0, "in time for both"
    with working(around, cast.ana, clock.now) as work:
        late = work.session.get_one(BookingSuggestion, (work.clinic_id, first.id))
        late.earliest = clock.now.date() + timedelta(days=50)
        late.starts_at = clock.now + timedelta(days=50) if booked else None
    assert maintenance_due.run(around, clock.forward(hours=1)) == 1
    assert {one.programme for one in proposals(around)} == {Arm.MOOD, Arm.PAIN}
    assert maintenance_due.run(around, clock.forward(hours=1)) == 0


def test_a_no_to_what_one_plan_asked_for_is_one_to_the_other_plan_as_long_as_its_window_runs(
    cast: Cast, clock: Clock, around: Around
) -> None:
    for condition in ("chronic_pain", "depression"):
        is_treated(around, cast.ana, clock, condition=condition)
    assert maintenance_due.run(around, clock.forward(days=8)) == 1
    (proposal,) = proposals(around)
    path = f"/booking-suggestions/{proposal.id}/dismiss"
    assert cast.bo.post(path, {"reason": "She is away for a week."}, version=1).status_code == 200
    assert maintenance_due.run(around, clock.forward(hours=1)) == 0
    assert maintenance_due.run(around, clock.forward(days=8)) == 1


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
        poisoned.max_interval_days = 2_000_000_000
        course_id = poisoned.id
    is_treated_again(around, cast.ana, course_id, clock)
    clock.forward(days=7)
    with pytest.raises(Incomplete):
        visit_early.run(around, clock.now)
    assert str(cast.ana.patient_id) in caplog.text
    assert maintenance_due.run(around, clock.now) == 1
    assert [p.patient_id for p in proposals(around)] == [cast.other_patient.patient_id]


def test_a_course_that_is_planned_ahead_makes_no_visit_due_before_it_begins(
    cast: Cast, clock: Clock, around: Around
) -> None:
    is_treated(around, cast.ana, clock)
    ahead = {"route": "intranasal", "condition": "depression", "phase": "induction"}
    ahead |= {"min_interval_days": 3, "max_interval_days": 4, "started_on": "2026-05-12"}
    path = f"/patients/{cast.ana.patient_id}/courses"
    assert cast.bo.post(path, ahead).status_code == 201
    assert maintenance_due.run(around, clock.forward(days=4)) == 0
    assert maintenance_due.run(around, clock.forward(days=4)) == 1, "by the plan of now, a week before day 14"
