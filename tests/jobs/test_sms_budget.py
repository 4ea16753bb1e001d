"""A clinic's SMS of a month are bounded; an emergency leaves whatever was spent, and nobody goes unheard."""

from dataclasses import replace

import pytest

from jobs import deliver
from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.gateways.message import RecordingGateway, SendError
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag, deliveries
from tests.telephones import telephone

NUMBER = "+4799000001"


@pytest.fixture
def sms() -> RecordingGateway:
    """Where outgoing SMS land."""
    return RecordingGateway()


@pytest.fixture
def thrifty(around: Around, sms: RecordingGateway, cast: Cast, clock: Clock) -> Around:
    """A clinic that may send one SMS a month, and Bo, who is told by SMS first."""
    telephone(around.database, clock.now, cast.bo, NUMBER)
    settings = replace(around.settings, sms_a_month=1)
    return replace(around, settings=settings, gateways={**around.gateways, Channel.SMS: sms})


def test_above_the_budget_the_next_way_is_taken(
    cast: Cast, clock: Clock, thrifty: Around, sms: RecordingGateway, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    deliver.run(thrifty, clock.forward(minutes=1))
    assert [message.to for message in sms.sent] == [NUMBER]
    in_between = len(email.sent)
    cast.bo.post(f"/alerts/{deliveries(thrifty)[0].subject_id}/acknowledge")
    clock.forward(days=1)
    resolve(cast, thrifty)
    ana_raises_a_red_flag(cast, clock, "often")
    deliver.run(thrifty, clock.forward(minutes=1))
    deliver.run(thrifty, clock.forward(minutes=1))
    assert len(sms.sent) == 1
    assert len(email.sent) > in_between
    assert "sms_budget" in [row.failure for row in deliveries(thrifty)]


def resolve(cast: Cast, around: Around) -> None:
    """Bo closes what is open, so that the next is told anew."""
    alert = deliveries(around)[0].subject_id
    body, version = (
        {"outcome": "contacted", "note": "Called."},
        cast.bo.get(f"/alerts/{alert}").json["version"],
    )
    answer = cast.bo.post(f"/alerts/{alert}/resolve", body, version=version)
    assert answer.status_code == 200, answer.text


def test_an_emergency_leaves_whatever_was_spent(
    cast: Cast, clock: Clock, thrifty: Around, sms: RecordingGateway
) -> None:
    thrifty = replace(thrifty, settings=replace(thrifty.settings, sms_a_month=0))
    ana_raises_a_red_flag(cast, clock, "plan")
    deliver.run(thrifty, clock.forward(minutes=1))
    assert [message.to for message in sms.sent] == [NUMBER]


def test_a_second_try_of_one_message_costs_nothing_and_a_new_month_begins_anew(
    cast: Cast, clock: Clock, thrifty: Around, sms: RecordingGateway
) -> None:
    sms.refusals[NUMBER] = SendError(False, "status_503")
    ana_raises_a_red_flag(cast, clock, "often")
    deliver.run(thrifty, clock.forward(minutes=1))
    sms.refusals.clear()
    deliver.run(thrifty, clock.forward(minutes=1))
    assert len(sms.sent) == 1
    resolve(cast, thrifty)
    clock.forward(days=31)
    ana_raises_a_red_flag(cast, clock, "often")
    deliver.run(thrifty, clock.forward(minutes=1))
    assert len(sms.sent) == 2
