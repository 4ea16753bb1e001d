"""Web Push: a browser opens what was sealed for it; the push service knows us by our key."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from server.gateways.egress import Egress
from server.gateways.exchange import Limits
from server.gateways.message import Handed, Message, Receipt, SendError
from server.gateways.push import PushGateway
from server.keys.vapid_key import new_vapid_key
from server.vapid import public_key
from tests.gateways import browsers
from tests.gateways.browsers import Browser, unb64
from tests.gateways.test_message import NOTICE
from tests.gateways.web_peers import Answering, Request, answering, behaving, silent

KEY = new_vapid_key()
ANAS = Browser()
LIMITS = Limits(connect=1, total=2)
SOON = Limits(connect=0.2, total=0.3)


def gateway(key: str = KEY, limits: Limits = LIMITS) -> PushGateway:
    return PushGateway(Egress(True, limits), key, "Afterglow <afterglow@journal.example>")


def notice(subscription: str, urgent: bool = True) -> Message:
    # Whoever checks the signature goes by the real clock.
    return replace(NOTICE, to=subscription, urgent=urgent, at=datetime.now(UTC))


def pushed(urgent: bool = True) -> Request:
    peer = Answering(201)
    with answering(peer) as port:
        message = notice(ANAS.subscription(f"http://127.0.0.1:{port}/push/1"), urgent)
        assert gateway().send(message) == Receipt(Handed.ACCEPTED)
    (request,) = peer.received
    return request


def failure(status: int, headers: dict[str, str] | None = None) -> SendError:
    with answering(Answering(status, headers or {})) as port, pytest.raises(SendError) as caught:
        gateway().send(notice(ANAS.subscription(f"http://127.0.0.1:{port}/push/1")))
    return caught.value


def test_these_tests_have_a_browser_that_opens_the_example_of_rfc_8291() -> None:
    private = int.from_bytes(unb64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big")
    browser = Browser(ec.derive_private_key(private, ec.SECP256R1()), unb64("BTBZMqHH6r4Tts7J_aSIgg"))
    body = (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert browser.open(unb64(body)) == b"When I grow up, I want to be a watermelon"


def test_the_browser_it_was_sealed_for_opens_the_short_text_and_the_link() -> None:
    assert json.loads(ANAS.open(pushed().body)) == {"short": NOTICE.short, "link": NOTICE.link}


def test_no_other_browser_can_open_it() -> None:
    with pytest.raises(InvalidTag):
        Browser().open(pushed().body)


def test_two_pushes_of_the_same_text_are_sealed_differently() -> None:
    assert pushed().body != pushed().body


@pytest.mark.parametrize(("urgent", "urgency", "hours"), [(True, "high", 24), (False, "normal", 4)])
def test_what_cannot_wait_wakes_the_phone_and_is_kept_for_longer(
    urgent: bool, urgency: str, hours: int
) -> None:
    headers = pushed(urgent).headers
    assert (headers["urgency"], headers["ttl"]) == (urgency, str(hours * 3600))
    assert headers["content-encoding"] == "aes128gcm"


@pytest.mark.parametrize(
    ("minutes", "kept"), [(90, 90), (5, 5), (300, 240), (-1, 0)], ids=["soon", "sooner", "later", "over"]
)
def test_what_would_come_too_late_is_kept_for_no_phone_that_is_off(minutes: int, kept: int) -> None:
    peer = Answering(201)
    with answering(peer) as port:
        message = notice(ANAS.subscription(f"http://127.0.0.1:{port}/push/1"), urgent=False)
        gateway().send(replace(message, expires_at=message.at + timedelta(minutes=minutes)))
    assert peer.received[0].headers["ttl"] == str(kept * 60)


def test_a_repeat_takes_the_place_of_one_that_still_waits() -> None:
    topics = {pushed().headers["topic"] for _ in range(2)}
    assert topics == {NOTICE.id.hex}
    assert len(NOTICE.id.hex) <= 32


def test_the_push_service_can_check_who_we_are() -> None:
    peer = Answering(201)
    with answering(peer) as port:
        gateway().send(notice(ANAS.subscription(f"http://127.0.0.1:{port}/push/1")))
    scheme, _, fields = peer.received[0].headers["authorization"].partition(" ")
    said = dict(part.split("=", 1) for part in fields.split(","))
    assert (scheme, said["k"]) == ("vapid", public_key(KEY))
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(said["k"]))
    claims = jwt.decode(said["t"], point, ["ES256"], audience=f"http://127.0.0.1:{port}")
    assert claims["sub"] == "mailto:afterglow@journal.example"
    assert datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC) < timedelta(hours=24)


def test_the_public_key_is_a_point_that_a_browser_takes() -> None:
    point = unb64(public_key(KEY))
    assert (len(point), point[0]) == (65, 4)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_has_unsubscribed_is_gone(status: int) -> None:
    error = failure(status)
    assert (error.permanent, error.gone) == (True, True)


@pytest.mark.parametrize("status", [400, 413])
def test_what_the_service_finds_wrong_with_the_message_is_final(status: int) -> None:
    error = failure(status)
    assert (error.permanent, error.gone) == (True, False)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_the_service_does_not_take_is_final_for_this_message_and_says_nothing_of_others(
    status: int,
) -> None:
    error = failure(status)
    assert (error.permanent, error.gone, error.reason, error.away) == (True, False, "sign_in", False)


def test_a_busy_service_is_given_the_time_it_asks_for() -> None:
    error = failure(429, {"Retry-After": "7"})
    assert (error.permanent, error.away, error.retry_after) == (False, True, timedelta(seconds=7))


def test_a_service_that_never_answers_leaves_it_in_doubt() -> None:
    with behaving(silent) as port, pytest.raises(SendError) as caught:
        gateway(limits=SOON).send(notice(ANAS.subscription(f"http://127.0.0.1:{port}/push/1")))
    assert (caught.value.reason, caught.value.in_doubt) == ("timeout", True)


GOOD = json.loads(ANAS.subscription("https://push.example/1"))


@pytest.mark.parametrize(
    "subscription",
    [
        "",
        "[]",
        "{}",
        json.dumps({**GOOD, "endpoint": 5}),
        json.dumps({**GOOD, "keys": None}),
        json.dumps({**GOOD, "keys": {**GOOD["keys"], "auth": "c2hvcnQ"}}),
        json.dumps({**GOOD, "keys": {**GOOD["keys"], "p256dh": 7}}),
        json.dumps({**GOOD, "keys": {**GOOD["keys"], "p256dh": "BA" + "A" * 85}}),
    ],
)
def test_a_subscription_that_is_none_is_refused_for_good(subscription: str) -> None:
    with pytest.raises(SendError) as caught:
        gateway().send(notice(subscription))
    assert (caught.value.permanent, caught.value.reason) == (True, "address")
    assert gateway().lane(subscription) == "unreadable"


def test_a_subscription_cannot_lead_us_inside() -> None:
    with pytest.raises(SendError, match="egress_refused"):
        PushGateway(Egress(), KEY, "a@b.example").send(notice(ANAS.subscription("https://10.0.0.1/x")))


def test_browsers_of_one_maker_share_a_lane_which_gives_no_address_away() -> None:
    lanes = {gateway().lane(Browser().subscription(f"https://push.example/{n}")) for n in range(2)}
    assert lanes == {"push.example:443"}


@pytest.mark.parametrize("key", ["", "short", "A" * 43, "é" * 43])
def test_a_key_that_is_none_cannot_be_used(key: str) -> None:
    with pytest.raises(ValueError):
        gateway(key)


@pytest.mark.skipif(
    not browsers.service_is_here(), reason="the browsers' push service for tests is not installed"
)
def test_the_service_of_the_browsers_own_test_tools_opens_it_and_tells_who_has_left() -> None:
    with browsers.push_service() as service:
        subscription, browser = service.subscribe(public_key(KEY))
        assert gateway().send(notice(subscription)).state is Handed.ACCEPTED
        assert [json.loads(text)["short"] for text in service.shown(browser)] == [NOTICE.short]
        with pytest.raises(SendError, match="refused_400"):
            gateway(new_vapid_key()).send(notice(subscription))
        service.unsubscribe(browser)
        with pytest.raises(SendError) as caught:
            gateway().send(notice(subscription))
    assert caught.value.gone
