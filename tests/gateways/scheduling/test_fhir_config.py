"""What is wrong with a connection's settings is said when they are made, with the member it is about."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from server.gateways.scheduling.fhir import check
from server.gateways.scheduling.fhir_config import SCOPE, read_config
from tests.gateways.scheduling.service_keys import EC, RSA, pem

BASE = {"base_url": "https://ehr.example/r4"}
BACKEND = {"kind": "backend", "client_id": "us", "key": EC, "kid": "2026", "alg": "ES384"}
P256 = ec.generate_private_key(ec.SECP256R1())
PUBLIC = P256.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def test_an_address_is_enough() -> None:
    found = read_config({"base_url": "https://ehr.example/r4/"})
    assert (found.base_url, found.auth, found.slots) == ("https://ehr.example/r4", None, "none")


def test_everything_may_be_said() -> None:
    config = {
        **BASE,
        "auth": {**BACKEND, "token_url": "https://ehr.example/token", "scope": "system/*.crus"},
        "transaction": True,
        "appointment_only": False,
        "patient_system": "urn:oid:1.2.3",
        "slots": {"links": "https://ehr.example/slots/$bulk-publish"},
    }
    check(config)
    found = read_config(config)
    assert found.slots == "https://ehr.example/slots/$bulk-publish"
    assert "PRIVATE" not in repr(found)
    assert EC not in repr(found)


def test_what_we_may_do_there_is_asked_for_where_nothing_else_is_said() -> None:
    account = read_config({**BASE, "auth": BACKEND}).auth
    assert account
    assert not isinstance(account, str)
    assert (account.scope, account.token_url) == (SCOPE, None)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "/base_url: is missing"),
        ({"base_url": 7}, "/base_url: must be text"),
        ({"base_url": "ehr.example/r4"}, "/base_url: must look like https://host/path"),
        ({"base_url": "http://ehr.example/r4"}, "/base_url: must start with https://"),
        ({"base_url": "https://10.0.0.1/r4"}, "/base_url: must not lead into a private network"),
        ({"base_url": "https://ehr.example/r4?key=1"}, "/base_url: must hold no query"),
        (
            {"base_url": "https://us:pw@ehr.example"},
            "/base_url: must hold no user name, password or fragment",
        ),
        ({**BASE, "token": "a"}, "/token: is not known"),
        ({**BASE, "transaction": "yes"}, "/transaction: must be true or false"),
        (
            {**BASE, "transaction": True, "appointment_only": True},
            "/transaction: makes no sense for an appointment alone",
        ),
        ({**BASE, "patient_system": " "}, "/patient_system: must be text"),
        ({**BASE, "slots": "all"}, '/slots: must be "none", "fhir" or {"links": address of a manifest}'),
        ({**BASE, "slots": {"links": "ftp://a"}}, "/slots/links: must look like https://host/path"),
        ({**BASE, "auth": "abc"}, "/auth/kind: must be one of none, bearer, backend"),
        ({**BASE, "auth": {"kind": "basic"}}, "/auth/kind: must be one of none, bearer, backend"),
        ({**BASE, "auth": {"kind": ["none"]}}, "/auth/kind: must be one of none, bearer, backend"),
        ({**BASE, "auth": {"kind": "bearer"}}, "/auth/token: is missing"),
        (
            {**BASE, "auth": {"kind": "bearer", "token": "a\r\nHost: b"}},
            "/auth/token: must be ASCII without spaces",
        ),
        ({**BASE, "auth": {"kind": "bearer", "token": "a", "key": EC}}, "/auth/key: is not known"),
        ({**BASE, "auth": {**BACKEND, "client_id": None}}, "/auth/client_id: is missing"),
        ({**BASE, "auth": {**BACKEND, "key": None}}, "/auth/key: must be a private key, as PEM or as a JWK"),
        ({**BASE, "auth": {**BACKEND, "alg": "HS384"}}, "/auth/alg: must be one of RS384, ES384"),
        (
            {**BASE, "auth": {**BACKEND, "kid": None}},
            "/auth/kid: must name the key as it is registered with the system",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        check(config)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        ("secret", "ES384"),
        (PUBLIC, "ES384"),
        (RSA, "ES384"),
        (EC, "RS384"),
        (pem(P256), "ES384"),
        (pem(rsa.generate_private_key(65537, 1024)), "RS384"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "ES384"),
        ({}, "ES384"),
        (ECAlgorithm.to_jwk(P256, as_dict=True), "ES384"),
        (ECAlgorithm.to_jwk(P256.public_key(), as_dict=True), "ES384"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_and_not_shown(key: Any, algorithm: str) -> None:
    with pytest.raises(ValueError) as caught:
        check({**BASE, "auth": {**BACKEND, "key": key, "alg": algorithm}})
    assert str(caught.value).startswith("/auth/key: ")
    assert str(key) not in str(caught.value)
    assert caught.value.__cause__ is None
