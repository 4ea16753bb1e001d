"""Reminders: written once, sent to the patient alone, and not at all where nobody needs them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from uuid_utils.compat import uuid7

from jobs import deliver, remind
from jobs.around import Around, Incomplete
from server.clinical.reminders import LARGEST_JITTER
from server.clinical.vocabulary import DeliveryState, DeliverySubject
from server.gateways.message import RecordingGateway, SendError
from server.models import Account, AlertEvent, CheckInPlan, Patient, Reminder
from server.services.journal import reminder as reminder_service
from tests.api.test_today import set_rhythm
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag, deliveries, patient_of, working

ANA = "ana@home.example"
EIGHT = datetime(2026, 3, 2, 19, 0, tzinfo=UTC)  # 20:00 in Oslo
AFTER = EIGHT + LARGEST_JITTER  # by then every patient's own minute has come


def reminders(around: Around, cast: Cast) -> list[str]:
    """Return the keys Ana was reminded of, oldest first."""
    with around.database.read() as session:
        query = select(Reminder.key).where(Reminder.patient_id == cast.ana.patient_id)
        return list(session.scalars(query.order_by(Reminder.id)))


def run(around: Around, clock: Clock, now: datetime) -> int:
    clock.now = now
    return remind.run(around, now)


@pytest.fixture
def alone(around: Around, cast: Cast) -> Cast:
    """Ana, with nobody else to remind."""
    with around.database.write() as session:
        fay = session.get_one(Patient, (cast.other_patient.clinic_id, cast.other_patient.patient_id))
        fay.enrolled_at = None
    return cast


def test_ana_is_reminded_once_at_her_time_and_the_message_says_nothing_of_her(
    alone: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    assert run(around, clock, EIGHT - LARGEST_JITTER - timedelta(minutes=1)) == 0
    assert [run(around, clock, AFTER + timedelta(minutes=k)) for k in range(3)] == [1, 0, 0]
    assert reminders(around, alone) == ["diary:2026-03-02"]
    assert deliver.run(around, clock.now) == 1
    (message,) = email.sent
    assert (message.to, message.subject) == (ANA, "Your diary is open")
    assert "Ana" not in message.text
    assert str(alone.ana.patient_id) not in message.text


def test_nobody_is_reminded_after_logging(alone: Cast, clock: Clock, around: Around) -> None:
    alone.ana.put(f"/entries/{uuid7()}", entry(clock.now))
    assert run(around, clock, AFTER) == 0
    assert reminders(around, alone) == []


def test_who_logs_while_the_reminder_waits_is_not_written_to(
    alone: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    run(around, clock, AFTER)
    alone.ana.put(f"/entries/{uuid7()}", entry(clock.now))
    deliver.run(around, clock.now)
    (delivery,) = deliveries(around)
    assert (email.sent, delivery.state, delivery.failure) == ([], DeliveryState.GIVEN_UP, "not_needed")


@pytest.mark.parametrize(
    "changes",
    [{"reminders": False}, {"pause": {"first": "2026-03-01", "last": "2026-03-02"}}],
    ids=["switched off", "on holiday"],
)
def test_who_does_not_want_reminders_gets_none(
    alone: Cast, clock: Clock, around: Around, changes: dict[str, Any]
) -> None:
    assert set_rhythm(alone.ana, **changes).status_code == 200
    assert run(around, clock, AFTER) == 0


def test_who_switches_reminders_off_is_not_sent_the_one_that_waits(
    alone: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    run(around, clock, AFTER)
    assert set_rhythm(alone.ana, version=1, reminders=False).status_code == 200
    deliver.run(around, clock.now)
    assert email.sent == []


def test_the_day_after_a_holiday_reminds_again(alone: Cast, clock: Clock, around: Around) -> None:
    set_rhythm(alone.ana, pause={"first": "2026-03-01", "last": "2026-03-02"})
    assert [run(around, clock, AFTER + timedelta(days=k)) for k in range(2)] == [0, 1]


def test_who_is_paused_by_the_clinic_not_enrolled_or_gone_gets_none(
    alone: Cast, clock: Clock, around: Around
) -> None:
    key = (alone.ana.clinic_id, alone.ana.patient_id)
    with around.database.write() as session:
        session.get_one(Patient, key).paused_until = AFTER + timedelta(days=1)
    assert run(around, clock, AFTER) == 0
    with around.database.write() as session:
        session.get_one(Patient, key).paused_until = None
        session.get_one(Account, (alone.ana.clinic_id, alone.ana.account_id)).disabled_at = AFTER
    assert run(around, clock, AFTER + timedelta(days=1)) == 0
    with around.database.write() as session:
        session.get_one(Account, (alone.ana.clinic_id, alone.ana.account_id)).disabled_at = None
        session.get_one(Patient, key).enrolled_at = None
    assert run(around, clock, AFTER + timedelta(days=2)) == 0


def test_every_other_day_is_every_other_day(alone: Cast, clock: Clock, around: Around) -> None:
    set_rhythm(alone.ana, every_days=2)
    sent = [run(around, clock, AFTER + timedelta(days=k)) for k in range(6)]
    assert sorted([sent[0::2], sent[1::2]]) == [[0, 0, 0], [1, 1, 1]]


def test_after_a_night_of_downtime_nothing_is_made_up(alone: Cast, clock: Clock, around: Around) -> None:
    run(around, clock, EIGHT - timedelta(hours=1))
    assert run(around, clock, EIGHT + timedelta(days=4, hours=12)) == 0
    assert run(around, clock, AFTER + timedelta(days=5)) == 1
    assert reminders(around, alone) == ["diary:2026-03-07"]


def test_a_worker_that_was_down_for_an_hour_makes_up_for_it_once(
    alone: Cast, clock: Clock, around: Around
) -> None:
    run(around, clock, EIGHT - timedelta(hours=1))
    assert [run(around, clock, EIGHT + timedelta(minutes=k)) for k in (70, 71)] == [1, 0]


def test_nothing_is_sent_in_quiet_hours_even_when_it_is_late(
    alone: Cast, clock: Clock, around: Around
) -> None:
    assert run(around, clock, EIGHT + timedelta(hours=2)) == 0  # 22:00
    assert reminders(around, alone) == []


def taken_late(around: Around, clock: Clock, email: RecordingGateway, late: timedelta) -> str | None:
    """Let Ana's mail server take nothing until ``late`` after her reminder; return why that was not sent."""
    run(around, clock, AFTER)
    email.refusals[ANA] = SendError(False, "timeout")
    deliver.run(around, clock.now)
    email.refusals.clear()
    clock.now += late
    deliver.run(around, clock.now)
    (delivery,) = deliveries(around)
    assert email.sent == []
    return delivery.failure


def test_a_reminder_the_mail_server_took_too_late_is_not_sent_at_night(
    alone: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    assert taken_late(around, clock, email, timedelta(hours=3, minutes=15)) == "expired"


def test_a_reminder_that_comes_late_never_leads_into_quiet_hours(
    alone: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    late = timedelta(hours=2, minutes=10)  # after 22:00, when her quiet hours begin
    assert taken_late(around, clock, email, late) == "expired"


@pytest.mark.parametrize("how", ["hours", "zone"])
def test_a_reminder_that_waits_does_not_come_in_quiet_hours_that_she_has_since(
    how: str, alone: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    run(around, clock, AFTER)
    if how == "hours":
        said = set_rhythm(alone.ana, version=1, quiet_from="20:30", quiet_until="07:00")
    else:
        said = alone.ana.patch("/me/zone", {"zone": "Asia/Tokyo"})
    assert said.status_code == 200, said.text
    assert taken_late(around, clock, email, timedelta(minutes=45)) == "not_needed"


def test_a_reminder_says_until_when_it_may_be_kept_for_a_phone_that_is_off(
    alone: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    run(around, clock, AFTER)
    deliver.run(around, clock.now)
    assert email.sent[0].expires_at == EIGHT + timedelta(hours=2)  # 22:00, when her quiet hours begin


def test_a_message_of_a_day_carries_all_that_is_due_and_a_day_has_two_at_the_most(
    alone: Cast, clock: Clock, around: Around
) -> None:
    plan, asked = f"/patients/{alone.ana.patient_id}/check-in-plan", []
    sent = []
    for number, scale in enumerate(("phq-9", "gad-7", "phq-2"), start=1):
        asked.append({"instrument": scale, "anchor": "once", "first_day": "2026-03-02"})
        assert alone.bo.put(plan, {"scales": asked}, version=number).status_code == 200
        sent.append(run(around, clock, AFTER + timedelta(minutes=number)))
    assert sent == [1, 1, 0]
    assert reminders(around, alone) == ["diary:2026-03-02", "phq-9:2026-03-02", "gad-7:2026-03-02"]
    assert len(deliveries(around)) == 2


def test_a_refused_reminder_is_given_up_and_no_alert_hears_of_it(
    alone: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(alone, clock)
    with around.database.write() as session:
        session.query(CheckInPlan).delete()
        count = select(func.count()).select_from(AlertEvent)
        before = session.scalar(count)
    set_rhythm(alone.ana)
    clock.now = AFTER + timedelta(days=1)  # today's diary is logged by the flag
    run(around, clock, clock.now)
    email.refusals[ANA] = SendError(True, "refused_550")
    deliver.run(around, clock.now)
    by_subject = {d.subject: d for d in deliveries(around)}
    assert by_subject[DeliverySubject.REMINDER].failure == "refused_550"
    with around.database.read() as session:
        assert session.scalar(count) == before
    assert [m.to for m in email.sent] == ["bo@clinic.example"]


def test_two_workers_at_once_remind_once(alone: Cast, clock: Clock, around: Around) -> None:
    clock.now = AFTER
    assert alone.ana.patient_id is not None
    # Two transactions one inside the other can't both write on SQLite; there the second comes after.
    with working(around, alone.ana, AFTER) as first:
        assert reminder_service.remind(first, alone.ana.patient_id)
        if not around.database.is_sqlite:
            with working(around, alone.ana, AFTER) as second:
                assert not reminder_service.remind(second, alone.ana.patient_id)
    with working(around, alone.ana, AFTER) as third:
        assert not reminder_service.remind(third, alone.ana.patient_id)
    assert len(deliveries(around)) == 1


@pytest.mark.parametrize("batch", [1, 100])
def test_one_patient_who_fails_never_stops_the_others(
    cast: Cast,
    clock: Clock,
    around: Around,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    batch: int,
) -> None:
    monkeypatch.setattr(remind, "BATCH", batch)
    set_rhythm(cast.ana)
    with around.database.write() as session:
        plan = session.get_one(CheckInPlan, (cast.ana.clinic_id, cast.ana.patient_id))
        plan.scales = [{"instrument": "phq-9"}]
    with pytest.raises(Incomplete):  # the run ledger must not call this a success
        run(around, clock, AFTER)
    with around.database.read() as session:
        reminded = set(session.scalars(select(Reminder.patient_id)))
    assert reminded == {cast.other_patient.patient_id}
    assert f"patient {cast.ana.patient_id} could not be reminded: KeyError" in caplog.text


def test_who_enrolled_beside_the_version_before_is_reminded_too(
    alone: Cast, clock: Clock, around: Around
) -> None:
    with around.database.write() as session:
        session.execute(delete(CheckInPlan))
        session.get_one(Patient, (alone.ana.clinic_id, alone.ana.patient_id)).enrolled_at = clock.now
    assert run(around, clock, AFTER) == 1


def test_who_enrolled_long_ago_and_was_never_looked_at_is_found_within_the_hour(
    alone: Cast, clock: Clock, around: Around
) -> None:
    key = (alone.ana.clinic_id, alone.ana.patient_id)
    with around.database.write() as session:
        session.execute(delete(CheckInPlan))
        session.get_one(Patient, key).enrolled_at = clock.now - timedelta(days=60)
    for minute, is_found in ((30, False), (60, True)):
        run(around, clock, AFTER.replace(minute=0) + timedelta(minutes=minute))
        with around.database.read() as session:
            assert (session.get(CheckInPlan, key) is not None) is is_found


def test_a_worker_asked_to_stop_reminds_nobody_more(alone: Cast, clock: Clock, around: Around) -> None:
    around.stopping.set()
    assert run(around, clock, AFTER) == 0


def test_the_plan_of_who_was_looked_at_is_kept_for_the_next_look(
    alone: Cast, clock: Clock, around: Around
) -> None:
    run(around, clock, AFTER)
    with around.database.read() as session:
        plan = session.get_one(CheckInPlan, (alone.ana.clinic_id, alone.ana.patient_id))
    assert plan.next_at is not None
    assert abs(plan.next_at - EIGHT - timedelta(days=1)) <= LARGEST_JITTER
    assert patient_of(around, alone.ana).version == 1
