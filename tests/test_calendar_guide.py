"""Every request of docs/scheduling-calendar.md is sent, in order, and gets the answer shown."""

import json
import re
from collections.abc import Iterator

from flask import Flask
from werkzeug.test import TestResponse

from server.calendars.visit import STATUS, method_of
from server.clinical.calendar_reply import CalendarVerdict
from server.clinical.vocabulary import SuggestionState
from server.services.visits import calendar_feed as calendar_feeds
from tests.cast import Cast
from tests.conftest import Clock
from tests.source import ROOT
from tests.test_mobile_guide import FENCE, filled, shown
from tests.visits import Visits

TEXT = (ROOT / "docs" / "scheduling-calendar.md").read_text("utf-8")


def parts(text: str) -> tuple[str, dict[str, str], str]:
    """Return first line, headers and body of an example."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.strip().split("\n")
    pairs = (line.partition(": ") for line in lines)
    return first, {name: value for name, _, value in pairs}, body


def examples() -> Iterator[tuple[str, str]]:
    """Yield each request with the answer below it."""
    found = FENCE.findall(TEXT)
    return zip(found[::2], found[1::2], strict=True)


def test_every_request_of_the_page_gets_the_answer_it_shows(
    app: Flask, visits: Visits, cast: Cast, clock: Clock
) -> None:
    known = {"coordinator": cast.coordinator.token, "scheduler": cast.scheduler.token}
    known["suggestion"] = visits.approved()
    clock.forward(days=1)
    known |= {name: getattr(cast, name).token for name in ("coordinator", "scheduler")}
    for asked, answered in examples():
        first, headers, body = parts(filled(asked, known))
        answer = app.test_client().open(
            first.split(" ")[1], method=first.split(" ")[0], headers=_typed(headers, body), data=body.encode()
        )
        _is_as_shown(answer, answered)
        known |= _learned(answer)


def _typed(headers: dict[str, str], body: str) -> dict[str, str]:
    return {"Content-Type": "application/json", **headers} if body else headers


def _is_as_shown(answer: TestResponse, answered: str) -> None:
    status, headers, body = parts(answered)
    assert answer.status_code == int(status), answer.text
    assert {name: answer.headers[name] for name in headers} == headers
    assert not body or shown(json.loads(body), answer.get_json()), answer.text


def _learned(answer: TestResponse) -> dict[str, str]:
    said = answer.get_json() if answer.is_json else {}
    if "url" not in said:
        return {}
    return {"token": said["url"].split("/")[-2], "id": said["feed"]["id"]}


def test_the_table_of_states_is_that_of_the_code() -> None:
    rows = TEXT.partition("| state | STATUS | mail |\n")[2].partition("\n\n")[0].splitlines()[1:]
    told = {}
    for row in rows:
        states, status, mail = (cell.strip() for cell in row.strip("|").split("|"))
        told |= dict.fromkeys(re.findall(r"`(\w+)`", states), (status, mail))
    known = {state.value: (STATUS[state], method_of(state).value) for state in STATUS}
    assert told == {**known, SuggestionState.DRAFT.value: ("never leaves", "none")}


def test_the_page_names_every_verdict_and_the_days_of_the_feed() -> None:
    assert [verdict for verdict in CalendarVerdict if f"`{verdict.value}`" not in TEXT] == []
    days = f"last {calendar_feeds.PAST.days} and the next {calendar_feeds.AHEAD.days} days"
    assert days in TEXT
