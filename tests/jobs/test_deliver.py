"""Deliveries: claimed by one, sent, recorded, repeated after a crash, given up at the end."""

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from uuid_utils.compat import uuid7

from jobs import deliver
from jobs.around import Around, Incomplete
from jobs.messages import message
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState
from server.gateways.message import Message, Receipt, RecordingGateway, SendError
from server.models import Account, Delivery
from server.services.messages import outbox, outbox_outcome, retry
from server.services.messages.outbox_outcome import Refused, Taken
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, deliveries, kinds

BO = "bo@clinic.example"


def the_delivery(around: Around) -> Delivery:
    """Return what Bo was told first."""
    return deliveries(around)[0]


def message_of(around: Around, claimed: outbox.Claimed, now: datetime) -> Message:
    return message(around.settings, claimed, now)


def test_bo_is_told_once_however_often_the_job_runs(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    assert [deliver.run(around, clock.forward(minutes=1)) for _ in range(3)] == [1, 0, 0]
    (message,) = email.sent
    assert message.to == BO
    assert message.id == the_delivery(around).id
    assert f"/v1/alerts/{alerts(around)[0].id}" in message.text
    assert the_delivery(around).state is DeliveryState.ACCEPTED


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


def test_a_killed_worker_costs_one_repeat_with_the_same_id(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        (claimed,) = outbox.claim(session, clock.now, 1, deliver.LEASE)
    email.send(message_of(around, claimed, clock.now))  # sent, and killed before it could say so
    assert deliver.run(around, clock.forward(seconds=60)) == 0
    assert deliver.run(around, clock.forward(seconds=61)) == 1
    assert len(email.sent) == 2
    assert len({message.id for message in email.sent}) == 1


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
        refused = Refused("refused_550", permanent=True)
        assert not outbox_outcome.finish(session, clock.now, paused, refused)
        assert outbox_outcome.finish(session, clock.now, new, Taken())
    assert (new.attempt, the_delivery(around).state) == (2, DeliveryState.ACCEPTED)


def test_a_refusal_for_now_is_tried_again_after_the_pause(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(False, "refused_450")
    assert deliver.run(around, clock.now) == 0
    assert (the_delivery(around).state, the_delivery(around).failure) == (DeliveryState.QUEUED, "refused_450")
    email.refusals.clear()
    assert deliver.run(around, clock.forward(seconds=29)) == 0
    assert deliver.run(around, clock.forward(seconds=5)) == 1


def test_a_far_end_that_asks_for_patience_is_given_it(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(False, "status_429", retry_after=timedelta(minutes=8))
    deliver.run(around, clock.now)
    email.refusals.clear()
    assert deliver.run(around, clock.forward(minutes=7)) == 0
    assert deliver.run(around, clock.forward(minutes=2)) == 1


def test_what_may_have_arrived_is_called_sent_and_repeated_with_the_same_id(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(False, "timeout", in_doubt=True)
    deliver.run(around, clock.now)
    doubtful = the_delivery(around)
    assert doubtful.state is DeliveryState.SENT
    email.refusals.clear()
    assert deliver.run(around, clock.forward(minutes=1)) == 1
    assert (email.sent[0].id, the_delivery(around).state) == (doubtful.id, DeliveryState.ACCEPTED)


def test_a_final_refusal_is_given_up_said_on_the_alert_and_the_next_people_hear_at_once(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(True, "refused_550")
    deliver.run(around, clock.now)
    given_up, *next_people = deliveries(around)
    assert (given_up.state, given_up.failure) == (DeliveryState.GIVEN_UP, "refused_550")
    assert kinds(around, alerts(around)[0]) == [
        *("opened", "delivery_given_up", "escalated"),
        *("delivery_given_up",),  # Bo is among the next people too
    ]
    assert {d.account_id for d in next_people} == {cast.bo.account_id, cast.coordinator.account_id}
    assert [message.to for message in email.sent] == ["dee@clinic.example"]


def test_a_message_that_is_never_taken_is_given_up_after_a_day_and_not_before(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    opened = clock.now
    email.refusals[BO] = SendError(False, "unreachable")
    while the_delivery(around).state is not DeliveryState.GIVEN_UP:
        with suppress(Incomplete):
            deliver.run(around, clock.forward(minutes=31))
    assert timedelta(hours=28) < clock.now - opened < timedelta(hours=29)


@pytest.mark.parametrize("urgency", AlertClass)
@pytest.mark.parametrize("channel", Channel)
def test_pauses_grow_with_a_little_jitter_and_the_urgent_does_not_sleep_on(
    channel: Channel, urgency: AlertClass
) -> None:
    ids = [uuid7() for _ in range(20)]
    pauses = [[retry.pause(channel, attempt, urgency, one) for one in ids] for attempt in range(1, 30)]
    for before, after in pairwise(pauses):
        assert min(after) >= max(before) / (1 + retry.JITTER) - timedelta(microseconds=1)
    spread = [max(each) / min(each) for each in pauses]
    assert all(1 < one <= 1 + retry.JITTER for one in spread)
    longest = timedelta(hours=24) if channel is Channel.WEBHOOK else timedelta(minutes=30)
    if urgency in (AlertClass.P0, AlertClass.P1) and channel is not Channel.WEBHOOK:
        longest = retry.URGENT_PAUSE
    assert max(map(max, pauses)) <= longest * (1 + retry.JITTER)


def test_an_urgent_message_that_stays_unsent_is_no_success(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(False, "unreachable")
    assert deliver.run(around, clock.forward(minutes=9)) == 0
    with pytest.raises(Incomplete):
        deliver.run(around, clock.forward(minutes=2))


def test_a_worker_dying_on_the_same_message_again_and_again_does_not_block_the_next(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        crashed = {"failure": "worker_died_4", "state": DeliveryState.CLAIMED, "lease_until": clock.now}
        session.query(Delivery).update(crashed)
    _another_for_cyd(cast, clock, around)
    assert deliver.run(around, clock.now) == 3
    assert the_delivery(around).failure == "poison"
    # The next people of Ana's clinic hear at once, and Cyd of the other clinic is not held up.
    assert {m.to for m in email.sent} == {"cyd@clinic.example", BO, "dee@clinic.example"}


def _another_for_cyd(cast: Cast, clock: Clock, around: Around) -> None:
    cast.other_patient.put("/entries/019ca000-0000-7000-8000-000000000000", entry(clock.now, safety="often"))


def test_the_most_urgent_goes_first_across_clinics(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    _another_for_cyd(cast, clock, around)
    ana_raises_a_red_flag(cast, clock)
    assert [d.urgency for d in deliveries(around)] == [AlertClass.P1, AlertClass.P0]
    deliver.run(around, clock.now)
    assert [message.to for message in email.sent] == [BO, "cyd@clinic.example"]


def test_a_mail_server_that_is_away_is_asked_once_a_run(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    _another_for_cyd(cast, clock, around)
    ana_raises_a_red_flag(cast, clock)
    email.refusals[BO] = SendError(False, "timeout", away=True)
    assert deliver.run(around, clock.now) == 0
    assert email.tried == [BO]


def test_who_left_the_clinic_is_not_written_to(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        session.get_one(Account, (cast.bo.clinic_id, cast.bo.account_id)).disabled_at = clock.now
    deliver.run(around, clock.now)
    assert the_delivery(around).failure == "recipient_disabled"
    assert [message.to for message in email.sent] == ["dee@clinic.example"]


def test_a_text_outside_the_closed_list_is_never_sent(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write() as session:
        session.query(Delivery).update({"template": "free_text"})
    deliver.run(around, clock.now)
    assert the_delivery(around).failure == "unknown_template"
    assert all("free_text" not in str(message) for message in email.sent)


def test_a_worker_asked_to_stop_leaves_the_rest_in_the_queue(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock)
    around.stopping.set()
    assert deliver.run(around, clock.now) == 0
    assert the_delivery(around).state is DeliveryState.QUEUED


class LastWords(RecordingGateway):
    """Somebody stops the worker while its first message is on its way."""

    stopping: threading.Event

    def send(self, message: Message) -> Receipt:
        """Take the message, slowly enough for the next one to be handed out."""
        self.stopping.set()
        return super().send(message)


def test_a_worker_asked_to_stop_gives_back_what_it_has_not_begun(
    cast: Cast, clock: Clock, around: Around
) -> None:
    _another_for_cyd(cast, clock, around)
    ana_raises_a_red_flag(cast, clock)
    slow = LastWords()
    slow.stopping = around.stopping
    deliver.run(replace(around, gateways={Channel.EMAIL: slow}), clock.now)
    assert [message.to for message in slow.sent] == [BO]
    (left,) = [row for row in deliveries(around) if row.state is DeliveryState.QUEUED]
    assert (left.lease_until, left.failure) == (None, None)
    # Another worker takes it at once, and its first try is the first one.
    clock.forward(seconds=5)
    with around.database.write() as session:
        (claimed,) = outbox.claim(session, clock.now, 5, deliver.LEASE)
        outbox_outcome.finish(session, clock.now, claimed, Refused("timeout"))
    again = next(row for row in deliveries(around) if row.id == left.id)
    assert again.due_at - clock.now < timedelta(seconds=35)


def test_a_message_speaks_of_patients_not_of_alerts(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    body = entry(clock.now, safety="plan", side_effects={"seizure": 3})
    assert cast.ana.put("/entries/019ca000-0000-7000-8000-000000000001", body).status_code == 201
    assert len(alerts(around)) == 2
    deliver.run(around, clock.now)
    assert [message.subject for message in email.sent] == ["URGENT: a patient may be in danger"]
    assert {row.state for row in deliveries(around)} == {DeliveryState.ACCEPTED}
