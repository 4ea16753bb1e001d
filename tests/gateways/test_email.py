"""E-mail against real SMTP servers on loopback."""

import mailbox
import shutil
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.gateways.email import Message, RecordingEmailGateway, SendError, SmtpGateway
from server.gateways.mailbox import EmbeddedMailbox
from tests.gateways.peers import Peer, listening, self_signed
from tests.ports import free_port

NOTICE = Message(
    to="bo@clinic.example",
    subject="A patient needs review",
    text="https://journal.example/v1/alerts/1",
    message_id="<1@journal.example>",
    at=datetime(2026, 3, 2, 12, tzinfo=UTC),
)
SENDER = "afterglow@journal.example"


def refusal(url: str, timeout: float = 2.0) -> SendError:
    with pytest.raises(SendError) as caught:
        SmtpGateway(url, SENDER, timeout).send(NOTICE)
    return caught.value


def test_a_message_arrives_as_it_was_written() -> None:
    peer = Peer()
    with listening(peer) as port:
        SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER).send(NOTICE)
    (received,) = peer.received
    assert (received["To"], received["From"], received["Subject"]) == (NOTICE.to, SENDER, NOTICE.subject)
    assert received["Date"] == "Mon, 02 Mar 2026 12:00:00 +0000"
    assert received["Auto-Submitted"] == "auto-generated"
    assert received.get_payload().strip() == NOTICE.text


def test_a_repeat_carries_the_same_message_id() -> None:
    peer = Peer()
    with listening(peer) as port:
        for _ in range(2):
            SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER).send(NOTICE)
    assert [m["Message-ID"] for m in peer.received] == [NOTICE.message_id] * 2


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such person", True), ("450 later", False)])
def test_a_5xx_refusal_is_final_and_a_4xx_one_is_not(answer: str, permanent: bool) -> None:
    peer = Peer({NOTICE.to: answer})
    with listening(peer) as port:
        error = refusal(f"smtp://127.0.0.1:{port}")
    assert (error.permanent, error.reason, error.away) == (permanent, f"refused_{answer[:3]}", False)
    assert peer.received == []


def test_a_server_that_hangs_is_left_after_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(f"smtp://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
    assert (error.permanent, error.reason, error.away) == (False, "timeout", True)


def test_a_server_that_hangs_after_the_data_is_left_after_the_time_out() -> None:
    with listening(Peer(pause=0.5)) as port:
        error = refusal(f"smtp://127.0.0.1:{port}", timeout=0.2)
    assert (error.permanent, error.reason) == (False, "timeout")


def test_a_server_that_is_not_there_is_asked_again_later() -> None:
    error = refusal(f"smtp://127.0.0.1:{free_port()}")
    assert (error.permanent, error.reason, error.away) == (False, "unreachable", True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    peer = Peer()
    with listening(peer, tls_context=self_signed(tmp_path)) as port:
        error = refusal(f"smtp://127.0.0.1:{port}")
    assert (error.permanent, error.reason) == (False, "tls")
    assert peer.received == []


def test_a_server_elsewhere_must_offer_encryption() -> None:
    peer = Peer()
    with listening(peer) as port:
        # The same machine under a name that is not known to be loopback.
        error = refusal(f"smtp://127.1:{port}")
    assert (error.permanent, error.reason) == (False, "tls")
    assert peer.received == []


def test_a_sign_in_the_server_does_not_take_keeps_the_message_waiting() -> None:
    with listening(Peer()) as port:
        error = refusal(f"smtp://someone:secret@127.0.0.1:{port}")
    assert (error.permanent, error.reason, error.away) == (False, "sign_in", True)


def test_an_address_cannot_smuggle_in_another_header() -> None:
    with pytest.raises(SendError) as caught:
        SmtpGateway("smtp://127.0.0.1:1", SENDER).send(
            Message("bo@clinic.example\nBcc: x@evil.example", "s", "t", "<1@x>", NOTICE.at)
        )
    assert (caught.value.permanent, caught.value.reason) == (True, "address")


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "smtp://:25", "mail.example"])
def test_an_address_that_is_no_mail_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="must look like smtp://host:587"):
        SmtpGateway(url, SENDER)


def test_the_embedded_mailbox_keeps_what_is_sent(tmp_path: Path) -> None:
    box = EmbeddedMailbox(tmp_path / "mailbox")
    box.start()
    try:
        SmtpGateway(box.url, SENDER).send(NOTICE)
    finally:
        box.stop()
    (kept,) = mailbox.Maildir(tmp_path / "mailbox")
    assert (kept["Subject"], kept["Message-ID"]) == (NOTICE.subject, NOTICE.message_id)


def test_the_recording_twin_refuses_with_the_same_error() -> None:
    twin = RecordingEmailGateway(refusals={"gone@clinic.example": SendError(True, "refused_550")})
    twin.send(NOTICE)
    with pytest.raises(SendError, match="refused_550"):
        twin.send(Message("gone@clinic.example", "s", "t", "<2@x>", NOTICE.at))
    assert twin.sent == [NOTICE]
