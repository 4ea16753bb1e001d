"""What quiet hours held has the patience of any other message once they are over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from jobs import deliver, escalate, recover
from jobs.around import Around
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState, DeliverySubject
from server.gateways.message import RecordingGateway, SendError
from server.isolation import Extent
from server.models import Account, Alert
from server.services.health import health
from server.services.messages import delivery as outgoing
from server.services.messages import outbox_due
from server.services.messages.delivery import Notice
from tests.cast import Cast, Person
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, deliveries, working
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


@pytest.mark.parametrize("meanwhile", ["nothing", "closed", "passed on"])
def test_what_was_put_into_her_hands_at_night_is_told_in_the_morning_where_it_still_is(
    meanwhile: str, cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    cast.bo.put("/me/quiet-hours", {"quiet_from": "22:00", "quiet_until": "07:00"})
    clock.forward(hours=11)
    ana_raises_a_red_flag(cast, clock, "often")
    found = alerts(around)[0]
    found = _assigned(cast, around, found, cast.bo)
    if meanwhile == "closed":
        done = {"outcome": "contacted", "note": "Called her."}
        assert cast.bo.post(f"/alerts/{found.id}/resolve", done, found.version).status_code == 200
    if meanwhile == "passed on":
        _assigned(cast, around, found, cast.coordinator)
    deliver.run(around, clock.forward(hours=8))
    told = [one.subject for one in email.sent if one.to == "bo@clinic.example"]
    assert ("An alert was assigned to you" in told) is (meanwhile == "nothing")


def _assigned(cast: Cast, around: Around, alert: Alert, to: Person) -> Alert:
    body = {"account_id": str(to.account_id), "note": "Yours, please."}
    by = cast.coordinator if to is cast.bo else cast.bo
    assert by.post(f"/alerts/{alert.id}/assign", body, alert.version).status_code == 200
    return alerts(around)[0]


@pytest.mark.parametrize(("urgency", "leaves"), [(AlertClass.P1, 23), (AlertClass.P2, 7), (AlertClass.P3, 7)])
def test_what_could_not_leave_before_quiet_hours_waits_for_their_end_too_unless_it_is_urgent(
    urgency: AlertClass, leaves: int, cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    cast.bo.put("/me/quiet-hours", {"quiet_from": "22:00", "quiet_until": "07:00"})
    clock.forward(hours=8, minutes=50)  # 21:50 in Oslo
    with working(around, cast.bo, clock.now) as work:
        bo = work.session.get_one(Account, (work.clinic_id, cast.bo.account_id))
        told = Notice("gap", "coverage_gap", DeliverySubject.ROTA, work.clinic_id, urgency)
        outgoing.call(work, bo, told)
    email.refusals["bo@clinic.example"] = SendError(False, "refused_451")
    deliver.run(around, clock.now)
    email.refusals.clear()
    left = [deliver.run(around, clock.forward(minutes=minutes)) for minutes in (70, 8 * 60)]
    assert left == ([1, 0] if leaves == 23 else [0, 1])
    (row,) = deliveries(around)
    assert row.state is DeliveryState.ACCEPTED


@pytest.mark.usefixtures("a_gap")
def test_what_is_never_taken_is_given_up_also_by_who_has_quiet_hours_every_night(
    clock: Clock, around: Around, email: RecordingGateway
) -> None:
    email.refusals["bo@clinic.example"] = SendError(False, "refused_452")
    tries = []
    while not tries or deliveries(around)[0].state is not DeliveryState.GIVEN_UP:
        deliver.run(around, clock.forward(hours=1))
        tries.append(deliveries(around)[0].attempt)
        assert len(tries) < 100
    assert tries[8] == tries[16] < tries[18], "at night it is not tried"
    assert 28 + 2 * 9 <= len(tries) <= 28 + 2 * 9 + 2, "a day and two nights"


@pytest.fixture
def a_gap(cast: Cast, clock: Clock, around: Around) -> None:
    """Bo, who has quiet hours, is told in the morning of something that can wait."""
    cast.bo.put("/me/quiet-hours", {"quiet_from": "22:00", "quiet_until": "07:00"})
    with working(around, cast.bo, clock.now) as work:
        bo = work.session.get_one(Account, (work.clinic_id, cast.bo.account_id))
        told = Notice("gap", "coverage_gap", DeliverySubject.ROTA, work.clinic_id, AlertClass.P2)
        outgoing.call(work, bo, told)


def test_a_code_that_is_waited_for_leaves_at_night(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    cast.bo.put("/me/quiet-hours", {"quiet_from": "22:00", "quiet_until": "07:00"})
    clock.forward(hours=11)
    asked = {"clinic": "demo", "email": "bo@clinic.example"}
    assert cast.bo.client.post("/v1/recoveries", json=asked).status_code == 204
    recover.run(around, clock.now)
    deliver.run(around, clock.now)
    assert [one.subject for one in email.sent] == ["Choose a new password"]
