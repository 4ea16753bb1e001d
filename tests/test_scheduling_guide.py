"""Every request of docs/scheduling.md is sent, in order, and gets the answer shown; tables are compared."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from server.clinical.vocabulary import ReviewCode
from server.gateways.scheduling import adapters
from tests.cast import Cast
from tests.source import ROOT
from tests.test_mobile_guide import FENCE, Message, filled, shown
from tests.visits import Visits

PAGE = (ROOT / "docs" / "scheduling.md").read_text("utf-8")
REPORTS = ("acknowledge", "propose-time", "book", "decline", "arrive", "cancel", "noshow", "complete")


@dataclass
class Guide:
    """Plays the page from top to bottom."""

    app: Flask
    known: dict[str, str] = field(default_factory=dict)

    def ask(self, asked: str, answered: str) -> None:
        """Send one request of the page and compare its answer."""
        request, wanted = Message.read(filled(asked, self.known)), Message.read(answered)
        method, path = request.first.split(" ")
        answer = self.app.test_client().open(path, method=method, json=request.body, headers=request.headers)
        assert str(answer.status_code) == wanted.first, f"{asked}\n{answer.text}"
        assert shown(wanted.body, answer.json), f"{asked}\n{answer.text}"
        self.learn(answer.json)

    def learn(self, said: Any) -> None:
        """Keep the ids that later requests name."""
        if said.get("items"):
            self.known["id"] = said["items"][0]["id"]
        if "connection" in said:
            self.known["connection_id"] = said["connection"]["id"]


def test_every_request_of_the_page_gets_the_answer_shown(app: Flask, cast: Cast, visits: Visits) -> None:
    visits.approved()
    guide = Guide(app, {"access_token": cast.scheduler.token, "admin_token": cast.admin.token})
    found = FENCE.findall(PAGE)
    assert len(found) >= 10
    for asked, answered in zip(found[::2], found[1::2], strict=True):
        guide.ask(asked, answered)


def test_the_connection_of_the_page_is_one_that_its_adapter_takes() -> None:
    bodies = re.findall(r'^\{"kind": .*"config": .*\}$', PAGE, re.MULTILINE)
    (body,) = map(json.loads, bodies)
    adapters.check(body["kind"], body["config"])


def test_every_report_of_the_inbox_stands_in_the_table(app: Flask) -> None:
    rules = {rule.rule.rpartition("/")[2] for rule in app.url_map.iter_rules() if "/inbox/b" in rule.rule}
    said = re.findall(r"^\| `([a-z-]+)` \|", PAGE.partition("## Report")[2].partition("## ")[0], re.MULTILINE)
    assert set(said) == set(REPORTS)
    assert set(REPORTS) <= rules


def test_every_reason_for_a_review_stands_in_the_table() -> None:
    section = PAGE.partition("## Where two systems do not agree")[2]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(ReviewCode)
