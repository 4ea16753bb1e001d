"""The trend: the patient's own numbers with their gaps and the sessions on them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from uuid_utils.compat import uuid7

from server.database import Database
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.scales import filled, with_item9
from tests.visits import Visits


def test_a_trend_folds_the_entries_of_a_day_and_keeps_the_gaps(cast: Cast, clock: Clock) -> None:
    for mood in (4, 7):
        items = {"mood": mood, "interest": 6, "anxiety": 2, "restlessness": 2, "sleep_quality": 7}
        cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, items=items))
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now - timedelta(days=2), items={"pain_average": 3}))
    days = cast.ana.get("/me/trend?first=2026-02-28&last=2026-03-02").json["days"]
    assert [day["day"] for day in days] == ["2026-02-28", "2026-03-01", "2026-03-02"]
    assert [day["items"].get("mood") for day in days] == [None, None, 5.5]
    # (10 - 5.5) + (10 - 6) + 2 + 2 + (10 - 7), by five
    assert [day["composites"] for day in days] == [
        {"mood": None, "pain": 3.0},
        {"mood": None, "pain": None},
        {"mood": pytest.approx(3.1), "pain": None},
    ]


def test_sessions_stand_on_their_days_and_cancelled_ones_do_not(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    course = visits.course()
    given = visits.session(course, clock.now - timedelta(days=1))
    gone = visits.session(course, clock.now, "planned")
    cast.bo.patch(f"{visits.ana}/treatment-sessions/{gone['id']}", {"status": "cancelled"}, version=1)
    days = cast.ana.get("/me/trend").json["days"]
    assert [(d["day"], s["id"]) for d in days for s in d["treatment_sessions"]] == [
        ("2026-03-01", given["id"])
    ]


def test_the_usual_trend_is_ninety_days_and_a_long_one_is_refused(cast: Cast) -> None:
    usual = cast.ana.get("/me/trend").json
    assert (usual["first"], usual["last"], len(usual["days"])) == ("2025-12-03", "2026-03-02", 90)
    assert len(cast.ana.get("/me/trend?first=2025-01-27").json["days"]) == 400
    for query in ("first=2025-01-26", "first=2026-03-03", "first=2026-02-02&last=2026-02-01", "first=2026"):
        assert cast.ana.get(f"/me/trend?{query}").status_code == 422


def test_the_patients_own_trend_says_nothing_of_alerts_or_states(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="often"))
    visits.relapse()
    own, shown = cast.ana.get("/me/trend"), cast.bo.get(f"{visits.ana}/trend")
    assert own.json == shown.json
    assert set(own.json["days"][0]) == {"day", "items", "composites", "treatment_sessions"}
    for word in ("state", "signal", "alert", "baseline", "rule", "safety"):
        assert f'"{word}' not in own.text


def test_a_drawn_trend_stands_alone_and_both_sides_see_the_same(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=1))
    visits.log(3)
    own, shown = cast.ana.get("/me/trend.svg"), cast.bo.get(f"{visits.ana}/trend.svg")
    assert own.mimetype == "image/svg+xml"
    assert own.headers["Cache-Control"] == "no-store"
    assert own.data == shown.data
    assert "Mood: 3 of 90 days." in own.text
    assert "1 Mar 2026 (delivered)" in own.text
    assert "Ana" not in own.text
    assert cast.ana.get("/me/trend.svg?first=2025-01-26").status_code == 422


def fill(person: Person, scale: dict[str, Any], owner: str = "") -> str:
    path = f"{owner}/questionnaire-responses/{uuid7()}"
    answer = person.put(path, scale)
    assert answer.status_code == 201, answer.text
    return path


def test_a_trend_has_a_series_for_each_scale_without_what_was_taken_back_or_rated_by_a_clinician(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    answers = {f"q{n}": None if n in (2, 3) else 2 for n in range(1, 10)}
    fill(cast.ana, filled(clock.now, answers=answers | {"q9": 0}))
    fill(cast.ana, filled(clock.now - timedelta(days=14), each=1, answers={"q1": 1}))
    fill(cast.ana, filled(clock.now - timedelta(days=25), each=1))
    cast.ana.delete(fill(cast.ana, filled(clock.now, "gad-7")), version=1)
    fill(cast.ana, filled(clock.now, "digibp", answers={"fatigue": 1}))
    fill(cast.bo, rated(clock, "madrs"), visits.ana)
    fill(cast.bo, rated(clock, "isi"), visits.ana)
    isi, phq9 = cast.ana.get("/me/trend?first=2026-02-10").json["scales"]
    parts = ("instrument", "instrument_version", "low", "high", "direction", "items", "sensitivity")
    assert [phq9[part] for part in parts] == ["phq-9", 1, 0, 27, "high_bad", 9, "ordinary"]
    assert [(one["day"], one["total"], one["prorated"], one["answered"]) for one in phq9["responses"]] == [
        ("2026-02-16", None, False, 1),
        ("2026-03-02", 15, True, 7),
    ]
    assert (isi["instrument"], [one["answered"] for one in isi["responses"]]) == ("isi", [None])


def test_of_an_occurrence_answered_twice_the_trend_has_the_answer_that_counts(
    cast: Cast, clock: Clock
) -> None:
    asked = f"gad-7:{clock.now.date()}"
    for back, each in ((2, 3), (1, 1)):
        at = clock.now - timedelta(hours=back)
        fill(cast.ana, filled(at, "gad-7", each=each, occurrence=asked))
    (series,) = cast.ana.get("/me/trend").json["scales"]
    assert [one["total"] for one in series["responses"]] == [7]
    (day,) = cast.ana.get("/me/timeline").json["items"]
    told = [(one["total"], one["superseded"]) for one in day["questionnaire_responses"]]
    assert told == [(21, True), (7, False)]


def test_an_answer_left_half_open_does_not_take_the_place_of_a_whole_one(cast: Cast, clock: Clock) -> None:
    asked, path = f"gad-7:{clock.now.date()}", f"/questionnaire-responses/{uuid7()}"
    fill(cast.ana, filled(clock.now - timedelta(hours=1), "gad-7", each=3, occurrence=asked))
    begun = filled(clock.now, "gad-7", each=1, occurrence=asked, answers={"q1": 1})
    assert cast.ana.put(path, begun).json["questionnaire_response"]["superseded"] is True
    (series,) = cast.ana.get("/me/trend").json["scales"]
    assert [one["total"] for one in series["responses"]] == [21]
    ended = {**begun, "answers": {f"q{number}": 1 for number in range(1, 8)}}
    assert cast.ana.put(path, ended, version=1).json["questionnaire_response"]["superseded"] is False
    (series,) = cast.ana.get("/me/trend").json["scales"]
    assert [one["total"] for one in series["responses"]] == [7]


def test_an_answer_that_is_corrected_to_answer_nothing_that_was_asked_counts_again(
    cast: Cast, clock: Clock
) -> None:
    asked, paths = f"gad-7:{clock.now.date()}", [f"/questionnaire-responses/{uuid7()}" for _ in range(2)]
    for back, each, path in ((2, 3, paths[0]), (1, 1, paths[1])):
        at = clock.now - timedelta(hours=back)
        assert cast.ana.put(path, filled(at, "gad-7", each=each, occurrence=asked)).status_code == 201
    mended = filled(clock.now - timedelta(hours=2), "gad-7", each=2)
    assert cast.ana.put(paths[0], mended, version=1).json["questionnaire_response"]["superseded"] is False
    (series,) = cast.ana.get("/me/trend").json["scales"]
    assert [one["total"] for one in series["responses"]] == [14, 7]


def rated(clock: Clock, instrument: str) -> dict[str, Any]:
    scale = filled(clock.now, instrument, total=12)
    del scale["answers"]
    return scale


def test_scales_are_drawn_but_for_a_rank_of_risk_and_substance_use(cast: Cast, clock: Clock) -> None:
    fill(cast.ana, with_item9(clock.now, 0))
    fill(cast.ana, filled(clock.now, "audit-c", answers={"q1": 1, "q2": 1, "q3": 1}))
    drawn = cast.ana.get("/me/trend.svg").text
    assert "Patient Health Questionnaire, 9 items, 0 to 27, where lower is better: 1 times." in drawn
    assert "Alcohol" not in drawn


def test_a_trend_asks_as_often_for_many_filled_scales_as_for_one(
    cast: Cast, clock: Clock, database: Database
) -> None:
    def asked() -> int:
        count = 0

        def counted(*_: Any) -> None:
            nonlocal count
            count += 1

        event.listen(database.engine, "before_cursor_execute", counted)
        assert cast.ana.get("/me/trend").status_code == cast.ana.get("/me/timeline").status_code == 200
        event.remove(database.engine, "before_cursor_execute", counted)
        return count

    fill(cast.ana, filled(clock.now))
    one = asked()
    for scale in ("phq-9", "gad-7", "phq-8"):
        fill(cast.ana, filled(clock.now, scale))
    assert asked() == one
