"""A push service that very many people share: what is urgent stands behind a handful, not behind them all."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from jobs import deliver
from jobs.around import Around
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState, DeliverySubject, Role
from server.gateways.message import Handed, Message, Receipt, SendError
from server.isolation import Extent
from server.models import Account, Delivery
from server.services.messages import contact_point as contact_points
from server.services.messages import delivery as deliveries
from server.services.messages import outbox
from server.services.messages.contact_point import Way
from server.services.messages.delivery import Notice
from server.services.messages.outbox_due import Destination, Skipped
from server.services.people import email_address as addresses
from server.services.work import Work
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag, working

CROWD = 24


@dataclass
class Service:
    """The push service of one browser's maker: one far end, whoever the browser belongs to."""

    at_first: Callable[[], None]
    away: bool = False
    takes: float = 0.01
    channel: str = "push"
    tried: list[str] = field(default_factory=list)

    def lane(self, _to: str) -> str:
        """One lane for everybody."""
        return "service"

    def send(self, message: Message) -> Receipt:
        """Take a moment for each."""
        if not self.tried:
            self.at_first()
        self.tried.append(message.to)
        if self.away:
            raise SendError(False, "unreachable", away=True)
        time.sleep(self.takes)
        return Receipt(Handed.ACCEPTED)


def subscription(name: str) -> str:
    """Return a browser's subscription, as its channel writes it."""
    return json.dumps({"endpoint": f"https://push.example/{name}", "keys": {}})


def remind_everybody(around: Around, cast: Cast, clock: Clock, many: int = CROWD) -> None:
    """Write a message to each of the crowd's browsers."""
    with working(around, cast.ana, clock.now) as work:
        for number in range(many):
            person = _somebody(work, f"somebody{number}")
            point = contact_points.add(work, person.id, Channel.PUSH, subscription(person.name))
            told = Notice(person.name, "weekly_digest", DeliverySubject.ROTA, person.id, AlertClass.P3)
            deliveries.tell(work, person, told, Way(Channel.PUSH, point.id))


def _somebody(work: Work, name: str) -> Account:
    person = Account(
        clinic_id=work.clinic_id,
        id=uuid7(),
        role=Role.COORDINATOR,
        name=name,
        password_hash="!",
        created_at=work.now,
    )
    addresses.keep(work, person, f"{name}@clinic.example")
    work.session.add(person)
    work.session.flush()
    return person


def counted(around: Around, state: DeliveryState) -> int:
    """Return how many messages of the crowd are in ``state``."""
    query = select(func.count()).where(Delivery.template == "weekly_digest", Delivery.state == state)
    with around.database.read() as session:
        return session.scalar(query) or 0


def tries(around: Around) -> Sequence[int]:
    """Return how often each message of the crowd was tried."""
    with around.database.read() as session:
        return list(session.scalars(select(Delivery.attempt).where(Delivery.template == "weekly_digest")))


@pytest.mark.long
@pytest.mark.parametrize("bo_was_told_before", [False, True])
def test_an_alert_stands_behind_no_crowd_of_reminders_at_the_same_push_service(
    bo_was_told_before: bool, cast: Cast, clock: Clock, around: Around
) -> None:
    def first() -> None:
        claimed.append(counted(around, DeliveryState.CLAIMED))
        ana_raises_a_red_flag(cast, clock)

    claimed: list[int] = []
    around.gateways[Channel.PUSH] = service = Service(first)
    remind_everybody(around, cast, clock)
    bo = _bo_has_a_browser(around, cast, clock)
    if bo_was_told_before:
        _tell(around, cast, clock, bo)
    deliver.run(around, clock.now)
    assert len(service.tried) == CROWD + 1 + bo_was_told_before
    emergency = len(service.tried) - service.tried[::-1].index(subscription("bo"))
    assert emergency <= 2 * deliver.LONGEST_LANE + 1
    assert claimed[0] <= deliver.LONGEST_LANE  # the others are free for another worker, and no lease runs out


def test_a_push_service_that_is_away_is_asked_once_a_run_whoever_waits_for_it(
    cast: Cast, clock: Clock, around: Around
) -> None:
    around.gateways[Channel.PUSH] = service = Service(lambda: None, away=True)
    remind_everybody(around, cast, clock)
    deliver.run(around, clock.now)
    assert len(service.tried) == 1
    assert sum(tries(around)) <= deliver.LONGEST_LANE
    service.away = False
    deliver.run(around, clock.forward(minutes=1))
    assert counted(around, DeliveryState.ACCEPTED) == CROWD


@pytest.mark.long
def test_what_has_waited_for_long_in_a_slow_lane_is_sent_by_one_worker_alone(
    cast: Cast, clock: Clock, around: Around
) -> None:
    around.gateways[Channel.PUSH] = service = Service(lambda: None, takes=0.6)
    remind_everybody(around, cast, clock, 4)
    brief = replace(around, lease=timedelta(seconds=2))
    first = Thread(target=deliver.run, args=(brief, clock.now))
    first.start()
    time.sleep(2.05)
    deliver.run(brief, clock.now + timedelta(seconds=2.05))
    first.join()
    assert sorted(service.tried) == sorted(set(service.tried))
    assert counted(around, DeliveryState.ACCEPTED) == 4


def test_a_crowd_there_is_no_room_for_is_looked_at_in_few_transactions(
    cast: Cast, clock: Clock, around: Around
) -> None:
    def has_room(where: Destination) -> bool:
        asked.append(where.to)
        return len(asked) > CROWD - 6

    remind_everybody(around, cast, clock)
    asked: list[str] = []
    with around.database.write(Extent.ALL) as session:
        skipped = Skipped(has_room=has_room)
        claimed = outbox.claim(session, clock.now, deliver.LONGEST_LANE, around.lease, skipped)
    assert (len(claimed), len(asked)) == (deliver.LONGEST_LANE, CROWD - 6 + deliver.LONGEST_LANE)
    assert [one.to for one in claimed] == asked[CROWD - 6 :]


def _bo_has_a_browser(around: Around, cast: Cast, clock: Clock) -> UUID:
    with working(around, cast.ana, clock.now) as work:
        return contact_points.add(work, cast.bo.account_id, Channel.PUSH, subscription("bo")).id


def _tell(around: Around, cast: Cast, clock: Clock, bo: UUID) -> None:
    with working(around, cast.ana, clock.now) as work:
        person = work.session.get_one(Account, (work.clinic_id, cast.bo.account_id))
        told = Notice("before", "handed_over", DeliverySubject.SHIFT, person.id, AlertClass.P2)
        deliveries.tell(work, person, told, Way(Channel.PUSH, bo))
