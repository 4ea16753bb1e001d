"""What a clock that was ahead wrote keeps nobody waiting for the hour it had shown, once it is right."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs import escalate
from jobs.runner import run_once
from jobs.timetable import TIMETABLE
from server.clinical.vocabulary import AlertClass, AlertState, Channel, DeliverySubject
from server.gateways.message import Handed, Receipt, SendError
from server.isolation import Extent
from server.services.messages import delivery as deliveries
from server.services.messages import outbox
from server.services.messages.delivery import Notice
from server.services.people import account as accounts
from tests.faults.conftest import Twins
from tests.faults.ward import Ward

BO, NUMBER = "bo@clinic.example", "+4740000001"
AWAY = SendError(False, "timeout", away=True)


def put_back(ward: Ward, **parts: float) -> None:
    """Put the clock right, and let the jobs look once."""
    ward.clock.forward(**{unit: -number for unit, number in parts.items()})
    ward.look()


@pytest.mark.parametrize("ahead", [{"minutes": 30}, {"hours": 2}, {"days": 400}])
def test_the_ladder_of_an_emergency_begins_when_the_clock_is_right(
    ward: Ward, ahead: dict[str, float]
) -> None:
    ward.clock.forward(**ahead)
    alert = ward.alert(AlertClass.P0)
    put_back(ward, **ahead)
    assert len(ward.deliveries(alert)) == 1
    ward.minutes(14)
    assert ward.the(alert).level == 0
    ward.minutes(1)
    assert (ward.the(alert).level, len(ward.deliveries(alert))) == (1, 3)


def test_an_emergency_that_it_told_everybody_of_rings_again_within_the_hour(ward: Ward) -> None:
    """The level it had reached so early was due hours later, and until then nothing more was told."""
    alert = ward.alert(AlertClass.P0)
    ward.clock.forward(hours=5)
    ward.look()
    put_back(ward, hours=5)
    told = len(ward.deliveries(alert))
    ward.minutes(59)
    assert len(ward.deliveries(alert)) == told
    ward.minutes(2)
    assert len(ward.deliveries(alert)) > told


@pytest.mark.parametrize("apart", [{"minutes": 10}, {"minutes": 50}])
def test_two_job_runners_whose_clocks_are_apart_ring_each_step_once(
    ward: Ward, apart: dict[str, float]
) -> None:
    """What the one drove up the other took down, and the first rang everybody anew: minute after minute."""
    (job,) = (job for job in TIMETABLE if job.name == "escalate")
    alert, levels = ward.alert(AlertClass.P0), []
    for _ in range(32):
        now = ward.clock.forward(minutes=5)
        for clock in (now + timedelta(**apart), now):
            run_once(job, ward.around, clock)
            levels.append(ward.the(alert).level)
    assert levels == sorted(levels)
    assert levels[-1] > 3, "it goes on ringing"


def test_what_can_wait_until_the_clock_is_right_waits_no_longer(ward: Ward, twins: Twins) -> None:
    ward.clock.forward(hours=8)
    ward.alert(AlertClass.P2)
    put_back(ward, hours=8)
    ward.minutes(1)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [BO]


def test_quiet_hours_hold_it_by_the_clock_that_is_right(ward: Ward, twins: Twins) -> None:
    hours = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert ward.cast.bo.put("/me/quiet-hours", hours).status_code == 200
    ward.clock.forward(hours=11)
    ward.alert(AlertClass.P1), ward.alert(AlertClass.P2)
    assert [row.held for row in ward.deliveries()] == [True, True]
    put_back(ward, hours=11)
    ward.minutes(1)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [BO, BO]


def test_whom_a_telephone_does_not_reach_is_told_another_way_in_time(ward: Ward, twins: Twins) -> None:
    ward.phone(ward.cast.bo, NUMBER)
    twins[Channel.SMS].refusals[NUMBER] = AWAY
    ward.clock.forward(hours=2)
    ward.alert(AlertClass.P1)
    put_back(ward, hours=2)
    ward.minutes(6)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [BO]


def test_a_word_that_was_given_holds_no_longer_than_it_may(ward: Ward) -> None:
    alert = ward.alert(AlertClass.P0)
    ward.clock.forward(hours=5)
    assert ward.cast.bo.post(f"/alerts/{alert}/acknowledge").status_code == 200
    put_back(ward, hours=5)
    ward.minutes(29)
    assert ward.the(alert).state is AlertState.ACKNOWLEDGED
    ward.minutes(2)
    assert ward.the(alert).state is AlertState.OPEN


def test_a_snooze_lasts_no_longer_than_the_policy_lets_it(ward: Ward) -> None:
    alert = ward.alert(AlertClass.P0)
    ward.clock.forward(hours=5)
    until = (ward.clock.now + timedelta(minutes=20)).isoformat()
    body = {"until": until, "reason": "She asked to be called then."}
    path = f"/alerts/{alert}/snooze"
    assert ward.cast.bo.post(path, body, version=ward.the(alert).version).status_code == 200
    put_back(ward, hours=5)
    assert ward.the(alert).snoozed
    ward.minutes(31)
    assert ward.the(alert).state is AlertState.OPEN


def test_what_was_refused_is_tried_again_soon(ward: Ward, twins: Twins) -> None:
    twins[Channel.EMAIL].refusals[BO] = AWAY
    ward.clock.forward(hours=4)
    ward.alert(AlertClass.P0)
    ward.look()
    twins[Channel.EMAIL].refusals.clear()
    put_back(ward, hours=4)
    ward.minutes(1)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [BO]


def test_what_a_worker_had_in_hand_that_died_is_taken_up_after_a_lease(ward: Ward, twins: Twins) -> None:
    ward.clock.forward(hours=4)
    ward.alert(AlertClass.P0)
    with ward.around.database.write(Extent.ALL) as session:
        assert len(outbox.claim(session, ward.clock.now, 1, ward.around.lease)) == 1
    put_back(ward, hours=4)
    ward.minutes(3)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [BO]


def test_a_report_that_does_not_come_is_missed_in_time(ward: Ward, twins: Twins) -> None:
    ward.phone(ward.cast.bo, NUMBER)
    twins[Channel.SMS].receipts[NUMBER] = Receipt(Handed.ACCEPTED, reports=True)
    ward.clock.forward(hours=4)
    ward.alert(AlertClass.P1)
    ward.look()
    put_back(ward, hours=4)
    ward.minutes(6)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [BO]


def test_a_message_about_no_alert_leaves_too(ward: Ward, twins: Twins) -> None:
    ward.clock.forward(hours=4)
    with ward.work() as work:
        bo = accounts.working(work, [ward.cast.bo.account_id])[ward.cast.bo.account_id]
        about = DeliverySubject.ROTA, work.clinic_id, AlertClass.P2
        deliveries.call(work, bo, Notice("gap", "coverage_gap", *about))
    put_back(ward, hours=4)
    ward.minutes(1)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [BO]


def test_what_another_machine_wrote_a_little_ahead_is_left_as_it_is(ward: Ward) -> None:
    ward.clock.forward(minutes=4)
    alert = ward.alert(AlertClass.P2)
    written = ward.the(alert).version, ward.the(alert).waiting_since
    put_back(ward, minutes=4)
    assert (ward.the(alert).version, ward.the(alert).waiting_since) == written


def test_a_clock_that_began_anew_in_1970_dates_nothing_back(ward: Ward, twins: Twins) -> None:
    """Once it is set, everybody would be told at once that nobody had answered for half a century."""
    twins[Channel.EMAIL].refusals[BO] = AWAY
    alert, now = ward.alert(AlertClass.P1), ward.clock.now
    ward.look()
    escalate.run(ward.around, datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    assert ward.the(alert).waiting_since == now
    assert [row.created_at for row in ward.deliveries(alert)] == [now]
