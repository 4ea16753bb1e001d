"""Days that come in after the alert they belong to: what they show of its beginning, and what they do not."""

from datetime import timedelta
from typing import Any

from tests.cast import Cast, entry, push, pushed
from tests.conftest import Clock
from tests.visits import Visits

WELL = {"mood": 7, "interest": 7, "anxiety": 2, "restlessness": 2, "sleep_quality": 7}
ILL = {"mood": 1, "interest": 1, "anxiety": 9, "restlessness": 9, "sleep_quality": 1}
USUAL = {**WELL, "energy": 5, "sleep_hours": 8}
DRIVEN = {**USUAL, "energy": 9, "sleep_hours": 4}


def days(clock: Clock, back: range, items: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an entry for each of the days ``back``, written down on the day, as a phone pushes them."""
    moments = [clock.now - timedelta(days=n) for n in back]
    return [pushed("entry", entry(at, items=items, recorded_at=at.isoformat())) for at in moments]


def on(clock: Clock, back: int) -> str:
    """Return the day so many days ago."""
    return (clock.now - timedelta(days=back)).date().isoformat()


def shown(cast: Cast, family: str) -> Any:
    """Return the one open alert of ``family``, with everything."""
    (alert,) = (a for a in cast.bo.get("/alerts").json["items"] if a["family"] == family)
    return cast.bo.get(f"/alerts/{alert['id']}").json


def treated_and_well(cast: Cast, clock: Clock, visits: Visits) -> None:
    """Let Ana have had a session 60 days ago, and good days until a fortnight ago."""
    visits.session(visits.course(), clock.now - timedelta(days=60))
    push(cast.ana, days(clock, range(59, 14, -1), WELL))


def test_what_a_phone_without_a_signal_kept_shows_since_when_it_has_lasted(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    treated_and_well(cast, clock, visits)
    push(cast.ana, days(clock, range(6, -1, -1), ILL))
    before = shown(cast, "mood_relapse")
    push(cast.ana, days(clock, range(14, 6, -1), ILL))
    after = shown(cast, "mood_relapse")
    assert after["evidence"]["first_day"] <= on(clock, 12) < before["evidence"]["first_day"]
    report = after["evidence"]["reports"][-1]
    assert (report["day"], "rule R" in report["text"]) == (after["evidence"]["first_day"], True)
    assert (after["state"], after["summary"]) == ("open", before["summary"]), "and nobody is told twice"
    assert [event["kind"] for event in after["events"][len(before["events"]) :]] == ["repeated"]
    push(cast.ana, days(clock, range(6, -1, -1), ILL))
    assert shown(cast, "mood_relapse")["evidence"]["first_day"] == after["evidence"]["first_day"]


def test_it_stays_supported_by_its_first_days_where_the_day_that_opened_it_is_corrected(
    cast: Cast, clock: Clock
) -> None:
    push(cast.ana, days(clock, range(27, 10, -1), USUAL))
    (last, *_) = late = days(clock, range(0, -1, -1), DRIVEN)
    push(cast.ana, days(clock, range(1, 0, -1), DRIVEN) + late)
    assert shown(cast, "activation")["evidence"]["first_day"] == on(clock, 0)
    push(cast.ana, days(clock, range(6, 3, -1), DRIVEN))
    alert = shown(cast, "activation")
    assert alert["evidence"]["first_day"] == on(clock, 5)
    calm = entry(clock.now, items=USUAL)
    assert cast.ana.put(f"/entries/{last['id']}", calm, version=1).status_code == 200
    assert not shown(cast, "activation")["evidence"].get("disproved")


def test_days_of_an_episode_that_was_closed_are_none_of_the_open_one(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    treated_and_well(cast, clock, visits)
    push(cast.ana, days(clock, range(6, -1, -1), ILL))
    alert = shown(cast, "mood_relapse")
    body = {"outcome": "contacted", "note": "Called."}
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", body, alert["version"]).status_code == 200
    clock.forward(days=21)
    push(cast.ana, days(clock, range(6, -1, -1), ILL))
    first = shown(cast, "mood_relapse")["evidence"]["first_day"]
    assert first >= on(clock, 6)
    push(cast.ana, days(clock, range(30, 27, -1), ILL))
    assert shown(cast, "mood_relapse")["evidence"]["first_day"] == first


def test_days_of_an_episode_that_was_over_by_then_are_none_of_the_open_one(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    treated_and_well(cast, clock, visits)
    clock.forward(days=50)
    push(cast.ana, days(clock, range(49, 6, -1), WELL))
    push(cast.ana, days(clock, range(6, -1, -1), ILL))
    first = shown(cast, "mood_relapse")["evidence"]["first_day"]
    assert first >= on(clock, 6)
    push(cast.ana, days(clock, range(60, 50, -1), ILL))
    assert shown(cast, "mood_relapse")["evidence"]["first_day"] == first


def test_what_returns_after_all_that_somebody_had_in_hand_was_disproved_is_told_anew(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    treated_and_well(cast, clock, visits)
    push(cast.ana, days(clock, range(14, 3, -1), WELL))
    slips = days(clock, range(2, -1, -1), ILL)
    push(cast.ana, slips)
    alert = shown(cast, "mood_relapse")
    assert cast.bo.post(f"/alerts/{alert['id']}/acknowledge").status_code == 200
    for slip in slips:
        right = {**slip["entry"], "items": WELL}
        assert cast.ana.put(f"/entries/{slip['id']}", right, version=1).status_code == 200
    alert = shown(cast, "mood_relapse")
    assert (alert["state"], alert["evidence"]["disproved"]) == ("acknowledged", True)
    clock.forward(days=2)
    push(cast.ana, days(clock, range(1, -1, -1), ILL))
    again = shown(cast, "mood_relapse")
    assert (again["state"], again["evidence"].get("disproved")) == ("open", None)
    assert "worsened" in [event["kind"] for event in again["events"]]
    assert cast.bo.post(f"/alerts/{alert['id']}/acknowledge").status_code == 200
    push(cast.ana, days(clock, range(1, -1, -1), ILL))
    assert shown(cast, "mood_relapse")["state"] == "acknowledged", "the same calls nobody again"
