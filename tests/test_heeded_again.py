"""What is refused rings once for each report: not at every sync, but again where it is another one."""

from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from jobs import import_diary
from server.api.edge import Surroundings
from server.database import Database
from tests.api.test_sync import put
from tests.cast import Cast, entry, opened_alerts
from tests.conftest import Clock
from tests.test_refused_safety import alerts, events

# An urgent answer is told anew after so long without one: `alert.return_days`.
QUIET = 7
WRONG: dict[str, Any] = {"zone": "Europe/Oslo", "occurred_at": None, "safety": "plan"}
MAP = """
date: {column: day, format: "%Y-%m-%d"}
time: {column: time, format: "%H:%M"}
zone: Europe/Oslo
source: paper
items: {mood: {column: mood, low: 0, high: 10, direction: high_good}}
safety: {column: dark, answers: {never: no, plan: plan}}
"""


def close(cast: Cast, app: Flask) -> None:
    """Let Bo deal with what is open."""
    for alert in alerts(app):
        if alert.state.value != "resolved":
            cast.bo.post(f"/alerts/{alert.id}/acknowledge", {})
            version = cast.bo.get(f"/alerts/{alert.id}").json["version"]
            done = {"outcome": "contacted", "note": "We talked."}
            assert cast.bo.post(f"/alerts/{alert.id}/resolve", done, version=version).status_code == 200


def test_the_same_answer_in_another_entry_rings_however_soon(app: Flask, cast: Cast, clock: Clock) -> None:
    for days in (0, 1, 30):
        clock.forward(days=days)
        answer = cast.ana.put(f"/entries/{uuid7()}", WRONG)
        assert (answer.status_code, answer.json["notice"]["kind"]) == (422, "emergency")
        assert alerts(app)[-1].state.value == "open"
        close(cast, app)
    assert events(app).count("opened") == 3


def refused_item(cast: Cast, clock: Clock, how: str) -> dict[str, Any]:
    """Return an item that is refused however often it is pushed."""
    if how == "invalid":
        return put(WRONG)
    stored = put(entry(clock.now))
    cast.ana.post("/sync", {"items": [stored]})
    return {**stored, "entry": entry(clock.now, safety="plan")}


@pytest.mark.parametrize("how", ["invalid", "conflict"])
def test_a_phone_that_repeats_itself_rings_once_until_it_was_closed_for_a_while(
    app: Flask, cast: Cast, clock: Clock, how: str
) -> None:
    said = refused_item(cast, clock, how)

    def push() -> list[str]:
        (result,) = cast.ana.post("/sync", {"items": [said]}).json["results"]
        assert (result["verdict"], result["notice"]["kind"]) == (how, "emergency")
        return events(app)

    assert push() == ["opened"]
    for _ in range(QUIET + 2):  # nobody has closed it
        clock.forward(days=1)
        assert push() == ["opened"]
    close(cast, app)
    closed = events(app)
    for _ in range(QUIET - 1):
        clock.forward(days=1)
        assert push() == closed
    clock.forward(days=1, minutes=1)
    assert push() == [*closed, "opened"]
    assert push() == [*closed, "opened"]


def test_a_repeat_is_known_by_its_id_in_whatever_way_it_comes(app: Flask, cast: Cast, clock: Clock) -> None:
    said = put(WRONG)
    cast.ana.post("/sync", {"items": [said]})
    cast.ana.post("/sync", {"items": [said], "colour": "blue"})  # refused as a whole
    for spelled in (said["id"], said["id"].upper()):
        assert cast.ana.put(f"/entries/{spelled}", WRONG).json["notice"]["kind"] == "emergency"
    assert events(app) == ["opened"]


class Paper:
    """Imports a paper diary of Ana's, as often as somebody likes."""

    def __init__(self, app: Flask, cast: Cast, clock: Clock) -> None:
        self.database: Database = Surroundings.of(app).database
        self.app, self.cast, self.clock = app, cast, clock

    def bring(self, *rows: str) -> list[str]:
        """Import ``rows``, all of which are refused; return what happened to alerts so far."""
        text = "\n".join(("day,time,mood,dark", *rows)).encode()
        who = ("demo", self.cast.ana.patient_id)
        plan = import_diary.prepare(self.database, who, (MAP, text), self.clock.now)  # type: ignore[arg-type]
        assert len(plan.mapped.refusals) == len(rows)
        import_diary.write(self.database, plan)
        return events(self.app)


@pytest.fixture
def paper(app: Flask, cast: Cast, clock: Clock) -> Paper:
    """Her diary."""
    return Paper(app, cast, clock)


FEBRUARY, MARCH = "2026-02-25,25:99,1,plan", "2026-03-01,25:99,1,plan"


def test_a_row_of_another_day_rings_and_a_second_import_of_one_never_does(
    app: Flask, cast: Cast, clock: Clock, paper: Paper
) -> None:
    assert paper.bring(FEBRUARY) == ["opened"]
    assert paper.bring(FEBRUARY) == ["opened"]
    close(cast, app)
    closed = events(app)
    clock.forward(days=5)
    assert paper.bring(FEBRUARY) == closed
    assert paper.bring(MARCH) == [*closed, "opened"]
    # Diaries that begin with their newest day move their lines.
    assert paper.bring(MARCH, FEBRUARY) == [*closed, "opened"]
    clock.forward(days=60)
    close(cast, app)
    closed = events(app)
    clock.forward(days=60)
    assert paper.bring(MARCH, FEBRUARY) == closed


def test_two_rows_that_say_the_same_of_one_moment_are_two(paper: Paper) -> None:
    assert paper.bring(FEBRUARY, FEBRUARY) == ["opened", "repeated"]
    assert paper.bring(FEBRUARY, FEBRUARY) == ["opened", "repeated"]


def test_a_row_without_a_day_is_known_by_its_line_and_not_for_ever(
    app: Flask, cast: Cast, clock: Clock, paper: Paper
) -> None:
    nowhere = "sometime,12:00,1,plan"
    assert paper.bring(nowhere) == ["opened"]
    assert paper.bring(nowhere) == ["opened"]
    close(cast, app)
    closed = events(app)
    assert paper.bring(nowhere) == closed
    clock.forward(hours=1)
    assert paper.bring("2026-02-25,25:99,1,never", nowhere) == [*closed, "opened"]
    close(cast, app)
    closed = events(app)
    clock.forward(days=QUIET, minutes=1)
    assert paper.bring(nowhere) == [*closed, "opened"]
    assert opened_alerts(paper.database)[-1].day == clock.now.date()
