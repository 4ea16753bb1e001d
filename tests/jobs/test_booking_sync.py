"""A suggestion and a clinic's own system, over a real line: told, asked, booked there, taken back."""

from copy import deepcopy
from datetime import datetime, timedelta

import pytest

from server.clinical.vocabulary import AlertFamily, CopyState, SuggestionState
from tests.conftest import Clock
from tests.gateways.scheduling import http_configs
from tests.gateways.scheduling.small_clinic import SmallClinic, open_for_business
from tests.practice import Practice

S = SuggestionState


@pytest.fixture
def friday(clock: Clock) -> datetime:
    """A time inside the window."""
    return clock.now + timedelta(days=4)


def test_what_is_approved_is_in_the_practices_book_within_a_run(practice: Practice) -> None:
    assert practice.sync() == 1
    assert (practice.state(), practice.booked_visit().phase) == (S.SENT, "wished")
    assert practice.booked_visit().wish["who"] == "card-4711"
    assert practice.sync() == 0


def test_a_visit_of_somebody_it_has_no_name_for_goes_there_once_it_has(practice: Practice) -> None:
    lines = f"/clinic/scheduling-connections/{practice.connection}/mappings/patient"
    anas = f"{lines}/{practice.cast.ana.patient_id}"
    assert practice.cast.admin.delete(anas).status_code == 204
    practice.sync()
    assert (practice.state(), practice.copy().failure) == (S.NEEDS_ATTENTION, "patient_unmapped")
    gus = practice.cast.coordinator.post("/patients", {"name": "Gus", "zone": "Europe/Oslo"}).json["id"]
    assert practice.cast.admin.put(f"{lines}/{gus}", {"theirs": "card-12"}).status_code == 200
    assert (practice.sync(minutes=1), practice.copy().state) == (0, CopyState.HELD)
    assert practice.cast.admin.put(anas, {"theirs": "card-4711"}).status_code == 200
    practice.sync()
    assert (practice.state(), practice.live()) == (S.SENT, 1)


def test_what_staff_do_there_is_known_here(practice: Practice, friday: datetime) -> None:
    practice.sync()
    practice.staff("in_review")
    practice.sync(minutes=6)
    assert practice.state() == S.ACKNOWLEDGED
    practice.staff("fixed", friday)
    practice.sync(minutes=6)
    assert (practice.state(), practice.row().starts_at) == (S.BOOKED, friday)
    practice.staff("fixed", friday + timedelta(hours=2))
    practice.sync(minutes=31)
    assert practice.row().starts_at == friday + timedelta(hours=2)
    practice.staff("arrived")
    practice.sync(minutes=31)
    practice.staff("closed")
    practice.sync(minutes=31)
    assert (practice.state(), practice.copy().state) == (S.FULFILLED, CopyState.SETTLED)
    assert practice.tasks() == []


def test_what_they_said_before_it_was_booked_another_way_is_looked_at_again(
    practice: Practice, friday: datetime
) -> None:
    practice.sync()
    practice.staff("arrived")  # without a time: it is no booked visit yet
    practice.sync(minutes=6)
    booking = {"external_id": "apt-9", "starts_at": friday.isoformat()}
    path = f"/inbox/booking-suggestions/{practice.suggestion}/book"
    assert practice.cast.scheduler.post(path, booking, version=practice.row().version).status_code == 200
    practice.sync(minutes=35)
    practice.sync(minutes=35)
    assert practice.state() == "booked"
    assert practice.tasks() == ["illegal_move"] * 2  # of the visit as it stood then, and as it stands now


@pytest.mark.parametrize(
    ("phase", "task"),
    [("missed", "booked_otherwise"), ("closed", "illegal_move"), (None, "booked_otherwise")],
)
def test_a_visit_that_staff_book_anew_after_its_day_is_put_before_a_person(
    practice: Practice, friday: datetime, phase: str | None, task: str
) -> None:
    practice.sync()
    practice.staff("fixed", friday)
    practice.sync(minutes=6)
    practice.sync(minutes=60 * 24 * 5)
    if phase is None:  # their system has no word for it, and they report it
        path = f"/inbox/booking-suggestions/{practice.suggestion}/noshow"
        assert practice.cast.scheduler.post(path, version=practice.row().version).status_code == 200
    else:
        practice.staff(phase)
    practice.sync(minutes=31)
    assert (practice.state(), practice.tasks()) == (S.FULFILLED if phase == "closed" else S.NOSHOW, [])
    practice.staff("fixed", friday + timedelta(days=9))
    practice.sync(minutes=60 * 24)
    assert practice.tasks() == [task]
    practice.sync(minutes=60 * 24)
    assert practice.tasks() == [task]


@pytest.mark.parametrize("phase", ["arrived", "closed", "missed"])
def test_a_visit_that_was_moved_and_had_its_day_between_two_questions_has_its_last_time(
    practice: Practice, friday: datetime, phase: str
) -> None:
    practice.sync()
    practice.staff("fixed", friday)
    practice.sync(minutes=6)
    practice.staff(phase, friday + timedelta(hours=3))
    practice.sync(minutes=60 * 24 * 5)
    assert practice.state() in (S.ARRIVED, S.FULFILLED, S.NOSHOW)
    assert (practice.row().starts_at, practice.tasks()) == (friday + timedelta(hours=3), [])


def test_a_time_that_was_moved_another_way_since_is_not_moved_back(
    practice: Practice, friday: datetime
) -> None:
    practice.sync()
    practice.staff("fixed", friday)
    practice.sync(minutes=6)
    number, later = practice.booked_visit().number, friday + timedelta(days=1)
    path = f"/inbox/booking-suggestions/{practice.suggestion}/book"
    moved = {"external_id": number, "starts_at": later.isoformat()}
    assert practice.cast.scheduler.post(path, moved, version=practice.row().version).status_code == 200
    practice.sync(minutes=31)
    practice.sync(minutes=31)
    assert (practice.row().starts_at, practice.tasks()) == (later, ["illegal_move"])
    practice.staff("fixed", friday + timedelta(days=2))
    practice.sync(minutes=31)
    assert (practice.row().starts_at, practice.tasks()) == (friday + timedelta(days=2), ["illegal_move"])


def test_a_visit_that_the_system_tells_of_after_its_session_was_recorded_is_fulfilled_by_it(
    practice: Practice, friday: datetime
) -> None:
    practice.sync()
    practice.clock.forward(days=4, minutes=5)
    course = practice.cast.bo.get(f"{practice.visits.ana}/courses").json["items"][0]["id"]
    given = practice.visits.session(course, friday)
    practice.staff("arrived", friday)
    practice.sync()
    assert (practice.state(), str(practice.row().treatment_session_id)) == (S.FULFILLED, given["id"])
    practice.sync(minutes=60 * 24)
    assert practice.tasks() == []


def test_what_a_clinician_takes_back_is_dropped_there(practice: Practice) -> None:
    practice.sync()
    path = f"/booking-suggestions/{practice.suggestion}/dismiss"
    answer = practice.cast.bo.post(path, {"reason": "Called her."}, version=practice.row().version)
    assert answer.status_code == 200, answer.text
    practice.sync()
    assert (practice.booked_visit().phase, practice.copy().state) == ("dropped", CopyState.SETTLED)


def test_a_lost_answer_makes_no_second_visit(practice: Practice) -> None:
    practice.line.lose_answer(2)  # whether it is there already, and the visit itself
    practice.sync()
    assert practice.line.has_lost()
    assert (practice.state(), practice.live()) == (S.SUGGESTED, 1)
    practice.sync(minutes=1)
    assert (practice.state(), practice.live()) == (S.SENT, 1)


def test_what_is_taken_back_before_a_lost_answer_is_made_up_for_is_dropped_there(practice: Practice) -> None:
    practice.line.lose_answer(2)
    practice.sync()
    assert (practice.state(), practice.live()) == (S.SUGGESTED, 1)
    path = f"/booking-suggestions/{practice.suggestion}/dismiss"
    answer = practice.cast.bo.post(path, {"reason": "Called her."}, version=practice.row().version)
    assert answer.status_code == 200, answer.text
    practice.sync(minutes=1)
    assert (practice.live(), practice.copy().state, practice.tasks()) == (0, CopyState.SETTLED, [])


def test_a_message_makes_us_ask_at_once(practice: Practice, friday: datetime) -> None:
    practice.sync()
    practice.staff("fixed", friday)
    answer = practice.send(*practice.message())
    assert (answer.status_code, answer.get_json()) == (202, {"known": False})
    practice.sync()
    assert practice.state() == S.BOOKED


def test_free_times_are_shown_for_a_while_and_no_longer(practice: Practice, friday: datetime) -> None:
    practice.system.openings = [friday, friday + timedelta(hours=1)]
    practice.sync()
    slots = practice.cast.bo.get(f"/booking-suggestions/{practice.suggestion}").json["slots"]
    assert [slot["starts_at"] for slot in slots] == [
        at.isoformat() for at in (friday, friday + timedelta(hours=1))
    ]
    practice.clock.forward(minutes=11)
    assert practice.cast.bo.get(f"/booking-suggestions/{practice.suggestion}").json["slots"] == []


@pytest.mark.parametrize("status", [401, 404, 500])
def test_free_times_that_can_not_be_read_keep_no_visit_back(
    practice: Practice, friday: datetime, status: int
) -> None:
    practice.system.no_openings = status
    practice.sync()
    assert (practice.state(), practice.live(), practice.tasks()) == (S.SENT, 1, [])
    assert practice.copy().failures == 0
    assert (practice.copy().failure or "").startswith("slots_")
    practice.staff("fixed", friday)
    practice.sync(minutes=6)
    assert (practice.state(), practice.row().starts_at) == (S.BOOKED, friday)
    practice.sync(minutes=31)
    assert practice.copy().failure is None


def test_a_practice_that_is_away_costs_nothing_but_time(practice: Practice) -> None:
    port, practice.line.peer_port = practice.line.peer_port, 1
    practice.sync()
    assert practice.state() == S.SUGGESTED
    shown = practice.cast.admin.get("/clinic/scheduling-connections").json["items"][0]
    assert shown["failing_since"] is not None
    practice.line.peer_port = port
    practice.sync(minutes=1)
    shown = practice.cast.admin.get("/clinic/scheduling-connections").json["items"][0]
    assert (practice.state(), shown["failing_since"]) == (S.SENT, None)


def away(practice: Practice, times: int, hours: int) -> int:
    """Look for the practice's system so often while it can't be reached; return the port it is back at."""
    port, practice.line.peer_port = practice.line.peer_port, 1
    for _ in range(times):
        practice.sync(minutes=hours * 60)
    return port


def test_a_practice_that_is_back_after_hours_is_asked_about_every_visit_at_once(
    practice: Practice, friday: datetime
) -> None:
    practice.sync()
    other = practice.visits.relapse(AlertFamily.PAIN_RELAPSE)
    port = away(practice, 6, hours=6)
    practice.line.peer_port = port
    practice.staff("fixed", friday)
    assert practice.copy().due_at > practice.clock.now + timedelta(hours=2)
    answer = practice.cast.bo.post(f"/booking-suggestions/{other}/approve", {}, version=1)
    assert answer.status_code == 200, answer.text
    practice.sync()  # what is new is told at once, and the practice answers
    practice.sync(minutes=1)
    assert practice.state() == S.BOOKED


def test_what_was_given_up_is_asked_about_again_each_day_and_when_somebody_wants_it(
    practice: Practice, friday: datetime
) -> None:
    practice.sync()
    practice.staff("fixed", friday + timedelta(days=20))
    practice.sync(minutes=6)
    port = away(practice, 12, hours=24)
    assert (practice.copy().state, practice.state()) == (CopyState.HELD, S.BOOKED)
    tasks = practice.tasks()
    for _ in range(2):
        practice.sync(minutes=24 * 60)
    assert (practice.copy().state, practice.tasks()) == (CopyState.HELD, tasks), "told once"
    practice.line.peer_port = port
    practice.staff("fixed", friday + timedelta(days=21))
    check = f"/clinic/scheduling-connections/{practice.connection}/check"
    assert practice.cast.coordinator.post(check).status_code == 200
    practice.sync(minutes=1)
    assert (practice.copy().state, practice.row().starts_at) == (
        CopyState.WAITING,
        friday + timedelta(days=21),
    )


def test_what_was_given_up_before_it_was_booked_is_asked_about_again_too(
    practice: Practice, friday: datetime
) -> None:
    practice.sync()
    port = away(practice, 12, hours=24)
    assert (practice.copy().state, practice.state()) == (CopyState.HELD, S.NEEDS_ATTENTION)
    tasks = practice.tasks()
    practice.sync(minutes=24 * 60)
    assert (practice.copy().state, practice.tasks()) == (CopyState.HELD, tasks), "told once"
    practice.line.peer_port = port
    practice.staff("fixed", friday + timedelta(days=20))
    for _ in range(2):
        practice.sync(minutes=24 * 60)
    assert (practice.state(), practice.row().starts_at) == (S.BOOKED, friday + timedelta(days=20))


def test_what_waits_for_its_next_try_is_tried_when_the_settings_are_put_right(
    practice: Practice, friday: datetime
) -> None:
    practice.sync()
    port = away(practice, 6, hours=6)
    practice.line.peer_port = port
    practice.staff("fixed", friday)
    path, name = f"/clinic/scheduling-connections/{practice.connection}", {"name": "The practice's new book"}
    assert practice.cast.admin.patch(path, name, version=1).status_code == 200
    practice.sync()
    assert practice.state() == S.BOOKED


@pytest.mark.parametrize("phase", ["wished", "fixed"])
def test_a_visit_of_somebody_else_at_another_system_is_not_taken_for_hers(
    practice: Practice, friday: datetime, phase: str
) -> None:
    practice.sync()
    practice.staff(phase, friday)
    practice.sync(minutes=6)
    other = SmallClinic()
    number = other.enter({"label": "somebody else's"}).number
    assert number == practice.booked_visit().number
    other.change(number, "fixed", friday + timedelta(days=1))
    with open_for_business(other):
        config = {**deepcopy(http_configs.SEARCHED), "base_url": f"http://127.0.0.1:{other.port}/api"}
        path = f"/clinic/scheduling-connections/{practice.connection}"
        changed = practice.cast.admin.patch(path, {"name": "The new book", "config": config}, version=1)
        assert changed.status_code == 200, changed.text
        practice.sync(minutes=1)
        practice.sync(minutes=35)
    if phase == "fixed":
        assert (practice.row().starts_at, practice.tasks()) == (friday, ["gone_there"])
    else:
        assert (practice.state(), len(other.labelled(practice.suggestion))) == (S.SENT, 1)


def test_nothing_of_why_a_visit_is_suggested_goes_there(practice: Practice) -> None:
    practice.sync()
    for word in (b"canary", b"mood", b"relapse", b"ketamine", b"Ana", b"depress"):
        assert word not in practice.line.sent
