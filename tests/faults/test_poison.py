"""Fault 22: a message that can't be sent, whatever is wrong with it, is set aside; the queue moves on."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from jobs import deliver
from jobs.around import Incomplete
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.message import Message, Receipt, RecordingGateway, SendError
from server.models import ContactPoint, Delivery
from server.services import vault
from server.services.messages import outbox
from tests.conftest import Clock
from tests.faults.conftest import Twins
from tests.faults.kill import Fault, Killed, MortalGateway, under
from tests.faults.ward import OPERATIONS, Ward

PHONE, OTHER = "+4740000001", "+4740000002"
EMAIL, SMS = Channel.EMAIL, Channel.SMS


@dataclass
class Broken(RecordingGateway):
    """A gateway with a defect of ours in it, for one destination."""

    bad: str = PHONE
    in_lane: bool = False

    def lane(self, to: str) -> str:
        """Name the lane, or fall over it."""
        if self.in_lane and to == self.bad:
            raise LookupError(to)
        return super().lane(to)

    def send(self, message: Message) -> Receipt:
        """Send, or fall over it."""
        if message.to == self.bad:
            raise LookupError(message.to)
        return super().send(message)


@pytest.fixture
def bad(ward: Ward) -> UUID:
    """Bo's telephone, with which something will be wrong. Operations are set up."""
    ward.watched()
    return ward.phone(ward.cast.bo, PHONE)


def two_alerts(ward: Ward) -> tuple[UUID, UUID]:
    """Raise an alert for Bo, then a less urgent one for Gil, whose telephone is good."""
    ward.phone(gil := ward.hire("Gil"), OTHER)
    return ward.alert(AlertClass.P1), ward.alert(AlertClass.P2, gil)


def check(ward: Ward, twins: Twins, first: UUID, second: UUID) -> None:
    """The bad one was set aside with a page, Bo heard another way, and Gil was not held up."""
    bad_one, other_way = ward.deliveries(first)[:2]
    assert bad_one.state is DeliveryState.GIVEN_UP
    assert (other_way.channel, other_way.state) == (EMAIL, DeliveryState.ACCEPTED)
    assert ward.deliveries(second)[0].state is DeliveryState.ACCEPTED
    assert ward.pages() == ["poison_delivery"]
    assert [message.to for message in twins[EMAIL].sent].count(OPERATIONS) == 1


def _sealed_for_another(ward: Ward, bad: UUID) -> None:
    with ward.around.database.write() as session:
        session.execute(
            update(ContactPoint).where(ContactPoint.id == bad).values(sealed_address=b"\0\1 no seal")
        )


def _a_webhook_without_an_address(ward: Ward, bad: UUID) -> None:
    with ward.work() as work:
        point = work.session.get_one(ContactPoint, (work.clinic_id, bad))
        point.channel = Channel.WEBHOOK
        vault.put(work, point, "address", "no address at all")


@pytest.mark.parametrize("spoil", [_sealed_for_another, _a_webhook_without_an_address])
def test_an_address_that_cannot_be_opened_is_set_aside_with_a_page(
    ward: Ward, twins: Twins, bad: UUID, spoil: Callable[[Ward, UUID], None]
) -> None:
    """F22."""
    spoil(ward, bad)
    first, second = two_alerts(ward)
    ward.look()
    check(ward, twins, first, second)


def test_a_text_outside_the_list_is_given_up_and_another_way_is_tried(
    ward: Ward, twins: Twins, bad: UUID
) -> None:
    """F22."""
    first, second = two_alerts(ward)
    with ward.around.database.write() as session:
        session.execute(update(Delivery).where(Delivery.subject_id == first).values(template="no_such_text"))
    ward.look()
    assert ward.deliveries(first)[0].failure == "unknown_template"
    assert ward.deliveries(second)[0].state is DeliveryState.ACCEPTED
    assert all("no_such" not in str(message) for twin in twins.values() for message in twin.sent)
    assert "poison_delivery" in ward.pages()
    # Nobody was told by this text: the next people hear at once.
    assert any(row.state is DeliveryState.ACCEPTED for row in ward.deliveries(first))


@pytest.mark.parametrize("in_lane", [False, True], ids=["sending", "naming its lane"])
def test_a_defect_of_a_gateway_is_tried_three_times_and_set_aside_with_a_page(
    ward: Ward, twins: Twins, bad: UUID, in_lane: bool
) -> None:
    """F22."""
    ward.around.gateways[SMS] = Broken("sms", in_lane=in_lane)
    first, second = two_alerts(ward)
    ward.look()
    assert ward.deliveries(second)[0].state is DeliveryState.ACCEPTED
    ward.minutes(4)
    assert ward.deliveries(first)[0].failure == "defect_LookupError"
    assert ward.deliveries(first)[0].attempt == 3
    check(ward, twins, first, second)


def test_a_worker_that_dies_of_one_message_again_and_again_is_freed_of_it(
    ward: Ward, twins: Twins, clock: Clock, bad: UUID
) -> None:
    """F22."""
    first, second = two_alerts(ward)
    for _ in range(outbox.MOST_CRASHES):
        _die_of_it(ward)
        clock.forward(seconds=deliver.LEASE.total_seconds() + 10)
    deliver.run(ward.around, clock.now)
    assert ward.deliveries(first)[0].failure == "poison"
    check(ward, twins, first, second)


def _die_of_it(ward: Ward) -> None:
    fault = Fault()
    gateway = MortalGateway("sms", fault=fault, dies="before", of=PHONE)
    healthy = ward.around.gateways[SMS]
    ward.around.gateways[SMS] = gateway
    with under(fault, ward.around.database), suppress(Killed, Incomplete):
        deliver.run(ward.around, ward.clock.now)
    ward.around.gateways[SMS] = healthy


def test_one_death_after_many_refusals_is_no_poison(
    ward: Ward, twins: Twins, clock: Clock, bad: UUID
) -> None:
    """F22: a long outage of the gateway must not use up the patience for deaths."""
    first = ward.alert(AlertClass.P1)
    twins[SMS].refusals[PHONE] = SendError(False, "unreachable", away=True)
    ward.look(), ward.minutes(8)
    assert ward.deliveries(first)[0].attempt > outbox.MOST_CRASHES
    clock.now = max(clock.now, ward.deliveries(first)[0].due_at)
    _die_of_it(ward)
    twins[SMS].refusals.clear()
    clock.now += deliver.LEASE + timedelta(seconds=10)
    ward.look()
    assert (ward.deliveries(first)[0].state, ward.pages()) == (DeliveryState.ACCEPTED, [])
