"""Invitations to the clinic's scheduling mailbox, over a real SMTP server, read as a mail program does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from typing import Any

import pytest
from icalendar import Calendar, Event

from server.calendars.parts import ref_of
from server.clinical.vocabulary import AlertClass, PeerStatus, SuggestionState
from server.gateways.egress import Egress
from server.gateways.email import SmtpGateway
from server.gateways.message import SendError
from server.gateways.scheduling.calendar import CalendarScheduling, check
from server.gateways.scheduling.port import Outside
from tests.calendars.visits import BOOKED, ID, NINE, SENT, UID
from tests.gateways.peers import Peer, listening
from tests.gateways.test_templates import FORBIDDEN
from tests.ports import free_port

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CONFIG = {"way": "imip", "mailbox": "scheduling@clinic.example"}
SENDER = "Afterglow <visits@journal.example>"


def scheduling(port: int, **parts: str) -> CalendarScheduling:
    mail = SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER)
    return CalendarScheduling({**CONFIG, **parts}, Outside(Egress(), mail, SENDER))


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def port(peer: Peer) -> Iterator[int]:
    with listening(peer) as port:
        yield port


def mail(received: Message) -> EmailMessage:
    """Read a mail anew from its bytes."""
    read = BytesParser(policy=policy.default).parsebytes(received.as_bytes())
    assert isinstance(read, EmailMessage)
    return read


def parts(received: Message) -> tuple[EmailMessage, EmailMessage]:
    whole = mail(received)
    assert whole.get_content_type() == "multipart/alternative"
    text, calendar = whole.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(calendar, EmailMessage)
    return text, calendar


def invited(received: Message) -> tuple[Calendar, Event]:
    calendar = Calendar.from_ical(parts(received)[1].get_payload(decode=True))
    (event,) = calendar.events
    return calendar, event


def test_an_invitation_names_its_method_in_the_object_and_in_the_mail(peer: Peer, port: int) -> None:
    seen = scheduling(port).suggest(SENT, NOW)
    assert (seen.external_id, seen.status) == (UID, PeerStatus.PROPOSED)
    (received,) = peer.received
    text, calendar = parts(received)
    assert text.get_content_type() == "text/plain"
    assert calendar.get_content_type() == "text/calendar"
    assert (calendar.get_param("method"), calendar.get_content_charset()) == ("REQUEST", "utf-8")
    whole, event = invited(received)
    assert (whole["METHOD"], event["UID"], event["SEQUENCE"]) == ("REQUEST", UID, 3)
    assert received["Subject"] == event["SUMMARY"] == f"Clinic visit suggestion {ref_of(ID)}"
    assert event["ORGANIZER"] == "mailto:visits@journal.example"
    assert received["To"] == "scheduling@clinic.example"


def test_the_object_survives_the_mail_byte_by_byte(peer: Peer, port: int) -> None:
    scheduling(port, language="es").suggest(BOOKED, NOW)
    raw = parts(peer.received[0])[1].get_payload(decode=True)
    assert isinstance(raw, bytes)
    text = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert "Cita en la clínica" in text.replace(b"\r\n ", b"").decode()
    assert max(map(len, text.split(b"\r\n"))) <= 75
    assert b"BEGIN:VTIMEZONE" in text


def test_a_change_is_the_same_visit_with_a_higher_number_and_another_mail(peer: Peer, port: int) -> None:
    calendar = scheduling(port)
    calendar.suggest(SENT, NOW)
    assert calendar.suggest(BOOKED, NOW + timedelta(hours=1)).status is PeerStatus.BOOKED
    (_, first), (_, second) = map(invited, peer.received)
    assert (first["UID"], first["SEQUENCE"] < second["SEQUENCE"], second.start) == (UID, True, NINE)
    assert first.DTSTAMP < second.DTSTAMP
    assert first["ORGANIZER"] == second["ORGANIZER"]
    assert len({received["Message-ID"] for received in peer.received}) == 2


def test_a_repeat_of_the_same_change_carries_the_same_message_id(peer: Peer, port: int) -> None:
    for _ in range(2):
        scheduling(port).suggest(SENT, NOW)
    assert len({received["Message-ID"] for received in peer.received}) == 1


@pytest.mark.parametrize("state", [SuggestionState.WITHDRAWN, SuggestionState.SENT])
def test_what_is_withdrawn_is_taken_back(peer: Peer, port: int, state: SuggestionState) -> None:
    seen = scheduling(port).withdraw(replace(SENT, version=4, state=state), NOW)
    assert seen is not None
    assert seen.status is PeerStatus.DECLINED
    whole, event = invited(peer.received[0])
    assert (whole["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 4)
    assert parts(peer.received[0])[1].get_param("method") == "CANCEL"


def test_what_ended_is_taken_back_also_where_it_is_only_brought_up_to_date(peer: Peer, port: int) -> None:
    cancelled = replace(BOOKED, version=6, state=SuggestionState.CANCELLED)
    assert scheduling(port).suggest(cancelled, NOW).status is PeerStatus.CANCELLED
    whole, event = invited(peer.received[0])
    assert (whole["METHOD"], event.start) == ("CANCEL", NINE)


def test_a_booked_visit_is_the_clinics_and_nothing_is_sent(peer: Peer, port: int) -> None:
    seen = scheduling(port).withdraw(BOOKED, NOW)
    assert seen is not None
    assert (seen.status, seen.starts_at, peer.received) == (PeerStatus.BOOKED, NINE, [])


def test_answers_may_go_to_a_mailbox_of_the_clinic(peer: Peer, port: int) -> None:
    scheduling(port, organizer="answers@clinic.example").suggest(SENT, NOW)
    organizer = invited(peer.received[0])[1]["ORGANIZER"]
    assert (organizer, organizer.params["SENT-BY"]) == (
        "mailto:answers@clinic.example",
        "mailto:visits@journal.example",
    )


def test_nobody_can_be_asked(port: int) -> None:
    calendar = scheduling(port)
    assert (calendar.capabilities.fetches, calendar.fetch(SENT, NOW)) == (False, None)
    assert calendar.lane() == "127.0.0.1"


def test_no_mail_says_for_whom_why_or_with_what(peer: Peer, port: int) -> None:
    for language, stems in FORBIDDEN.items():
        for visit in (SENT, BOOKED, replace(SENT, state=SuggestionState.EXPIRED, urgency=AlertClass.P0)):
            scheduling(port, language=language).suggest(visit, NOW)
            said = str(mail(peer.received[-1])["Subject"]) + "".join(
                part.get_payload(decode=True).decode() for part in parts(peer.received[-1])
            )
            assert [stem for stem in stems.split() if stem in said.casefold()] == []
            assert str(SENT.patient_id) not in said


def test_without_a_mail_server_it_waits() -> None:
    away = CalendarScheduling(CONFIG, Outside(Egress()))
    for port in (away, scheduling(free_port())):
        with pytest.raises(SendError) as caught:
            port.suggest(SENT, NOW)
        assert (caught.value.permanent, caught.value.away) == (False, True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"mailbox": "no mailbox"}, "mailbox: must be a mailbox"),
        ({"mailbox": "a@b\r\nBcc: x@y"}, "mailbox: must be a mailbox"),
        ({"organizer": "mailto:a@b c"}, "organizer: must be a mailbox"),
        ({"url": "https://clinic.example/"}, "url: is not known here"),
    ],
)
def test_settings_that_can_not_be_used_are_refused_by_name(change: dict[str, Any], reason: str) -> None:
    check({**CONFIG, "organizer": "answers@clinic.example"})
    with pytest.raises(ValueError, match=reason):
        check({**CONFIG, **change})
