"""Access tokens: what is bent, foreign or missing is refused in the same words; keys change under load."""

import base64
import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from server.api import tokens
from server.settings import Settings, signing_keys
from tests.cast import Cast, sign_in
from tests.test_concurrency import at_once

NOW = datetime.now(UTC)
OTHER_KEY = "another-key-" + "0" * 32


def me(client: FlaskClient, token: str, scheme: str = "Bearer") -> TestResponse:
    return client.get("/v1/me", headers={"Authorization": f"{scheme} {token}"})


def good_claims(cast: Cast, settings: Settings) -> dict[str, Any]:
    """Return the claims of Bo's token, fresh."""
    claims: dict[str, Any] = jwt.decode(
        cast.bo.token, settings.jwt_key, ["HS256"], audience="afterglow-api", issuer="afterglow"
    )
    return claims


def signed(claims: dict[str, Any], key: str, **header: Any) -> str:
    """Return a token of ``claims`` as we make it; ``header`` bends its header."""
    named = {"kid": tokens.key_id(key), "typ": "at+jwt", **header}
    return jwt.encode(claims, key, "HS256", {k: v for k, v in named.items() if v is not None})


def by_hand(header: dict[str, Any], token: str) -> str:
    """Return ``token`` with another header in front of its claims and signature."""
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{first}.{token.partition('.')[2]}"


def test_a_token_with_every_claim_in_order_is_taken(
    cast: Cast, client: FlaskClient, settings: Settings
) -> None:
    token = signed(good_claims(cast, settings), settings.jwt_key)
    assert me(client, token).json["account_id"] == str(cast.bo.account_id)


CHANGES: list[dict[str, Any]] = [
    *({name: None} for name in ("sub", "sid", "clinic", "jti", "exp", "nbf", "iat", "iss", "aud", "type")),
    {"exp": NOW - timedelta(minutes=1)},
    {"exp": "never"},
    {"nbf": NOW + timedelta(hours=1)},
    {"iat": NOW + timedelta(hours=1)},
    {"iat": "yesterday"},
    {"aud": "another-api"},
    {"iss": "another-issuer"},
    {"type": "refresh"},
    {"jti": ""},
    {"sid": str(uuid4())},
    {"sid": "7"},
    {"sid": 7},
    {"sub": str(uuid4())},
    {"sub": "bo"},
    {"clinic": str(uuid4())},
    {"clinic": ["demo"]},
]


def test_a_token_that_lacks_or_bends_a_claim_is_refused_in_the_same_words(
    cast: Cast, client: FlaskClient, settings: Settings
) -> None:
    expected = me(client, "nonsense").get_data()
    for change in CHANGES:
        claims = {**good_claims(cast, settings), **change}
        kept = {name: value for name, value in claims.items() if value is not None}
        answer = me(client, signed(kept, settings.jwt_key))
        assert (answer.status_code, answer.get_data()) == (401, expected), change


def forged(claims: dict[str, Any], good: str, key: str) -> Iterator[str]:
    """Yield tokens of another key, algorithm, kind or form."""
    kid = tokens.key_id(key)
    yield jwt.encode(claims, None, "none", {"kid": kid, "typ": "at+jwt"})
    yield by_hand({"alg": "none", "kid": kid, "typ": "at+jwt"}, good)
    yield good.rpartition(".")[0] + "."
    yield signed(claims, OTHER_KEY)
    yield signed(claims, OTHER_KEY, kid=kid)
    yield jwt.encode(claims, key * 2, "HS512", {"kid": kid, "typ": "at+jwt"})
    yield good[:-4] + "AAAA"
    yield f"{good}.{good}"
    for kid_trick in (None, "", "../../signing.key", "' OR 1=1 --", "x" * 900, kid.upper(), f"{kid}\x00"):
        yield signed(claims, key, kid=kid_trick)
    for header in (
        {"kid": [kid]},
        {"kid": {"": kid}},
        {"kid": 7},
        {"kid": True},
        {"crit": [""], "kid": kid},
    ):
        yield by_hand({"alg": "HS256", "typ": "at+jwt", **header}, good)
    for kind in ("JWT", "refresh+jwt", "", "AT+JWT "):
        yield signed(claims, key, typ=kind)
    yield signed({**claims, "more": "x" * 1_000_000}, key)
    yield "x" * 1_000_000
    for deep in (b"[" * 1400, b'{"kid":' * 200, b"[" * 180, b"7", b'"x"', b"null", b"\xff"):
        yield f"{base64.urlsafe_b64encode(deep).decode().rstrip('=')}.{good.partition('.')[2]}"
    yield from ("", ".", "..", "a.b.c", "é.é.é", f"{good} {good}")


def test_a_token_of_another_key_algorithm_or_form_is_refused_in_the_same_words(
    cast: Cast, client: FlaskClient, settings: Settings
) -> None:
    expected = me(client, "nonsense").get_data()
    for token in forged(good_claims(cast, settings), cast.bo.token, settings.jwt_key):
        answer = me(client, token)
        assert (answer.status_code, answer.get_data()) == (401, expected), token[:200]
    for scheme in ("Basic", "Token", ""):
        assert me(client, cast.bo.token, scheme).get_data() == expected, scheme


def test_bos_session_does_not_open_another_account(
    cast: Cast, client: FlaskClient, settings: Settings
) -> None:
    for other in (cast.cyd.account_id, cast.admin.account_id):
        claims = {**good_claims(cast, settings), "sub": str(other)}
        assert me(client, signed(claims, settings.jwt_key)).status_code == 401


def test_a_refused_token_is_logged_without_the_token(
    cast: Cast, client: FlaskClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    token = signed(good_claims(cast, settings), OTHER_KEY)
    with caplog.at_level(logging.INFO):
        me(client, token)
    assert "an access token was refused: InvalidKeyError" in caplog.text
    assert not any(part in caplog.text for part in token.split("."))


# Two keys


@pytest.fixture
def keys(app: Flask, settings: Settings) -> Iterator[Any]:
    """A way to start the application anew with other keys."""

    def start_with(*names: str) -> None:
        app.config.update(tokens.config(settings, names))

    yield start_with
    start_with(settings.jwt_key)


def test_a_key_changes_in_three_steps_while_requests_go_on_without_an_error(
    cast: Cast, app: Flask, keys: Any, settings: Settings
) -> None:
    old, new = settings.jwt_key, OTHER_KEY
    client = app.test_client()
    token = cast.bo.token
    # First it is only known, then it signs, then the old one goes, ten minutes later.
    for step in ((old, new), (new, old)):
        keys(*step)
        statuses = at_once([lambda: me(app.test_client(), cast.bo.token).status_code] * 6)
        token = sign_in(client, "demo", "bo@clinic.example")["access_token"]
        assert [*statuses, me(client, token).status_code] == [200] * 7, step
    assert jwt.get_unverified_header(token)["kid"] == tokens.key_id(new)
    keys(new)
    assert me(client, token).status_code == 200
    assert me(client, cast.bo.token).status_code == 401


def test_a_phones_cursor_outlives_a_change_of_key(cast: Cast, keys: Any, settings: Settings) -> None:
    cursor = cast.ana.post("/sync", {"items": []}).json["next_cursor"]
    keys(OTHER_KEY, settings.jwt_key)
    assert cast.ana.post("/sync", {"items": [], "cursor": cursor}).status_code == 200


@pytest.mark.long
def test_a_key_in_a_file_changes_under_load_without_a_restart_and_without_one_error(
    cast: Cast, app: Flask, keys: Any, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "jwt"
    put(file, settings.jwt_key)
    watched = replace(settings, jwt_key="", jwt_key_file=str(file))
    source = partial(signing_keys, watched)
    app.config.update(tokens.config(watched, source(), source))
    known, stop, statuses = [cast.bo.token], threading.Event(), []

    def asks() -> None:
        client = app.test_client()
        while not stop.is_set():
            statuses.append(me(client, known[-1]).status_code)

    askers = [threading.Thread(target=asks) for _ in range(3)]
    for asker in askers:
        asker.start()
    try:
        put(file, f"{OTHER_KEY},{settings.jwt_key}")
        time.sleep(1.1)
        fresh = sign_in(app.test_client(), "demo", "bo@clinic.example")["access_token"]
        known.append(fresh)
        put(file, OTHER_KEY)
        time.sleep(1.1)
    finally:
        stop.set()
        for asker in askers:
            asker.join(20)
    assert jwt.get_unverified_header(fresh)["kid"] == tokens.key_id(OTHER_KEY)
    assert set(statuses) == {200}
    assert me(app.test_client(), cast.bo.token).status_code == 401, "the old key has gone"
    file.write_text("half")
    time.sleep(1.1)
    assert me(app.test_client(), fresh).status_code == 200, "what can't be used changes nothing"


def test_a_token_of_a_key_that_another_process_has_taken_up_is_good_at_once(
    cast: Cast, app: Flask, keys: Any, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "jwt"
    put(file, settings.jwt_key)
    watched = replace(settings, jwt_key="", jwt_key_file=str(file))
    source = partial(signing_keys, watched)
    app.config.update(tokens.config(watched, source(), source))
    put(file, f"{OTHER_KEY},{settings.jwt_key}")
    theirs = signed(good_claims(cast, settings), OTHER_KEY)
    assert me(app.test_client(), theirs).status_code == 200


def put(file: Path, text: str) -> None:
    """Put a whole new file there, as a secret store does."""
    draft = file.with_suffix(".new")
    draft.write_text(text)
    draft.replace(file)
