"""Every request of docs/webhooks.md is sent, its code is run, and a real receiver gets what it shows."""

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from standardwebhooks import Webhook, WebhookVerificationError

from jobs import deliver
from jobs.around import Around
from server.clinical.visit_event import EVENT_TYPES
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.egress import Egress
from server.gateways.webhook import WebhookGateway
from server.services.messages import retry
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.gateways.web_peers import Answering, Request, answering
from tests.source import ROOT
from tests.test_mobile_guide import FENCE, Message, filled, shown
from tests.visits import Visits

PAGE = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
BODIES = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
CODE = dict(re.findall(r"^```python (\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
(NODE,) = re.findall(r"^```js\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
URL = "https://hooks.example.org/visits"
SECRET = "whsec_" + "QUJD" * 11
Verify = Callable[[str, Mapping[str, str], bytes], Any]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A service on one machine with its receiver."""
    return replace(settings, allow_loopback_egress="yes")


@dataclass
class Guide:
    """Plays the page from top to bottom."""

    app: Flask
    around: Around
    clock: Clock
    visits: Visits
    peer: Answering
    known: dict[str, str] = field(default_factory=dict)
    first_secret: str = ""

    def ask(self, asked: str, answered: str, url: str) -> None:
        """Send one request and compare the answer."""
        local = {URL: url, "hooks.example.org": "127.0.0.1"}
        request = Message.read(_in_place(filled(asked, self.known), local))
        method, path = request.first.split(" ")
        answer = self.app.test_client().open(path, method=method, headers=request.headers, json=request.body)
        expected = Message.read(_in_place(filled(answered, self.known), local))
        assert answer.status_code == int(expected.first), f"{request.first}: {answer.text}"
        assert shown(expected.body, answer.get_json(silent=True)), f"{request.first}: {answer.text}"
        assert expected.headers.items() <= dict(answer.headers).items(), request.first
        self._learn(answer.get_json(silent=True) or {})
        self._goes_on(request.first)

    def _learn(self, body: Mapping[str, Any]) -> None:
        if "webhook" in body:
            self.known["webhook_id"] = body["webhook"]["id"]
            self.first_secret = self.first_secret or body["secret"]
            self.known["secret"] = body["secret"]

    def _goes_on(self, first: str) -> None:
        """Let happen what the page says happens next."""
        if first.endswith("/test"):
            self.hears(BODIES[0])
            self.visits.approved()
            self.hears(BODIES[1])
        elif first.endswith("/replay") and "/deliveries/" in first and "delivery_id" in self.known:
            self.send()

    def send(self) -> None:
        """Run the job once."""
        self.clock.now = datetime.now(UTC)
        deliver.run(self.around, self.clock.now)

    def hears(self, expected: str) -> None:
        """See that the receiver gets what the page shows, as the page verifies it."""
        self.send()
        request = self.peer.received[-1]
        event = by_library(self.known["secret"], request.headers, request.body)
        self.known |= {"suggestion_id": event["data"]["id"], "delivery_id": request.headers["webhook-id"]}
        told = json.loads(filled(expected, self.known))
        link = told["data"].pop("link", None)
        assert event["data"].pop("link", "/v1/").partition("/v1/")[2] == (link or "/v1/").partition("/v1/")[2]
        assert shown(told, event), event
        assert event["data"].keys() == told["data"].keys()


def _in_place(text: str, local: Mapping[str, str]) -> str:
    for said, ours in local.items():
        text = text.replace(said, ours)
    return text


def by_library(secret: str, headers: Mapping[str, str], body: bytes) -> Any:
    """Verify as the page does with the standard's library."""
    names: dict[str, Any] = {"secret": secret, "headers": headers, "body": body}
    exec(CODE["library"], names)
    return names["event"]


def by_hand(secret: str, headers: Mapping[str, str], body: bytes) -> Any:
    """Verify as the page does in plain Python."""
    names: dict[str, Any] = {}
    exec(CODE["hand"], names)
    return names["verified"](secret, headers, body)


def by_node(secret: str, headers: Mapping[str, str], body: bytes) -> Any:
    """Verify as the page does in Node."""
    said = json.dumps([secret, dict(headers), body.decode()])
    ask = "const said = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));\n"
    script = f"{NODE}\n{ask}console.log(JSON.stringify(verified(said[0], said[1], Buffer.from(said[2]))));"
    done = subprocess.run(["node", "-e", script], input=said, capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise ValueError("refused")
    return json.loads(done.stdout)


WAYS: dict[str, Verify] = {"library": by_library, "hand": by_hand, "node": by_node}


@pytest.fixture(params=WAYS)
def verify(request: pytest.FixtureRequest) -> Verify:
    """Each way of the page to verify."""
    if request.param == "node" and shutil.which("node") is None:
        pytest.skip("no node here")
    return WAYS[request.param]


@pytest.fixture
def guide(
    app: Flask, cast: Cast, clock: Clock, visits: Visits, settings: Settings, database: Database
) -> Guide:
    """The page, by the real clock: signatures are good for five minutes of it."""
    clock.now = datetime.now(UTC)
    gateways = {Channel.WEBHOOK: WebhookGateway(Egress(allow_loopback=True))}
    known = {"admin": cast.admin.token, "system": cast.scheduler.token}
    known["system_id"] = str(cast.scheduler.account_id)
    return Guide(app, Around(database, settings, gateways), clock, visits, Answering(), known)


def examples() -> Iterator[tuple[str, str]]:
    """Yield each request of the page with the answer shown below it."""
    found = FENCE.findall(PAGE)
    return zip(found[::2], found[1::2], strict=True)


def test_every_request_of_the_guide_gets_its_answer_and_its_receiver_what_is_shown(guide: Guide) -> None:
    with answering(guide.peer) as port:
        for asked, answered in examples():
            guide.ask(asked, answered, f"http://127.0.0.1:{port}/visits")
    *_, before, after = guide.peer.received
    assert before.body == after.body, "it was sent once more"
    assert len(after.headers["webhook-signature"].split()) == 2
    for secret in (guide.first_secret, guide.known["secret"]):
        assert by_library(secret, after.headers, after.body)["type"] == "visit_suggestion.created"


def signed(at: datetime, *secrets: str) -> Request:
    """Return an event as it is sent."""
    body = b'{"type":"webhook.test","timestamp":"2026-03-02T12:00:00Z","data":{"id":"1"}}'
    signatures = " ".join(Webhook(secret).sign("msg_1", at, body.decode()) for secret in secrets)
    stamp = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp()))}
    return Request("/visits", {**stamp, "webhook-signature": signatures}, body)


def test_what_is_signed_is_taken_also_while_the_secret_is_changed(verify: Verify) -> None:
    for secrets in ((SECRET,), (SECRET.replace("QUJD", "QUJE"), SECRET)):
        good = signed(datetime.now(UTC), *secrets)
        assert verify(SECRET, good.headers, good.body)["type"] == "webhook.test"


def test_what_is_tampered_with_old_or_signed_by_another_is_refused(verify: Verify) -> None:
    now, other = datetime.now(UTC), SECRET.replace("QUJD", "QUJE")
    fresh, old = signed(now, SECRET), signed(now - timedelta(hours=1), SECRET)
    ahead = signed(now + timedelta(hours=1), SECRET)
    for bad in (
        replace(fresh, body=fresh.body.replace(b"test", b"tent")),
        replace(fresh, headers={**fresh.headers, "webhook-id": "msg_2"}),
        *(old, ahead, signed(now, other)),
    ):
        with pytest.raises((ValueError, WebhookVerificationError)):
            verify(SECRET, bad.headers, bad.body)


def test_what_comes_twice_is_received_once() -> None:
    names: dict[str, Any] = {}
    exec(CODE["hand"] + CODE["receive"], names)
    event = signed(datetime.now(UTC), SECRET)
    database = sqlite3.connect(":memory:")
    found = [names["receive"](database, SECRET, event.headers, event.body) for _ in range(2)]
    database.close()
    assert [one is None for one in found] == [False, True]


def test_the_page_names_every_type_there_is_and_no_other() -> None:
    assert set(re.findall(r"^\| `((?:visit_suggestion|webhook)\.\w+)` \|", PAGE, re.MULTILINE)) == EVENT_TYPES


def test_the_schedule_on_the_page_is_that_of_the_code() -> None:
    seconds = [int(pause.total_seconds()) for pause in retry.WEBHOOK_PAUSES]
    assert seconds == [5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))]
    assert "at once, after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours" in PAGE
