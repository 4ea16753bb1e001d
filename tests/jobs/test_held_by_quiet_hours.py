"""What quiet hours held has the patience of any other message once they are over."""

from dataclasses import replace
from datetime import timedelta

from jobs import deliver, escalate
from jobs.around import Around
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.message import RecordingGateway, SendError
from server.isolation import Extent
from server.services.health import health
from server.services.messages import outbox_due
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, deliveries
from tests.telephones import telephone

NUMBER = "+4799000001"


def test_an_sms_that_waited_for_the_morning_is_tried_again_like_any_other(
    cast: Cast, clock: Clock, around: Around
) -> None:
    sms = RecordingGateway()
    sms.refusals[NUMBER] = SendError(False, "status_503")
    around = replace(around, gateways={**around.gateways, Channel.SMS: sms})
    telephone(around.database, clock.now, cast.bo, NUMBER)
    hours = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert cast.bo.put("/me/quiet-hours", hours).status_code == 200
    clock.forward(hours=11)
    ana_raises_a_red_flag(cast, clock, "often")
    (held,) = deliveries(around)
    clock.now = held.due_at
    deliver.run(around, clock.now)
    (tried,) = deliveries(around)
    assert (tried.state, tried.attempt) == (DeliveryState.QUEUED, 1)
    with around.database.read(Extent.ALL) as session:
        clock.forward(minutes=1)
        assert health(session, clock.now, ()).oldest[AlertClass.P1] == timedelta(minutes=1)
        assert outbox_due.urgent_since(session, held.due_at + timedelta(seconds=1)) == 1
    sms.refusals.clear()
    deliver.run(around, clock.forward(minutes=1))
    escalate.run(around, clock.now)
    assert [message.to for message in sms.sent] == [NUMBER]
    assert (len(deliveries(around)), alerts(around)[0].level) == (1, 0)
    assert deliveries(around)[0].created_at < held.due_at - timedelta(hours=6), "longer than an SMS is tried"
