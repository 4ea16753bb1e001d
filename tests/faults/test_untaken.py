"""A message to the staff that one far end never takes goes another way, whatever it is about."""

import pytest

from jobs import deliver, escalate
from jobs.around import Incomplete
from server.clinical.vocabulary import AlertClass, Channel, DeliverySubject
from server.gateways.message import SendError
from server.services.health import health, troubles
from server.services.messages import contact_point as contact_points
from server.services.messages import delivery as deliveries
from server.services.messages import untaken
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from tests.cast import Person
from tests.faults.conftest import Twins
from tests.faults.ward import Ward
from tests.jobs.leaving import Leaving

NUMBER, DEE = "+4740000001", "dee@clinic.example"
BROWSER = '{"endpoint": "https://push.example/dee", "keys": {}}'
AWAY = SendError(False, "timeout", away=True)


def told(ward: Ward, person: Person, key: str = "gap", urgency: AlertClass = AlertClass.P2) -> None:
    """Write to somebody of the staff about the rota."""
    with ward.work() as work:
        account = accounts.working(work, [person.account_id])[person.account_id]
        about = DeliverySubject.ROTA, work.clinic_id, urgency
        deliveries.call(work, account, Notice(key, "coverage_gap", *about))


@pytest.mark.parametrize("how", ["assign", "hand-over"])
def test_who_is_given_an_alert_hears_by_mail_where_their_telephone_is_not_reached(
    ward: Ward, twins: Twins, how: str
) -> None:
    cast = ward.cast
    ward.phone(cast.coordinator, NUMBER)
    twins[Channel.SMS].refusals[NUMBER] = AWAY
    alert = ward.alert(AlertClass.P1)
    ward.look()
    assert cast.bo.post(f"/alerts/{alert}/acknowledge").status_code == 200
    body = {"account_id": str(cast.coordinator.account_id), "note": "Yours."}
    path = f"/alerts/{alert}/assign" if how == "assign" else "/alerts/hand-over"
    assert cast.bo.post(path, body, version=ward.the(alert).version).status_code == 200
    ward.look()
    ward.minutes(4.5)
    mail = twins[Channel.EMAIL].sent
    assert DEE not in [message.to for message in mail]
    ward.minutes(0.5)
    assert [message.to for message in mail[1:]] == [DEE]
    ward.minutes(30)
    assert [message.to for message in mail[1:]] == [DEE], "once"


def test_every_way_has_its_time_before_the_next_one(ward: Ward, twins: Twins) -> None:
    dee = ward.cast.coordinator
    ward.browser(dee, BROWSER), ward.phone(dee, NUMBER)
    twins[Channel.PUSH].refusals[BROWSER] = twins[Channel.SMS].refusals[NUMBER] = AWAY
    told(ward, dee)
    ward.look()
    ward.minutes(4.5)
    assert not twins[Channel.SMS].tried
    ward.minutes(5)
    assert twins[Channel.SMS].tried
    assert not twins[Channel.EMAIL].sent
    ward.minutes(0.5)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [DEE]


def test_what_was_taken_or_is_held_by_quiet_hours_goes_one_way(ward: Ward, twins: Twins) -> None:
    dee = ward.cast.coordinator
    ward.phone(dee, NUMBER)
    told(ward, dee)
    ward.look()
    ward.minutes(30)
    assert (len(twins[Channel.SMS].sent), twins[Channel.EMAIL].sent) == (1, [])
    dee.put("/me/quiet-hours", {"quiet_from": "12:00", "quiet_until": "22:00"})
    told(ward, dee, "another")
    assert escalate.run(ward.around, ward.clock.forward(hours=3)) == 0


def test_of_somebody_who_leaves_nothing_is_told_another_way(ward: Ward, twins: Twins) -> None:
    cast = ward.cast
    ward.phone(cast.coordinator, NUMBER)
    twins[Channel.SMS].refusals[NUMBER] = AWAY
    alert = ward.relapse(cast.ana)
    body = {"account_id": str(cast.coordinator.account_id), "note": "Yours."}
    assert cast.bo.post(f"/alerts/{alert}/assign", body, version=1).status_code == 200
    ward.look()
    Leaving(ward.around, ward.clock, cast.ana).begin()
    before = len(ward.told(alert))
    escalate.run(ward.around, ward.clock.forward(minutes=6))
    assert len(ward.told(alert)) == before


def troubles_of(ward: Ward) -> list[str]:
    with ward.around.database.read() as session:
        found = health(session, ward.clock.now, ())
    return [trouble.code for trouble in troubles(found)]


@pytest.mark.parametrize("urgency", [AlertClass.P0, AlertClass.P1])
def test_one_persons_webhook_that_is_away_rings_no_alarm_where_they_were_told_another_way(
    ward: Ward, twins: Twins, urgency: AlertClass
) -> None:
    """Else one clinic's endpoint kept the heartbeat silent for three days, and nobody saw a real stop."""
    hook = ward.hook(ward.cast.bo, "https://pager.example/bo")
    with ward.work() as work:
        twins[Channel.WEBHOOK].refusals[contact_points.open_address(work, hook)] = AWAY
    alert = ward.alert(urgency)
    ward.look()
    ward.minutes(11)
    deliver.run(ward.around, ward.clock.now)
    assert (("Bo", Channel.EMAIL) in ward.told(alert), troubles_of(ward)) == (True, [])
    twins[Channel.EMAIL].refusals["bo@clinic.example"] = AWAY
    ward.alert(urgency)
    ward.look()
    ward.minutes(11)
    with pytest.raises(Incomplete):
        deliver.run(ward.around, ward.clock.now)
    assert troubles_of(ward) == ["undelivered"]


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.PUSH])
def test_a_provider_of_ours_that_is_away_rings_it_also_where_mail_leaves(
    ward: Ward, twins: Twins, channel: Channel
) -> None:
    give = {Channel.SMS: (ward.phone, NUMBER), Channel.PUSH: (ward.browser, BROWSER)}
    add, address = give[channel]
    add(ward.cast.bo, address)
    twins[channel].refusals[address] = AWAY
    ward.alert(AlertClass.P0)
    ward.look()
    ward.minutes(6)
    assert troubles_of(ward) == ["undelivered"]


def test_two_who_look_at_the_same_moment_tell_one_further_way(ward: Ward, twins: Twins) -> None:
    dee = ward.cast.coordinator
    ward.browser(dee, BROWSER), ward.phone(dee, NUMBER)
    told(ward, dee)
    ward.clock.forward(minutes=5)
    with ward.work() as work:
        (waiting,) = untaken.due(work)
        assert untaken.spread(work, waiting)
        if not ward.around.database.is_sqlite:  # there a writing transaction is alone
            with ward.work() as beside:
                assert not untaken.spread(beside, waiting)
    with ward.work() as work:
        assert not untaken.spread(work, waiting)
        assert untaken.due(work) == []
