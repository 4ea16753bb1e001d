"""Faults 3, 4 and 5: a worker is killed, at any moment; people are told all the same, and not twice over."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain

import pytest
from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from jobs import deliver, escalate
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import Channel, DeliveryState
from server.gateways.message import Message
from server.models import Alert, AlertEvent, Delivery, Entry
from tests.cast import entry
from tests.conftest import empty, fill, rows_of
from tests.faults.kill import Fault, Killed, MortalGateway, every_death, under
from tests.faults.ward import Ward
from tests.jobs.deeds import ana_raises_a_red_flag

BO, DEE, PHONE = "bo@clinic.example", "dee@clinic.example", "+4740000001"
# The next worker comes at once, and looks every ten seconds.
RESTART = deliver.LEASE.total_seconds() + 30


class Life:
    """Workers one after the other: what was sent is what all of them together have sent."""

    def __init__(self, ward: Ward) -> None:
        self.ward = ward
        self.gateways = {channel: MortalGateway(channel) for channel in (Channel.EMAIL, Channel.SMS)}

    def worker(self, fault: Fault | None = None) -> Around:
        """Return the surroundings of a worker that ``fault`` may kill."""
        for gateway in self.gateways.values():
            gateway.fault = fault or Fault()
        return replace(self.ward.around, gateways=self.gateways)

    def deliver(self, fault: Fault) -> None:
        """Deliver, and perhaps die of it."""
        with under(fault, self.ward.around.database), suppress(Killed, Incomplete):
            deliver.run(self.worker(fault), self.ward.clock.now)

    def restart(self) -> None:
        """Let the next worker come, and the time pass that the dead one's leases last."""
        deliver.run(self.worker(), self.ward.clock.forward(seconds=RESTART))

    def sends(self) -> Counter[tuple[str, str]]:
        """Return how often each message was sent, by its id and whom it is for."""
        return Counter((str(message.id), message.to) for message in self._all())

    def forget(self) -> None:
        """Forget what was sent."""
        for gateway in self.gateways.values():
            gateway.sent.clear()

    def _all(self) -> Iterator[Message]:
        return chain.from_iterable(gateway.sent for gateway in self.gateways.values())


@pytest.fixture
def life(ward: Ward) -> Life:
    """A worker's life, with Bo's telephone in the book."""
    ward.phone(ward.cast.bo, PHONE)
    return Life(ward)


def from_the_start(ward: Ward, play: Callable[[], None]) -> Callable[[], None]:
    """Return what brings the database and the clock back to where they are once ``play`` was played."""
    play()
    rows, now = rows_of(ward.around.database), ward.clock.now

    def back() -> None:
        empty(ward.around.database)
        fill(ward.around.database, rows)
        ward.clock.now = now

    return back


def check(life: Life, people: list[str]) -> None:
    """Everybody was told, nothing was doubled, nothing waits any more."""
    sends = life.sends()
    assert sorted(to for _, to in sends) == sorted(people)
    assert max(sends.values()) <= 2
    with life.ward.around.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Alert)) == 1
        kinds = list(session.scalars(select(AlertEvent.kind)))
        states = set(session.scalars(select(Delivery.state)))
    assert len(kinds) == len(set(kinds))
    assert states == {DeliveryState.ACCEPTED}


def test_a_worker_killed_before_the_first_send_delays_it_by_no_more_than_the_lease(
    ward: Ward, life: Life
) -> None:
    """F3."""
    ana_raises_a_red_flag(ward.cast, ward.clock)
    for gateway in life.gateways.values():
        gateway.dies = "before"
    life.deliver(Fault())
    assert {row.state for row in ward.deliveries()} == {DeliveryState.CLAIMED}
    assert not life.sends()
    for gateway in life.gateways.values():
        gateway.dies = ""
    life.restart()
    check(life, [PHONE, BO])
    assert set(life.sends().values()) == {1}


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_a_worker_killed_before_it_noted_what_was_taken_costs_one_repeat_under_the_same_id(
    ward: Ward, life: Life, channel: Channel
) -> None:
    """F4: whoever drops the repeat of an id was told once."""
    ana_raises_a_red_flag(ward.cast, ward.clock)
    life.gateways[channel].dies = "after"
    life.deliver(Fault())
    life.gateways[channel].dies = ""
    for _ in range(3):
        life.restart()
    check(life, [PHONE, BO])
    assert 2 in life.sends().values()


def test_wherever_the_write_of_an_answer_dies_the_phones_repeat_makes_one_alert(
    ward: Ward, life: Life
) -> None:
    """F5: every write and the commit of the patient's own call."""
    back, answer = from_the_start(ward, lambda: None), entry(ward.clock.now, safety="plan")

    def one_life(fault: Fault) -> None:
        back(), life.forget()
        path = f"/entries/{uuid7()}"
        with under(fault, ward.around.database):
            first = ward.cast.ana.put(path, answer)
        assert first.status_code == (500 if fault.struck else 201)
        assert ward.cast.ana.put(path, answer).status_code in (200, 201)
        deliver.run(life.worker(), ward.clock.now)
        check(life, [PHONE, BO])
        with ward.around.database.read() as session:
            assert session.scalar(select(func.count()).select_from(Entry)) == 1

    # On PostgreSQL most rows go with the next statement: fewer moments to die at.
    assert every_death(one_life) >= (10 if ward.around.database.is_sqlite else 6)


def test_wherever_the_first_delivery_dies_it_is_made_by_the_next_worker(ward: Ward, life: Life) -> None:
    """F5: every write, every commit and both sides of every sending."""
    back = from_the_start(ward, lambda: _red_flag(ward))

    def one_life(fault: Fault) -> None:
        back(), life.forget()
        life.deliver(fault)
        life.restart()
        check(life, [PHONE, BO])

    assert every_death(one_life) >= 8


def test_wherever_the_climb_dies_everybody_further_up_hears_of_it(ward: Ward, life: Life) -> None:
    """F5: the ladder's own writes, and the deliveries they make."""

    def unanswered() -> None:
        _red_flag(ward)
        deliver.run(life.worker(), ward.clock.now)
        ward.clock.forward(minutes=15)

    back = from_the_start(ward, unanswered)

    def one_life(fault: Fault) -> None:
        back(), life.forget()
        with under(fault, ward.around.database), suppress(Killed, Incomplete):
            escalate.run(life.worker(fault), ward.clock.now)
            deliver.run(life.worker(fault), ward.clock.now)
        escalate.run(life.worker(), ward.clock.now)
        life.restart()
        check(life, [PHONE, BO, DEE])

    assert every_death(one_life) >= 12


def _red_flag(ward: Ward) -> None:
    ana_raises_a_red_flag(ward.cast, ward.clock)
