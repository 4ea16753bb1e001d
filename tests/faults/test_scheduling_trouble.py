"""Faults F11 to F13: a scheduling system's messages and answers that are doubled, late, lost or wrong."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from standardwebhooks import Webhook

from server.clinical.vocabulary import SuggestionState
from server.database import Database
from server.models import SchedulingEvent
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.practice import Practice, practice_at

S = SuggestionState


@pytest.fixture
def new_practice(
    app: Flask, database: Database, settings: Settings, clock: Clock, cast: Cast
) -> Iterator[Practice]:
    """A practice that is yet to hear of Ana's visit."""
    with practice_at(app, database, settings, clock, cast) as made:
        made.approve()
        yield made


@pytest.fixture
def practice(new_practice: Practice) -> Practice:
    """A practice that has Ana's visit."""
    new_practice.sync()
    return new_practice


@pytest.fixture
def friday(clock: Clock) -> datetime:
    """A time inside the window."""
    return clock.now + timedelta(days=4)


def kept(practice: Practice) -> int:
    with practice.around.database.read() as session:
        return session.scalar(select(func.count()).select_from(SchedulingEvent)) or 0


def test_f11_a_doubled_message_is_applied_once(practice: Practice, friday: datetime) -> None:
    practice.staff("fixed", friday)
    message = practice.message()
    answers = [practice.send(*message) for _ in range(3)]
    assert [a.get_json() for a in answers] == [{"known": False}, {"known": True}, {"known": True}]
    practice.sync()
    version = practice.row().version
    practice.send(*message)
    practice.sync()
    assert (practice.state(), practice.row().version, kept(practice)) == (S.BOOKED, version, 1)


def test_f11_messages_in_the_wrong_order_end_at_what_is_so_now(practice: Practice, friday: datetime) -> None:
    practice.staff("fixed", friday)
    first = practice.message()
    practice.staff("fixed", friday + timedelta(hours=3))
    second = practice.message()
    practice.send(*second)
    practice.sync()
    practice.send(*first)
    practice.sync()
    assert (practice.state(), practice.row().starts_at) == (S.BOOKED, friday + timedelta(hours=3))


@pytest.mark.parametrize("late", [timedelta(hours=-1), timedelta(minutes=-6), timedelta(minutes=6)])
def test_f11_a_message_with_an_old_or_early_stamp_is_refused(practice: Practice, late: timedelta) -> None:
    answer = practice.send(*practice.message(stamp=practice.clock.now + late))
    assert (answer.status_code, kept(practice)) == (401, 0)
    assert answer.get_json()["code"] == "not-signed-in"


def test_f11_a_message_that_was_tampered_with_or_signed_by_another_is_refused(practice: Practice) -> None:
    body, headers = practice.message()
    other = practice.message(secret="whsec_" + "A" * 32)
    answers = [practice.send(body + b" ", headers), practice.send(body, {}), practice.send(*other)]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert kept(practice) == 0


def test_f11_the_secret_before_is_good_for_a_day(practice: Practice, clock: Clock) -> None:
    old = practice.secret
    path = f"/clinic/scheduling-connections/{practice.connection}/rotate"
    practice.secret = practice.cast.admin.post(path).json["secret"]
    assert practice.send(*practice.message(secret=old)).status_code == 202
    assert practice.send(*practice.message()).status_code == 202
    clock.forward(days=1)
    assert practice.send(*practice.message(secret=old)).status_code == 401


def test_f11_a_change_of_secret_whose_answer_was_lost_is_made_again_and_shuts_nobody_out(
    practice: Practice, clock: Clock
) -> None:
    """The system signs with the one it knows until it is told another: twice changed, it was refused."""
    path = f"/clinic/scheduling-connections/{practice.connection}/rotate"
    practice.cast.admin.post(path)
    clock.forward(minutes=1)
    second = practice.cast.admin.post(path).json["secret"]
    assert practice.send(*practice.message()).status_code == 202
    assert practice.send(*practice.message(secret=second)).status_code == 202
    clock.forward(days=1)
    assert practice.send(*practice.message()).status_code == 401
    assert practice.send(*practice.message(secret=second)).status_code == 202


def test_f11_nobody_learns_which_connections_there_are(practice: Practice) -> None:
    body, headers = practice.message()
    practice.connection = "019caae3-5000-7000-8000-000000000009"
    assert practice.send(body, headers).status_code == 404


@pytest.mark.parametrize("answer", [1, 2, 3])
def test_f12_whichever_answer_is_lost_there_is_one_visit(new_practice: Practice, answer: int) -> None:
    new_practice.line.lose_answer(answer)
    new_practice.sync()
    assert new_practice.line.has_lost()
    new_practice.settle()
    assert (new_practice.state(), new_practice.live()) == (S.SENT, 1)


def test_f13_an_unknown_id_goes_to_a_person_and_moves_nothing(practice: Practice) -> None:
    version = practice.row().version
    assert practice.send(*practice.message(number="V/999")).status_code == 202
    practice.sync()
    assert (practice.tasks(), practice.state()) == (["unknown_id"], S.SENT)
    assert practice.row().version == version
    practice.send(*practice.message(number="V/999"))
    practice.sync()
    assert practice.tasks() == ["unknown_id"]


def test_f13_a_move_that_can_not_be_goes_to_a_person_and_moves_nothing(
    practice: Practice, friday: datetime
) -> None:
    practice.staff("fixed", friday)
    practice.sync(minutes=6)
    practice.staff("wished")
    practice.sync(minutes=31)
    assert (practice.state(), practice.tasks()) == (S.BOOKED, ["illegal_move"])


def test_f13_nonsense_with_a_good_signature_goes_to_a_person(practice: Practice) -> None:
    body, headers = b"[]", practice.message()[1]

    headers["webhook-signature"] = Webhook(practice.secret).sign(
        headers["webhook-id"], practice.clock.now, "[]"
    )
    assert practice.send(body, headers).status_code == 202
    practice.sync()
    assert (practice.tasks(), practice.state()) == (["unreadable"], S.SENT)


def test_a_new_password_changes_nothing_of_how_messages_are_believed(practice: Practice) -> None:
    path, name = f"/clinic/scheduling-connections/{practice.connection}", {"name": "The practice's book"}
    hmac = {"scheme": "hmac_hex", "header": "x-signature", "id_header": "x-event-id"}
    assert practice.cast.admin.patch(path, {**name, "proof": hmac}, version=1).json["proof"] == hmac
    kept = practice.cast.admin.patch(path, {"name": "The practice's new book"}, version=2)
    assert (kept.status_code, kept.json["proof"]) == (200, hmac)
