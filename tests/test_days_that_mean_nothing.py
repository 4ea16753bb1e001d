"""A phone whose clock is off by days: what it dates is kept, taken, and hides nothing that is true."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from jobs import day_close
from jobs.around import Around
from server.api.edge import Surroundings
from server.clinical.facts import Facts, Screen
from server.clinical.vocabulary import AlertFamily, Arm
from server.database import Database
from server.models import Alert, Patient
from server.services.visits import visit_facts
from server.settings import Settings
from tests.cast import Cast, Person, entry, opened_alerts, pushed
from tests.conftest import Clock
from tests.scales import filled, with_item9
from tests.visits import Visits

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


def asrm(at: datetime, each: int) -> dict[str, Any]:
    return filled(at, "asrm", answers={f"q{number}": each for number in range(1, 6)})


def raised(database: Database, cast: Cast, family: AlertFamily) -> Sequence[Alert]:
    return [a for a in opened_alerts(database) if (a.patient_id, a.family) == (cast.ana.patient_id, family)]


def facts_of(app: Flask, cast: Cast, visits: Visits) -> Facts:
    with Surroundings.of(app).database.read() as session:
        work = visits.work(session)
        patient = session.get_one(Patient, (work.clinic_id, cast.ana.patient_id))
        return visit_facts.gather(work, patient, Arm.MOOD, visits.now.date(), None)


@pytest.fixture
def around(database: Database, settings: Settings) -> Around:
    return Around(database, settings, {})


@pytest.mark.long
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


def test_of_two_answers_the_one_of_a_good_clock_counts(cast: Cast, clock: Clock) -> None:
    key, off = "phq-9:2026-03-02", timedelta(days=9)
    fast = pushed("questionnaire_response", filled(clock.now + off, occurrence=key))
    good = pushed("questionnaire_response", filled(clock.now, occurrence=key))
    assert [send(cast.ana, clock, *one)["verdict"] for one in ((off, fast), (RIGHT, good))] == ["created"] * 2
    kept = {row["id"]: row["superseded"] for row in cast.ana.get("/questionnaire-responses").json["items"]}
    assert kept == {fast["id"]: True, good["id"]: False}


@pytest.mark.long
def test_a_fast_clock_hides_no_silence_when_its_day_comes(
    cast: Cast, clock: Clock, around: Around, database: Database
) -> None:
    logs(cast.ana, clock)
    for ahead in range(3, 12):
        logs(cast.ana, clock, timedelta(days=ahead))
    for _ in range(9):
        day_close.run(around, clock.forward(days=1))
    (silence,) = raised(database, cast, AlertFamily.SILENCE)
    assert silence.evidence["since"] == "2026-03-03"


@pytest.mark.long
def test_whose_clock_is_off_for_weeks_is_not_silent(
    cast: Cast, clock: Clock, around: Around, database: Database
) -> None:
    for _ in range(9):
        logs(cast.ana, clock, timedelta(days=-400))
        day_close.run(around, clock.forward(days=1))
    assert raised(database, cast, AlertFamily.SILENCE) == []
    for _ in range(9):
        day_close.run(around, clock.forward(days=1))
    (silence,) = raised(database, cast, AlertFamily.SILENCE)
    assert silence.evidence["since"] == "2026-03-11"


@pytest.mark.long
def test_a_silence_is_disproved_by_what_comes_in_and_by_no_day_a_fast_clock_named(
    cast: Cast, clock: Clock, around: Around, database: Database
) -> None:
    good = pushed("entry", entry(clock.now))
    send(cast.ana, clock, RIGHT, good)
    logs(cast.ana, clock, timedelta(days=300))
    for _ in range(8):
        day_close.run(around, clock.forward(days=1))
    mended = {**good, "base_version": 1, "entry": {**good["entry"], "note": "a typo"}}
    assert send(cast.ana, clock, RIGHT, mended)["verdict"] == "updated"
    (silence,) = raised(database, cast, AlertFamily.SILENCE)
    assert "disproved" not in silence.evidence
    logs(cast.ana, clock, timedelta(days=-300))
    (silence,) = raised(database, cast, AlertFamily.SILENCE)
    assert silence.evidence["disproved"] is True


def test_who_is_silent_stays_in_the_digest_whatever_a_fast_clock_dated(
    cast: Cast, clock: Clock, around: Around
) -> None:
    logs(cast.ana, clock, timedelta(days=300))
    for _ in range(8):
        day_close.run(around, clock.forward(days=1))

    def silent() -> list[str]:
        return [line["patient"] for line in cast.bo.get("/digests/current").json["silent"]["items"]]

    assert silent() == ["Ana"]
    logs(cast.ana, clock, timedelta(days=300))
    assert silent() == []


def test_a_calm_scale_of_a_fast_clock_hides_no_later_one(
    app: Flask, cast: Cast, clock: Clock, visits: Visits
) -> None:
    off = timedelta(days=300)
    fills(cast.ana, clock, off, asrm(clock.now + off, 0))
    clock.forward(days=1)
    fills(cast.ana, clock, RIGHT, asrm(clock.now, 3))
    assert facts_of(app, cast, visits).asrm == [Screen(clock.now.date(), 15)]
    clock.forward(days=1)
    fills(cast.ana, clock, -off, asrm(clock.now - off, 2))
    assert facts_of(app, cast, visits).asrm == [Screen(clock.now.date(), 10)]


@pytest.mark.long
def test_a_scale_of_a_fast_clock_is_heeded_once_and_not_again_when_its_day_comes(
    cast: Cast, clock: Clock, around: Around, database: Database
) -> None:
    off = timedelta(days=12)
    assert fills(cast.ana, clock, off, asrm(clock.now + off, 3))["notice"] is not None
    (alert,) = cast.bo.get("/alerts").json["items"]
    told = {"outcome": "contacted", "note": "Called her."}
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", told, alert["version"]).status_code == 200
    for _ in range(14):
        logs(cast.ana, clock)
        day_close.run(around, clock.forward(days=1))
    assert len(raised(database, cast, AlertFamily.ACTIVATION)) == 1


@pytest.mark.long
@pytest.mark.parametrize(("ago", "off", "is_urgent"), [(54, -50, True), (26, -20, True), (6, -3, False)])
def test_an_effect_that_lasts_is_urgent_also_by_a_slow_clock(
    cast: Cast, clock: Clock, visits: Visits, ago: int, off: int, is_urgent: bool
) -> None:
    visits.session(visits.course(), clock.now - timedelta(hours=ago))
    notice = logs(cast.ana, clock, timedelta(hours=off), side_effects={"dissociation": 1})["notice"]
    assert (notice is not None) is is_urgent
    assert len(cast.bo.get("/alerts").json["items"]) == is_urgent
    (kept,) = cast.ana.get("/entries").json["items"]
    assert kept["side_effect_details"][0]["triage"] == ("P1" if is_urgent else "P3")


@pytest.mark.long
def test_a_slow_clock_changes_nothing_of_what_was_before_a_session(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    low, good = ({"mood": mood, "interest": mood} for mood in (2, 8))
    clock.forward(days=-14)
    visits.log(14, items=low)
    clock.forward(hours=2)
    visits.session(visits.course(started_on="2026-02-01"), clock.now)
    for _ in range(14):
        clock.forward(days=1)
        logs(cast.ana, clock, items=good)
    before = cast.ana.get("/me/response").json["items"][0]
    for _ in range(9):
        logs(cast.ana, clock, timedelta(days=-20), items=good)
    assert cast.ana.get("/me/response").json["items"][0] == before
    assert before["before"]["mean"] == 8


@pytest.mark.parametrize("off", [-900, -3, 3, 900])
def test_no_clock_opens_a_guard(app: Flask, cast: Cast, clock: Clock, visits: Visits, off: int) -> None:
    visits.on_treatment()
    said = {"side_effects": {"psychosis": 1, "hallucination": 1}, "medication": {"opioid_changed": True}}
    logs(cast.ana, clock, timedelta(days=off), items={"craving": 9}, **said)
    facts, today = facts_of(app, cast, visits), clock.now.date()
    assert {(one.term, one.day, one.hours[0]) for one in facts.troubles} == {
        ("psychosis", today, None),
        ("hallucination", today, None),
    }
    assert (facts.craving, facts.opioid_changed, facts.days_logged_last_week) == (9, today, 5)


@pytest.mark.parametrize(("ago", "off", "told"), [(26, -20, (6, 26)), (6, -3, (3, 6)), (26, 0, (26,))])
def test_what_is_late_by_our_clock_is_late_for_a_guard_too(
    app: Flask, cast: Cast, clock: Clock, visits: Visits, ago: int, off: int, told: tuple[float, ...]
) -> None:
    visits.session(visits.course(), clock.now - timedelta(hours=ago))
    logs(cast.ana, clock, timedelta(hours=off), side_effects={"hallucination": 1})
    (trouble,) = facts_of(app, cast, visits).troubles
    assert trouble.hours == told


@pytest.mark.parametrize("off", [-900, -3, 3, 900])
def test_a_danger_is_one_of_today_whatever_the_clock_says(
    cast: Cast, clock: Clock, around: Around, database: Database, off: int
) -> None:
    wrong = timedelta(days=off)
    logs(cast.ana, clock, wrong, side_effects={"chest_pain": 1})
    fills(cast.ana, clock, wrong, with_item9(clock.now + wrong, 3))
    entry_day, scale_day = (
        raised(database, cast, family)[0].day for family in (AlertFamily.SIDE_EFFECT, AlertFamily.SAFETY)
    )
    assert entry_day == scale_day == clock.now.date()
    for _ in range(4):
        day_close.run(around, clock.forward(days=1))
    (silence,) = raised(database, cast, AlertFamily.SILENCE)
    assert (silence.urgency, "after an urgent flag" in silence.summary) == ("P2", True)


def test_a_danger_that_could_not_be_stored_is_one_of_today_too(
    cast: Cast, clock: Clock, database: Database
) -> None:
    off = timedelta(days=-900)
    shown = (clock.now + off).isoformat()
    said = pushed("entry", entry(clock.now + off, recorded_at=shown))
    send(cast.ana, clock, off, said)
    again = {**said, "base_version": 7, "entry": {**said["entry"], "safety": "plan"}}
    assert send(cast.ana, clock, off, again)["verdict"] == "conflict"
    assert raised(database, cast, AlertFamily.SAFETY)[0].day == clock.now.date()


@pytest.mark.parametrize("off", [-900, -3, 3, 900])
def test_what_followed_a_session_is_told_whatever_the_clock_says(
    cast: Cast, clock: Clock, visits: Visits, off: int
) -> None:
    session = visits.session(visits.course(), clock.now - timedelta(hours=5))
    wrong = timedelta(days=off)
    began = (clock.now + wrong - timedelta(hours=2)).isoformat()
    logs(cast.ana, clock, wrong, side_effects={"nausea": 3}, side_effect_onset={"nausea": began})
    clock.forward(hours=4)
    logs(cast.ana, clock, side_effects={"nausea": 0})
    (event,) = cast.bo.get(f"{visits.ana}/treatment-sessions/{session['id']}/adverse-events").json["events"]
    told = ("grade", "onset_hours", "worst_hours", "worst_reported_on", "resolved_on")
    assert [event[name] for name in told] == [3, 3.0, 5.0, "2026-03-02", "2026-03-02"]
