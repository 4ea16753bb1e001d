"""A telephone is used once its owner has sent back the code that went there; nobody texts strangers."""

import re
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from jobs import deliver
from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway, SendError
from server.settings import Settings
from tests.cast import Cast, Person
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag
from tests.telephones import telephone

NUMBER = "+4740000001"


@pytest.fixture
def sms() -> RecordingGateway:
    """Where outgoing SMS land."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, sms: RecordingGateway) -> Around:
    """What jobs work with."""
    return Around(database, settings, {Channel.SMS: sms, Channel.EMAIL: RecordingGateway()})


def add(who: Person, number: str = NUMBER) -> TestResponse:
    return who.post("/me/contact-points", {"channel": "sms", "number": number})


def verify(who: Person, point: str, code: str) -> TestResponse:
    return who.post(f"/me/contact-points/{point}/verify", {"code": code})


def code_in(sms: RecordingGateway) -> str:
    (found,) = re.findall(r"\b[0-9]{6}\b", sms.sent[-1].short)
    return str(found)


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


@pytest.mark.parametrize("who", ["ana", "bo"])
def test_a_number_gets_its_code_at_once_and_is_used_when_that_comes_back(
    who: str, cast: Cast, around: Around, sms: RecordingGateway, clock: Clock
) -> None:
    person = getattr(cast, who)
    if who == "bo":
        cast.bo.put("/me/quiet-hours", {"quiet_from": "00:00", "quiet_until": "23:59"})
    point = add(person).json
    assert point["proven"] is False
    deliver.run(around, clock.now)
    (sent,) = sms.sent
    assert (sent.to, sent.kind) == (NUMBER, "notice.number_code")
    code = code_in(sms)
    assert code not in sent.text + sent.link + sent.subject
    answer = verify(person, point["id"], code)
    assert (answer.status_code, answer.json["proven"]) == (200, True)
    assert verify(person, point["id"], code).status_code == 200
    assert add(person).json["proven"] is True
    deliver.run(around, clock.now)
    assert len(sms.sent) == 1, "a proven number needs no other code"


def test_nothing_else_goes_to_a_number_that_nobody_has_proven(
    cast: Cast, around: Around, sms: RecordingGateway, clock: Clock
) -> None:
    point = add(cast.bo).json["id"]
    ana_raises_a_red_flag(cast, clock, "often")
    deliver.run(around, clock.now)
    assert [one.kind for one in sms.sent] == ["notice.number_code"]
    verify(cast.bo, point, code_in(sms))
    ana_raises_a_red_flag(cast, clock, "plan")
    deliver.run(around, clock.now)
    assert "notice.emergency_needs_review" in [one.kind for one in sms.sent]


def test_a_code_is_good_for_ten_minutes_and_five_tries(
    cast: Cast, around: Around, sms: RecordingGateway, clock: Clock
) -> None:
    point = add(cast.ana).json["id"]
    deliver.run(around, clock.now)
    code = code_in(sms)
    for _ in range(5):
        refused = verify(cast.ana, point, other_than(code))
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/code")
    assert verify(cast.ana, point, code).status_code == 429
    add(cast.ana)
    deliver.run(around, clock.forward(seconds=1))
    second = code_in(sms)
    clock.forward(minutes=10)
    assert verify(cast.ana, point, second).status_code == 422
    assert cast.ana.get("/me/contact-points").json["items"][0]["proven"] is False


def test_one_number_gets_three_codes_a_day_and_one_account_ten_also_when_it_is_taken_away(
    cast: Cast, clock: Clock
) -> None:
    def again(number: str) -> int:
        answer = add(cast.ana, number)
        if answer.status_code == 201:
            cast.ana.delete(f"/me/contact-points/{answer.json['id']}")
        return answer.status_code

    assert [again(NUMBER) for _ in range(4)] == [201, 201, 201, 429]
    assert [again(f"+474000001{place}") for place in range(8)] == [201] * 7 + [429]
    clock.forward(days=1, seconds=1)
    assert again(NUMBER) == 201


def test_only_the_owner_of_a_telephone_can_prove_it(
    cast: Cast, around: Around, sms: RecordingGateway, clock: Clock
) -> None:
    point = add(cast.ana).json["id"]
    deliver.run(around, clock.now)
    for stranger in (cast.bo, cast.cyd, cast.other_patient):
        assert verify(stranger, point, code_in(sms)).status_code == 404
    for wrong in ("", "12345", "1234567", "abcdef", "12345\n"):
        assert verify(cast.ana, point, wrong).status_code == 422
    assert verify(cast.ana, point, code_in(sms)).status_code == 200


def test_a_code_that_does_not_arrive_is_sent_nowhere_else(
    cast: Cast, around: Around, sms: RecordingGateway, clock: Clock
) -> None:
    mail: Any = around.gateways[Channel.EMAIL]
    sms.refusals[NUMBER] = SendError(True, "status_400")
    add(cast.ana)
    deliver.run(around, clock.now)
    deliver.run(around, clock.forward(minutes=1))
    assert [one.kind for one in mail.sent if "code" in one.kind] == []


def test_whatever_patients_spend_alerts_leave_by_sms(
    cast: Cast, around: Around, sms: RecordingGateway, clock: Clock, database: Database
) -> None:
    thrifty = replace(around, settings=replace(around.settings, sms_a_month=4))
    telephone(database, clock.now, cast.bo, "+4799000001")
    for place in range(4):
        add(cast.ana, f"+474000001{place}")
    deliver.run(thrifty, clock.now)
    assert len(sms.sent) == 1, "a quarter of the budget is for patients"
    ana_raises_a_red_flag(cast, clock, "often")
    deliver.run(thrifty, clock.forward(minutes=1))
    assert sms.sent[-1].to == "+4799000001"


@pytest.mark.long
def test_one_patient_gets_sixty_sms_a_month(
    cast: Cast, around: Around, sms: RecordingGateway, clock: Clock
) -> None:
    for _ in range(7):
        for place in range(10):
            point = add(cast.ana, f"+474000001{place}").json["id"]
            deliver.run(around, clock.now)
            cast.ana.delete(f"/me/contact-points/{point}")
        clock.forward(days=1, minutes=1)
    assert len(sms.sent) == 60
    add(cast.other_patient)
    deliver.run(around, clock.now)
    assert len(sms.sent) == 61
