"""Of who leaves nobody is told another way, so nothing is left behind; one bad message keeps no other."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from uuid_utils.compat import uuid7

from jobs import deliver, erase, recover
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import Channel, DeliveryState, DeliverySubject
from server.database import Database
from server.gateways.message import RecordingGateway
from server.isolation import Extent
from server.models import Delivery, Recovery
from server.services import clinic_key as clinic_keys
from server.services.messages import operations, outbox, outbox_outcome
from server.services.messages.outbox import Claimed
from server.services.messages.outbox_outcome import Refused, Taken
from server.services.people import erasure as erasures
from server.services.visits import unseen_visit as unseen_visits
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import Cast, entry, new_patient
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag, deliveries
from tests.telephones import telephone
from tests.visits import Visits

BO, CYD, OPERATIONS = "bo@clinic.example", "cyd@clinic.example", "operations@service.example"
Loss = Callable[[Around, Clock, Claimed], object]


@pytest.fixture
def email() -> RecordingGateway:
    """The mail server."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingGateway) -> Around:
    """What jobs work with: SMS and e-mail."""
    return Around(database, settings, {Channel.SMS: RecordingGateway("sms"), Channel.EMAIL: email})


@pytest.fixture
def told(around: Around, cast: Cast, clock: Clock, visits: Visits) -> Claimed:
    """Bo was told by SMS that a visit waits for their decision; it is in a worker's hand."""
    telephone(around.database, clock.now, cast.bo, "+4740000009")
    visits.on_treatment()
    suggestion = visits.relapse()
    deliver.run(around, clock.now)
    clock.forward(days=3)
    with around.database.write(Extent.ALL) as session:
        assert suggestion is not None
        assert unseen_visits.tell(Work(session, clock.now, system(cast.ana.clinic_id)), suggestion) == 1
        session.execute(update(Delivery).where(_is_about(suggestion)).values(due_at=clock.now))
    with around.database.write(Extent.ALL) as session:
        (claimed,) = outbox.claim(session, clock.now, 10, deliver.LEASE)
    assert (claimed.subject_id, claimed.channel) == (suggestion, Channel.SMS)
    return claimed


def _is_about(suggestion: UUID | None) -> object:
    return Delivery.subject_id == suggestion


def _refused(around: Around, clock: Clock, claimed: Claimed) -> object:
    with around.database.write(Extent.ALL) as session:
        return outbox_outcome.finish(session, clock.now, claimed, Refused("refused_550", permanent=True))


def _accepted(around: Around, clock: Clock, claimed: Claimed) -> None:
    with around.database.write(Extent.ALL) as session:
        assert outbox_outcome.finish(session, clock.now, claimed, Taken(reports=True))


def _reported(around: Around, clock: Clock, claimed: Claimed) -> object:
    _accepted(around, clock, claimed)
    with around.database.write(Extent.ALL) as session:
        return outbox_outcome.report(session, clock.now, claimed.id, arrived=False)


def _never_reported(around: Around, clock: Clock, claimed: Claimed) -> object:
    _accepted(around, clock, claimed)
    with around.database.write(Extent.ALL) as session:
        return outbox_outcome.missed_reports(session, clock.forward(minutes=6))


def _ways(around: Around, claimed: Claimed) -> list[Channel]:
    return [one.channel for one in deliveries(around) if one.subject_id == claimed.subject_id]


def _let_ana_go(around: Around, cast: Cast, clock: Clock) -> None:
    assert cast.ana.patient_id is not None
    with around.database.write(Extent.ALL) as session:
        if not around.database.is_sqlite:
            session.execute(text("SET LOCAL lock_timeout = 300"))
        erasures.run_out(Work(session, clock.now, system(cast.ana.clinic_id)), cast.ana.patient_id)


@pytest.mark.parametrize("lose", [_refused, _reported, _never_reported])
@pytest.mark.parametrize("leaves", [False, True])
def test_of_a_patient_who_leaves_nobody_is_told_another_way(
    around: Around, cast: Cast, clock: Clock, told: Claimed, lose: Loss, leaves: bool
) -> None:
    if leaves:
        _let_ana_go(around, cast, clock)
    assert lose(around, clock, told)
    assert _ways(around, told) == ([Channel.SMS] if leaves else [Channel.SMS, Channel.EMAIL])


def test_an_erasure_waits_for_whoever_tells_another_way(
    around: Around, cast: Cast, clock: Clock, told: Claimed
) -> None:
    if around.database.is_sqlite:
        pytest.skip("one writer at a time")
    with around.database.write(Extent.ALL) as losing:
        outbox_outcome.finish(losing, clock.now, told, Refused("refused_550", permanent=True))
        with pytest.raises(OperationalError, match="lock timeout"):
            _let_ana_go(around, cast, clock)
    _let_ana_go(around, cast, clock)
    assert erase.run(around, clock.forward(hours=25)) == 1
    assert _ways(around, told) == [], "it finds all there is"


def _an_emergency_of_the_other_clinic(app: Flask, cast: Cast, clock: Clock) -> None:
    una = new_patient(app, cast.cyd.clinic_id, "Una", cast.cyd.account_id)
    assert una.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan")).status_code == 201


@pytest.mark.long
@pytest.mark.parametrize(
    "left",
    [
        {"subject": DeliverySubject.VISIT, "template": "visit_undecided"},
        {"subject": DeliverySubject.ALERT, "template": "patient_needs_review"},
        {"subject": DeliverySubject.ALERT, "template": "emergency_again"},
        {"subject": DeliverySubject.RECOVERY, "template": "password_recovery"},
        {"subject": DeliverySubject.ACCOUNT, "template": "number_code", "contact_id": uuid7()},
    ],
    ids=lambda left: left["template"],
)
def test_a_message_whose_subject_is_gone_is_not_needed_and_keeps_no_other_waiting(
    app: Flask, around: Around, email: RecordingGateway, cast: Cast, clock: Clock, left: dict[str, object]
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write(Extent.ALL) as session:
        session.execute(update(Delivery).values(**left, subject_id=uuid7()))
    _an_emergency_of_the_other_clinic(app, cast, clock)
    assert deliver.run(around, clock.now) == 1
    with around.database.read(Extent.ALL) as session:
        mine = session.scalars(select(Delivery).where(Delivery.clinic_id == cast.bo.clinic_id)).all()
    assert [(one.state, one.failure) for one in mine] == [(DeliveryState.GIVEN_UP, "not_needed")]
    assert [one.to for one in email.sent] == [CYD]


@pytest.fixture
def asked(app: Flask, around: Around, clock: Clock) -> Delivery:
    """Bo wants back in; what the link leads on with does not open. Operations are set up."""
    with around.database.write(Extent.ALL) as session:
        operations.ensure(session, clock.now, OPERATIONS)
    body = {"clinic": "demo", "email": BO}
    assert app.test_client().post("/v1/recoveries", json=body).status_code == 204
    assert recover.run(around, clock.now) == 1
    with around.database.write(Extent.ALL) as session:
        session.execute(update(Recovery).values(sealed_code=b"\0\1 no seal"))
    (found,) = deliveries(around)
    return found


@pytest.mark.long
def test_one_that_cannot_be_prepared_is_put_off_then_given_up_with_a_page_and_keeps_no_other_waiting(
    app: Flask,
    around: Around,
    email: RecordingGateway,
    cast: Cast,
    clock: Clock,
    asked: Delivery,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _an_emergency_of_the_other_clinic(app, cast, clock)
    assert deliver.run(around, clock.now) == 1
    assert [one.to for one in email.sent] == [CYD]
    assert f"delivery {asked.id} of clinic {asked.clinic_id} can't be prepared: SealError" in caplog.text
    put_off = deliveries(around)[0]
    assert (put_off.state, put_off.failure) == (DeliveryState.QUEUED, "defect_SealError")
    assert clock.now < put_off.due_at < clock.now + timedelta(minutes=1)
    for _ in range(2):
        deliver.run(around, clock.forward(minutes=3))
    assert deliveries(around)[0].state is DeliveryState.GIVEN_UP
    assert [(one.to, one.kind) for one in email.sent[1:]] == [(OPERATIONS, "notice.poison_delivery")]


@pytest.mark.long
def test_one_that_cannot_even_be_ended_goes_on_being_tried_and_keeps_no_other_waiting(
    app: Flask, around: Around, email: RecordingGateway, cast: Cast, clock: Clock
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write(Extent.ALL) as session:
        # As a newer version might have written it.
        written = text("UPDATE accounts SET role = 'conductor' WHERE name = 'Bo'")
        session.execute(written)
    for number in range(4):
        with suppress(Incomplete):  # an urgent one waits too long
            deliver.run(around, clock.forward(minutes=3))
        bad = deliveries(around)[0]
        assert (bad.state, bad.failure, bad.attempt) == (DeliveryState.QUEUED, "defect_KeyError", number + 1)
    _an_emergency_of_the_other_clinic(app, cast, clock)
    with suppress(Incomplete):
        deliver.run(around, clock.forward(minutes=3))
    assert [one.to for one in email.sent] == [CYD]


def test_a_report_that_is_missed_at_a_clinic_without_keys_keeps_no_message_waiting(
    app: Flask, around: Around, email: RecordingGateway, cast: Cast, clock: Clock
) -> None:
    ana_raises_a_red_flag(cast, clock)
    with around.database.write(Extent.ALL) as session:
        (claimed,) = outbox.claim(session, clock.now, 10, deliver.LEASE)
    _accepted(around, clock, claimed)
    with around.database.write(Extent.ALL) as session:
        clinic_keys.destroy(Work(session, clock.now, system(cast.bo.clinic_id)))
    clock.forward(minutes=6)
    _an_emergency_of_the_other_clinic(app, cast, clock)
    assert deliver.run(around, clock.now) == 1
    assert [one.to for one in email.sent] == [CYD]
    assert [one.state for one in deliveries(around) if one.id == claimed.id] == [DeliveryState.ACCEPTED]
