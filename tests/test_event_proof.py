"""A message of a scheduling system is believed where its raw bytes are signed, and by nothing else."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from server.event_proof import HMAC_BASE64, HMAC_HEX, LONGEST_ID, ProofError, Scheme, verify

OLD, NEW, OTHER = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BODY = b'{"about": "V-7"}'
STANDARD = Scheme("standard")
HEX = Scheme(HMAC_HEX, "x-clinic-signature")
B64 = Scheme(HMAC_BASE64, "x-clinic-signature", "x-clinic-event")


def standard_headers(secret: str = NEW, at: datetime = NOW, name: str = "evt_1") -> dict[str, str]:
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, BODY.decode()),
    }


def hmac_headers(scheme: Scheme, secret: str = "s3cret", body: bytes = BODY, **more: str) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body, "sha256")
    said = digest.hex() if scheme.kind == HMAC_HEX else base64.b64encode(digest).decode()
    return {"x-clinic-signature": said, **{name.replace("_", "-"): text for name, text in more.items()}}


def refused(
    scheme: Scheme, headers: dict[str, str], body: bytes = BODY, secrets: tuple[str, ...] = ()
) -> str:
    with pytest.raises(ProofError) as caught:
        verify(scheme, secrets or ((NEW,) if scheme is STANDARD else ("s3cret",)), headers, body, NOW)
    return caught.value.reason


def test_a_signed_message_is_known_by_its_own_id() -> None:
    assert verify(STANDARD, [NEW], standard_headers(), BODY, NOW) == "evt_1"


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_a_secret_is_changed_both_are_good(secret: str) -> None:
    assert verify(STANDARD, [NEW, OLD], standard_headers(secret), BODY, NOW)
    assert verify(HEX, ["new", "old"], hmac_headers(HEX, "old"), BODY, NOW)


def test_one_good_signature_among_others_is_enough() -> None:
    headers = standard_headers()
    headers["webhook-signature"] = f"v1a,xyz nonsense v1,AAAA {headers['webhook-signature']}"
    assert verify(STANDARD, [NEW], headers, BODY, NOW) == "evt_1"


def test_a_body_that_was_changed_proves_nothing() -> None:
    assert refused(STANDARD, standard_headers(), BODY + b" ") == "wrong_signature"
    assert refused(HEX, hmac_headers(HEX), BODY + b" ") == "wrong_signature"
    assert refused(B64, hmac_headers(B64), BODY + b" ") == "wrong_signature"


def test_another_id_or_time_than_what_was_signed_proves_nothing() -> None:
    assert refused(STANDARD, {**standard_headers(), "webhook-id": "evt_2"}) == "wrong_signature"
    later = str(int(NOW.timestamp()) + 1)
    assert refused(STANDARD, {**standard_headers(), "webhook-timestamp": later}) == "wrong_signature"


def test_another_secret_proves_nothing() -> None:
    assert refused(STANDARD, standard_headers(OTHER)) == "wrong_signature"
    assert refused(HEX, hmac_headers(HEX, "other")) == "wrong_signature"


@pytest.mark.parametrize("secrets", [("",), ("whsec_",), ("whsec_%%%",), ("a",)])
def test_a_secret_that_is_none_opens_nothing(secrets: tuple[str, ...]) -> None:
    assert refused(STANDARD, standard_headers(), secrets=secrets) == "wrong_signature"
    assert refused(HEX, hmac_headers(HEX, ""), secrets=secrets) == "wrong_signature"


@pytest.mark.parametrize(
    ("age", "reason"),
    [(timedelta(hours=1), "stamp_too_old"), (timedelta(minutes=-6), "stamp_too_new")],
)
def test_a_stamp_that_is_far_off_proves_nothing(age: timedelta, reason: str) -> None:
    assert refused(STANDARD, standard_headers(at=NOW - age)) == reason


@pytest.mark.parametrize("age", [-290, 290])
def test_a_clock_that_is_a_little_off_is_no_harm(age: int) -> None:
    assert verify(STANDARD, [NEW], standard_headers(at=NOW - timedelta(seconds=age)), BODY, NOW)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_what_lacks_a_header_proves_nothing(name: str) -> None:
    headers = standard_headers()
    del headers[name]
    assert refused(STANDARD, headers) == "headers_missing"
    assert refused(HEX, {}) == "headers_missing"


@pytest.mark.parametrize("stamp", ["soon", "1e9", "-1", "９９", "1" * 40, "nan"])
def test_a_stamp_that_is_none_is_refused(stamp: str) -> None:
    assert refused(STANDARD, {**standard_headers(), "webhook-timestamp": stamp}) == "stamp_unreadable"


@pytest.mark.parametrize("said", ["é", "\ud800", "sha256=", "zz", "0" * 63, "====", "v1,"])
def test_a_signature_that_is_none_is_refused(said: str) -> None:
    for scheme in (HEX, B64):
        assert refused(scheme, {"x-clinic-signature": said}) in ("wrong_signature", "headers_missing")
    assert refused(STANDARD, {**standard_headers(), "webhook-signature": said}) == "wrong_signature"


def test_bytes_that_are_no_text_are_refused_by_the_standard_and_signed_as_they_are_by_others() -> None:
    assert refused(STANDARD, standard_headers(), b"\xff\xfe") == "body_no_text"
    assert verify(HEX, ["s3cret"], hmac_headers(HEX, body=b"\xff"), b"\xff", NOW)


def test_a_sender_without_ids_is_known_by_what_it_said_for_a_few_minutes() -> None:
    def named(seconds: int) -> str:
        return verify(HEX, ["s3cret"], hmac_headers(HEX), BODY, NOW + timedelta(seconds=seconds))

    assert named(0) == named(60)
    assert hashlib.sha256(BODY).hexdigest() in named(0)
    # "Visit 7 has changed" is the same text every time it changes.
    assert named(0) != named(600)


def test_an_id_that_is_not_signed_does_not_take_anothers_place() -> None:
    one = verify(B64, ["s3cret"], hmac_headers(B64, x_clinic_event="7"), BODY, NOW)
    other = verify(B64, ["s3cret"], hmac_headers(B64, body=b"{}", x_clinic_event="7"), b"{}", NOW)
    assert one != other
    assert one.startswith("7.")


def test_github_s_way_of_writing_it_is_read_too() -> None:
    headers = {"x-clinic-signature": "sha256=" + hmac_headers(HEX)["x-clinic-signature"].upper()}
    assert verify(HEX, ["s3cret"], headers, BODY, NOW)


def test_an_id_fits_where_it_is_kept() -> None:
    for name in ("x" * 5000, "a\x00b"):
        assert len(verify(STANDARD, [NEW], standard_headers(name=name), BODY, NOW)) <= LONGEST_ID
    assert len(verify(B64, ["s3cret"], hmac_headers(B64, x_clinic_event="x" * 500), BODY, NOW)) <= LONGEST_ID


@pytest.mark.parametrize(
    ("kind", "header", "id_header"),
    [
        ("md5", "x", ""),
        (HMAC_HEX, "", ""),
        ("standard", "x", ""),
        ("standard", "", "x"),
        (HMAC_HEX, "X Y", ""),
    ],
)
def test_a_scheme_that_can_not_be_used_is_refused(kind: str, header: str, id_header: str) -> None:
    with pytest.raises(ValueError):
        Scheme(kind, header, id_header)
