"""Fault 37: very many alerts at once are told in few messages, the most urgent first, none left out."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import func, select

from jobs import deliver
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.database import Database
from server.gateways.message import Handed, Message, Receipt, RecordingGateway, SendError
from server.isolation import Extent
from server.models import Delivery
from server.services.messages import outbox_outcome, sms_budget
from server.services.messages.delivery_loss import MOST_ENDED
from tests.faults import storm
from tests.faults.conftest import Twins
from tests.faults.ward import Ward

# `python -m benchmarks.storm` does it with 10,000.
ALERTS, CLINICIANS = 1_000, 12
NUMBER = "+4740000001"
BROWSER = '{"endpoint": "https://push.example/bo", "keys": {}}'


@dataclass
class Timed(RecordingGateway):
    """A twin that notes when each message came, in seconds."""

    at: list[float] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        """Note the time."""
        self.at.append(time.monotonic())
        return super().send(message)


@dataclass
class Watching(RecordingGateway):
    """A twin that notes, as each message comes, how many wait for a report still."""

    ward: Ward | None = None
    waiting: list[int] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        """Count them."""
        rows = self.ward.deliveries() if self.ward else ()
        self.waiting.append(sum(row.report_by is not None for row in rows))
        return super().send(message)


def test_a_storm_is_told_in_three_messages_a_person_with_none_left_out_and_the_gravest_first(
    ward: Ward,
) -> None:
    """F37."""
    ward.around.gateways[Channel.EMAIL] = mail = Timed()
    people = [ward.hire(f"Doc{n}").account_id for n in range(CLINICIANS)]
    storm.break_out(ward.around.database, (ward.cast.bo.clinic_id, people), ward.clock.now, ALERTS)
    began = time.monotonic()
    deliver.run(ward.around, ward.clock.now)
    assert mail.at[-1] - began < 60
    rows = ward.deliveries()
    assert {row.state for row in rows} == {DeliveryState.ACCEPTED}
    assert len({row.subject_id for row in rows}) == ALERTS
    most = Counter(message.to for message in mail.sent).most_common(1)[0][1]
    assert most <= len({AlertClass.P0, AlertClass.P1, AlertClass.P2})
    _told_of_as_many_as_there_are(rows, mail)
    urgencies = {row.id: row.urgency for row in rows}
    order = [urgencies[message.id] for message in mail.sent]
    assert order == sorted(order)


def _told_of_as_many_as_there_are(rows: object, mail: Timed) -> None:
    sizes = Counter(row.bundle_id or row.id for row in rows)
    assert set(sizes) == {message.id for message in mail.sent}
    for message in mail.sent:
        assert sizes[message.id] == 1 or str(sizes[message.id]) in message.text


def test_a_storm_that_somebodys_mail_server_refuses_is_told_to_others_a_few_at_a_time(ward: Ward) -> None:
    """A transaction of them all would keep whoever writes waiting for as long as it takes."""
    mail = ward.around.gateways[Channel.EMAIL]
    assert isinstance(mail, RecordingGateway)
    mail.refusals["bo@clinic.example"] = SendError(True, "refused_550")
    bo = ward.cast.bo
    storm.break_out(ward.around.database, (bo.clinic_id, [bo.account_id]), ward.clock.now, 160)
    deliver.run(ward.around, ward.clock.now)
    mine = [row for row in ward.deliveries() if row.account_id == bo.account_id]
    assert {row.state for row in mine} == {DeliveryState.GIVEN_UP}
    assert max(Counter(row.finished_at for row in mine).values()) <= MOST_ENDED
    told = {row.subject_id for row in ward.deliveries() if row.state is DeliveryState.ACCEPTED}
    assert told == {row.subject_id for row in mine}
    assert max(Counter(message.to for message in mail.sent).values()) <= 6


@pytest.mark.parametrize("says", ["nothing", "failed"])
def test_others_are_told_a_few_at_a_time_where_a_storm_reaches_no_telephone(
    ward: Ward, twins: Twins, says: str
) -> None:
    ward.phone(ward.cast.bo, NUMBER)
    twins[Channel.SMS].receipts[NUMBER] = Receipt(Handed.ACCEPTED, reports=True)
    for _ in range(60):
        ward.alert(AlertClass.P2)
    deliver.run(ward.around, ward.clock.now)
    (message,) = twins[Channel.SMS].sent
    if says == "failed":
        with ward.around.database.write(Extent.ALL) as session:
            assert outbox_outcome.report(session, ward.clock.now, message.id, arrived=False)
    deliver.run(ward.around, ward.clock.forward(minutes=1 if says == "failed" else 6))
    by_phone = [row for row in ward.deliveries() if row.channel is Channel.SMS]
    assert {row.state for row in by_phone} <= {DeliveryState.UNKNOWN, DeliveryState.FAILED}
    assert max(Counter(row.finished_at for row in by_phone).values()) == MOST_ENDED
    mailed = [row for row in ward.deliveries() if row.channel is Channel.EMAIL]
    assert {row.subject_id for row in mailed} == {row.subject_id for row in by_phone}
    assert {row.state for row in mailed} == {DeliveryState.ACCEPTED}


def test_an_emergency_stands_behind_no_storm_that_reached_no_telephone(ward: Ward, twins: Twins) -> None:
    """Others were told of all of it first: of two thousand alerts for longer than a minute."""
    ward.phone(ward.cast.bo, NUMBER)
    twins[Channel.SMS].receipts[NUMBER] = Receipt(Handed.ACCEPTED, reports=True)
    for _ in range(2 * MOST_ENDED + 10):
        ward.alert(AlertClass.P2)
    deliver.run(ward.around, ward.clock.now)
    ward.clock.forward(minutes=6)
    ward.alert(AlertClass.P0, ward.hire("eva"))
    ward.around.gateways[Channel.EMAIL] = mail = Watching(ward=ward)
    deliver.run(ward.around, ward.clock.now)
    assert mail.sent[0].to == "eva@clinic.example"
    assert mail.waiting[0] > 0
    assert {row.state for row in ward.deliveries() if row.channel is Channel.SMS} == {DeliveryState.UNKNOWN}


def test_others_are_told_a_few_at_a_time_where_a_storm_goes_to_a_browser_that_is_gone(
    ward: Ward, twins: Twins
) -> None:
    """What is left of it is not even tried: nothing goes there any more."""
    ward.browser(ward.cast.bo, BROWSER)
    twins[Channel.PUSH].refusals[BROWSER] = SendError(True, "gone", gone=True)
    for _ in range(3 * MOST_ENDED):
        ward.alert(AlertClass.P2)
    deliver.run(ward.around, ward.clock.now)
    pushed = [row for row in ward.deliveries() if row.channel is Channel.PUSH]
    assert {row.state for row in pushed} == {DeliveryState.GIVEN_UP}
    assert max(Counter(row.finished_at for row in pushed).values()) <= MOST_ENDED + deliver.LONGEST_LANE
    mailed = [row for row in ward.deliveries() if row.state is DeliveryState.ACCEPTED]
    assert {row.subject_id for row in mailed} == {row.subject_id for row in pushed}


def test_a_storm_is_one_message_also_where_the_clock_of_whoever_wrote_it_is_ahead(ward: Ward) -> None:
    mail = ward.around.gateways[Channel.EMAIL]
    assert isinstance(mail, RecordingGateway)
    true_time = ward.clock.now
    ward.clock.forward(minutes=10)
    alerts = [ward.alert(AlertClass.P1) for _ in range(6)]
    deliver.run(ward.around, true_time)
    (message,) = mail.sent
    assert str(len(alerts)) in message.text
    assert {row.state for row in ward.deliveries()} == {DeliveryState.ACCEPTED}


def test_of_a_storm_no_sms_is_sent_once_those_of_the_month_are_spent(ward: Ward, twins: Twins) -> None:
    ward.phone(ward.cast.bo, NUMBER)
    for _ in range(MOST_ENDED + 10):
        ward.alert(AlertClass.P2)
    deliver.run(replace(ward.around, settings=replace(ward.around.settings, sms_a_month=0)), ward.clock.now)
    assert not twins[Channel.SMS].sent
    by_phone = [row for row in ward.deliveries() if row.channel is Channel.SMS]
    assert {row.failure for row in by_phone} == {sms_budget.SPENT}
    assert {row.state for row in by_phone} == {DeliveryState.GIVEN_UP}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_writes_from_elsewhere_gets_in_between_what_ends_of_a_storm(ward: Ward, twins: Twins) -> None:
    """They look now and then whether the database is free: it was, and for less than that, forty times."""
    ward.browser(ward.cast.bo, BROWSER)
    twins[Channel.PUSH].refusals[BROWSER] = SendError(True, "gone", gone=True)
    for _ in range(8 * MOST_ENDED):
        ward.alert(AlertClass.P2)
    over, found = threading.Event(), set[int]()
    with closing(Database(ward.around.settings.sqlalchemy_url)) as elsewhere, ThreadPoolExecutor(1) as others:
        looking = others.submit(_write_again_and_again, elsewhere, over, found)
        try:
            deliver.run(ward.around, ward.clock.now)
        finally:
            over.set()
        looking.result()
    assert len(found) >= 4


def _write_again_and_again(elsewhere: Database, over: threading.Event, found: set[int]) -> None:
    """Note how many messages had ended each time."""
    ended = select(func.count()).where(Delivery.state == DeliveryState.GIVEN_UP)
    while not over.wait(0.005):
        with elsewhere.write(Extent.ALL) as session:
            found.add(session.scalar(ended) or 0)
