"""Visits that fall due are proposed once, overdue proposals end, one patient never stops the others."""

from datetime import date, timedelta

import pytest

from jobs import maintenance_due
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import SuggestionState
from server.models import BookingSuggestion, Course
from server.services import course as courses
from server.services import treatment_session as treatment_sessions
from tests.cast import Cast, Person
from tests.conftest import Clock
from tests.jobs.deeds import working


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
