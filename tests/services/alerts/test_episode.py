"""One episode of worry: what joins it silently, what gets through, what closes nobody unseen."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.models import Assessment, Delivery
from server.services.messages import delivery as deliveries
from tests.cast import Cast, entry, push, pushed
from tests.conftest import Clock
from tests.scales import with_item9
from tests.visits import Visits


def report(cast: Cast, clock: Clock, **parts: Any) -> None:
    answer = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **parts))
    assert answer.status_code == 201, answer.text


def the_alert(cast: Cast) -> Any:
    (alert,) = cast.bo.get("/alerts").json["items"]
    return cast.bo.get(f"/alerts/{alert['id']}").json


def taken(cast: Cast) -> Any:
    cast.bo.post(f"/alerts/{the_alert(cast)['id']}/acknowledge")
    return the_alert(cast)


def told(app: Flask) -> int:
    with Surroundings.of(app).database.read() as session:
        return len(list(session.scalars(select(Delivery.id))))


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"side_effects": {"chest_pain": 2}}, {"side_effects": {"seizure": 2}}),
        ({"side_effects": {"jaundice": 1}}, {"side_effects": {"psychosis": 3, "fall": 2}}),
        ({"safety": "passing"}, {"safety": "often"}),
        ({"safety": "often"}, {"safety": "plan"}),
    ],
)
def test_what_is_worse_or_another_danger_gets_through_an_acknowledgement(
    app: Flask, cast: Cast, clock: Clock, first: dict[str, Any], then: dict[str, Any]
) -> None:
    report(cast, clock, **first)
    taken(cast)
    clock.forward(hours=3)
    report(cast, clock, **then)
    alert = the_alert(cast)
    assert (alert["state"], told(app)) == ("open", 2)
    assert alert["events"][-1]["kind"] == "worsened"
    assert len(alert["evidence"]["earlier"]) == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"safety": "often"}, {"safety": "often"}),
        ({"safety": "often"}, {"safety": "passing"}),
        ({"side_effects": {"fall": 2}}, {"side_effects": {"fall": 1}}),
    ],
)
def test_a_repeat_stays_calm_but_is_never_closed_unseen(
    app: Flask, cast: Cast, clock: Clock, first: dict[str, Any], then: dict[str, Any]
) -> None:
    report(cast, clock, **first)
    seen = taken(cast)
    clock.forward(hours=5)
    report(cast, clock, **then)
    alert = the_alert(cast)
    assert (alert["state"], told(app)) == ("acknowledged", 1)
    assert len(alert["evidence"]["reports"]) == 1
    body = {"outcome": "contacted", "note": "Called."}
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", body, seen["version"]).status_code == 412
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", body, alert["version"]).status_code == 200


def test_an_emergency_reported_again_is_told_to_whoever_has_it_in_hand_and_nobody_else(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    report(cast, clock, safety="plan")
    taken(cast)
    clock.forward(minutes=10)
    report(cast, clock, safety="plan")
    alert = the_alert(cast)
    assert (alert["state"], told(app)) == ("acknowledged", 2)
    again = alert["deliveries"][-1]
    assert (again["account"], again["template"]) == ("Bo", "emergency_again")
    assert alert["events"][-1]["kind"] == "repeated"


def test_an_emergency_reported_again_before_anybody_has_it_tells_nobody_twice(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    for _ in range(2):
        report(cast, clock, safety="plan")
        clock.forward(minutes=1)
    assert (the_alert(cast)["state"], told(app)) == ("open", 1)


def test_the_same_answer_with_another_note_is_no_news(app: Flask, cast: Cast, clock: Clock) -> None:
    path, body = f"/entries/{uuid7()}", entry(clock.now, safety="plan")
    assert cast.ana.put(path, body).status_code == 201
    seen = taken(cast)
    assert cast.ana.put(path, {**body, "note": "I wrote more."}, version=1).status_code == 200
    alert = the_alert(cast)
    assert (alert["state"], alert["version"], told(app)) == ("acknowledged", seen["version"], 1)


def test_a_red_flag_that_is_taken_back_says_so_on_its_alert_which_stays_open(
    cast: Cast, clock: Clock
) -> None:
    first, second = f"/entries/{uuid7()}", f"/entries/{uuid7()}"
    for path in (first, second):
        assert cast.ana.put(path, entry(clock.now, safety="often")).status_code == 201
    assert cast.ana.put(first, entry(clock.now, safety="no"), version=1).status_code == 200
    alert = the_alert(cast)
    assert (alert["events"][-1]["kind"], alert["evidence"].get("disproved")) == ("answer_corrected", None)
    assert cast.ana.delete(second, version=1).status_code == 204
    alert = the_alert(cast)
    assert (alert["state"], alert["evidence"]["disproved"]) == ("open", True)
    assert [e["kind"] for e in alert["events"][-2:]] == ["answer_corrected", "disproved"]
    assert cast.ana.put(first, entry(clock.now, safety="often"), version=2).status_code == 200
    alert = the_alert(cast)
    assert (alert["state"], alert["evidence"]["disproved"]) == ("open", False)


def test_a_filled_scale_that_is_taken_back_says_so_too(cast: Cast, clock: Clock) -> None:
    path = f"/questionnaire-responses/{uuid7()}"
    answers = {f"q{number}": 0 for number in range(1, 10)} | {"q9": 3}
    filled = {"instrument": "phq-9", "instrument_version": 1, "locale": "en", "answers": answers}
    body = {**filled, "occurred_at": clock.now.isoformat(), "zone": "Europe/Oslo"}
    assert cast.ana.put(path, body).status_code == 201
    assert cast.ana.delete(path, version=1).status_code == 204
    assert the_alert(cast)["evidence"]["disproved"] is True


def test_worsening_and_an_acknowledgement_at_once_leave_the_alert_open(
    app: Flask, cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worsening is held just before it tells people; Bo's click on the old version must lose."""
    report(cast, clock, safety="often")
    seen, real = the_alert(cast), deliveries.enqueue
    about_to_tell, go_on = Event(), Event()

    def slow(*args: Any) -> int:
        about_to_tell.set()
        go_on.wait(10)
        return real(*args)

    monkeypatch.setattr(deliveries, "enqueue", slow)
    worse = Thread(target=lambda: report(cast, clock, safety="plan"))
    worse.start()
    assert about_to_tell.wait(10)
    clicks: list[int] = []
    path, body = f"/alerts/{seen['id']}/resolve", {"outcome": "contacted", "note": "Called."}
    click = Thread(target=lambda: clicks.append(cast.bo.post(path, body, seen["version"]).status_code))
    click.start()
    go_on.set()
    worse.join(15)
    click.join(15)
    assert clicks == [412]
    alert = the_alert(cast)
    assert (alert["urgency"], alert["state"]) == ("P0", "open")


def test_the_same_diary_gives_the_same_judgements_whatever_order_it_came_in(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    elsewhere = replace(cast, ana=cast.other_patient, bo=cast.cyd)
    bodies = [_day(clock.now - timedelta(days=back), back in (12, 11, 10)) for back in range(29, 0, -1)]
    mixed = list(bodies)
    Random(4).shuffle(mixed)
    for who in (cast, elsewhere):
        _treated(Visits(app, who), clock, 30)
    push(cast.ana, [pushed("entry", body) for body in bodies])
    for body in mixed:
        assert elsewhere.ana.put(f"/entries/{uuid7()}", body).status_code == 201
    judged = _judgements(app, cast)
    assert judged == _judgements(app, elsewhere)
    assert any(judged.values()), "three very bad days are a signal"
    assert len(elsewhere.bo.get("/alerts").json["items"]) == len(cast.bo.get("/alerts").json["items"]) == 1


def test_a_correction_that_takes_the_signal_away_says_so_on_the_alert(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    _treated(visits, clock, 30)
    bad = {clock.now - timedelta(days=back): f"/entries/{uuid7()}" for back in (12, 11, 10)}
    good = [clock.now - timedelta(days=back) for back in range(29, 0, -1) if back not in (12, 11, 10)]
    push(cast.ana, [pushed("entry", _day(at, False)) for at in good])
    for at, path in bad.items():
        assert cast.ana.put(path, _day(at, True)).status_code == 201
    (alert,) = cast.bo.get("/alerts").json["items"]
    for at, path in bad.items():
        assert cast.ana.put(path, _day(at, False), version=1).status_code == 200
    shown = cast.bo.get(f"/alerts/{alert['id']}").json
    assert shown["evidence"]["disproved"] is True
    assert shown["events"][-1]["kind"] == "disproved"


@pytest.mark.parametrize("kind", ["entry", "questionnaire_response"])
def test_a_phone_whose_clock_runs_a_year_ahead_hides_nothing_that_is_reported_after(
    cast: Cast, clock: Clock, kind: str
) -> None:
    def often(at: datetime) -> dict[str, Any]:
        return entry(at, safety="often") if kind == "entry" else with_item9(at, 3)

    ahead = clock.now + timedelta(days=400)
    body = often(ahead)
    push(cast.ana, [pushed(kind, {**body, "recorded_at": ahead.isoformat()})])
    for _ in range(2):
        assert the_alert(cast)["day"] == clock.now.date().isoformat()
        assert taken(cast)["state"] == "acknowledged"
        clock.forward(days=30)
        push(cast.ana, [pushed(kind, often(clock.now))])
        again = the_alert(cast)
        assert (again["state"], again["events"][-1]["kind"]) == ("open", "worsened")


def test_a_session_recorded_by_mistake_does_not_excuse_what_was_reported(
    app: Flask, cast: Cast, clock: Clock, visits: Visits
) -> None:
    _treated(visits, clock, 0)
    report(cast, clock, side_effects={"hallucination": 2})
    assert cast.bo.get("/alerts").json["items"] == []
    path = f"/patients/{cast.ana.patient_id}/treatment-sessions"
    (session,) = cast.bo.get(path).json["items"]
    clock.forward(hours=1)
    changed = cast.bo.patch(f"{path}/{session['id']}", {"status": "cancelled"}, session["version"])
    assert changed.status_code == 200
    assert the_alert(cast)["codes"] == ["hallucination"]


def _day(at: Any, bad: bool) -> dict[str, Any]:
    items = {"mood": 7, "interest": 7, "anxiety": 2, "restlessness": 2, "sleep_quality": 7}
    if bad:
        items = {"mood": 1, "interest": 1, "anxiety": 9, "restlessness": 9, "sleep_quality": 1}
    return entry(at, items=items)


def _judgements(app: Flask, cast: Cast) -> dict[Any, bool]:
    with Surroundings.of(app).database.read() as session:
        rows = session.scalars(
            select(Assessment)
            .where(Assessment.patient_id == cast.ana.patient_id)
            .order_by(Assessment.data_version)
        )
        return {row.day: row.signal for row in rows}


def _treated(visits: Visits, clock: Clock, days_ago: int) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=days_ago))


def test_a_danger_reported_after_a_slip_was_taken_back_stands_and_rings(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    slip = f"/entries/{uuid7()}"
    assert cast.ana.put(slip, entry(clock.now, safety="plan")).status_code == 201
    assert cast.ana.put(slip, entry(clock.now, safety="no"), version=1).status_code == 200
    taken(cast)
    assert the_alert(cast)["evidence"]["disproved"] is True
    clock.forward(hours=2)
    report(cast, clock, safety="often")
    alert = the_alert(cast)
    assert (alert["state"], alert["urgency"], told(app)) == ("open", "P0", 2)
    assert "disproved" not in alert["evidence"]
    assert (alert["events"][-1]["kind"], alert["events"][-1]["detail"]["urgency"]) == ("worsened", "P0")
    assert cast.ana.put(slip, entry(clock.now, safety="no", note="a typo"), version=2).status_code == 200
    assert "disproved" not in the_alert(cast)["evidence"]


def test_a_danger_that_was_taken_back_and_is_said_again_in_the_same_answer_rings_too(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    path = f"/entries/{uuid7()}"
    assert cast.ana.put(path, entry(clock.now, safety="often")).status_code == 201
    assert cast.ana.put(path, entry(clock.now, safety="no"), version=1).status_code == 200
    taken(cast)
    assert cast.ana.put(path, entry(clock.now, safety="often"), version=2).status_code == 200
    alert = the_alert(cast)
    assert (alert["state"], told(app)) == ("open", 2)
    assert (alert["evidence"].get("disproved"), alert["evidence"]["taken_back"]) == (None, [])
    taken(cast)
    noted = entry(clock.now, safety="often", note="as before")
    assert cast.ana.put(path, noted, version=3).status_code == 200
    assert (the_alert(cast)["state"], told(app)) == ("acknowledged", 2)


def test_a_danger_that_joins_what_was_disproved_says_that_it_stands(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    slip, other = f"/entries/{uuid7()}", f"/entries/{uuid7()}"
    assert cast.ana.put(slip, entry(clock.now, safety="often")).status_code == 201
    assert cast.ana.delete(slip, version=1).status_code == 204
    assert cast.ana.put(other, entry(clock.now, safety="often")).status_code == 201
    alert = the_alert(cast)
    assert (alert["state"], alert["evidence"]["disproved"], told(app)) == ("open", False, 1)
    assert [event["kind"] for event in alert["events"][-2:]] == ["repeated", "supported"]
    assert cast.ana.delete(other, version=1).status_code == 204
    assert the_alert(cast)["evidence"]["disproved"] is True
