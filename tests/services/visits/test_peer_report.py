"""What a scheduling system says is carried out, refused or put before a person; the same never twice."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from server.clinical.visit import Seen
from server.clinical.vocabulary import PeerStatus, SuggestionState
from server.services.visits.copy_outcome import Heard
from tests.conftest import Clock
from tests.services.visits.conftest import Desk, Times

P, S = PeerStatus, SuggestionState


def test_what_is_approved_goes_to_the_system_and_then_is_asked_about(desk: Desk, clock: Clock) -> None:
    claimed = desk.claim()
    assert (claimed.behind, claimed.known, claimed.proposed.state) == (True, False, S.SUGGESTED)
    assert desk.nothing_is_due()
    desk.finish(claimed, Heard(_seen(P.PROPOSED), told=True))
    assert (desk.state(), desk.copy().external_id) == (S.SENT, "there-1")
    assert desk.copy().sent_version == desk.row().version
    clock.forward(minutes=5)
    asked = desk.claim()
    assert (asked.behind, asked.known) == (False, True)


def test_a_booked_visit_has_the_clinics_time_and_who_said_it(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(3), ends_at=in_days(3.1), version="7", changed_at=in_days(0.1))
    row = desk.row()
    assert (row.state, row.external_id, row.starts_at) == (S.BOOKED, "there-1", in_days(3))
    events = desk.cast.bo.get(f"/booking-suggestions/{desk.suggestion}").json["events"]
    assert events[-1]["detail"]["source"] == "scheduling_system"
    assert events[-1]["detail"]["source_version"] == "7"


def test_the_same_report_again_changes_nothing(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True)
    for _ in range(3):
        desk.hears(P.BOOKED, starts_at=in_days(3))
        version = desk.row().version
    assert (desk.state(), version, desk.tasks()) == (S.BOOKED, 4, [])


def test_an_older_report_never_overwrites_a_newer_one(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(4), changed_at=in_days(0.02))
    desk.hears(P.BOOKED, starts_at=in_days(3), changed_at=in_days(0.01))
    assert desk.row().starts_at == in_days(4)
    log = desk.cast.bo.get(f"/booking-suggestions/{desk.suggestion}").json["events"]
    assert log[-1]["action"] == "ignored_older"


def test_another_appointment_of_theirs_counts_whenever_it_was_made(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True, changed_at=in_days(0.02))
    desk.clock.forward(minutes=31)
    own = Seen("there-2", P.BOOKED, in_days(4), changed_at=in_days(0.01))
    desk.finish(desk.claim(), Heard(own, was_asked=True))
    assert (desk.state(), desk.row().starts_at, desk.tasks()) == (S.BOOKED, in_days(4), [])


def test_another_time_moves_the_visit(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(3), changed_at=in_days(0.1))
    desk.hears(P.BOOKED, starts_at=in_days(5), changed_at=in_days(0.2))
    assert (desk.state(), desk.row().starts_at) == (S.BOOKED, in_days(5))


def test_a_visit_that_is_longer_there_ends_later_here_too(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(3), ends_at=in_days(3.1))
    desk.hears(P.BOOKED, starts_at=in_days(3), ends_at=in_days(3.2))
    version = desk.row().version
    desk.hears(P.BOOKED, starts_at=in_days(3), ends_at=in_days(3.2))
    desk.hears(P.BOOKED, starts_at=in_days(3))
    assert (desk.row().ends_at, desk.row().version, desk.tasks()) == (in_days(3.2), version, [])
    (hers,) = desk.cast.ana.get("/visits").json["items"]
    assert hers["ends_at"] == in_days(3.2).isoformat()


def test_a_missed_step_is_made_up_for(desk: Desk, in_days: Times) -> None:
    desk.hears(P.FULFILLED, told=True, starts_at=in_days(1))
    log = desk.cast.bo.get(f"/booking-suggestions/{desk.suggestion}").json["events"]
    assert [event["action"] for event in log[-3:]] == ["send", "book", "fulfil"]


def test_a_visit_booked_there_after_it_was_withdrawn_here_is_put_before_a_person(
    desk: Desk, in_days: Times
) -> None:
    desk.hears(P.PROPOSED, told=True)
    path = f"/booking-suggestions/{desk.suggestion}/dismiss"
    answer = desk.cast.bo.post(path, {"reason": "Called her."}, version=desk.row().version)
    assert answer.status_code == 200, answer.text
    desk.hears(P.BOOKED, told=True, starts_at=in_days(3))
    assert (desk.state(), desk.tasks()) == (S.WITHDRAWN, ["booked_otherwise"])
    desk.clock.forward(days=1)
    assert desk.nothing_is_due()  # over on our side, and told


@pytest.mark.parametrize("status", [P.BOOKED])
def test_a_time_before_the_suggestion_was_made_is_no_booking(
    desk: Desk, in_days: Times, status: PeerStatus
) -> None:
    desk.hears(status, told=True, starts_at=in_days(-1))
    assert (desk.state(), desk.tasks()) == (S.SUGGESTED, ["illegal_move"])


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        ("2026-03-01T10:00:00+00:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("2099-03-05T10:00:00+00:00", None),
        ("2026-03-05T10:00:00+00:00", "2028-03-05T10:00:00+00:00"),
        ("2026-03-05T10:00:00+00:00", "9999-12-31T23:59:59-12:00"),
    ],
)
def test_a_booked_visit_that_is_moved_to_where_no_visit_can_be_is_put_before_a_person(
    desk: Desk, in_days: Times, starts: str, ends: str | None
) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(3))
    moved = datetime.fromisoformat(starts)
    desk.hears(P.BOOKED, starts_at=moved, ends_at=None if ends is None else datetime.fromisoformat(ends))
    assert (desk.row().starts_at, desk.tasks()) == (in_days(3), ["illegal_move"])


def test_a_clock_there_that_was_once_ahead_does_not_hide_what_follows(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(4), changed_at=in_days(30))
    desk.hears(P.BOOKED, starts_at=in_days(5), changed_at=in_days(0.05))
    assert (desk.row().starts_at, desk.tasks()) == (in_days(5), [])


NO_DATE = datetime(1, 1, 1, tzinfo=ZoneInfo("Europe/Oslo"))


@pytest.mark.parametrize(
    "parts", [{"changed_at": NO_DATE}, {"version": "v" * 201}, {"version": "7\0"}, {"version": "7\ud800"}]
)
def test_what_is_no_version_and_no_date_of_a_change_hides_no_booking(
    desk: Desk, in_days: Times, parts: dict[str, Any]
) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(4), changed_at=in_days(0.02), version="7")
    desk.hears(P.BOOKED, starts_at=in_days(5), **parts)
    assert (desk.row().starts_at, desk.copy().peer_changed_at) == (in_days(5), in_days(0.02))
    assert desk.copy().etag is None


def test_what_is_dated_back_and_said_again_is_put_before_a_person(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(4), changed_at=in_days(0.04))
    for _ in range(3):
        desk.hears(P.BOOKED, starts_at=in_days(5), changed_at=in_days(0.01))
    log = desk.cast.bo.get(f"/booking-suggestions/{desk.suggestion}").json["events"]
    assert [event["action"] for event in log].count("ignored_older") == 1
    assert (desk.row().starts_at, desk.tasks()) == (in_days(4), ["out_of_order"])


def test_a_coordinator_hears_of_a_review_once_a_day(desk: Desk, in_days: Times) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.BOOKED, starts_at=in_days(3))
    desk.hears(P.PROPOSED)
    desk.hears(P.BOOKED, starts_at=in_days(3))
    desk.hears(P.PENDING)
    assert desk.tasks() == ["illegal_move", "illegal_move"]
    (task, _) = desk.cast.coordinator.get("/review-tasks").json["items"]
    settled = desk.cast.coordinator.post(f"/review-tasks/{task['id']}/settle", {"note": "Rang them."})
    assert settled.status_code == 200, settled.text
    assert len(desk.cast.coordinator.get("/review-tasks").json["items"]) == 1
    other = desk.cast.bo.post(f"/review-tasks/{task['id']}/settle", {"note": "Me too."})
    assert other.status_code == 409


def test_what_their_system_lost_is_put_before_a_person_and_stays_as_it_is(desk: Desk, clock: Clock) -> None:
    desk.hears(P.PROPOSED, told=True)
    clock.forward(minutes=5)
    desk.finish(desk.claim(), Heard(None, was_asked=True))
    assert (desk.state(), desk.tasks()) == (S.SENT, ["gone_there"])


def test_a_foreign_clinic_sees_no_review_and_no_copy(desk: Desk) -> None:
    assert desk.cast.cyd.get(f"/booking-suggestions/{desk.suggestion}/copy").status_code == 404
    assert desk.cast.cyd.get("/review-tasks").json["items"] == []


def _seen(status: PeerStatus) -> Seen:
    return Seen("there-1", status)


def test_one_that_is_called_off_there_without_a_word_why_is_counted_among_the_declined(desk: Desk) -> None:
    desk.hears(P.PROPOSED, told=True)
    desk.hears(P.DECLINED)
    events = desk.cast.bo.get(f"/booking-suggestions/{desk.suggestion}").json["events"]
    assert (events[-1]["action"], events[-1]["detail"]["code"]) == ("decline", "other")
    counted = desk.cast.bo.get("/visit-yield?months=12")
    assert counted.status_code == 200, counted.text
    assert counted.json["total"]["declined"] == [{"code": "other", "suggestions": 1}]
