"""E-mail against real SMTP servers on loopback."""

import mailbox
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server.gateways.email import SmtpGateway
from server.gateways.mailbox import EmbeddedMailbox
from server.gateways.message import Handed, Receipt, SendError
from tests.gateways.peers import Peer, listening, self_signed
from tests.gateways.test_message import NOTICE
from tests.ports import free_port

SENDER = "afterglow@journal.example"
MESSAGE_ID = f"<{NOTICE.id}@journal.example>"


def refusal(url: str, timeout: float = 2.0) -> SendError:
    with pytest.raises(SendError) as caught:
        SmtpGateway(url, SENDER, timeout, timeout).send(NOTICE)
    return caught.value


def test_a_message_arrives_as_it_was_written() -> None:
    peer = Peer()
    with listening(peer) as port:
        receipt = SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER).send(NOTICE)
    assert receipt == Receipt(Handed.ACCEPTED)
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
    assert [m["Message-ID"] for m in peer.received] == [MESSAGE_ID] * 2


@pytest.mark.parametrize(("answer", "permanent"), [("550 no such person", True), ("450 later", False)])
def test_a_5xx_refusal_is_final_and_a_4xx_one_is_not(answer: str, permanent: bool) -> None:
    peer = Peer({NOTICE.to: answer})
    with listening(peer) as port:
        error = refusal(f"smtp://127.0.0.1:{port}")
    assert (error.permanent, error.reason, error.away) == (permanent, f"refused_{answer[:3]}", False)
    assert peer.received == []


class Unsure(Peer):
    """A server that takes what it can't be sure of, and says so (RFC 5321, 4.2.1: 2yz is a yes)."""

    recipient = message = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Take the recipient."""
        await super().handle_RCPT(server, session, envelope, address, options)
        return self.recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take the message."""
        await super().handle_DATA(server, session, envelope)
        return self.message


@pytest.mark.parametrize(("at", "answer"), [("recipient", "252 perhaps"), ("message", "251 passed on")])
def test_any_yes_is_one(at: str, answer: str) -> None:
    """Taken for a refusal, the first would never be sent, and the second again and again."""
    peer = Unsure()
    setattr(peer, at, answer)
    with listening(peer) as port:
        receipt = SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER).send(NOTICE)
    assert receipt == Receipt(Handed.ACCEPTED)
    assert [received["To"] for received in peer.received] == [NOTICE.to]


class Strict(Peer):
    """A server that does not take the sender: its account is full, locked or not signed in."""

    answer = "550 5.4.5 daily sending quota exceeded"

    async def handle_MAIL(self, *_: Any) -> str:
        """Refuse it."""
        return self.answer


@pytest.mark.parametrize(("code", "away"), [("550", False), ("530", False), ("450", False), ("421", True)])
def test_a_sender_that_is_not_taken_is_our_own_trouble_and_the_message_waits(code: str, away: bool) -> None:
    peer = Strict()
    peer.answer = f"{code} not you"
    with listening(peer) as port:
        error = refusal(f"smtp://127.0.0.1:{port}")
    assert (error.permanent, error.reason, error.away) == (False, "sender", away)


def test_a_server_that_hangs_is_left_after_the_time_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(f"smtp://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
    assert (error.permanent, error.reason, error.away) == (False, "timeout", True)


def test_a_server_that_hangs_after_the_data_is_left_after_the_time_out() -> None:
    with listening(Peer(pause=0.5)) as port:
        error = refusal(f"smtp://127.0.0.1:{port}", timeout=0.2)
    assert (error.permanent, error.reason, error.in_doubt) == (False, "timeout", True)


def test_a_server_that_keeps_its_answer_to_the_whole_message_back_is_waited_for() -> None:
    peer = Peer(pause=0.6)
    with listening(peer) as port:
        receipt = SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER, timeout=0.3).send(NOTICE)
    assert (receipt, len(peer.received)) == (Receipt(Handed.ACCEPTED), 1)


def test_a_server_that_hangs_before_the_data_has_taken_nothing_for_sure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refusal(f"smtp://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
    assert not error.in_doubt


@contextmanager
def saying(*answers: bytes, pause: float = 5) -> Iterator[int]:
    """Listen on a port where one caller gets these answers, one a command or ``pause``, and then no more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=_say, args=(listener, answers, pause))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _say(listener: socket.socket, answers: tuple[bytes, ...], pause: float) -> None:
    caller, _ = listener.accept()
    with caller, suppress(OSError):
        caller.settimeout(pause)
        for answer in answers:
            caller.sendall(answer)
            with suppress(TimeoutError):
                caller.recv(65536)


OK = b"250 fine\r\n"


def test_a_line_that_is_cut_after_the_last_dot_leaves_it_in_doubt() -> None:
    with saying(b"220 hello\r\n", OK, OK, OK, b"354 go on\r\n") as port:
        error = refusal(f"smtp://127.0.0.1:{port}")
    assert (error.reason, error.away, error.in_doubt) == ("unreachable", False, True)


@pytest.mark.parametrize("before", [(), (b"220 hello\r\n", OK, OK, OK, b"354 go on\r\n")])
def test_a_server_whose_answer_never_ends_is_left_after_the_time_out(before: tuple[bytes, ...]) -> None:
    with saying(*before, *[b"250-wait\r\n"] * 99, pause=0.05) as port:
        error = refusal(f"smtp://127.0.0.1:{port}", timeout=0.3)
    assert (error.permanent, error.reason, error.in_doubt) == (False, "timeout", bool(before))


def test_a_line_that_is_cut_before_the_message_leaves_no_doubt() -> None:
    with saying(b"220 hello\r\n", OK, OK) as port:
        error = refusal(f"smtp://127.0.0.1:{port}")
    assert (error.reason, error.away, error.in_doubt) == ("unreachable", False, False)


def test_a_line_that_is_cut_before_anybody_was_named_means_that_the_server_is_away() -> None:
    with saying(b"220 hello\r\n", OK) as port:
        error = refusal(f"smtp://127.0.0.1:{port}")
    assert (error.reason, error.away, error.in_doubt) == ("unreachable", True, False)


def test_a_server_that_is_closing_down_is_away() -> None:
    with listening(Peer({NOTICE.to: "421 closing"})) as port:
        error = refusal(f"smtp://127.0.0.1:{port}")
    assert (error.permanent, error.reason, error.away) == (False, "refused_421", True)


def test_every_address_shares_the_lane_of_our_mail_server() -> None:
    gateway = SmtpGateway("smtp://someone:secret@mail.example:587", SENDER)
    assert {gateway.lane("bo@clinic.example"), gateway.lane("cyd@clinic.example")} == {"mail.example"}


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


@pytest.mark.parametrize(
    "to",
    [
        *(
            "ana,smith@home.example",
            "ana;smith@home.example",
            "ana:smith@home.example",
            "ana(old)@home.example",
        ),
        *("x<bo@clinic.example>", 'a"b@home.example', "ana@home,example", "ana@home.example;"),
    ],
)
def test_what_is_read_as_another_address_is_written_to_nobody(to: str) -> None:
    peer = Peer()
    with listening(peer) as port, pytest.raises(SendError) as caught:
        SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER).send(replace(NOTICE, to=to))
    assert (caught.value.permanent, caught.value.reason, peer.received) == (True, "address", [])


@pytest.mark.parametrize(
    "to", ["o'neil+x@home.example", '"a.b"@home.example', "ana@[192.0.2.1]", "a..b@x.example"]
)
def test_an_unusual_address_is_written_to(to: str) -> None:
    peer = Peer()
    with listening(peer) as port:
        SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER).send(replace(NOTICE, to=to))
    assert [one["To"] for one in peer.received] == [to]


def test_an_address_cannot_smuggle_in_another_header() -> None:
    with pytest.raises(SendError) as caught:
        SmtpGateway("smtp://127.0.0.1:1", SENDER).send(
            replace(NOTICE, to="bo@clinic.example\nBcc: x@evil.example")
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
    assert (kept["Subject"], kept["Message-ID"]) == (NOTICE.subject, MESSAGE_ID)
