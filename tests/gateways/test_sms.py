"""SMS against the real Kannel with its fake SMS centre, and against gateways in trouble."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from server.clinical.consent import is_stop
from server.gateways.exchange import Limits
from server.gateways.message import Handed, Message, Receipt, SendError
from server.gateways.sms import Reports, SmsGateway, fits_one_sms
from server.gateways.templates import LANGUAGES, PATHS, render
from server.sms_report import inbound_address, is_proof, make_proof, meaning_of, report_address
from tests.gateways import kannel
from tests.gateways.test_message import NOTICE
from tests.gateways.web_peers import Answering, answering, behaving, silent
from tests.ports import free_port
from tests.source import ROOT

KEY = b"k" * 32
SMS = replace(NOTICE, to="+4712345678", short="A patient needs review. Please sign in.")
NOBODY = Reports("http://127.0.0.1:9", KEY)
needs_kannel = pytest.mark.skipif(not kannel.is_here(), reason="Kannel and its fake centre are not installed")


def gateway(url: str, reports: Reports = NOBODY, seconds: float = 5) -> SmsGateway:
    return SmsGateway(url, "Afterglow", reports, Limits(connect=2, total=seconds))


def failure(url: str, message: Message = SMS, seconds: float = 5) -> SendError:
    with pytest.raises(SendError) as caught:
        gateway(url, seconds=seconds).send(message)
    return caught.value


@pytest.fixture(scope="module")
def sms_kannel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kannel.Kannel]:
    """Kannel as it takes messages; whether a centre is there does not matter."""
    with kannel.running(tmp_path_factory.mktemp("kannel")) as running:
        yield running


@pytest.fixture(scope="module")
def sms_centre(sms_kannel: kannel.Kannel) -> Iterator[kannel.Kannel]:
    """The same with a centre that confirms everything."""
    with kannel.centre(sms_kannel):
        yield sms_kannel


@needs_kannel
def test_a_gateway_that_takes_a_message_and_never_reports_has_promised_a_report(
    sms_kannel: kannel.Kannel,
) -> None:
    receipt = gateway(sms_kannel.url).send(replace(SMS, short="No centre yet"))
    assert receipt == Receipt(Handed.ACCEPTED, reports=True)


@needs_kannel
def test_kannel_delivers_and_reports_to_an_address_that_proves_itself(sms_centre: kannel.Kannel) -> None:
    peer = Answering(204)
    with answering(peer) as port:
        gateway(sms_centre.url, Reports(f"http://127.0.0.1:{port}", KEY)).send(SMS)
        _wait_until_heard(peer)
    assert sms_centre.has_delivered(f"Afterglow {SMS.to} text {SMS.short}>")
    where = urlsplit(peer.received[0].path)
    said = parse_qs(where.query)
    assert where.path == f"/v1/sms-reports/{SMS.id}"
    assert meaning_of(int(said["status"][0])) == "delivered"
    assert is_proof(KEY, SMS.id, said["proof"][0])


def _wait_until_heard(peer: Answering, seconds: float = 3) -> None:
    end = time.monotonic() + seconds
    while not peer.received and time.monotonic() < end:
        time.sleep(0.02)


@pytest.mark.parametrize(("minutes", "validity"), [(None, None), (10, "10"), (0.5, "1")])
def test_the_centre_keeps_nothing_for_a_telephone_that_is_off_until_it_is_too_late(
    minutes: float | None, validity: str | None
) -> None:
    ends = None if minutes is None else SMS.at + timedelta(minutes=minutes)
    with answering(peer := Answering(202)) as port:
        gateway(f"http://u:p@127.0.0.1:{port}/sendsms").send(replace(SMS, expires_at=ends))
    assert peer.received[0].headers.get("x-kannel-validity") == validity


@needs_kannel
@pytest.mark.parametrize(
    ("short", "arrives"),
    [
        ("Én grüßt Ñ", "text Én grüßt Ñ>"),
        # UCS-2, two bytes a letter, in the centre's own way of writing them.
        ("Inicie sesión", "ucs-2 %00I%00n%00i%00c%00i%00e%00+%00s%00e%00s%00i%00%F3%00n>"),
    ],
)
def test_letters_beyond_ascii_arrive_as_they_were_written(
    sms_centre: kannel.Kannel, short: str, arrives: str
) -> None:
    gateway(sms_centre.url).send(replace(SMS, short=short))
    assert sms_centre.has_delivered(f"Afterglow {SMS.to} {arrives}")


@needs_kannel
def test_a_wrong_password_is_our_own_trouble(sms_centre: kannel.Kannel) -> None:
    error = failure(sms_centre.url.replace(kannel.PASSWORD, "wrong"))
    assert (error.permanent, error.reason, error.away) == (False, "sign_in", True)


@needs_kannel
def test_a_number_that_kannel_has_no_way_to_is_final_and_says_nothing_of_others(
    sms_centre: kannel.Kannel,
) -> None:
    error = failure(sms_centre.url, replace(SMS, to="+4788000001"))
    assert (error.permanent, error.reason, error.away) == (True, "refused_403", False)


@needs_kannel
def test_stop_comes_in_by_the_settings_of_the_guide_and_nothing_else_does(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text("utf-8")
    (settings,) = re.findall(r"```\n(group = sms-service\n.*?)```", guide, re.DOTALL)
    heeded = ["STOP", "Stop please", "stopp alle meldinger", "cancel"]
    with answering(peer := Answering(204)) as port:
        address = inbound_address(f"http://127.0.0.1:{port}", KEY)
        services = settings.replace("what afterglow sms-address prints", address)
        with kannel.running(tmp_path, services) as running:
            for text in ("Please call me", "cancel my appointment", *heeded):
                with kannel.written(running, SMS.to, text):
                    if text in heeded:
                        _wait_until_heard(peer, 8.0)
                    else:
                        assert running.has_delivered(f"1234 {SMS.to} text Nobody reads what is sent", 8.0)
                said = [parse_qs(urlsplit(one.path).query) for one in peer.received]
                assert [one["number"] for one in said] == [[SMS.to]] * (text in heeded), text
                assert all(is_stop(one["keyword"][0]) for one in said)
                peer.received.clear()


def test_number_and_password_stand_in_no_address() -> None:
    peer = Answering(202)
    with answering(peer) as port:
        gateway(f"http://someone:p%40ss@127.0.0.1:{port}/cgi-bin/sendsms").send(SMS)
    (request,) = peer.received
    assert request.path == "/cgi-bin/sendsms"
    assert request.headers["x-kannel-password"] == "p@ss"
    assert request.headers["x-kannel-binfo"] == str(SMS.id)


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (403, True), (302, False), (404, False), (500, False)]
)
def test_a_refusal_is_final_only_where_it_is_about_the_message(status: int, permanent: bool) -> None:
    with answering(Answering(status)) as port:
        assert failure(f"http://127.0.0.1:{port}/").permanent is permanent


def test_a_busy_gateway_is_given_the_time_it_asks_for() -> None:
    with answering(Answering(503, {"Retry-After": "30"})) as port:
        error = failure(f"http://127.0.0.1:{port}/")
    assert (error.away, error.retry_after) == (True, timedelta(seconds=30))


def test_a_gateway_that_is_down_is_away() -> None:
    error = failure(f"http://127.0.0.1:{free_port()}/")
    assert (error.permanent, error.reason, error.away, error.in_doubt) == (False, "unreachable", True, False)


def test_a_gateway_that_never_answers_leaves_it_in_doubt() -> None:
    with behaving(silent) as port:
        error = failure(f"http://127.0.0.1:{port}/", seconds=0.3)
    assert (error.reason, error.in_doubt) == ("timeout", True)


@pytest.mark.parametrize(
    "to", ["", "4712345678", "+0123456789", "+47 123 45 678", "+47123\r\nX-Kannel-To: 1"]
)
def test_a_number_that_is_none_is_refused_for_good(to: str) -> None:
    error = failure("http://127.0.0.1:9/", replace(SMS, to=to))
    assert (error.permanent, error.reason) == (True, "address")


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("smpp://sms.example", "1"),
        ("https://", "1"),
        ("https://u:hid%0Aden@sms.example", "1"),
        ("https://sms.example", ""),
    ],
)
def test_a_gateway_that_cannot_be_used_is_refused_without_repeating_it(url: str, sender: str) -> None:
    with pytest.raises(ValueError) as caught:
        SmsGateway(url, sender, NOBODY)
    assert "hid" not in str(caught.value)


def test_every_number_shares_the_lane_of_our_gateway() -> None:
    sms = gateway("https://someone:secret@sms.example:8443/x")
    assert {sms.lane("+4712345678"), sms.lane("+4787654321")} == {"sms.example"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_short_text_is_one_sms(language: str) -> None:
    told = [render(name, language, "https://journal.example", SMS.id, 999).short for name in PATHS]
    shorts = [short.replace("{code}", "482913") for short in told]
    assert [short for short in shorts if not fits_one_sms(short)] == []


def test_a_proof_is_good_for_one_key_and_one_delivery() -> None:
    proof = make_proof(KEY, SMS.id)
    assert is_proof(KEY, SMS.id, proof)
    assert not is_proof(b"x" * 32, SMS.id, proof)
    assert not is_proof(KEY, UUID(int=2), proof)
    assert not any(is_proof(KEY, SMS.id, wrong) for wrong in ("", "é", proof[:-1], proof + "="))


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (1, "delivered"),
        (2, "failed"),
        (16, "failed"),
        (4, None),
        (8, None),
        (0, None),
        (-1, None),
        (999, None),
    ],
)
def test_only_a_final_state_means_something(status: int, meaning: str | None) -> None:
    assert meaning_of(status) == meaning


def test_our_own_address_gives_the_gateway_no_wish_but_the_state() -> None:
    address = report_address("https://journal.example/a%20b", KEY, SMS.id)
    assert address.startswith("https://journal.example/a%%20b/v1/sms-reports/")
    assert address.replace("%%", "").count("%") == 1
