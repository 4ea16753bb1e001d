"""The scheduling system: it pulls, it reports, and it never learns why."""

from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.visits import CANARY, Visits

INBOX = "/inbox/booking-suggestions"
SEEN = {
    *("id", "patient_id", "visit", "earliest", "latest"),
    *("urgency", "minutes", "state", "external_id", "starts_at", "ends_at", "version"),
    *("proposed_starts_at", "proposed_ends_at"),
    *("patient_answer", "patient_answered_at", "preferred_times", "slots"),
}


def test_what_is_approved_is_pulled_seen_booked_and_completed(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    (item,) = cast.scheduler.get(INBOX).json["items"]
    assert (set(item), item["state"], item["visit"]) == (SEEN, "suggested", "maintenance_visit")
    seen = cast.scheduler.post(f"{INBOX}/{suggestion}/acknowledge", version=2)
    assert (seen.json["state"], seen.json["version"], seen.headers["ETag"]) == ("acknowledged", 4, '"v4"')
    booked = visits.book(cast.scheduler, suggestion, version=4)
    assert (booked.json["state"], booked.json["external_id"]) == ("booked", "apt-1")
    done = cast.scheduler.post(f"{INBOX}/{suggestion}/complete", version=5)
    assert (done.json["state"], done.json["version"]) == ("fulfilled", 6)
    log = cast.bo.get(f"/booking-suggestions/{suggestion}").json["events"]
    assert [move["action"] for move in log] == [
        *("draft", "approve", "send", "acknowledge", "book", "fulfil")
    ]
    assert log[-1]["account"] == "Scheduling"


def test_booking_twice_is_once(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    first = visits.book(cast.scheduler, suggestion, version=2)
    again = visits.book(cast.scheduler, suggestion, version=2)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json == again.json
    assert len(cast.bo.get(f"/booking-suggestions/{suggestion}").json["events"]) == 4


def test_another_appointment_needs_to_say_that_it_replaces_the_first(visits: Visits, cast: Cast) -> None:
    suggestion = visits.booked()
    other = visits.book(cast.scheduler, suggestion, version=4, external_id="apt-2")
    assert (other.status_code, other.json["code"]) == (409, "booked-otherwise")
    moved = visits.book(cast.scheduler, suggestion, version=4, external_id="apt-2", reschedule=True)
    assert (moved.status_code, moved.json["external_id"], moved.json["version"]) == (200, "apt-2", 5)
    later = visits.book(cast.scheduler, suggestion, version=5, days=4, external_id="apt-2")
    assert (later.status_code, later.json["version"]) == (200, 6)


def test_an_appointment_does_not_lie_before_its_suggestion(visits: Visits, cast: Cast) -> None:
    refused = visits.book(cast.scheduler, visits.approved(), version=2, days=-1)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/starts_at")


@pytest.mark.parametrize(
    ("report", "state"), [("cancel", "cancelled"), ("noshow", "noshow"), ("complete", "fulfilled")]
)
def test_a_report_sent_twice_changes_nothing(visits: Visits, cast: Cast, report: str, state: str) -> None:
    path = f"{INBOX}/{visits.booked()}/{report}"
    first, again = cast.scheduler.post(path, version=4), cast.scheduler.post(path, version=4)
    assert (first.json["state"], first.json["version"]) == (state, 5)
    assert (again.status_code, again.json) == (200, first.json)


def test_a_declined_suggestion_tells_the_care_team_why_and_stays_down(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    body = {"code": "no_capacity", "note": "Full until April."}
    declined = cast.scheduler.post(f"{INBOX}/{suggestion}/decline", body, version=2)
    assert declined.json["state"] == "declined"
    assert cast.bo.get(f"/booking-suggestions/{suggestion}").json["events"][-1]["detail"] == body
    assert visits.relapse() is None
    assert [alert["state"] for alert in cast.bo.get("/alerts").json["items"]] == ["open"]


def test_a_patient_who_has_come_is_reported_and_the_session_fulfils_the_visit(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked()
    path = f"{INBOX}/{suggestion}/arrive"
    first, again = cast.scheduler.post(path, version=4), cast.scheduler.post(path, version=4)
    assert (first.json["state"], first.json["version"], again.json) == ("arrived", 5, first.json)
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    visits.session(course, clock.forward(days=3))
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "fulfilled"
    assert cast.scheduler.post(path, version=6).status_code == 409


def test_an_arrival_that_nothing_follows_does_not_stand_in_the_way_for_ever(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked()
    cast.scheduler.post(f"{INBOX}/{suggestion}/arrive", version=4)
    clock.forward(days=17)
    assert visits.expire() == 0
    clock.forward(hours=1)
    assert visits.expire() == 1
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "expired"


def test_a_missed_visit_makes_room_for_another(visits: Visits, cast: Cast) -> None:
    suggestion = visits.booked()
    assert visits.relapse() is None
    cast.scheduler.post(f"{INBOX}/{suggestion}/noshow", version=4)
    assert visits.relapse() is not None


@pytest.mark.parametrize(
    ("ends_at", "told"),
    [
        (None, "2026-03-05T13:30:00+00:00"),
        ("2026-03-05T13:00:00+01:00", None),
        ("2026-03-07T12:00:00Z", None),
    ],
)
def test_an_appointment_lasts_as_long_as_such_a_visit_or_as_the_clinic_says(
    visits: Visits, cast: Cast, ends_at: str | None, told: str | None
) -> None:
    suggestion = visits.approved()
    said = {} if ends_at is None else {"ends_at": ends_at}
    booked = visits.book(cast.scheduler, suggestion, version=2, **said)
    if told is None:
        assert (booked.status_code, booked.json["errors"][0]["pointer"]) == (422, "/ends_at")
        return
    assert (booked.status_code, booked.json["ends_at"]) == (200, told)
    longer = visits.book(cast.scheduler, suggestion, version=4, ends_at="2026-03-05T14:00:00Z")
    assert (longer.json["version"], longer.json["ends_at"]) == (5, "2026-03-05T14:00:00+00:00")
    assert visits.book(cast.scheduler, suggestion, version=4).json["version"] == 5


def test_asking_about_a_time_says_that_it_was_seen_and_books_nothing(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    path = f"{INBOX}/{suggestion}/propose-time"
    time = {"starts_at": "2026-03-05T09:30:00+01:00"}
    asked = cast.scheduler.post(path, time, version=2)
    assert (asked.status_code, asked.json["state"], asked.json["starts_at"]) == (200, "acknowledged", None)
    assert asked.json["proposed_starts_at"] == "2026-03-05T08:30:00+00:00"
    assert asked.json["proposed_ends_at"] == "2026-03-05T10:00:00+00:00"
    assert cast.scheduler.post(path, time, version=2).json == asked.json
    other = {**time, "ends_at": "2026-03-05T10:00:00+01:00"}
    assert cast.scheduler.post(path, other, version=2).status_code == 412
    assert cast.scheduler.post(path, other, version=4).json["version"] == 5
    past = cast.scheduler.post(path, {"starts_at": "2026-03-01T09:30:00Z"}, version=5)
    assert (past.status_code, past.json["errors"][0]["pointer"]) == (422, "/starts_at")
    booked = visits.book(cast.scheduler, suggestion, version=5)
    assert (booked.json["state"], booked.json["proposed_starts_at"]) == ("booked", None)
    assert cast.scheduler.post(path, time, version=6).status_code == 409


def test_a_withdrawal_is_learned_from_the_item_and_not_from_the_open_list(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    cast.bo.post(f"/booking-suggestions/{suggestion}/dismiss", {"reason": CANARY}, version=2)
    assert cast.scheduler.get(INBOX).json["items"] == []
    assert [i["id"] for i in cast.scheduler.get(f"{INBOX}?state=withdrawn").json["items"]] == [suggestion]
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "withdrawn"
    assert visits.book(cast.scheduler, suggestion, version=3).status_code == 409


def test_reports_on_what_is_not_booked_are_conflicts(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    for report in ("cancel", "noshow", "complete"):
        answer = cast.scheduler.post(f"{INBOX}/{suggestion}/{report}", version=2)
        assert (answer.status_code, answer.json["code"]) == (409, "illegal-move")
    stored = cast.scheduler.get(f"{INBOX}/{suggestion}").json
    assert (stored["state"], stored["version"]) == ("suggested", 2)


def test_every_report_names_its_version(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    bodies: dict[str, Any] = {
        "acknowledge": None,
        "arrive": None,
        "propose-time": {"starts_at": "2026-03-05T09:00:00Z"},
        "book": {"external_id": "apt", "starts_at": "2026-03-05T09:00:00Z"},
        "decline": {"code": "other"},
        "cancel": None,
        "noshow": None,
        "complete": None,
    }
    for report, body in bodies.items():
        path = f"{INBOX}/{suggestion}/{report}"
        assert cast.scheduler.post(path, body).status_code == 428
        stale = cast.scheduler.post(path, body, version=1)
        assert (stale.status_code, set(stale.json["current"])) == (412, SEEN)


def test_the_scheduling_system_never_learns_why(visits: Visits, cast: Cast, clock: Clock) -> None:
    visits.course()
    told = entry(clock.now, note=CANARY, side_effects={"chest_pain": 3}, tags=[CANARY])
    cast.ana.put(f"/entries/{uuid7()}", told)
    suggestion = visits.relapse()
    approval = {"override_reason": CANARY}
    assert cast.bo.post(f"/booking-suggestions/{suggestion}/approve", approval, version=1).status_code == 200
    one = f"{INBOX}/{suggestion}"
    answers = [
        cast.scheduler.get(INBOX),
        cast.scheduler.get(one),
        cast.scheduler.post(f"{one}/noshow", version=1),
        cast.scheduler.post(f"{one}/noshow", version=2),
        cast.scheduler.post(f"{one}/acknowledge", version=2),
        visits.book(cast.scheduler, str(suggestion), version=4),
        visits.book(cast.scheduler, str(suggestion), version=5, external_id="apt-2"),
        cast.scheduler.post(f"{one}/decline", {"code": "other", "note": CANARY}, version=5),
        cast.scheduler.post(f"{one}/cancel", version=5),
    ]
    assert [a.status_code for a in answers] == [200, 200, 412, 409, 200, 200, 409, 409, 200]
    for answer in answers:
        for word in (CANARY, "relapse", "chest", "AE_OPEN", "blocks", "reason", "programme", "mood"):
            assert word not in answer.text


def test_what_happened_is_read_back_since_the_approval_and_never_why(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    path = f"{INBOX}/{suggestion}/history"
    assert cast.scheduler.get(path).status_code == 404
    change = {"minutes": 60, "reason": CANARY}
    cast.bo.post(f"/booking-suggestions/{suggestion}/change", change, version=1)
    cast.bo.post(f"/booking-suggestions/{suggestion}/approve", {"override_reason": CANARY}, version=2)
    cast.ana.post(f"/visits/{suggestion}/answer", {"answer": "accepted"}, version=3)
    visits.book(cast.scheduler, str(suggestion), version=4)
    told = cast.scheduler.get(path)
    assert [(one["number"], one["action"], one["state"], one["by"]) for one in told.json["items"]] == [
        (3, "approve", "suggested", "clinician"),
        (4, "answer", "suggested", "patient"),
        (5, "send", "sent", "integration"),
        (6, "book", "booked", "integration"),
    ]
    assert CANARY not in told.text
    assert cast.bo.get(path).status_code == 403


def test_a_delivered_session_fulfils_the_booked_visit(visits: Visits, cast: Cast, clock: Clock) -> None:
    suggestion = visits.booked()
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    visits.session(course, clock.now - timedelta(days=5))
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "booked"
    clock.forward(days=3)
    given = visits.session(course, clock.now)
    stored = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    assert (stored["state"], stored["treatment_session_id"]) == ("fulfilled", given["id"])


@pytest.mark.parametrize(("days", "linked"), [(0, True), (13, True), (14, False)])
def test_a_session_recorded_soon_after_the_visit_was_reported_is_linked_to_it(
    visits: Visits, cast: Cast, clock: Clock, days: int, linked: bool
) -> None:
    suggestion = visits.booked()
    clock.forward(days=3)
    cast.scheduler.post(f"{INBOX}/{suggestion}/complete", version=4)
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    given = visits.session(course, clock.forward(days=days))
    stored = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    assert stored["treatment_session_id"] == (given["id"] if linked else None)


@pytest.mark.parametrize("reports", [["book"], ["book", "complete"]])
def test_a_visit_that_is_reported_after_its_session_was_recorded_is_fulfilled_by_it(
    visits: Visits, cast: Cast, clock: Clock, reports: list[str]
) -> None:
    suggestion = visits.approved()
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    given = visits.session(course, clock.forward(days=3))
    clock.forward(hours=8)
    version = 2
    for report in reports:
        body = {"external_id": "apt-1", "starts_at": given["at"]} if report == "book" else None
        told = cast.scheduler.post(f"{INBOX}/{suggestion}/{report}", body, version=version)
        assert (told.status_code, told.json["state"]) == (200, "fulfilled")
        again = cast.scheduler.post(f"{INBOX}/{suggestion}/{report}", body, version=version)
        assert (again.status_code, again.json) == (200, told.json)
        version = told.json["version"]
    stored = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    assert stored["treatment_session_id"] == given["id"]
    assert [one["action"] for one in stored["events"]][-2:] == ["book", "fulfil"]


def test_a_visit_of_another_day_or_still_to_come_is_not_the_session_of_before(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    visits.session(course, clock.forward(days=2))
    booked = visits.book(cast.scheduler, suggestion, version=2, days=0.1).json
    assert booked["state"] == "booked"
    clock.forward(days=1)
    moved = visits.book(cast.scheduler, suggestion, version=booked["version"], days=0).json
    told = cast.scheduler.post(f"{INBOX}/{suggestion}/complete", version=moved["version"])
    assert (told.status_code, told.json["state"]) == (200, "fulfilled")
    assert cast.bo.get(f"/booking-suggestions/{suggestion}").json["treatment_session_id"] is None


@pytest.mark.parametrize(("days", "fulfils"), [(6, False), (7, True), (23, True)])
def test_a_session_long_before_the_visit_is_another_one(
    visits: Visits, cast: Cast, clock: Clock, days: int, fulfils: bool
) -> None:
    suggestion = visits.booked(10)
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    visits.session(course, clock.forward(days=days))
    stored = cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"]
    assert stored == ("fulfilled" if fulfils else "booked")


def test_a_session_for_pain_is_no_visit_for_mood_of_another_day(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked(3)
    pain = visits.course(condition="crps")
    visits.session(pain, clock.forward(days=4))
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "booked"


def test_a_session_of_the_past_that_is_entered_late_is_none_of_a_later_visit(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked(10)
    course = cast.bo.get(f"{visits.ana}/courses").json["items"][0]["id"]
    clock.forward(days=9)
    visits.session(course, clock.now - timedelta(days=8))
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "booked"


def test_a_time_that_both_sides_agreed_on_may_be_booked_until_it_is_there(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    time = {"starts_at": (clock.now + timedelta(days=12)).isoformat()}
    asked = cast.scheduler.post(f"{INBOX}/{suggestion}/propose-time", time, version=2).json
    answer = {"answer": "accepted"}
    said = cast.ana.post(f"/visits/{suggestion}/answer", answer, version=asked["version"])
    assert said.status_code == 200, said.text
    clock.forward(days=11)
    assert visits.expire() == 0
    booked = visits.book(cast.scheduler, suggestion, version=said.json["version"], days=1)
    assert (booked.status_code, booked.json["state"]) == (200, "booked")


@pytest.mark.parametrize(("answer", "days"), [("declined", 8), (None, 13)])
def test_a_time_that_passed_or_that_the_patient_does_not_want_keeps_nothing_open(
    visits: Visits, cast: Cast, clock: Clock, answer: str | None, days: int
) -> None:
    suggestion = visits.approved()
    time = {"starts_at": (clock.now + timedelta(days=12)).isoformat()}
    asked = cast.scheduler.post(f"{INBOX}/{suggestion}/propose-time", time, version=2).json
    if answer is not None:
        said = cast.ana.post(f"/visits/{suggestion}/answer", {"answer": answer}, version=asked["version"])
        assert said.status_code == 200, said.text
    clock.forward(days=days)
    assert visits.expire() == 1


def test_a_visit_that_is_never_reported_ends_after_two_weeks(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.booked()
    clock.forward(days=17)
    assert visits.expire() == 0
    clock.forward(hours=1)
    assert visits.expire() == 1
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "expired"
