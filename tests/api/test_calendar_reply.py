"""The clinic's mailbox answers an invitation, and its mail server passes the answer on."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from server.database import Database
from server.models import ReviewTask
from tests.calendars.visits import UID, answer, timed
from tests.cast import Cast, Person
from tests.conftest import Clock
from tests.visits import Visits

REPLIES = "/v1/inbox/calendar-replies"


class Mailbox:
    """Answers the invitation of one suggestion; each answer is a minute younger than the one before."""

    def __init__(self, cast: Cast, clock: Clock, suggestion: str) -> None:
        self.cast, self.clock, self.suggestion = cast, clock, suggestion

    def says(self, partstat: str, method: str = "REPLY", sequence: int = 2, **parts: Any) -> TestResponse:
        """Answer a minute later."""
        self.clock.forward(minutes=1)
        return self.sends(self.written(partstat, method, sequence, self.clock.now, **parts))

    def written(self, partstat: str, method: str, sequence: int, stamp: datetime, **parts: Any) -> bytes:
        """Return an answer given at ``stamp``."""
        numbers = {"sequence": f"SEQUENCE:{sequence}", "dtstamp": f"DTSTAMP:{stamp:%Y%m%dT%H%M%SZ}"}
        named = {"uid": UID.replace(UID[:36], self.suggestion)}
        lines = {"uid": f"UID:{named['uid']}", **numbers, **parts}
        return answer(partstat, method, **lines)

    def sends(self, raw: bytes, kind: str = "text/calendar", who: Person | None = None) -> TestResponse:
        """Pass an answer on."""
        person = who or self.cast.scheduler
        headers = {"Authorization": f"Bearer {person.token}"}
        return person.client.post(REPLIES, data=raw, content_type=kind, headers=headers)

    def log(self) -> list[dict[str, Any]]:
        """Return the suggestion's log."""
        return list(self.cast.bo.get(f"/booking-suggestions/{self.suggestion}").json["events"])


@pytest.fixture
def mailbox(visits: Visits, cast: Cast, clock: Clock) -> Mailbox:
    return Mailbox(cast, clock, visits.approved())


def verdict(taken: TestResponse) -> tuple[str, str]:
    assert taken.status_code == 200, taken.text
    return taken.json["verdict"], taken.json["suggestion"]["state"]


AT = timed("20260306T100000", "20260306T113000", "Europe/Oslo")
LATER = timed("20260307T120000", "20260307T133000", "Europe/Oslo")


def test_accepting_the_days_shows_that_somebody_has_looked(mailbox: Mailbox) -> None:
    assert verdict(mailbox.says("ACCEPTED")) == ("applied", "acknowledged")
    assert verdict(mailbox.says("TENTATIVE")) == ("applied", "acknowledged")


def test_accepting_with_a_time_books_it(mailbox: Mailbox) -> None:
    taken = mailbox.says("ACCEPTED", "COUNTER", **AT)
    assert verdict(taken) == ("applied", "booked")
    assert taken.json["suggestion"]["starts_at"] == "2026-03-06T09:00:00+00:00"
    assert taken.json["suggestion"]["external_id"] == f"{mailbox.suggestion}@visits.afterglow.invalid"


def test_a_time_without_a_zone_is_one_of_the_clinics_clock(mailbox: Mailbox) -> None:
    taken = mailbox.says("ACCEPTED", "COUNTER", **timed("20260306T100000", "20260306T113000"))
    assert verdict(taken) == ("applied", "booked")
    assert taken.json["suggestion"]["starts_at"] == "2026-03-06T09:00:00+00:00"


def test_midnight_to_midnight_is_a_day_and_no_booking(mailbox: Mailbox) -> None:
    days = timed("20260305T000000", "20260313T000000", "W. Europe Standard Time")
    assert verdict(mailbox.says("ACCEPTED", **days)) == ("applied", "acknowledged")


def test_declining_declines_and_later_cancels(mailbox: Mailbox, visits: Visits) -> None:
    assert verdict(mailbox.says("DECLINED")) == ("applied", "declined")
    assert mailbox.log()[-2]["detail"] == {"code": "other", "note": None}


def test_declining_what_is_booked_cancels_it(mailbox: Mailbox) -> None:
    mailbox.says("ACCEPTED", "COUNTER", **AT)
    assert verdict(mailbox.says("DECLINED")) == ("applied", "cancelled")


def test_declining_what_is_booked_without_repeating_its_time_cancels_it(mailbox: Mailbox) -> None:
    mailbox.says("ACCEPTED", "COUNTER", **AT)
    assert verdict(mailbox.says("DECLINED", start="", end="")) == ("applied", "cancelled")


def test_asking_for_another_time_without_accepting_it_books_nothing_and_is_kept(mailbox: Mailbox) -> None:
    for partstat in ("TENTATIVE", "DECLINED", "NEEDS-ACTION"):
        assert verdict(mailbox.says(partstat, "COUNTER", **AT)) == ("applied", "acknowledged")
    assert mailbox.log()[-1]["detail"]["starts_at"] == "2026-03-06T09:00:00+00:00"


def test_a_booked_visit_moves_only_by_a_time_of_the_clinics_own(mailbox: Mailbox) -> None:
    mailbox.says("ACCEPTED", "COUNTER", **AT)
    unmoved = mailbox.says("ACCEPTED", **LATER)
    assert (verdict(unmoved), unmoved.json["suggestion"]["starts_at"][:10]) == (
        ("applied", "booked"),
        "2026-03-06",
    )
    assert verdict(mailbox.says("TENTATIVE", "COUNTER", **LATER)) == ("noted", "booked")
    moved = mailbox.says("ACCEPTED", "COUNTER", **LATER)
    assert (verdict(moved), moved.json["suggestion"]["starts_at"][:10]) == (
        ("applied", "booked"),
        "2026-03-07",
    )


def test_the_clinics_own_id_stays_when_an_answer_moves_the_visit(
    mailbox: Mailbox, visits: Visits, cast: Cast
) -> None:
    visits.book(cast.scheduler, mailbox.suggestion, version=2)
    moved = mailbox.says("ACCEPTED", "COUNTER", 4, **LATER)
    assert verdict(moved) == ("applied", "booked")
    assert moved.json["suggestion"]["external_id"] == "apt-1"


def test_the_same_answer_again_changes_nothing(mailbox: Mailbox, clock: Clock) -> None:
    raw = mailbox.written("ACCEPTED", "COUNTER", 2, clock.now, **AT)
    first = mailbox.sends(raw)
    before = mailbox.log()
    clock.forward(hours=5)
    again = mailbox.sends(raw)
    assert (verdict(first)[0], verdict(again)) == ("applied", ("duplicate", "booked"))
    assert again.json["suggestion"] == first.json["suggestion"]
    assert mailbox.log() == before


def test_an_answer_that_was_overtaken_is_ignored_and_said_so_in_the_log(
    mailbox: Mailbox, clock: Clock
) -> None:
    early = mailbox.written("DECLINED", "REPLY", 2, clock.now)
    mailbox.says("ACCEPTED", "COUNTER", **AT)
    assert verdict(mailbox.sends(early)) == ("stale", "booked")
    last = mailbox.log()[-1]
    assert (last["action"], last["detail"]["verdict"], last["detail"]["answer"]) == (
        "calendar_reply",
        "stale",
        "declined",
    )


def test_the_number_of_the_change_counts_before_the_moment(mailbox: Mailbox, clock: Clock) -> None:
    mailbox.says("TENTATIVE")
    mailbox.says("ACCEPTED", "COUNTER", 4, **AT)
    late = mailbox.written("DECLINED", "REPLY", 3, clock.now + timedelta(minutes=5))
    assert verdict(mailbox.sends(late)) == ("stale", "booked")


def test_an_answer_from_before_the_clinic_booked_otherwise_is_stale(
    mailbox: Mailbox, visits: Visits, cast: Cast, clock: Clock
) -> None:
    early = mailbox.written("DECLINED", "REPLY", 2, clock.now)
    clock.forward(minutes=10)
    visits.book(cast.scheduler, mailbox.suggestion, version=2)
    assert verdict(mailbox.sends(early)) == ("stale", "booked")


def test_two_answers_whose_mails_are_late_both_count(mailbox: Mailbox, clock: Clock) -> None:
    """The second was given before the first had come in."""
    first = mailbox.written("ACCEPTED", "COUNTER", 2, clock.now, **AT)
    second = mailbox.written("DECLINED", "REPLY", 2, clock.now + timedelta(minutes=1))
    clock.forward(hours=1)
    assert verdict(mailbox.sends(first)) == ("applied", "booked")
    clock.forward(minutes=1)
    assert verdict(mailbox.sends(second)) == ("applied", "cancelled")


def test_accepting_what_is_over_is_for_a_person_to_look_at(
    mailbox: Mailbox, cast: Cast, database: Database
) -> None:
    cast.bo.post(f"/booking-suggestions/{mailbox.suggestion}/dismiss", {"reason": "x"}, version=2)
    assert verdict(mailbox.says("DECLINED")) == ("noted", "withdrawn")
    for _ in range(2):
        assert verdict(mailbox.says("ACCEPTED", "COUNTER", **AT)) == ("review", "withdrawn")
    with database.read() as session:
        task = session.query(ReviewTask).one()
        assert (task.code, str(task.suggestion_id)) == ("illegal_move", mailbox.suggestion)


@pytest.mark.parametrize("year", [2025, 2029])
def test_a_time_at_which_no_visit_can_be_is_for_a_person_to_look_at(
    mailbox: Mailbox, cast: Cast, year: int
) -> None:
    wrong = timed(f"{year}0306T100000", f"{year}0306T113000", "Europe/Oslo")
    assert verdict(mailbox.says("ACCEPTED", "COUNTER", **wrong)) == ("review", "suggested")
    (task,) = cast.bo.get("/review-tasks").json["items"]
    assert (task["code"], task["suggestion_id"]) == ("illegal_move", mailbox.suggestion)
    assert verdict(mailbox.says("ACCEPTED", "COUNTER", **AT)) == ("applied", "booked")


def test_another_time_for_who_is_there_already_is_for_a_person_to_look_at(
    mailbox: Mailbox, cast: Cast
) -> None:
    taken = mailbox.says("ACCEPTED", "COUNTER", **AT)
    path, version = (
        f"/inbox/booking-suggestions/{mailbox.suggestion}/arrive",
        taken.json["suggestion"]["version"],
    )
    assert cast.scheduler.post(path, version=version).status_code == 200
    assert verdict(mailbox.says("ACCEPTED", "COUNTER", **AT)) == ("applied", "arrived")
    assert cast.bo.get("/review-tasks").json["items"] == [], "they are there at the time that it says again"
    assert verdict(mailbox.says("ACCEPTED", "COUNTER", **LATER)) == ("review", "arrived")
    assert [one["code"] for one in cast.bo.get("/review-tasks").json["items"]] == ["illegal_move"]


def test_a_whole_mail_is_taken_as_it_came(mailbox: Mailbox, clock: Clock) -> None:
    raw = mailbox.written("ACCEPTED", "COUNTER", 2, clock.now, **AT)
    mail = b"\r\n".join(
        [
            *(b"From: scheduling@clinic.example", b"Subject: Accepted", b"MIME-Version: 1.0"),
            *(b'Content-Type: multipart/mixed; boundary="b"', b"", b"--b", b"", b"Fine.", b"--b"),
            *(b"Content-Type: text/calendar; method=COUNTER; charset=utf-8", b"", raw, b"--b--", b""),
        ]
    )
    assert verdict(mailbox.sends(mail, "message/rfc822")) == ("applied", "booked")


def test_answers_to_nothing_of_this_clinics_are_not_found(mailbox: Mailbox, clock: Clock) -> None:
    strange = mailbox.written("ACCEPTED", "REPLY", 2, clock.now, uid=f"UID:{UID}")
    assert mailbox.sends(strange).status_code == 404
    foreign = mailbox.written("ACCEPTED", "REPLY", 2, clock.now, uid="UID:x@elsewhere.example")
    refused = mailbox.sends(foreign)
    assert (refused.status_code, refused.json["code"]) == (422, "invalid")
    future = mailbox.written("ACCEPTED", "REPLY", 99, clock.now)
    assert mailbox.sends(future).json["errors"][0]["detail"] == "It answers a change that was never sent."
    assert [event["action"] for event in mailbox.log()] == ["draft", "approve"]


def test_a_draft_has_no_answers(visits: Visits, cast: Cast, clock: Clock) -> None:
    visits.on_treatment()
    assert Mailbox(cast, clock, str(visits.relapse())).says("ACCEPTED", sequence=1).status_code == 404


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"", "text/calendar", 422),
        (b"\xff\xfe", "text/calendar", 422),
        (b"From: x\r\n\r\nhello", "message/rfc822", 422),
        (b"{}", "application/json", 415),
        (b"x" * 300_000, "text/calendar", 413),
    ],
)
def test_what_is_no_answer_is_refused_and_not_repeated(
    mailbox: Mailbox, raw: bytes, kind: str, status: int
) -> None:
    refused = mailbox.sends(raw, kind)
    assert refused.status_code == status
    assert refused.content_type == "application/problem+json"
    assert "hello" not in refused.text


def test_only_the_scheduling_system_passes_answers_on(mailbox: Mailbox, cast: Cast, clock: Clock) -> None:
    raw = mailbox.written("ACCEPTED", "REPLY", 2, clock.now)
    for person in (cast.ana, cast.bo, cast.coordinator, cast.admin, cast.cyd):
        assert mailbox.sends(raw, who=person).status_code == 403
