"""The activation watch on the wire: however it came in the team hears once, late data may take it back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs import day_close, deliver
from jobs.around import Around
from server.api.edge import Surroundings
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.models import Activation, Delivery
from server.settings import Settings
from tests.cast import Cast, Person, entry, push, pushed
from tests.conftest import Clock
from tests.scales import filled
from tests.visits import Visits

USUAL = {"mood": 7, "interest": 6, "anxiety": 2, "energy": 5, "sleep_hours": 8, "sleep_quality": 7}
DRIVEN = {**USUAL, "energy": 9, "sleep_hours": 4}
ELATED = {**DRIVEN, "mood": 10}


def diary(clock: Clock, last: Sequence[dict[str, Any]], days: int = 27) -> list[dict[str, Any]]:
    """Return entries of the last ``days`` days, the last ones with the items ``last``."""
    told = [USUAL] * (days - len(last)) + list(last)
    return [
        entry(clock.now - timedelta(days=back), items=items)
        for back, items in zip(range(days - 1, -1, -1), told, strict=True)
    ]


def put(who: Person, bodies: Sequence[dict[str, Any]]) -> list[str]:
    """Let the phone send the entries, the last three one by one and what was before as a batch.

    Return their paths.
    """
    before = [pushed("entry", body) for body in bodies[:-3]]
    if before:
        push(who, before)
    paths = [f"/entries/{uuid7()}" for _ in bodies[-3:]]
    for path, body in zip(paths, bodies[-3:], strict=True):
        answer = who.put(path, body)
        assert answer.status_code == 201, answer.text
    return [f"/entries/{item['id']}" for item in before] + paths


def asrm(clock: Clock, total: int, **parts: Any) -> dict[str, Any]:
    """Return a filled ASRM as a clinic's paper form comes in: its total."""
    body = filled(clock.now, "asrm", total=total, **parts)
    del body["answers"]
    return body


def digibp(clock: Clock, back: int, grade: int) -> dict[str, Any]:
    """Return a digiBP of ``back`` days ago, its three items of activation all ``grade``."""
    calm = {"depressed_mood": 0, "fatigue": 0, "fidgeting": 0}
    high = dict.fromkeys(("raised_energy", "rapid_speech", "irritability"), grade)
    return filled(clock.now - timedelta(days=back), "digibp", answers=calm | high)


def alerts(cast: Cast) -> list[Any]:
    """Return Bo's open alerts, with everything."""
    return [cast.bo.get(f"/alerts/{a['id']}").json for a in cast.bo.get("/alerts").json["items"]]


def the_alert(cast: Cast) -> Any:
    """Return the one open alert."""
    (alert,) = alerts(cast)
    return alert


def activation(cast: Cast) -> Any:
    """Return what Bo sees of the activation watch."""
    return cast.bo.get(f"/patients/{cast.ana.patient_id}/watch").json["activation"]


def resolved(cast: Cast, alert: Any) -> None:
    """Let Bo close an alert."""
    body = {"outcome": "contacted", "note": "Called."}
    assert cast.bo.post(f"/alerts/{alert['id']}/resolve", body, alert["version"]).status_code == 200


def test_two_short_nights_with_much_energy_stand_in_the_digest(cast: Cast, clock: Clock) -> None:
    put(cast.ana, diary(clock, [DRIVEN, DRIVEN]))
    alert = the_alert(cast)
    assert (alert["family"], alert["urgency"], alert["codes"]) == ("activation", "P3", ["H2"])
    assert "2 of 3 logged nights under 5 h in the last 3, energy 9 (own level 5.0)" in alert["summary"]
    assert alert["evidence"]["nights"] == {"2026-02-28": 8, "2026-03-01": 4, "2026-03-02": 4}
    assert alert["evidence"]["policy_version"] == 1


@pytest.mark.parametrize("risk", ["bipolar_spectrum", "family_history", "mdq_positive"])
def test_of_whom_a_clinician_has_flagged_the_team_hears_sooner(
    cast: Cast, clock: Clock, visits: Visits, risk: str
) -> None:
    assert cast.bo.patch(visits.ana, {"bipolar_risk": [risk]}, version=1).json["bipolar_risk"] == [risk]
    put(cast.ana, diary(clock, [DRIVEN, DRIVEN]))
    assert the_alert(cast)["urgency"] == "P2"
    assert (activation(cast)["at_risk"], activation(cast)["bipolar_risk"]) == (True, [risk])


def test_treatment_for_bipolar_depression_is_a_flag_too(cast: Cast, clock: Clock, visits: Visits) -> None:
    visits.course(condition="bipolar_depression")
    put(cast.ana, diary(clock, [DRIVEN, DRIVEN]))
    assert the_alert(cast)["urgency"] == "P2"


def test_it_stays_a_flag_beside_a_course_for_something_else(cast: Cast, clock: Clock, visits: Visits) -> None:
    course = visits.course(condition="bipolar_depression")
    visits.course(condition="chronic_pain", started_on="2026-02-01")
    put(cast.ana, diary(clock, [DRIVEN, DRIVEN]))
    assert the_alert(cast)["urgency"] == "P2"
    assert cast.bo.patch(f"{visits.ana}/courses/{course}", {"ended_on": "2026-03-01"}, 1).status_code == 200
    assert activation(cast)["at_risk"] is False, "that course is over"


def test_a_day_judged_before_a_course_for_it_began_is_judged_anew_and_shown_as_it_was_told(
    cast: Cast, clock: Clock, visits: Visits, database: Database, settings: Settings
) -> None:
    put(cast.ana, diary(clock, [DRIVEN, DRIVEN]))
    assert (the_alert(cast)["urgency"], activation(cast)["latest"]["urgency"]) == ("P3", "P3")
    visits.course(condition="bipolar_depression")
    day_close.run(Around(database, settings, {}), clock.forward(days=1))
    assert the_alert(cast)["urgency"] == "P2"
    told = {one["day"]: one["urgency"] for one in activation(cast)["history"]}
    assert told["2026-03-02"] == "P2"


@pytest.mark.parametrize("way", ["taken back", "corrected", "explained"])
def test_high_spirits_that_were_a_slip_or_that_a_session_explains_say_so_on_their_alert(
    cast: Cast, clock: Clock, visits: Visits, way: str
) -> None:
    path, course = f"/entries/{uuid7()}", visits.course()
    body = entry(clock.now, items=USUAL, side_effects={"euphoria": 1})
    assert cast.ana.put(path, body).status_code == 201
    slip = the_alert(cast)
    assert (slip["urgency"], "disproved" in slip["evidence"]) == ("P1", False)
    if way == "taken back":
        assert cast.ana.delete(path, 1).status_code == 204
    elif way == "corrected":
        assert cast.ana.put(path, {**body, "side_effects": {}}, 1).status_code == 200
    else:
        visits.session(course, clock.now - timedelta(hours=2))
    after = the_alert(cast)
    assert (after["state"], after["evidence"]["disproved"]) == ("open", True)
    assert [one["kind"] for one in after["events"]][-2:] == ["answer_corrected", "disproved"]
    assert cast.ana.put(f"/entries/{uuid7()}", {**body, "side_effects": {"mania": 1}}).status_code == 201
    assert not the_alert(cast)["evidence"].get("disproved"), "she says another thing now"


def test_an_asrm_that_was_filled_in_wrongly_says_so_on_its_alert(cast: Cast, clock: Clock) -> None:
    path = f"/questionnaire-responses/{uuid7()}"
    assert cast.ana.put(path, asrm(clock, 9)).status_code == 201
    assert "disproved" not in the_alert(cast)["evidence"]
    assert cast.ana.put(path, asrm(clock, 1), version=1).status_code == 200
    assert the_alert(cast)["evidence"]["disproved"] is True


def test_high_spirits_that_are_corrected_stay_supported_by_what_the_days_show(
    cast: Cast, clock: Clock
) -> None:
    before, last = diary(clock, [DRIVEN, DRIVEN])[:-1], diary(clock, [DRIVEN, DRIVEN])[-1]
    put(cast.ana, before)
    path = f"/entries/{uuid7()}"
    assert cast.ana.put(path, {**last, "side_effects": {"euphoria": 1}}).status_code == 201
    assert cast.ana.put(path, last, 1).status_code == 200
    after = the_alert(cast)
    assert after["events"][-1]["kind"] == "answer_corrected"
    assert "disproved" not in after["evidence"]


def test_the_patient_is_not_told_of_the_flag(cast: Cast, visits: Visits) -> None:
    cast.bo.patch(visits.ana, {"bipolar_risk": ["family_history"]}, version=1)
    assert cast.ana.get(visits.ana).json["bipolar_risk"] is None
    assert cast.coordinator.get(visits.ana).json["bipolar_risk"] == ["family_history"]
    assert "family_history" not in cast.ana.get("/me/export").text


@pytest.mark.parametrize("wrong", [["manic"], ["family_history", "family_history"]])
def test_a_flag_is_one_of_three_and_named_once(cast: Cast, visits: Visits, wrong: list[str]) -> None:
    assert cast.bo.patch(visits.ana, {"bipolar_risk": wrong}, version=1).status_code == 422


def test_with_elation_as_well_it_cannot_wait_and_the_visit_is_held(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=40))
    put(cast.ana, diary(clock, []))
    draft = visits.relapse()
    assert draft is not None
    assert cast.bo.get(f"/booking-suggestions/{draft}").json["blocks"] == []
    clock.forward(days=3)
    put(cast.ana, diary(clock, [ELATED] * 3, days=3))
    alert = next(a for a in alerts(cast) if a["family"] == "activation")
    assert (alert["urgency"], alert["codes"]) == ("P1", ["H2", "H4"])
    answer = cast.bo.post(f"/booking-suggestions/{draft}/approve", {}, version=1)
    assert (answer.status_code, answer.json["code"]) == (409, "blocked")
    assert [block["code"] for block in answer.json["current"]["blocks"]] == ["MANIA"]
    resolved(cast, alert)
    assert cast.bo.post(f"/booking-suggestions/{draft}/approve", {}, version=1).status_code == 200


def test_worse_gets_through_and_is_told_anew(app: Flask, cast: Cast, clock: Clock) -> None:
    put(cast.ana, diary(clock, [DRIVEN, ELATED]))
    cast.bo.post(f"/alerts/{the_alert(cast)['id']}/acknowledge")
    clock.forward(days=2)
    put(cast.ana, diary(clock, [ELATED, ELATED], days=2))
    alert = the_alert(cast)
    assert (alert["urgency"], alert["state"]) == ("P1", "open")
    assert [event["kind"] for event in alert["events"]] == ["opened", "acknowledged", "repeated", "worsened"]


def test_a_positive_asrm_cannot_wait_however_it_comes_in(cast: Cast, clock: Clock) -> None:
    elsewhere = replace(cast, ana=cast.other_patient, bo=cast.cyd)
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 6)).status_code == 201
    item = {"id": str(uuid7()), "action": "put", "kind": "questionnaire_response"}
    pushed = elsewhere.ana.post("/sync", {"items": [item | {"questionnaire_response": asrm(clock, 6)}]})
    assert [result["verdict"] for result in pushed.json["results"]] == ["created"]
    for who in (cast, elsewhere):
        alert = the_alert(who)
        assert (alert["family"], alert["urgency"]) == ("activation", "P1")
        assert alert["codes"] == ["H1", "asrm_positive"]
        assert alert["evidence"]["reports"][0]["text"].startswith("H1: ASRM 6 (positive from 6).")


def test_an_asrm_below_the_cut_is_no_alarm_and_ends_the_hold_of_an_older_one(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    visits.on_treatment()
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 8))
    resolved(cast, the_alert(cast))
    draft = visits.relapse()
    assert [b["code"] for b in cast.bo.get(f"/booking-suggestions/{draft}").json["blocks"]] == ["MANIA"]
    clock.forward(days=7)
    visits.log(5)
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 2))
    assert [a["family"] for a in alerts(cast)] == ["mood_relapse"]
    assert cast.bo.post(f"/booking-suggestions/{draft}/approve", {}, version=1).status_code == 200


def test_a_higher_asrm_gets_through_an_acknowledgement(cast: Cast, clock: Clock) -> None:
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 7))
    cast.bo.post(f"/alerts/{the_alert(cast)['id']}/acknowledge")
    clock.forward(days=7)
    answer = cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 12))
    assert answer.json["notice"]["kind"] == "call_clinic"
    assert the_alert(cast)["state"] == "open"


@pytest.mark.parametrize("is_readable", [True, False])
def test_an_asrm_that_could_not_be_stored_is_heeded_and_not_called_disproved(
    cast: Cast, clock: Clock, is_readable: bool
) -> None:
    path = f"/questionnaire-responses/{uuid7()}"
    sent, status = (asrm(clock, 9), 428) if is_readable else ({**asrm(clock, 9), "mood": 1}, 422)
    assert cast.ana.put(path, asrm(clock, 2)).status_code == 201
    assert cast.ana.put(path, sent).status_code == status
    put(cast.ana, diary(clock, [], days=2))
    alert = the_alert(cast)
    assert (alert["family"], alert["urgency"]) == ("activation", "P1")
    assert "disproved" not in alert["evidence"]


def test_lasting_high_spirits_join_the_same_episode_once(cast: Cast, clock: Clock, visits: Visits) -> None:
    visits.session(visits.course(), clock.now - timedelta(hours=20))
    high = {"items": USUAL, "side_effects": {"euphoria": 1}}
    put(cast.ana, [entry(clock.now, **high)])
    assert alerts(cast) == [], "within two days of a session they are its effect"
    clock.forward(hours=40)
    put(cast.ana, [entry(clock.now, **high)])
    alert = the_alert(cast)
    assert (alert["family"], alert["urgency"], alert["codes"]) == ("activation", "P1", ["H5", "euphoria"])


def test_a_digibp_of_three_high_days_counts_and_a_late_one_as_well(cast: Cast, clock: Clock) -> None:
    bodies = [digibp(clock, back, 0) for back in range(20, 3, -1)]
    bodies += [digibp(clock, back, 3) for back in (3, 0, 1)]  # the middle one comes last
    put(cast.ana, diary(clock, []))
    push(cast.ana, [pushed("questionnaire_response", body) for body in bodies[:-3]])
    for body in bodies[-3:]:
        assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", body).status_code == 201
    alert = the_alert(cast)
    assert (alert["urgency"], alert["codes"]) == ("P3", ["H3"])
    path = f"/questionnaire-responses/{uuid7()}"
    clock.forward(hours=1)
    cast.ana.put(path, digibp(clock, 0, 0))  # a calm second answer of today, and yesterday's was calm too
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", digibp(clock, 1, 0))
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", digibp(clock, 3, 0))
    assert "disproved" not in the_alert(cast)["evidence"], "a mean of 1.5 is still high"
    cast.ana.delete(path, version=1)
    assert the_alert(cast)["evidence"]["rules"][2]["verdict"] == "held"


def test_a_late_entry_that_disproves_it_says_so_on_the_alert(cast: Cast, clock: Clock) -> None:
    bodies = diary(clock, [DRIVEN, DRIVEN])
    paths = put(cast.ana, bodies)
    corrected = {**bodies[-1], "items": USUAL}
    assert cast.ana.put(paths[-1], corrected, version=1).status_code == 200
    shown = the_alert(cast)
    assert shown["evidence"]["disproved"] is True
    assert shown["events"][-1]["kind"] == "disproved"
    assert cast.ana.put(paths[-1], bodies[-1], version=2).status_code == 200
    assert the_alert(cast)["evidence"]["disproved"] is False


@pytest.mark.parametrize("seed", range(3))
def test_the_same_days_give_the_same_judgements_whatever_order_they_came_in(
    app: Flask, cast: Cast, clock: Clock, seed: int
) -> None:
    """Ana's phone was offline for the month; that of the other patient sends a few at a time, mixed."""
    elsewhere = replace(cast, ana=cast.other_patient, bo=cast.cyd)
    random = Random(seed)
    scale = asrm(clock, 7, occurred_at=(clock.now - timedelta(days=9)).isoformat())
    changes = [("entry", body) for body in diary(clock, [ELATED, USUAL, ELATED, ELATED, ELATED])]
    changes += [("questionnaire_response", scale)]
    changes += [("questionnaire_response", digibp(clock, back, 3 * (back < 4))) for back in range(20)]
    for who in (cast, elsewhere):
        Visits(app, who).session(Visits(app, who).course(), clock.now - timedelta(days=40))
    push(cast.ana, [pushed(*change) for change in changes])
    mixed = [pushed(*change) for change in random.sample(changes, len(changes))]
    while mixed:
        few = random.randint(1, 4)
        push(elsewhere.ana, mixed[:few])
        del mixed[:few]
    ours, theirs = judgements(app, cast.ana), judgements(app, elsewhere.ana)
    assert ours == theirs
    assert {rule for _, rules, _ in ours.values() for rule in rules} == {"H1", "H2", "H3", "H4"}
    assert the_alert(cast)["urgency"] == the_alert(elsewhere)["urgency"] == "P1"


def judgements(app: Flask, who: Person) -> dict[Any, Any]:
    """Return the last word on each judged day."""
    with Surroundings.of(app).database.read() as session:
        query = select(Activation).where(Activation.patient_id == who.patient_id)
        rows = session.scalars(query.order_by(Activation.day, Activation.data_version)).all()
        return {row.day: (row.urgency, row.rules, row.evidence) for row in rows}


def test_a_sync_batch_and_the_close_of_a_day_judge_as_well(
    app: Flask, cast: Cast, clock: Clock, settings: Settings
) -> None:
    push(cast.ana, [pushed("entry", body) for body in diary(clock, [DRIVEN, DRIVEN])])
    assert the_alert(cast)["codes"] == ["H2"]
    around = Around(Surroundings.of(app).database, settings, {Channel.EMAIL: RecordingGateway()})
    day_close.run(around, clock.forward(days=1))
    days = judgements(app, cast.ana)
    assert [days[day][0] for day in sorted(days)][-2:] == [None, "P3"]


def test_after_it_was_resolved_the_same_finding_stays_calm_until_the_third_day(
    cast: Cast, clock: Clock
) -> None:
    put(cast.ana, diary(clock, [DRIVEN, DRIVEN]))
    resolved(cast, the_alert(cast))
    for open_alerts in (0, 0, 1):
        clock.forward(days=1)
        put(cast.ana, diary(clock, [DRIVEN], days=1))
        assert len(alerts(cast)) == open_alerts


def test_a_new_asrm_is_never_kept_calm(cast: Cast, clock: Clock) -> None:
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 8))
    resolved(cast, the_alert(cast))
    clock.forward(days=1)
    put(cast.ana, [entry(clock.now, items=USUAL)])
    assert alerts(cast) == [], "an entry of another day brings nothing new"
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 8))
    assert the_alert(cast)["urgency"] == "P1"


def test_an_asrm_with_a_question_left_open_is_told_where_what_was_answered_reaches_the_clinics_own_limit(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    own = {"values": {"mania.asrm": 4}, "reason": "Early signs matter with her."}
    assert cast.bo.put(f"{visits.ana}/policy", own).status_code == 200
    path = f"/questionnaire-responses/{uuid7()}"
    answers = {"q1": 2, "q2": 1, "q3": None, "q4": 0, "q5": 0}
    assert cast.ana.put(path, filled(clock.now, "asrm", answers=answers)).status_code == 201
    assert alerts(cast) == [], "nobody knows whether the open one would reach it"
    (ruling,) = (one for one in activation(cast)["latest"]["evidence"]["rules"] if one["rule"] == "H1")
    assert ruling["verdict"] == "insufficient_data"
    answered = filled(clock.now, "asrm", answers={**answers, "q2": 2})
    assert cast.ana.put(path, answered, version=1).status_code == 200
    alert = the_alert(cast)
    assert (alert["family"], alert["urgency"], alert["codes"]) == ("activation", "P1", ["H1"])
    assert "ASRM left open, at least 4 (positive from 4)" in alert["summary"]
    assert cast.ana.delete(path, 2).status_code == 204
    assert the_alert(cast)["evidence"]["disproved"] is True


def test_a_new_asrm_is_not_kept_calm_either_where_only_the_clinics_own_limit_is_reached(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    own = {"values": {"mania.asrm": 4, "mania.lockout_days": 28}, "reason": "Early signs matter with her."}
    assert cast.bo.put(f"{visits.ana}/policy", own).status_code == 200
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 5))
    resolved(cast, the_alert(cast))
    put(cast.ana, [entry(clock.now, items=USUAL)])
    assert alerts(cast) == [], "it is the same one, judged again"
    clock.forward(days=7)
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 5))
    assert the_alert(cast)["codes"] == ["H1"]


def test_a_new_asrm_is_told_also_on_the_day_on_which_an_episode_without_one_was_closed(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    own = {"values": {"mania.asrm": 4}, "reason": "Early signs matter with her."}
    assert cast.bo.put(f"{visits.ana}/policy", own).status_code == 200
    put(cast.ana, diary(clock, [ELATED] * 3))
    alert = the_alert(cast)
    assert (alert["urgency"], "H1" in alert["codes"]) == ("P1", False)
    resolved(cast, alert)
    clock.forward(hours=1)
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", asrm(clock, 5))
    again = the_alert(cast)
    assert (again["urgency"], "H1" in again["codes"]) == ("P1", True)
    resolved(cast, again)
    put(cast.ana, [entry(clock.now, items=ELATED)])
    assert alerts(cast) == [], "it is the same one, judged again"


def test_an_asrm_of_a_day_that_has_not_begun_at_home_is_told_once(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    own = {"values": {"mania.asrm": 4}, "reason": "Early signs matter with her."}
    assert cast.bo.put(f"{visits.ana}/policy", own).status_code == 200
    clock.forward(hours=6)
    away = asrm(clock, 5, zone="Pacific/Auckland")
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", away).status_code == 201
    alert = the_alert(cast)
    assert alert["evidence"]["first_day"] > clock.now.date().isoformat()
    resolved(cast, alert)
    put(cast.ana, [entry(clock.now, items=USUAL)])
    assert alerts(cast) == [], "it is the same one, judged again"


def test_bo_sees_the_levels_and_the_last_days(cast: Cast, clock: Clock) -> None:
    put(cast.ana, diary(clock, [DRIVEN, DRIVEN]))
    shown = activation(cast)
    assert (shown["latest"]["urgency"], shown["latest"]["rules"]) == ("P3", ["H2"])
    assert [day["urgency"] for day in shown["history"]][-3:] == [None, None, "P3"]
    sleep, energy = shown["levels"]["sleep_hours"], shown["levels"]["energy"]
    assert (sleep["own_mean"], sleep["side"], energy["side"]) == (8, "below", "above")
    assert sleep["last_days"] == {"2026-02-28": 8, "2026-03-01": 4, "2026-03-02": 4}
    assert (energy["week_days"], round(energy["week_mean"], 1)) == (7, 6.1)


def test_cyd_finds_nothing(cast: Cast, clock: Clock, visits: Visits) -> None:
    put(cast.ana, diary(clock, [DRIVEN, DRIVEN]))
    assert cast.cyd.get(f"{visits.ana}/watch").status_code == 404
    assert cast.cyd.get(f"/alerts/{the_alert(cast)['id']}").status_code == 404
    assert cast.cyd.patch(visits.ana, {"bipolar_risk": []}, version=1).status_code == 404
    assert cast.cyd.get("/alerts").json["items"] == []


def test_no_message_says_what_it_is_about(app: Flask, cast: Cast, clock: Clock, settings: Settings) -> None:
    put(cast.ana, diary(clock, [ELATED] * 3))
    database, email = Surroundings.of(app).database, RecordingGateway()
    with database.read() as session:
        assert {row.template for row in session.scalars(select(Delivery))} == {"patient_needs_review"}
    deliver.run(Around(database, settings, {Channel.EMAIL: email}), clock.now)
    text = str(vars(email)).lower()
    assert "needs review" in text
    for word in ("activation", "mania", "sleep", "energy", "mood"):
        assert word not in text
