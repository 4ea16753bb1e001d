"""Signing in as a service: the other side checks our signature with the public key it was given."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec

from server.commands import keys
from server.gateways.egress import Egress
from server.gateways.message import SendError
from server.gateways.scheduling.backend_services import service_key
from server.gateways.scheduling.fhir import FhirScheduling
from server.gateways.scheduling.port import Outside
from tests.fhir.proposals import proposal
from tests.gateways.scheduling.service_keys import EC, JWK, RSA, pem
from tests.peers.fhir_router import FhirClinic
from tests.peers.front_door import STRANGER, FrontDoor, Trouble, opened

CLIENT = "afterglow-bergen"


# How a key may be written down, and what is registered for it.
WAYS: dict[str, dict[str, Any]] = {
    "RSA as PEM": {"key": RSA, "kid": "2026", "alg": "RS384"},
    "P-384 as PEM": {"key": EC, "kid": "2026", "alg": "ES384"},
    "P-384 as JWK, which names itself": {"key": JWK},
}


@pytest.fixture
def door(fhir_router: int) -> Iterator[FrontDoor]:
    with opened(FrontDoor(fhir_router)) as found:
        found.keys[CLIENT] = service_key(EC, "2026", "ES384").public()
        yield found


def port(door: FrontDoor, **auth: Any) -> FhirScheduling:
    account = {"kind": "backend", "client_id": CLIENT, **WAYS["P-384 as PEM"], **auth}
    base_url = f"http://127.0.0.1:{door.port}/{FhirClinic(door.peer_port).name}"
    return FhirScheduling({"base_url": base_url, "auth": account}, Outside(Egress(allow_loopback=True)))


def now() -> datetime:
    return datetime.now(UTC)  # whoever checks a signature goes by the real clock


@pytest.mark.peers
@pytest.mark.parametrize("way", WAYS)
def test_a_signed_assertion_lets_us_in(door: FrontDoor, way: str) -> None:
    said = WAYS[way]
    door.keys[CLIENT] = service_key(said["key"], said.get("kid"), said.get("alg", "ES384")).public()
    known = {"kind": "backend", "client_id": CLIENT, **said}
    base_url = f"http://127.0.0.1:{door.port}/{FhirClinic(door.peer_port).name}"
    there = FhirScheduling({"base_url": base_url, "auth": known}, Outside(Egress(allow_loopback=True)))
    assert there.suggest(proposal(), now()).external_id
    (claims,) = door.assertions
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, door.token_url)
    assert 0 < claims["exp"] - time.time() <= 300


@pytest.mark.peers
def test_a_token_is_used_until_shortly_before_it_ends(door: FrontDoor) -> None:
    there, at = port(door), now() - timedelta(seconds=220)
    there.suggest(proposal(), at)
    there.fetch(proposal(), at + timedelta(seconds=269))
    assert len(door.tokens) == 1
    there.fetch(proposal(), at + timedelta(seconds=271))
    assert len(door.tokens) == 2
    assert len({claims["jti"] for claims in door.assertions}) == 2


@pytest.mark.peers
def test_a_token_that_was_revoked_is_renewed_once(door: FrontDoor) -> None:
    there = port(door)
    there.suggest(proposal(), now())
    door.tokens.clear()
    assert there.fetch(proposal(), now())
    assert len(door.tokens) == 1
    for _ in range(2):
        door.make(STRANGER, "GET Appointment")
    with pytest.raises(SendError) as caught:
        there.fetch(proposal(), now())
    assert (str(caught.value), caught.value.away, caught.value.permanent) == ("unauthorized", True, False)


@pytest.mark.peers
def test_the_token_endpoint_may_be_given_instead_of_found(door: FrontDoor) -> None:
    there = port(door, token_url=door.token_url, scope="system/Appointment.crus")
    assert there.suggest(proposal(), now())
    assert all(".well-known" not in request.path for request in door.passed)


@pytest.mark.peers
@pytest.mark.parametrize(
    "auth",
    [{"key": pem(ec.generate_private_key(ec.SECP384R1()))}, {"client_id": "somebody"}, {"kid": "2025"}],
    ids=["another key", "another client", "a key that is not registered"],
)
def test_whoever_is_not_registered_is_not_let_in(door: FrontDoor, auth: dict[str, Any]) -> None:
    with pytest.raises(SendError) as caught:
        port(door, **auth).suggest(proposal(), now())
    assert (str(caught.value), caught.value.away, caught.value.permanent) == ("sign_in_400", True, False)
    assert door.count("GET Appointment") == 0


@pytest.mark.peers
def test_an_old_assertion_is_not_accepted_again(door: FrontDoor) -> None:
    with pytest.raises(SendError):
        port(door).suggest(proposal(), now() - timedelta(minutes=10))


@pytest.mark.peers
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"access_token": 7}', b'{"access_token": "a\\nb"}'])
def test_an_answer_without_a_token_is_no_sign_in(door: FrontDoor, body: bytes) -> None:
    there = port(door)
    door.make(Trouble(status=200, body=body), "POST token")
    with pytest.raises(SendError) as caught:
        there.fetch(proposal(), now())
    assert str(caught.value) in ("unreadable", "no_token")
    assert door.count("GET Appointment") == 0


@pytest.mark.peers
def test_a_system_that_does_not_say_where_to_sign_in_is_not_signed_in_to(door: FrontDoor) -> None:
    there = port(door)
    door.make(Trouble(status=200, body=b"{}"), "GET .well-known")
    door.make(Trouble(status=404), "GET .well-known")
    for reason in ("no_token_endpoint", "sign_in_404"):
        with pytest.raises(SendError) as caught:
            there.fetch(proposal(), now())
        assert (str(caught.value), caught.value.away) == (reason, True)


def test_nothing_secret_is_in_what_is_registered() -> None:
    for key, algorithm, secret in ((RSA, "RS384", {"d", "p", "q"}), (EC, "ES384", {"d"})):
        (shown,) = service_key(key, "2026", algorithm).public()["keys"]
        assert not secret & set(shown)
        assert (shown["kid"], shown["alg"], shown["use"]) == ("2026", algorithm, "sig")


@pytest.mark.peers
def test_a_key_that_the_command_makes_lets_us_in(door: FrontDoor) -> None:
    said = CliRunner().invoke(keys.command, ["smart", "2027"]).output
    private, public = (json.loads(line) for line in said.splitlines())
    door.keys[CLIENT] = public
    assert "d" not in public["keys"][0]
    assert port(door, key=private, kid=None).suggest(proposal(), now()).external_id
