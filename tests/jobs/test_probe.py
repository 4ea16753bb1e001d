"""The probe: an emergency of nobody goes the whole way over every channel, and is judged by its delivery."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from jobs import deliver, escalate, probe, tidy
from jobs.around import Around, Incomplete
from jobs.probe_destinations import check, destinations, untested
from jobs.problem import Problem
from server.clinical.vocabulary import AlertClass, AlertState, Channel, DeliveryState
from server.gateways.message import RecordingGateway, SendError
from server.isolation import Extent
from server.models import Account, Alert, AlertEvent, ContactPoint, Delivery
from server.services.messages import operations
from server.services.messages import probe as probes
from server.services.messages.probe import Probed, Verdict
from server.services.people import clinic as clinics
from server.services.people import email_address as addresses
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, deliveries, kinds

PHONE = "+4799000001"
SMS = f'[[destination]]\nchannel = "sms"\nto = "{PHONE}"\n'
Read = Callable[[str], Settings]


@pytest.fixture
def reading(settings: Settings, tmp_path: Path) -> Read:
    """Settings that name a file with the text given."""

    def write(text: str) -> Settings:
        (tmp_path / "probe.toml").write_text(text)
        return replace(settings, probe=str(tmp_path / "probe.toml"), operations_email="ops@example.org")

    return write


@pytest.fixture
def sms() -> RecordingGateway:
    """Where outgoing SMS land."""
    return RecordingGateway("sms")


@pytest.fixture
def two_channels(around: Around, reading: Read, email: RecordingGateway, sms: RecordingGateway) -> Around:
    """Surroundings with e-mail and SMS armed, and a probe for both."""
    return replace(around, settings=reading(SMS), gateways={Channel.EMAIL: email, Channel.SMS: sms})


@pytest.fixture
def ids_of_the_clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have ids of alerts made by the clock that the test moves; the library goes by the machine's."""
    bits = partial(secrets.randbits, 62)
    made = "server.services.alerts.episode.uuid7"
    monkeypatch.setattr(
        made, lambda: UUID(int=int(clock.now.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | bits())
    )


def newest(around: Around, now: datetime) -> dict[Channel, Probed]:
    with around.database.read() as session:
        return {one.channel: one for one in probes.newest(session, now)}


def test_an_emergency_of_nobody_goes_over_every_channel_through_the_real_outbox(
    two_channels: Around, clock: Clock, email: RecordingGateway, sms: RecordingGateway
) -> None:
    assert probe.run(two_channels, clock.now) == 2
    assert {(one.urgency, one.template) for one in deliveries(two_channels)} == {(AlertClass.P0, "probe")}
    assert deliver.run(two_channels, clock.forward(seconds=1)) == 2
    assert [message.to for message in (*email.sent, *sms.sent)] == ["ops@example.org", PHONE]
    assert {message.short for message in (*email.sent, *sms.sent)} == {"Afterglow's own test: nothing to do."}
    found = newest(two_channels, clock.now)
    assert {one.verdict for one in found.values()} == {Verdict.OK}
    # A second by the test's clock, and what sending took by the wall's.
    assert 1 <= found[Channel.SMS].seconds < 10


def test_the_first_run_has_nothing_to_judge_and_the_next_closes_it_and_sends_anew(
    two_channels: Around, clock: Clock
) -> None:
    probe.run(two_channels, clock.now)
    deliver.run(two_channels, clock.forward(seconds=1))
    assert probe.run(two_channels, clock.forward(minutes=15)) == 2
    assert [alert.state for alert in alerts(two_channels)] == [AlertState.RESOLVED, AlertState.OPEN]
    with two_channels.database.read() as session:
        assert len(clinics.everyone(session)) == 1
        assert session.query(ContactPoint).count() == 1


def test_a_channel_that_refuses_is_no_success_and_tells_nobody_else(
    two_channels: Around, clock: Clock, email: RecordingGateway, sms: RecordingGateway
) -> None:
    sms.refusals[PHONE] = email.refusals["ops@example.org"] = SendError(True, "refused")
    probe.run(two_channels, clock.now)
    deliver.run(two_channels, clock.forward(seconds=1))
    assert {one.verdict for one in newest(two_channels, clock.now).values()} == {Verdict.FAILED}
    assert len(deliveries(two_channels)) == 2  # no further people, no page: the heartbeat says it
    assert "escalated" not in kinds(two_channels, alerts(two_channels)[0])
    with pytest.raises(Incomplete):
        probe.run(two_channels, clock.forward(minutes=15))


def test_a_message_that_still_waits_after_two_minutes_is_late_and_not_sent_any_more_once_judged(
    two_channels: Around, clock: Clock, sms: RecordingGateway
) -> None:
    sms.refusals[PHONE] = SendError(False, "busy")
    probe.run(two_channels, clock.now)
    deliver.run(two_channels, clock.forward(seconds=1))
    assert newest(two_channels, clock.now)[Channel.SMS].verdict is None
    assert newest(two_channels, clock.forward(minutes=3))[Channel.SMS].verdict is Verdict.LATE
    with pytest.raises(Incomplete):
        probe.run(two_channels, clock.forward(minutes=12))
    sms.refusals.clear()
    deliver.run(two_channels, clock.forward(seconds=1))
    over_sms = [one for one in deliveries(two_channels) if one.channel is Channel.SMS]
    assert [(one.state, one.failure) for one in over_sms] == [
        (DeliveryState.GIVEN_UP, "not_needed"),
        (DeliveryState.ACCEPTED, None),
    ]


def test_while_a_probe_is_under_way_the_one_before_speaks_for_the_channel(
    two_channels: Around, clock: Clock, sms: RecordingGateway
) -> None:
    sms.refusals[PHONE] = SendError(True, "refused")
    probe.run(two_channels, clock.now)
    deliver.run(two_channels, clock.forward(seconds=1))
    sms.refusals.clear()
    with pytest.raises(Incomplete):
        probe.run(two_channels, clock.forward(minutes=15))
    assert newest(two_channels, clock.now)[Channel.SMS].verdict is Verdict.FAILED
    deliver.run(two_channels, clock.forward(seconds=1))
    assert newest(two_channels, clock.now)[Channel.SMS].verdict is Verdict.OK


def test_after_a_long_stop_the_first_run_closes_what_is_old_without_judging_it(
    two_channels: Around, clock: Clock
) -> None:
    probe.run(two_channels, clock.now)
    assert probe.run(two_channels, clock.forward(hours=5)) == 2


def test_a_clock_that_was_ahead_does_not_speak_for_a_channel_once_it_is_put_right(
    two_channels: Around, clock: Clock, sms: RecordingGateway, ids_of_the_clock: None
) -> None:
    """As of a machine that starts with a wrong clock: until its day came no probe that failed was seen."""
    for _ in range(5):
        probe.run(two_channels, clock.forward(days=30))
        deliver.run(two_channels, clock.forward(seconds=1))
    sms.refusals[PHONE] = SendError(True, "refused")
    probe.run(two_channels, clock.forward(days=-149))
    deliver.run(two_channels, clock.forward(seconds=1))
    found = newest(two_channels, clock.now)[Channel.SMS]
    assert (found.verdict, clock.now - found.sent_at) == (Verdict.FAILED, timedelta(seconds=1))


def test_a_destination_taken_out_of_the_file_is_no_channel_any_more(
    two_channels: Around, settings: Settings, clock: Clock
) -> None:
    probe.run(two_channels, clock.now)
    deliver.run(two_channels, clock.forward(seconds=1))
    mail_only = replace(two_channels, settings=settings)
    assert probe.run(mail_only, clock.forward(minutes=15)) == 1
    assert set(newest(two_channels, clock.now)) == {Channel.EMAIL}


def test_a_destination_found_dead_is_tried_again(
    two_channels: Around, clock: Clock, sms: RecordingGateway
) -> None:
    sms.refusals[PHONE] = SendError(True, "gone", gone=True)
    probe.run(two_channels, clock.now)
    deliver.run(two_channels, clock.forward(seconds=1))
    sms.refusals.clear()
    with pytest.raises(Incomplete):
        probe.run(two_channels, clock.forward(minutes=15))
    deliver.run(two_channels, clock.forward(seconds=1))
    assert [message.to for message in sms.sent] == [PHONE]


def test_operations_are_in_no_clinic_s_figures_and_their_probe_never_climbs(
    cast: Cast, two_channels: Around, clock: Clock
) -> None:
    probe.run(two_channels, clock.now)
    with two_channels.database.read() as session:
        assert clinics.operations_id(session) not in clinics.every_id(session)
    assert escalate.run(two_channels, clock.forward(days=1)) == 0
    assert cast.bo.get("/alerts").json["items"] == []


def test_probes_are_forgotten_after_a_week_and_alerts_of_patients_are_not(
    cast: Cast, two_channels: Around, clock: Clock
) -> None:
    ana_raises_a_red_flag(cast, clock)
    probe.run(two_channels, clock.now)
    deliver.run(two_channels, clock.forward(seconds=1))
    probe.run(two_channels, clock.forward(minutes=15))
    tidy.run(two_channels, clock.forward(days=6))
    assert len(alerts(two_channels)) == 3
    tidy.run(two_channels, clock.forward(days=2))
    with two_channels.database.read() as session:
        left = session.query(Alert).filter_by(state=AlertState.RESOLVED).count()
        ours = {alert.id for alert in alerts(two_channels)}
        assert (left, len(ours)) == (0, 2)
        assert {row.subject_id for row in session.query(Delivery)} == ours
        assert {row.alert_id for row in session.query(AlertEvent)} == ours


def test_two_workers_that_start_together_set_operations_up_once(around: Around, clock: Clock) -> None:
    start = threading.Barrier(2)

    def worker() -> None:
        start.wait()
        with around.database.write(Extent.ALL) as session:
            operations.ensure(session, clock.now, "ops@example.org")

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with around.database.read() as session:
        assert [clinic.slug for clinic in clinics.everyone(session)] == ["operations"]
        assert session.query(Account).count() == 1


def test_operations_may_move_to_another_address(around: Around, clock: Clock) -> None:
    for address in ("a@example.org", "b@example.org"):
        with around.database.write(Extent.ALL) as session:
            operations.ensure(session, clock.now, address)
    with around.database.read() as session:
        (account,) = session.query(Account)
        work = Work(session, clock.now, system(account.clinic_id))
        assert addresses.of(work, account) == "b@example.org"


def test_operations_are_paged_over_every_way_once(two_channels: Around, clock: Clock) -> None:
    probe.run(two_channels, clock.now)
    with two_channels.database.write(Extent.ALL) as session:
        assert operations.page(session, clock.now, "poison_delivery", "one")
        assert not operations.page(session, clock.now, "poison_delivery", "one")
    pages = [one for one in deliveries(two_channels) if one.template == "poison_delivery"]
    assert {one.channel for one in pages} == {Channel.EMAIL, Channel.SMS}
    assert len(pages) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "is not TOML"),
        ("x = 1", "must hold tables"),
        ("[[destination]]\nchannel = 'sms'", "must have `channel` and `to`"),
        ("[[destination]]\nchannel = 'email'\nto = 'a@b.example'", "AFTERGLOW_OPERATIONS_EMAIL"),
        ("[[destination]]\nchannel = 'pigeon'\nto = 'x'", "must be one of sms, push, webhook"),
        ("[[destination]]\nchannel = 'sms'\nto = '0047'", "no address of sms"),
        ("[[destination]]\nchannel = 'webhook'\nto = 'https://x.example'", "no address of webhook"),
        ("[[destination]]\nchannel = 'push'\nto = '[]'", "no address of push"),
        (SMS + SMS, "destination 2: there is one for sms already"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_without_an_address(
    reading: Read, text: str, said: str
) -> None:
    with pytest.raises(Problem, match=said) as caught:
        destinations(reading(text))
    assert PHONE not in str(caught.value)


def test_a_file_in_which_nothing_is_said_yet_names_nobody(reading: Read) -> None:
    """As `deploy/make-secrets` leaves it: a unit names it from the first start."""
    assert destinations(reading("")) == destinations(reading("# nothing yet")) == {}


def test_a_file_that_is_not_there_is_said(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="can't be read"):
        destinations(replace(settings, probe=str(tmp_path / "none.toml")))


def test_a_destination_needs_its_channel_and_a_channel_without_one_is_named() -> None:
    check({}, {Channel.EMAIL, Channel.PUSH})
    check({Channel.SMS: PHONE}, {Channel.EMAIL, Channel.SMS})
    with pytest.raises(Problem, match="sms is not set up"):
        check({Channel.SMS: PHONE}, {Channel.EMAIL})
    assert untested({Channel.SMS: PHONE}, {Channel.EMAIL, Channel.SMS, Channel.PUSH}) == [Channel.PUSH]


def test_a_probe_is_late_when_it_took_more_than_two_minutes(two_channels: Around, clock: Clock) -> None:
    probe.run(two_channels, clock.now)
    deliver.run(two_channels, clock.now + timedelta(seconds=125))
    found = newest(two_channels, clock.forward(minutes=3))
    assert {one.verdict for one in found.values()} == {Verdict.LATE}
