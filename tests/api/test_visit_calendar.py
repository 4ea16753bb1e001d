"""Ana takes her appointment into her own calendar."""

from datetime import timedelta

from icalendar import Calendar

from tests.cast import Cast
from tests.visits import Visits


def test_a_booked_visit_is_a_file_for_the_patients_calendar(visits: Visits, cast: Cast) -> None:
    path = f"/visits/{visits.booked()}/calendar"
    answer = cast.ana.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="visit.ics"'
    assert answer.headers["Cache-Control"] == "no-store"
    (event,) = Calendar.from_ical(answer.data).events
    assert (event["SUMMARY"], event.start) == ("Clinic visit", visits.now + timedelta(days=3))


def test_a_visit_that_moves_keeps_its_name(visits: Visits, cast: Cast) -> None:
    suggestion = visits.booked()
    path = f"/visits/{suggestion}/calendar"
    (before,) = Calendar.from_ical(cast.ana.get(path).data).events
    visits.book(cast.scheduler, suggestion, version=4, days=5)
    (after,) = Calendar.from_ical(cast.ana.get(path).data).events
    assert before["UID"] == after["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after.start - before.start == timedelta(days=2)


def test_what_is_not_booked_or_is_somebody_elses_is_not_there(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    path = f"/visits/{suggestion}/calendar"
    assert cast.ana.get(path).status_code == 404
    visits.book(cast.scheduler, suggestion, version=2)
    assert cast.other_patient.get(path).status_code == 404
    for person in (cast.bo, cast.scheduler, cast.admin, cast.cyd):
        assert person.get(path).status_code == 403
    cast.scheduler.post(f"/inbox/booking-suggestions/{suggestion}/cancel", version=4)
    assert cast.ana.get(path).status_code == 404
