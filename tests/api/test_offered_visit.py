"""What Ana sees of her visits, in neutral words; and what she says moves nothing."""

from datetime import timedelta
from typing import Any

import pytest

from server.api.edge import Surroundings
from server.clinical.visit import Slot
from server.models import BookingSuggestion
from server.services.visits import candidate_slot as candidate_slots
from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import CANARY, Visits

INBOX = "/inbox/booking-suggestions"
TIMES = [{"starts_at": "2026-03-04T08:00:00+00:00", "ends_at": "2026-03-04T11:00:00+00:00"}]


def seen(cast: Cast) -> list[dict[str, Any]]:
    return list(cast.ana.get("/visits").json["items"])


def say(cast: Cast, visit: str, version: int, **body: Any) -> Any:
    return cast.ana.post(f"/visits/{visit}/answer", {"answer": "declined", **body}, version=version)


def test_a_draft_is_not_hers_to_see_and_an_approved_visit_is_offered_without_a_reason(
    visits: Visits, cast: Cast
) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    assert seen(cast) == []
    assert cast.ana.get(f"/visits/{suggestion}").status_code == 404
    cast.bo.post(f"/booking-suggestions/{suggestion}/approve", {"override_reason": CANARY}, version=1)
    (offered,) = seen(cast)
    assert (offered["id"], offered["state"]) == (str(suggestion), "offered")
    assert (
        offered["text"] == "Your clinic would like to arrange a visit between 2 March 2026 and 9 March 2026."
    )
    told = cast.ana.get(f"/visits/{suggestion}")
    assert (told.json, told.headers["ETag"]) == (offered, '"v2"')
    for word in (CANARY, "relapse", "urgency", "P2", "reason", "block", "programme", "alert", "decided"):
        assert word not in told.text


def test_she_sees_the_time_that_is_asked_about_and_the_clinic_sees_her_answer(
    visits: Visits, cast: Cast
) -> None:
    suggestion = visits.approved()
    time = {"starts_at": "2026-03-05T09:30:00+01:00"}
    cast.scheduler.post(f"{INBOX}/{suggestion}/propose-time", time, version=2)
    (asked,) = seen(cast)
    assert (asked["state"], asked["proposed_starts_at"]) == ("time_proposed", "2026-03-05T08:30:00+00:00")
    assert asked["text"] == "Your clinic asks whether you could come on 5 March 2026 at 09:30."
    answered = say(cast, suggestion, 4, preferred_times=TIMES)
    assert (answered.status_code, answered.json["answer"], answered.json["version"]) == (200, "declined", 5)
    (item,) = cast.scheduler.get(INBOX).json["items"]
    assert (item["state"], item["patient_answer"]) == ("acknowledged", "declined")
    assert (item["preferred_times"], item["patient_answered_at"]) == (TIMES, "2026-03-02T12:00:00+00:00")
    kept = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    assert (kept["patient_answer"], kept["preferred_times"]) == ("declined", TIMES)
    assert (kept["events"][-1]["action"], kept["events"][-1]["account"]) == ("answer", "Ana")
    assert [alert["state"] for alert in cast.bo.get("/alerts").json["items"]] == ["open"]
    other = {"starts_at": "2026-03-04T09:30:00+00:00"}
    asked_anew = cast.scheduler.post(f"{INBOX}/{suggestion}/propose-time", other, version=5).json
    assert (asked_anew["patient_answer"], asked_anew["preferred_times"]) == (None, TIMES)


def test_saying_it_again_changes_nothing_and_an_old_version_is_shown_what_is_so(
    visits: Visits, cast: Cast
) -> None:
    suggestion = visits.approved()
    first = say(cast, suggestion, 2, answer="accepted")
    again = say(cast, suggestion, 2, answer="accepted")
    assert (first.status_code, again.status_code, first.json) == (200, 200, again.json)
    stale = say(cast, suggestion, 2)
    assert (stale.status_code, stale.json["current"]["answer"]) == (412, "accepted")
    assert cast.ana.post(f"/visits/{suggestion}/answer", {"answer": "accepted"}).status_code == 428
    changed = say(cast, suggestion, 3, preferred_times=TIMES)
    assert (changed.json["answer"], changed.json["version"]) == ("declined", 4)
    assert len(cast.bo.get(f"/booking-suggestions/{suggestion}").json["events"]) == 4


def test_an_appointment_is_hers_to_see_and_her_day_names_it(visits: Visits, cast: Cast, clock: Clock) -> None:
    assert cast.ana.get("/me/today").json["next_visit"] is None
    suggestion = visits.booked()
    (booked,) = seen(cast)
    assert (booked["state"], booked["text"]) == (
        "booked",
        "You have an appointment on 5 March 2026 at 13:00.",
    )
    assert cast.ana.get("/me/today").json["next_visit"] == {
        "id": suggestion,
        "starts_at": "2026-03-05T12:00:00+00:00",
        "ends_at": "2026-03-05T13:30:00+00:00",
    }
    assert say(cast, suggestion, 4).json["answer"] == "declined"
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["state"] == "booked"
    clock.forward(days=3, minutes=1)
    assert cast.ana.get("/me/today").json["next_visit"] is None


@pytest.mark.parametrize(
    ("report", "state", "text"),
    [
        ("complete", "over", "This visit is over."),
        ("noshow", "over", "This visit is over."),
        ("cancel", "ended", "This visit is not planned any more. Your clinic can tell you more."),
    ],
)
def test_what_ended_is_shown_for_a_month_and_answered_no_more(
    visits: Visits, cast: Cast, clock: Clock, report: str, state: str, text: str
) -> None:
    suggestion = visits.booked()
    cast.scheduler.post(f"{INBOX}/{suggestion}/{report}", version=4)
    (ended,) = seen(cast)
    assert (ended["state"], ended["text"]) == (state, text)
    assert say(cast, suggestion, 5).status_code == 409
    clock.forward(days=30)
    assert seen(cast) == []


def test_a_visit_she_went_to_and_nobody_reported_on_is_over_and_not_called_off(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.booked()
    clock.forward(days=3, minutes=30)
    assert seen(cast)[0]["state"] == "booked"
    clock.forward(minutes=60)
    assert (seen(cast)[0]["state"], seen(cast)[0]["text"]) == ("over", "This visit is over.")
    clock.forward(days=14)
    assert visits.expire() == 1
    assert (seen(cast)[0]["state"], seen(cast)[0]["text"]) == ("over", "This visit is over.")


def test_a_time_that_has_passed_is_not_asked_about_any_more(visits: Visits, cast: Cast, clock: Clock) -> None:
    suggestion = visits.approved()
    time = {"starts_at": (visits.now + timedelta(days=1)).isoformat()}
    cast.scheduler.post(f"{INBOX}/{suggestion}/propose-time", time, version=2)
    clock.forward(days=1)
    (offered,) = seen(cast)
    assert (offered["state"], offered["text"]) == (
        "offered",
        "Your clinic would like to arrange a visit between 2 March 2026 and 9 March 2026.",
    )


def test_a_window_that_was_changed_is_offered_anew(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    say(cast, suggestion, 2, answer="accepted")
    change = {"earliest": "2026-03-09", "reason": "Full."}
    cast.bo.post(f"/booking-suggestions/{suggestion}/change", change, version=3)
    (offered,) = seen(cast)
    assert offered["text"] == "Your clinic would like to arrange a visit on 9 March 2026."
    assert (offered["answer"], offered["version"]) == (None, 4)


@pytest.mark.parametrize("said", ["accepted", "declined"])
def test_what_she_said_of_one_time_is_no_answer_to_another(visits: Visits, cast: Cast, said: str) -> None:
    suggestion = visits.approved()
    time = {"starts_at": (visits.now + timedelta(days=3)).isoformat()}
    cast.scheduler.post(f"{INBOX}/{suggestion}/propose-time", time, version=2)
    say(cast, suggestion, 4, answer=said)
    kept = visits.book(cast.scheduler, suggestion, version=5, days=3).json
    assert (kept["state"], kept["patient_answer"]) == ("booked", said)
    moved = visits.book(cast.scheduler, suggestion, version=6, days=5).json
    assert (moved["patient_answer"], moved["patient_answered_at"]) == (None, None)
    assert seen(cast)[0]["answer"] is None
    assert say(cast, suggestion, 7, answer=said).json["answer"] == said


@pytest.mark.parametrize("said", ["accepted", "declined"])
def test_what_she_said_of_the_days_is_no_answer_to_the_time_that_is_booked(
    visits: Visits, cast: Cast, said: str
) -> None:
    suggestion = visits.approved()
    say(cast, suggestion, 2, answer=said, preferred_times=TIMES)
    booked = visits.book(cast.scheduler, suggestion, version=3, starts_at=TIMES[0]["starts_at"]).json
    assert (booked["state"], booked["patient_answer"], booked["preferred_times"]) == ("booked", None, TIMES)
    assert seen(cast)[0]["answer"] is None
    assert say(cast, suggestion, 5, answer=said).json["answer"] == said


def test_what_she_said_of_a_time_that_was_asked_about_is_no_answer_to_the_one_that_is_booked(
    visits: Visits, cast: Cast
) -> None:
    suggestion = visits.approved()
    time = {"starts_at": (visits.now + timedelta(days=4)).isoformat()}
    cast.scheduler.post(f"{INBOX}/{suggestion}/propose-time", time, version=2)
    say(cast, suggestion, 4)
    booked = visits.book(cast.scheduler, suggestion, version=5, days=3).json
    assert (booked["state"], booked["patient_answer"]) == ("booked", None)


NEVER = [
    ("2026-03-04T08:00:00Z", "2026-03-04T08:00:00Z"),
    ("2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"),
    ("2026-03-04T08:00:00Z", "2027-03-04T08:00:00Z"),
]


def test_times_that_can_not_be_and_more_than_five_are_refused(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    for starts_at, ends_at in NEVER:
        times = [*TIMES, {"starts_at": starts_at, "ends_at": ends_at}]
        refused = say(cast, suggestion, 2, preferred_times=times)
        found = (refused.status_code, refused.json["errors"][0]["pointer"])
        assert found == (422, "/preferred_times/1/ends_at")
    many = say(cast, suggestion, 2, preferred_times=TIMES * 6)
    assert (many.status_code, many.json["errors"][0]["pointer"]) == (422, "/preferred_times")


def test_her_visits_are_hers_alone(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    path = f"/visits/{suggestion}"
    assert cast.other_patient.get("/visits").json["items"] == []
    assert cast.other_patient.get(path).status_code == 404
    assert cast.other_patient.post(f"{path}/answer", {"answer": "accepted"}, version=2).status_code == 404
    for other in (cast.bo, cast.coordinator, cast.admin, cast.scheduler, cast.cyd):
        assert other.get("/visits").status_code == 403
        assert other.post(f"{path}/answer", {"answer": "accepted"}, version=2).status_code == 403


def test_free_times_are_shown_to_all_three_while_they_can_be_relied_on(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    hours = timedelta(hours=1)

    def slot(days: float, link: str | None = None) -> Slot:
        starts = visits.now + timedelta(days=days)
        return Slot(starts, starts + hours, f"slot-{days}", link)

    def attach(*slots: Slot) -> None:
        with Surroundings.of(visits.app).database.write() as session:
            work = visits.work(session)
            row = session.query(BookingSuggestion).one()
            candidate_slots.attach(work, row, slots, visits.now + hours)

    free = [slot(n / 2) for n in range(14, 0, -1)]
    attach(slot(3), slot(1))
    attach(*free, slot(2, f"https://book.example/{CANARY}"), slot(-1), slot(9))
    shown = [
        cast.scheduler.get(f"{INBOX}/{suggestion}").json["slots"],
        cast.scheduler.get(INBOX).json["items"][0]["slots"],
        cast.bo.get(f"/booking-suggestions/{suggestion}").json["slots"],
    ]
    assert shown[0] == shown[1] == shown[2]
    assert [one["external_id"] for one in shown[0]] == [
        "slot-0.5",
        "slot-1.0",
        "slot-1.5",
        "slot-2",
        "slot-2.5",
    ]
    assert [one["link"] for one in shown[0]] == [None, None, None, f"https://book.example/{CANARY}", None]
    (hers,) = seen(cast)
    assert [one["starts_at"] for one in hers["slots"]] == [one["starts_at"] for one in shown[0]]
    assert {*hers["slots"][0]} == {"starts_at", "ends_at"}
    clock.forward(hours=1)
    assert cast.scheduler.get(f"{INBOX}/{suggestion}").json["slots"] == []
    assert seen(cast)[0]["slots"] == []
