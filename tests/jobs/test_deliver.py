"""Deliveries: claimed by one, sent, recorded, repeated after a crash, given up at the end."""

from contextlib import suppress
from datetime import timedelta

import pytest

from jobs import deliver
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import AlertClass, DeliveryState
from server.gateways.email import RecordingEmailGateway, SendError
from server.models import Account, Delivery
from server.services import outbox
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, deliveries, kinds

BO = "bo@clinic.example"


def the_delivery(around: Around) -> Delivery:
    (delivery,) = deliveries(around)
    return delivery


def test_bo_is_told_once_however_often_the_job_runs(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    assert [deliver.run(around, clock.forward(minutes=1)) for _ in range(3)] == [1, 0, 0]
    (message,) = email.sent
    assert message.to == BO
    assert message.message_id == f"<{the_delivery(around).id}@localhost>"
    assert f"/v1/alerts/{alerts(around)[0].id}" in message.text
    assert the_delivery(around).state is DeliveryState.DELIVERED


def test_two_workers_never_claim_the_same_delivery(cast: Cast, clock: Clock, around: Around) -> None:
    ana_raises_a_red_flag(cast, clock)
    # Two transactions one inside the other can't both write on SQLite; there the second comes after.
    with around.database.write() as session:
        first = outbox.claim(session, clock.now, 5, deliver.LEASE)
        if not around.database.is_sqlite:
            with around.database.write() as other:
                assert outbox.claim(other, clock.now, 5, deliver.LEASE) == []
    with around.database.write() as session:
        second = outbox.claim(session, clock.now, 5, deliver.LEASE)
    assert (len(first), second) == (1, [])


def test_a_killed_worker_costs_one_repeat_with_the_same_message_id(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        (claimed,) = outbox.claim(session, clock.now, 1, deliver.LEASE)
    deliver._send(around, claimed, clock.now)  # sent, and killed before it could say so
    assert deliver.run(around, clock.forward(seconds=60)) == 0
    assert deliver.run(around, clock.forward(seconds=61)) == 1
    assert len(email.sent) == 2
    assert len({message.message_id for message in email.sent}) == 1


def test_a_worker_that_lost_its_lease_cannot_record_an_outcome(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        (paused,) = outbox.claim(session, clock.now, 1, deliver.LEASE)
    clock.forward(minutes=3)
    with around.database.write() as session:
        (new,) = outbox.claim(session, clock.now, 1, deliver.LEASE)
    with around.database.write() as session:
        assert not outbox.finish(session, clock.now, paused, "refused_550", permanent=True)
        assert outbox.finish(session, clock.now, new)
    assert (new.attempt, the_delivery(around).state) == (2, DeliveryState.DELIVERED)


def test_a_refusal_for_now_is_tried_again_after_the_pause(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(False, "refused_450")
    assert deliver.run(around, clock.now) == 0
    assert (the_delivery(around).state, the_delivery(around).failure) == (DeliveryState.QUEUED, "refused_450")
    email.refusals.clear()
    assert deliver.run(around, clock.forward(seconds=20)) == 0
    assert deliver.run(around, clock.forward(seconds=11)) == 1


def test_a_final_refusal_is_given_up_and_the_alert_says_so(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(True, "refused_550")
    deliver.run(around, clock.now)
    assert the_delivery(around).state is DeliveryState.GIVEN_UP
    assert kinds(around, alerts(around)[0])[-1] == "delivery_given_up"


def test_a_message_that_is_never_taken_is_given_up_after_a_day_and_not_before(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    opened = clock.now
    email.refusals[BO] = SendError(False, "unreachable")
    while the_delivery(around).state is not DeliveryState.GIVEN_UP:
        with suppress(Incomplete):
            deliver.run(around, clock.forward(minutes=31))
    assert the_delivery(around).attempt == outbox.MOST_ATTEMPTS
    total = sum((outbox.retry_after(n) for n in range(1, outbox.MOST_ATTEMPTS)), timedelta())
    assert timedelta(hours=24) < total < timedelta(hours=30)
    assert clock.now - opened > timedelta(hours=24)


def test_an_urgent_message_that_stays_unsent_is_no_success(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(False, "unreachable")
    assert deliver.run(around, clock.forward(minutes=9)) == 0
    with pytest.raises(Incomplete):
        deliver.run(around, clock.forward(minutes=2))


def test_a_worker_dying_on_the_same_message_again_and_again_does_not_block_the_next(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        session.query(Delivery).update({"attempt": outbox.MOST_ATTEMPTS, "urgency": AlertClass.P0})
    _another_for_cyd(cast, clock, around)
    assert deliver.run(around, clock.now) == 1
    assert [message.to for message in email.sent] == ["cyd@clinic.example"]


def _another_for_cyd(cast: Cast, clock: Clock, around: Around) -> None:
    cast.other_patient.put("/entries/019ca000-0000-7000-8000-000000000000", entry(clock.now, safety="often"))


def test_the_most_urgent_goes_first_across_clinics(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    _another_for_cyd(cast, clock, around)
    ana_raises_a_red_flag(cast, clock)
    assert [d.urgency for d in deliveries(around)] == [AlertClass.P1, AlertClass.P0]
    deliver.run(around, clock.now)
    assert [message.to for message in email.sent] == [BO, "cyd@clinic.example"]


def test_a_mail_server_that_is_away_is_asked_once_a_run(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    _another_for_cyd(cast, clock, around)
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(False, "timeout")
    assert deliver.run(around, clock.now) == 0
    assert sorted(d.attempt for d in deliveries(around)) == [0, 1]


def test_who_left_the_clinic_is_not_written_to(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        session.get_one(Account, (cast.bo.clinic_id, cast.bo.account_id)).disabled_at = clock.now
    assert deliver.run(around, clock.now) == 0
    assert (email.sent, the_delivery(around).failure) == ([], "recipient_disabled")


def test_a_text_outside_the_closed_list_is_never_sent(
    cast: Cast, clock: Clock, around: Around, email: RecordingEmailGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        session.query(Delivery).update({"template": "free_text"})
    deliver.run(around, clock.now)
    assert (email.sent, the_delivery(around).failure) == ([], "unknown_template")


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 30), (2, 60), (6, 960), (7, 1800), (59, 1800)])
def test_the_pause_between_tries_doubles_up_to_half_an_hour(attempt: int, seconds: int) -> None:
    assert outbox.retry_after(attempt) == timedelta(seconds=seconds)


def test_a_worker_asked_to_stop_leaves_the_rest_in_the_queue(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock)
    around.stopping.set()
    assert deliver.run(around, clock.now) == 0
    assert the_delivery(around).state is DeliveryState.QUEUED
