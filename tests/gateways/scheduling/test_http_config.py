"""Settings of the generic HTTP kind: what can't be used is named, member by member."""

import json
import re
from typing import Any

import pytest

from server.gateways.egress import Egress
from server.gateways.scheduling.http import HttpScheduling, check
from server.gateways.scheduling.http_auth import read_auth
from server.gateways.scheduling.http_template import ADDRESS_NAMES, NAMES
from server.gateways.scheduling.members import Members
from server.gateways.scheduling.port import Outside
from tests.gateways.scheduling.http_configs import SEARCHED, once, slow
from tests.source import ROOT

PAGE = (ROOT / "docs" / "scheduling-http.md").read_text("utf-8")
GOOD = {**SEARCHED, "base_url": "https://practice.example/api"}
GONE = object()


def changed(way: str, value: Any) -> dict[str, Any]:
    """Return the good settings with one member changed, or without it."""
    config: dict[str, Any] = json.loads(json.dumps(GOOD))
    *steps, last = way.split(".")
    place = config
    for step in steps:
        place = place[step]
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return config


@pytest.mark.parametrize("config", [SEARCHED, once(), slow()], ids=["searched", "once", "slow"])
def test_settings_that_can_be_used_pass(config: dict[str, Any]) -> None:
    check(config, allow_loopback=True)
    check({**config, "base_url": "https://practice.example/api/"})


@pytest.mark.parametrize(
    ("way", "value", "reason"),
    [
        ("base_url", "http://practice.example", "base_url: must start with https"),
        ("base_url", "https://10.0.0.1/", "base_url: must not lead into a private network"),
        ("base_url", "https://a:b@practice.example", "base_url: must hold no user name"),
        ("base_url", "https://practice.example/?key=1", "base_url: must hold no query"),
        ("auth", GONE, "auth: must be an object"),
        ("auth.kind", "digest", "auth.kind: must be one of none, bearer"),
        ("auth.secret", "", "auth.secret: must not be empty"),
        ("auth.header", "Host", "auth.header: must be the name of a header"),
        ("auth.header", "X\r\nY", "auth.header: must be the name of a header"),
        ("auth.encoding", "md5", "auth.encoding: must be one of hex, base64"),
        ("auth.token", "x", "auth.token: is not known"),
        ("headers", {"Idempotency-Key": "1"}, "headers.Idempotency-Key: is no header"),
        ("headers", {"X-Version": "1\r\nX: 2"}, "headers.X-Version: must be printable ASCII"),
        ("operations.fetch", GONE, "operations.fetch: must be there"),
        ("operations.suggest", GONE, "operations.suggest: must be there"),
        ("operations.find", GONE, "operations: needs find, unless once"),
        ("operations.book", {}, "operations.book: is not known"),
        ("operations.fetch.method", "TRACE", "operations.fetch.method: must be one of"),
        ("operations.suggest.method", GONE, "operations.suggest.method: must be one of"),
        ("operations.fetch.path", "visits", "operations.fetch.path: must begin with /"),
        ("operations.fetch.path", "/a/../{external_id}", "operations.fetch.path: must begin with /"),
        ("operations.fetch.path", "/a?b=c", "operations.fetch.path: must begin with /"),
        ("operations.fetch.path", "/of/{patient}", "operations.fetch.path: {patient} may not stand"),
        ("operations.fetch.path", "/of/{reason}", "operations.fetch.path: {reason} is not known"),
        ("operations.suggest.path", "/v/{external_id}", "operations.suggest: can't name"),
        ("operations.find.query", {"id": "{external_id}"}, "operations.find: can't name"),
        ("operations.find.query", {"of": "{patient_id}"}, "operations.find.query.of: {patient_id} may not"),
        ("operations.find.query", "label={id}", "operations.find.query: must be an object"),
        ("operations.find.items", GONE, "operations.find.items: must be there"),
        ("operations.fetch.items", "/a", "operations.fetch.items: must not be there"),
        ("operations.find.result.reference", GONE, "operations.find.result.reference: must be there"),
        ("operations.fetch.result.status", GONE, "operations.fetch.result.status: must be there"),
        ("operations.fetch.result.status", "phase", "operations.fetch.result.status: must be a JSON pointer"),
        ("operations.fetch.result.status", "/a~2", "operations.fetch.result.status: must be a JSON pointer"),
        ("operations.fetch.result.mood", "/a", "operations.fetch.result.mood: is not known"),
        ("operations.suggest.body", {"a": [{"b": "{mood}"}]}, "operations.suggest.body: {mood} is not known"),
        ("operations.suggest.body", [[[[[[[[[[1]]]]]]]]]], "operations.suggest.body: must have at most"),
        ("operations.suggest.ok", [500], "operations.suggest.ok: must be a list of HTTP statuses"),
        ("operations.suggest.ok", [404], "operations.suggest.ok: must be statuses from 200 to 299"),
        ("operations.suggest.ok", [], "operations.suggest.ok: must be statuses from 200 to 299"),
        ("statuses", {}, "statuses: must hold at least one word"),
        ("statuses.fixed", "scheduled", "statuses.fixed: must be one of proposed"),
        ("statuses", {"wished": "proposed"}, "statuses: needs a word that means booked"),
        ("declines.full", "busy", "declines.full: must be one of no_capacity"),
        ("times", "unix", "times: must be one of iso"),
        ("zone", "Mars/Olympus", "zone: must be a zone's name"),
        ("zone", "localtime", "zone: must be a zone's name"),
        ("zone", "../../etc/passwd", "zone: must be a zone's name"),
        ("once", "yes", "once: must be true or false"),
        ("event.encoding", "xml", "event.encoding: must be one of json, form"),
        ("event", {"changed_at": "/at"}, "event.external_id: must be there, or suggestion_id"),
        ("event.secret", "x", "event.secret: is not known"),
        ("timeout", 7, "timeout: is not known"),
    ],
)
def test_what_can_not_be_used_is_named(way: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        check(changed(way, value))
    assert str(caught.value).startswith(reason)


def test_a_reason_never_repeats_a_value() -> None:
    for way in ("auth.secret", "auth.kind", "base_url", "zone", "once"):
        with pytest.raises(ValueError) as caught:
            check(changed(way, "hush" * 1000))
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"kind": "bearer", "token": "t0ken"}, "Authorization", "Bearer t0ken"),
        ({"kind": "basic", "user": "us", "password": "p:w"}, "Authorization", "Basic dXM6cDp3"),
        ({"kind": "header", "header": "X-Api-Key", "secret": "k"}, "X-Api-Key", "k"),
        (
            {"kind": "hmac", "header": "X-Sig", "secret": "key", "encoding": "base64"},
            "X-Sig",
            "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=",
        ),
    ],
)
def test_each_way_of_signing_in_is_as_its_standard_says(
    auth: dict[str, str], header: str, value: str
) -> None:
    body = b"The quick brown fox jumps over the lazy dog"
    found = read_auth(Members(auth, "auth"))
    assert found.headers(body) == {header: value}
    assert not any(secret in repr(found) for secret in ("t0ken", "dXM6", "'k'", "'key'"))


def test_without_a_sign_in_nothing_is_sent() -> None:
    assert read_auth(Members({"kind": "none"}, "auth")).headers(b"x") == {}


def test_the_page_names_every_place_a_template_may_hold() -> None:
    rows = dict(re.findall(r"^\| `\{([a-z_]+)\}` \| (yes|no) \|", PAGE, re.MULTILINE))
    assert rows == {name: "yes" if name in ADDRESS_NAMES else "no" for name in NAMES}


def test_the_settings_on_the_page_can_be_used() -> None:
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    assert len(examples) >= 2
    for example in examples:
        check(example)
        HttpScheduling(example, Outside(Egress()))
