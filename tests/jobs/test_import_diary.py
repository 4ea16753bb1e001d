"""What a diary of another app brings: the patient corrects it on the phone, like any other entry."""

from datetime import timedelta
from typing import Any

import pytest

from examples.phone import written
from jobs import day_close, import_diary
from jobs.around import Around
from jobs.past import Told
from server.database import Database
from tests.cast import Cast
from tests.conftest import Clock, rows_of
from tests.visits import Visits

MAP = """
date: {column: day, format: "%Y-%m-%d"}
time: {column: time, format: "%H:%M"}
zone: Europe/Berlin
items:
  mood: {column: mood, low: 0, high: 7, direction: high_good}
note: {column: note}
"""
HEADER = "day,time,mood,note\n"


def stopped(_: int) -> None:
    raise KeyboardInterrupt


def brought(
    database: Database,
    cast: Cast,
    clock: Clock,
    rows: str,
    mapped: str = MAP,
    told: Told = lambda _: None,
) -> import_diary.Outcome:
    who = "demo", cast.ana.patient_id
    assert who[1] is not None
    files = mapped, (HEADER + rows).encode()
    return import_diary.write(database, import_diary.prepare(database, who, files, clock.now), told)


@pytest.fixture
def imported(database: Database, cast: Cast, clock: Clock) -> dict[str, Any]:
    """One imported entry, as a phone has it that has synced."""
    brought(database, cast, clock, "2026-02-25,10:00,3,a\x7fb\x85c\u202ed\ufffee cafe\u0301\n")
    (change,) = cast.ana.post("/sync", {}).json["changes"]
    assert (change["items"], change["note"]) == ({"mood": 4.285714}, "ab\ncde caf\u00e9")
    return dict(change)


def test_an_imported_entry_is_corrected_with_the_rest_sent_back_as_it_came(
    cast: Cast, imported: dict[str, Any]
) -> None:
    body = {**(written(imported) or {}), "note": "my correction"}
    kept = cast.ana.put(f"/entries/{imported['id']}", body, version=1).json["entry"]
    assert (kept["items"], kept["note"], kept["source"]) == ({"mood": 4.285714}, "my correction", "import")
    more = {**body, "items": {**body["items"], "energy": 3}}
    item = {"id": imported["id"], "action": "put", "base_version": 2, "entry": more}
    (result,) = cast.ana.post("/sync", {"items": [item]}).json["results"]
    assert (result["verdict"], result["version"]) == ("updated", 3)


@pytest.mark.parametrize("items", [{"mood": 4.3}, {"mood": 4.285714, "energy": 3.9}, {"energy": 4.285714}])
def test_what_is_changed_in_an_imported_entry_is_whole(
    cast: Cast, imported: dict[str, Any], items: dict[str, float]
) -> None:
    (wrong,) = (key for key, value in items.items() if (key, value) != ("mood", 4.285714))
    body = {**(written(imported) or {}), "items": items}
    refused = cast.ana.put(f"/entries/{imported['id']}", body, version=1)
    said = [{"pointer": f"/items/{wrong}", "detail": "Must be a whole number."}]
    assert (refused.status_code, refused.json["errors"]) == (422, said)
    assert cast.ana.get(f"/entries/{imported['id']}").json["version"] == 1


def test_a_fraction_that_is_refused_hides_nothing_that_cannot_wait(
    cast: Cast, imported: dict[str, Any]
) -> None:
    body = {**(written(imported) or {}), "items": {"mood": 3.9}, "safety": "often"}
    item = {"id": imported["id"], "action": "put", "base_version": 1, "entry": body}
    (result,) = cast.ana.post("/sync", {"items": [item]}).json["results"]
    assert (result["verdict"], result["notice"]["kind"]) == ("invalid", "crisis_lines")
    (alert,) = cast.bo.get("/alerts").json["items"]
    assert alert["family"] == "safety"


def test_a_time_that_does_not_exist_and_the_one_after_it_are_two_entries(
    database: Database, cast: Cast, clock: Clock
) -> None:
    rows = "2025-03-30,02:30,3,gap\n2025-03-30,03:30,4,after\n2025-10-26,02:30,4,a\n2025-10-26,02:30,5,b\n"
    outcome = brought(database, cast, clock, rows)
    assert (outcome.tally.created, outcome.refused) == (4, ())
    again = brought(database, cast, clock, rows)
    assert (again.tally.created, again.tally.duplicates, again.refused) == (0, 4, ())


def moods(cast: Cast) -> list[tuple[float, str]]:
    found = cast.ana.get("/entries").json["items"]
    return sorted((one["items"]["mood"], one["note"]) for one in found)


def test_rows_of_one_moment_are_known_by_what_they_say_whatever_their_order(
    database: Database, cast: Cast, clock: Clock
) -> None:
    first, second, third = (f"2026-02-25,,{mood},{note}\n" for mood, note in ((7, "a"), (0, "b"), (0, "b")))
    brought(database, cast, clock, first)
    longer = brought(database, cast, clock, second + first)
    assert (longer.tally.created, longer.tally.duplicates, longer.refused) == (1, 1, ())
    again = brought(database, cast, clock, third + second + first)
    assert (again.tally.created, again.tally.duplicates, again.refused) == (1, 2, ())
    assert moods(cast) == [(0, "b"), (0, "b"), (10, "a")]


def test_a_row_that_is_mended_comes_in_beside_those_of_its_moment_that_are_there(
    database: Database, cast: Cast, clock: Clock
) -> None:
    brought(database, cast, clock, "2026-02-25,,x,a\n2026-02-25,,7,b\n")
    mended = brought(database, cast, clock, "2026-02-25,,0,a\n2026-02-25,,7,b\n")
    assert (mended.tally.created, mended.tally.duplicates, mended.refused) == (1, 1, ())
    assert moods(cast) == [(0, "a"), (10, "b")]


def test_a_row_of_a_moment_that_now_says_something_else_is_left_out(
    database: Database, cast: Cast, clock: Clock
) -> None:
    brought(database, cast, clock, "2026-02-25,,0,a\n2026-02-25,,7,b\n")
    changed = brought(database, cast, clock, "2026-02-25,,7,b\n2026-02-25,,7,not a\n")
    assert (changed.tally.created, changed.tally.duplicates, changed.refused) == (0, 1, (3,))
    assert moods(cast) == [(0, "a"), (10, "b")]


def families(cast: Cast) -> set[str]:
    return {alert["family"] for alert in cast.bo.get("/alerts").json["items"]}


def test_a_diary_from_before_the_first_entries_is_what_they_are_measured_against(
    database: Database, cast: Cast, visits: Visits, clock: Clock
) -> None:
    clock.forward(days=28)
    visits.log(28, items={"mood": 8}, side_effects={"dissociation": 1})
    clock.forward(days=8)
    visits.log(8, items={"mood": 2})
    assert families(cast) == {"side_effect"}, "nobody knows of a session"
    first, session = (visits.now - timedelta(days=back) for back in (50, 36))
    rows = "".join(f"{first + timedelta(days=n):%Y-%m-%d},10:00,1,\n" for n in range(13))
    given = f"sessions: [{session:%Y-%m-%d}]\ncourse: {{route: intranasal, condition: depression}}\n"
    with pytest.raises(KeyboardInterrupt):  # Ctrl-C once all of it is written
        brought(database, cast, clock, rows, MAP + given, stopped)
    brought(database, cast, clock, rows, MAP + given)  # as the guide says of what was cut off
    (arm,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert arm["latest"]["state"] == "relapsed"
    assert families(cast) == {"side_effect", "mood_relapse"}
    hours = [one["hours_since_session"] for one in cast.bo.get(f"{visits.ana}/entries").json["items"]]
    assert None not in hours[13:]


def test_days_on_which_nothing_was_logged_are_judged_by_what_is_brought_before_them(
    database: Database, around: Around, cast: Cast, visits: Visits, clock: Clock
) -> None:
    visits.log(13, items={"mood": 1})
    for _ in range(9):
        day_close.run(around, clock.forward(days=1))
    given = clock.now - timedelta(days=8)
    told = f"sessions: [{given:%Y-%m-%d}]\ncourse: {{route: intranasal, condition: depression}}\n"
    brought(database, cast, clock, f"{given:%Y-%m-%d},09:00,1,\n", MAP + told)
    (arm,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert arm["latest"]["state"] != "no_baseline", "there is a session to measure from"


@pytest.mark.long
def test_what_lay_amid_a_long_diary_is_timed_and_judged_also_after_a_break_in_the_middle(
    database: Database, cast: Cast, visits: Visits, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.forward(days=20)
    visits.log(20, items={"mood": 8})
    clock.forward(days=8)
    visits.log(8, items={"mood": 2})
    session, first = (clock.now - timedelta(days=back) for back in (28, 42))
    rows = "".join(f"{first + timedelta(days=n):%Y-%m-%d},10:00,1,\n" for n in range(13))
    rows += f"{clock.forward(days=20):%Y-%m-%d},10:00,6,\n"
    given = f"sessions: [{session:%Y-%m-%d}]\ncourse: {{route: intranasal, condition: depression}}\n"
    monkeypatch.setattr("jobs.past.BATCH", 14)
    with pytest.raises(KeyboardInterrupt):
        brought(database, cast, clock, rows, MAP + given, stopped)
    again = brought(database, cast, clock, rows, MAP + given)
    assert (again.tally.created, again.tally.sessions) == (1, 0)
    assert "mood_relapse" in families(cast)
    hours = [one["hours_since_session"] for one in cast.bo.get(f"{visits.ana}/entries").json["items"]]
    assert None not in hours[13:]


def test_what_lay_after_a_session_is_judged_by_it_where_a_break_came_and_nothing_else_is_new(
    database: Database, cast: Cast, visits: Visits, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = clock.now - timedelta(days=48)
    moods = [1] * 13 + [6] * 27 + [1] * 8
    rows = "".join(f"{first + timedelta(days=n):%Y-%m-%d},10:00,{mood},\n" for n, mood in enumerate(moods))
    brought(database, cast, clock, rows)
    assert families(cast) == set(), "nobody knows of a session"
    given = f"sessions: [{first + timedelta(days=13):%Y-%m-%d}]\n"
    given += "course: {route: intranasal, condition: depression}\n"
    monkeypatch.setattr("jobs.past.BATCH", 20)
    with pytest.raises(KeyboardInterrupt):
        brought(database, cast, clock, rows, MAP + given, stopped)
    again = brought(database, cast, clock, rows, MAP + given)
    assert (again.tally.created, again.tally.sessions) == (0, 0)
    assert families(cast) == {"mood_relapse"}
    left = rows_of(database)
    brought(database, cast, clock, rows, MAP + given)
    assert rows_of(database) == left, "once is enough"


def test_what_the_phone_brings_meanwhile_is_timed_from_a_session_that_comes_after_it(
    database: Database, cast: Cast, visits: Visits, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.past.BATCH", 3)
    first, session = (clock.now - timedelta(days=back) for back in (9, 2))
    rows = "".join(f"{first + timedelta(days=n):%Y-%m-%d},10:00,1,\n" for n in range(4))
    given = f"sessions: [{session:%Y-%m-%d}]\ncourse: {{route: intranasal, condition: depression}}\n"
    steps: list[int] = []

    def logs(number: int) -> None:
        if not steps:
            visits.log(1, items={"mood": 8})
        steps.append(number)

    brought(database, cast, clock, rows, MAP + given, logs)
    assert steps == [3, 2]
    hours = [one["hours_since_session"] for one in cast.bo.get(f"{visits.ana}/entries").json["items"]]
    assert hours.count(None) == 4, "what she logged meanwhile comes after the session"


def test_a_diary_over_days_that_the_phone_told_of_takes_back_what_the_watch_found_of_them(
    database: Database, cast: Cast, clock: Clock, visits: Visits
) -> None:
    visits.session(visits.course(), clock.now)
    for mood in (8,) * 14 + (1,) * 5 + (8,):
        clock.forward(days=1)
        visits.log(1, items={"mood": mood})
    assert stage_of_mood(visits) == "probable"
    days = (clock.now - timedelta(days=back) for back in (5, 4, 3, 2, 1))
    brought(database, cast, clock, "".join(f"{day:%Y-%m-%d},09:00,7,\n" for day in days))
    assert stage_of_mood(visits) == "calm"


def stage_of_mood(visits: Visits) -> str:
    arms = visits.cast.bo.get(f"{visits.ana}/watch").json["arms"]
    return str(next(arm["stage"] for arm in arms if arm["arm"] == "mood"))
