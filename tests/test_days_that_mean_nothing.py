"""A phone whose clock is off by days: what it dates is kept, taken, and hides nothing that is true."""

from datetime import timedelta
from typing import Any

import pytest

from tests.cast import Cast, Person, entry, pushed
from tests.conftest import Clock
from tests.scales import filled

RIGHT = timedelta()


def send(who: Person, clock: Clock, off: timedelta, item: dict[str, Any]) -> dict[str, Any]:
    """Let a phone whose clock is ``off`` by so much send one item; return the result."""
    answer = who.post("/sync", {"items": [item], "sent_at": (clock.now + off).isoformat()})
    (result,) = answer.json["results"]
    return dict(result)


def logs(who: Person, clock: Clock, off: timedelta = RIGHT, **parts: Any) -> dict[str, Any]:
    """Let it log an entry of now, as it dates that."""
    return send(who, clock, off, pushed("entry", entry(clock.now + off, **parts)))


def fills(who: Person, clock: Clock, off: timedelta, body: dict[str, Any]) -> dict[str, Any]:
    """Let it send a filled scale, which it has dated already."""
    return send(who, clock, off, pushed("questionnaire_response", body))


@pytest.mark.parametrize("days", [-20_000, -900, -3, 40, 900])
def test_a_scale_that_is_asked_is_taken_whatever_the_phones_clock_says(
    cast: Cast, clock: Clock, days: int
) -> None:
    bo, ana = f"/patients/{cast.ana.patient_id}/check-in-plan", cast.ana
    scale = {
        "instrument": "phq-9",
        "anchor": "once",
        "offsets": [],
        "first_day": "2026-03-02",
        "open_days": 3,
    }
    assert cast.bo.put(bo, {"scales": [{**scale, "every_days": None}]}, version=1).status_code == 200
    off = timedelta(days=days)
    assert logs(ana, clock, off)["verdict"] == "created"
    asked = [one for one in ana.get("/me/today").json["occurrences"] if one["instrument"]]
    body = filled(clock.now + off, occurrence=asked[0]["key"])
    assert fills(ana, clock, off, body)["verdict"] == "created"
    assert [one["done"] for one in ana.get("/me/today").json["occurrences"] if one["instrument"]] == [True]


def test_a_scale_filled_offline_by_a_wrong_clock_is_taken_months_later(cast: Cast, clock: Clock) -> None:
    off = timedelta(days=-900)
    shown = {"recorded_at": (clock.now + off).isoformat()}
    body = filled(clock.now + off, occurrence="phq-9:2026-03-02", **shown)
    clock.forward(days=70)
    item = pushed("questionnaire_response", body)
    assert send(cast.ana, clock, off, item)["verdict"] == "created"
    mended = {**body, "answers": {**body["answers"], "q1": 1}}
    clock.forward(days=70)
    again = {**item, "base_version": 1, "questionnaire_response": mended}
    assert send(cast.ana, clock, RIGHT, again)["verdict"] == "updated"
    never = filled(clock.now + off, occurrence="phq-9:2031-03-02")
    assert fills(cast.ana, clock, off, never)["verdict"] == "invalid"
