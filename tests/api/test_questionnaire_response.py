"""Filled scales on the wire: scored once, safe on every way in, never rewritten."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from examples.phone import MADE_BY_SERVER
from server.api.edge import Surroundings
from server.clinical.instruments import catalog
from server.models import Alert, AuditEvent, QuestionnaireResponse
from server.services.scales import latest_response
from tests.cast import Cast, as_work, opened_alerts
from tests.conftest import Clock
from tests.scales import filled, with_item9


def new_path() -> str:
    return f"/questionnaire-responses/{uuid7()}"


def of_ana(cast: Cast) -> str:
    return f"/patients/{cast.ana.patient_id}/questionnaire-responses"


def pointers(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["pointer"] for error in answer.json["errors"]]


def alerts(app: Flask) -> list[Alert]:
    return opened_alerts(Surroundings.of(app).database)


def test_a_response_is_stored_once_however_often_it_is_sent(cast: Cast, clock: Clock) -> None:
    path, body = new_path(), filled(clock.now, each=1, occurrence="phq-9:2026-03-02")
    first, again = cast.ana.put(path, body), cast.ana.put(path, body)
    assert (first.status_code, first.json["outcome"]) == (201, "created")
    assert (again.status_code, again.json["outcome"]) == (200, "duplicate")
    stored = first.json["questionnaire_response"]
    assert again.json["questionnaire_response"] == stored == cast.ana.get(path).json
    assert cast.ana.get("/questionnaire-responses").json["items"] == [stored]
    assert (stored["answers"], stored["total"], stored["prorated"]) == (body["answers"], 9, False)
    assert (stored["occurrence"], stored["local_day"]) == ("phq-9:2026-03-02", "2026-03-02")


def test_the_care_team_sees_band_and_safety_and_the_patient_only_the_score(cast: Cast, clock: Clock) -> None:
    mine = cast.ana.put(new_path(), with_item9(clock.now, 1, each=1)).json["questionnaire_response"]
    (seen,) = cast.bo.get(of_ana(cast)).json["items"]
    assert {"band", "safety", "safety_missing", "sensitivity"} == seen.keys() - mine.keys()
    assert (seen["band"], seen["sensitivity"], seen["safety_missing"]) == ("mild", "ordinary", [])
    (flag,) = seen["safety"]
    assert (flag["code"], flag["item"], flag["until_screened"]) == ("phq9_item9_passing", "q9", True)


@pytest.mark.parametrize(
    ("answer", "code"),
    [(1, "phq9_item9_passing"), (2, "phq9_item9_often"), (3, "phq9_item9_often")],
)
def test_item_9_raises_the_alert_and_shows_help_in_the_same_response(
    app: Flask, cast: Cast, clock: Clock, answer: int, code: str
) -> None:
    receipt = cast.ana.put(new_path(), with_item9(clock.now, answer)).json
    assert receipt["notice"]["kind"] == "crisis_lines"
    assert "116 123 (Samaritans, Britain (UK))" in receipt["notice"]["crisis_lines"]
    assert ("contact your clinic today" in receipt["notice"]["text"]) is (answer > 1)
    (alert,) = alerts(app)
    assert (alert.urgency, alert.family, alert.codes) == ("P1", "safety", [code])
    assert alert.evidence["questionnaire_responses"] == [receipt["questionnaire_response"]["id"]]


@pytest.mark.parametrize("answer", [1, 2, 3])
def test_item_9_in_a_correction_raises_the_alert_too(
    app: Flask, cast: Cast, clock: Clock, answer: int
) -> None:
    path = new_path()
    assert cast.ana.put(path, with_item9(clock.now, 0)).json["notice"] is None
    assert alerts(app) == []
    corrected = cast.ana.put(path, with_item9(clock.now, answer), version=1)
    assert corrected.json["notice"]["kind"] == "crisis_lines"
    assert [alert.family for alert in alerts(app)] == ["safety"]


def test_a_response_sent_again_shows_the_help_again_and_raises_nothing_new(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    path, body = new_path(), with_item9(clock.now, 2)
    first, again = cast.ana.put(path, body), cast.ana.put(path, body)
    assert again.json["notice"] == first.json["notice"]
    (alert,) = alerts(app)
    assert alert.version == 1


def test_a_late_response_is_acted_on_like_one_of_today(app: Flask, cast: Cast, clock: Clock) -> None:
    late = clock.now - timedelta(days=29)
    assert cast.ana.put(new_path(), with_item9(late, 3)).json["notice"]
    assert [alert.day.isoformat() for alert in alerts(app)] == ["2026-02-01"]


@pytest.mark.parametrize(("days", "status"), [(3, 422), (-31, 422), (1, 201)])
def test_a_response_is_about_the_last_month_never_the_future(
    cast: Cast, clock: Clock, days: int, status: int
) -> None:
    body = filled(clock.now + timedelta(days=days))
    assert cast.ana.put(new_path(), body).status_code == status


def test_an_unanswered_safety_item_is_named_and_never_read_as_no(cast: Cast, clock: Clock) -> None:
    cast.ana.put(new_path(), with_item9(clock.now, None, each=1))
    (seen,) = cast.bo.get(of_ana(cast)).json["items"]
    assert (seen["safety_missing"], seen["missing"]) == (["q9"], ["q9"])
    # Item 9 is never made up, so there is no total either.
    assert (seen["total"], seen["band"], seen["safety"]) == (None, None, [])


@pytest.mark.parametrize(
    ("instrument", "left_open", "total"),
    [
        ("phq-9", ["q1", "q2"], 9.0),
        ("phq-9", ["q1", "q2", "q3"], None),
        ("gad-7", ["q1"], 7.0),
        ("gad-7", ["q1", "q2"], None),
    ],
)
def test_a_score_is_prorated_only_where_the_scale_allows_it(
    cast: Cast, clock: Clock, instrument: str, left_open: list[str], total: float | None
) -> None:
    body = filled(clock.now, instrument, each=1)
    body["answers"] |= dict.fromkeys(left_open)
    stored = cast.ana.put(new_path(), body).json["questionnaire_response"]
    assert (stored["total"], stored["prorated"]) == (total, total is not None)
    assert stored["missing"] == left_open


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"occurrence": "phq-9"}, "/occurrence"),
        ({"occurrence": "phq-9:"}, "/occurrence"),
        ({"occurrence": "phq-9:20260302"}, "/occurrence"),
        ({"occurrence": "phq-2:2026-03-02"}, "/occurrence"),
        ({"occurrence": "phq-9:2031-01-01"}, "/occurrence"),
        ({"occurrence": "phq-9:2026-03-04"}, "/occurrence"),
        ({"occurrence": "phq-9:2026-01-29"}, "/occurrence"),
        ({"occurrence": "phq-9:1999-01-01"}, "/occurrence"),
        ({"answers": {"q1": 4}}, "/answers/q1"),
        ({"answers": {"q1": -1}}, "/answers/q1"),
        ({"answers": {"q1": 1.5}}, "/answers/q1"),
        ({"answers": {"q1": True}}, "/answers/q1"),
        ({"answers": {"q10": 1}}, "/answers/q10"),
        ({"answers": {"q 1": 1}}, "/answers/q 1"),
        ({"answers": {"q1": None}}, "/answers"),
        ({"answers": {}}, "/answers"),
        ({"answers": {f"q{n}": 0 for n in range(201)}}, "/answers"),
        ({"answers": [1]}, "/answers"),
        ({"total": 5}, "/answers"),
        ({"instrument": "horoscope", "answers": {"q1": 1}}, "/instrument"),
        ({"instrument_version": 2}, "/instrument"),
        ({"locale": "nb"}, "/instrument"),
        ({"instrument": "madrs", "answers": {"q1": 1}}, "/instrument"),
        ({"instrument": "promis-pain-interference", "answers": {"q1": 1}}, "/total"),
        ({"score": 5}, "/score"),
    ],
)
def test_what_a_scale_cannot_have_is_refused_where_it_stands(
    app: Flask, cast: Cast, clock: Clock, changed: dict[str, Any], pointer: str
) -> None:
    assert pointers(cast.ana.put(new_path(), filled(clock.now, **changed))) == [pointer]
    with Surroundings.of(app).database.read() as session:
        assert list(session.scalars(select(QuestionnaireResponse))) == []


@pytest.mark.parametrize("day", ["2026-03-03", "2026-01-30"])
def test_a_scale_may_be_asked_a_day_ahead_and_a_month_before_it_is_filled(
    cast: Cast, clock: Clock, day: str
) -> None:
    body = filled(clock.now, occurrence=f"phq-9:{day}")
    assert cast.ana.put(new_path(), body).status_code == 201


def test_a_score_alone_is_taken_for_scales_that_are_scores_only(app: Flask, cast: Cast, clock: Clock) -> None:
    body = filled(clock.now, "asrm", total=10)
    del body["answers"]
    receipt = cast.ana.put(new_path(), body).json
    stored = receipt["questionnaire_response"]
    assert (stored["total"], stored["entered_total"], stored["answers"]) == (10, 10, {})
    assert receipt["notice"]["kind"] == "call_clinic"
    assert [alert.codes for alert in alerts(app)] == [["H1", "asrm_high"]]
    body["total"] = 21
    assert pointers(cast.ana.put(new_path(), body)) == ["/total"]
    typed = {k: v for k, v in filled(clock.now, total=9).items() if k != "answers"}
    assert pointers(cast.ana.put(new_path(), typed)) == ["/total"]


@pytest.mark.parametrize("score", [False, True])
def test_a_response_is_taken_back_as_the_server_tells_it_nulls_included(
    cast: Cast, clock: Clock, score: bool
) -> None:
    """`total` is the score; what was typed in is told as `entered_total`, and goes back as `total`."""
    path = f"/questionnaire-responses/{uuid7()}"
    body = filled(clock.now, "asrm", total=10) if score else filled(clock.now, each=1)
    if score:
        del body["answers"]
    assert cast.ana.put(path, body).status_code == 201
    (told,) = cast.ana.post("/sync", {}).json["changes"]
    back = {name: value for name, value in told.items() if name not in {*MADE_BY_SERVER, "total"}}
    back["total"] = told["entered_total"]
    assert (back["recorded_at"], back["occurrence"], back["total"]) == (None, None, 10 if score else None)
    assert cast.ana.put(path, back).json["outcome"] == "duplicate"
    later = (clock.now - timedelta(hours=1)).isoformat()
    assert cast.ana.put(path, {**back, "occurred_at": later}, version=1).json["outcome"] == "updated"


def test_a_correction_needs_the_version_it_changes(cast: Cast, clock: Clock) -> None:
    path, changed = new_path(), filled(clock.now, each=2)
    cast.ana.put(path, filled(clock.now, each=1))
    blind, stale = cast.ana.put(path, changed), cast.ana.put(path, changed, version=9)
    right = cast.ana.put(path, changed, version=1)
    assert (blind.status_code, blind.json["current"]["version"]) == (428, 1)
    assert (stale.status_code, stale.json["current"]["total"]) == (412, 9)
    assert (right.status_code, right.json["questionnaire_response"]["total"]) == (200, 18)
    assert right.headers["ETag"] == '"v2"'


def test_every_version_is_kept_also_after_deletion_and_the_alert_stays(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    path = new_path()
    cast.ana.put(path, with_item9(clock.now, 1))
    cast.ana.put(path, with_item9(clock.now, 0), version=1)
    assert cast.ana.delete(path, version=1).status_code == 412
    assert cast.ana.delete(path, version=2).status_code == 204
    assert cast.ana.get(path).status_code == 404
    assert cast.ana.get("/questionnaire-responses").json["items"] == []
    kept = cast.ana.get(f"{path}/revisions").json["items"]
    said = [(r["version"], r["content"] and r["content"]["answers"]["q9"]) for r in kept]
    assert said == [(1, 1), (2, 0), (3, None)]
    assert [alert.state for alert in alerts(app)] == ["open"]


def test_a_new_version_of_a_scale_rewrites_no_old_answer(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, body = new_path(), filled(clock.now, each=1)
    before = cast.ana.put(path, body).json["questionnaire_response"]
    monkeypatch.setattr(catalog, "EDITIONS", with_a_second_phq9())
    assert cast.ana.get("/scales/phq-9").json["version"] == 2
    assert cast.ana.get(path).json == before
    assert cast.ana.put(path, body).json["outcome"] == "duplicate"
    corrected = cast.ana.put(path, filled(clock.now, each=2), version=1).json["questionnaire_response"]
    assert (corrected["instrument_version"], corrected["total"]) == (1, 18)
    newer = cast.ana.put(new_path(), filled(clock.now, each=1, instrument_version=2)).json
    assert newer["questionnaire_response"]["total"] == 27


def with_a_second_phq9() -> Any:
    """Return the shipped editions and a PHQ-9 version 2 that counts threefold."""
    folder = catalog.files("server.clinical.instruments") / "data"
    text = (folder / "phq-9.1.en.toml").read_text("utf-8")
    text = text.replace("version = 1", "version = 2", 1).replace("high = 27", "high = 81")
    text = text.replace('method = "sum"', 'method = "sum"\nfactor = 3', 1)
    return catalog.EDITIONS | dict(catalog.editions([("phq-9.2.en.toml", text)]))


def test_alcohol_answers_carry_their_sensitivity(cast: Cast, clock: Clock) -> None:
    cast.ana.put(new_path(), filled(clock.now, "audit-c", answers={"q1": 0}))
    (seen,) = cast.bo.get(of_ana(cast)).json["items"]
    assert (seen["sensitivity"], seen["total"], seen["band"]) == ("substance_use", 0, "below_cut")


def test_responses_are_read_by_day_range_and_scale_a_page_at_a_time(cast: Cast, clock: Clock) -> None:
    for back in range(4):
        cast.ana.put(new_path(), filled(clock.now - timedelta(days=back)))
    cast.ana.put(new_path(), filled(clock.now, "gad-7"))
    path = "/questionnaire-responses?first=2026-02-28&last=2026-03-02&instrument=phq-9&limit=2"
    first = cast.ana.get(path).json
    second = cast.ana.get(f"{path}&cursor={first['next_cursor']}").json
    days = [response["local_day"] for page in (first, second) for response in page["items"]]
    assert days == ["2026-03-02", "2026-03-01", "2026-02-28"]
    assert second["next_cursor"] is None


def test_a_clinician_enters_what_a_clinician_rates_and_changes_no_answer_of_the_patient(
    cast: Cast, clock: Clock
) -> None:
    rated = filled(clock.now - timedelta(days=40), "madrs", total=22)
    del rated["answers"]
    path = str(uuid7())
    assert cast.bo.put(f"{of_ana(cast)}/{path}", rated).json["questionnaire_response"]["band"] == "moderate"
    assert cast.ana.delete(f"/questionnaire-responses/{path}", version=1).status_code == 409
    own = str(uuid7())
    cast.ana.put(f"/questionnaire-responses/{own}", filled(clock.now))
    changed = cast.bo.put(f"{of_ana(cast)}/{own}", filled(clock.now, each=1), version=1)
    assert (changed.status_code, changed.json["code"]) == (409, "other-author")


def test_a_scale_that_the_clinic_stored_in_the_wrong_record_is_taken_back(cast: Cast, clock: Clock) -> None:
    mistaken, own = str(uuid7()), str(uuid7())
    cast.bo.put(f"{of_ana(cast)}/{mistaken}", filled(clock.now, each=2))
    cast.ana.put(f"/questionnaire-responses/{own}", filled(clock.now))
    alert = cast.bo.get("/alerts?family=safety").json["items"][0]["id"]
    assert cast.bo.delete(f"{of_ana(cast)}/{mistaken}").status_code == 428
    assert cast.bo.delete(f"{of_ana(cast)}/{mistaken}", version=1).status_code == 204
    assert cast.bo.delete(f"{of_ana(cast)}/{mistaken}", version=1).status_code == 404
    assert [one["id"] for one in cast.ana.get("/questionnaire-responses").json["items"]] == [own]
    assert [one["id"] for one in cast.bo.get(of_ana(cast)).json["items"]] == [own]
    changes = cast.ana.post("/sync", {}).json["changes"]
    (gone,) = [one for one in changes if one["id"] == mistaken]
    assert (gone["deleted"], gone["version"]) == (True, 2)
    assert cast.bo.get(f"/alerts/{alert}").json["evidence"]["disproved"]
    refused = cast.bo.delete(f"{of_ana(cast)}/{own}", version=1)
    assert (refused.status_code, refused.json["code"]) == (409, "other-author")
    assert cast.cyd.delete(f"{of_ana(cast)}/{own}", version=1).status_code == 404


def test_what_the_clinic_took_back_does_not_come_back_under_its_id_with_what_was_in_it(
    cast: Cast, clock: Clock
) -> None:
    mistaken = str(uuid7())
    somebody_elses = filled(clock.now, each=1)
    cast.bo.put(f"{of_ana(cast)}/{mistaken}", somebody_elses)
    assert cast.bo.delete(f"{of_ana(cast)}/{mistaken}", version=1).status_code == 204
    for said in (somebody_elses, filled(clock.now, each=3)):
        again = cast.bo.put(f"{of_ana(cast)}/{mistaken}", said, version=2)
        assert (again.status_code, again.json["code"]) == (409, "taken-back")
    assert cast.ana.get(f"/questionnaire-responses/{mistaken}/revisions").status_code == 404
    flagged = [one["family"] for one in cast.bo.get("/alerts?family=safety").json["items"]]
    assert flagged == ["safety"], "what it says of danger is heeded all the same"


def test_cyd_finds_nothing_of_ana(cast: Cast, clock: Clock) -> None:
    path = new_path()
    cast.ana.put(path, filled(clock.now))
    assert cast.other_patient.get(path).status_code == 404
    assert cast.other_patient.get(f"{path}/revisions").status_code == 404
    assert cast.cyd.get(of_ana(cast)).status_code == 404
    assert cast.cyd.put(f"{of_ana(cast)}/{uuid7()}", filled(clock.now)).status_code == 404


def test_the_scheduling_system_and_the_admin_may_read_and_write_no_answers(cast: Cast, clock: Clock) -> None:
    for person in (cast.scheduler, cast.admin):
        assert person.get(of_ana(cast)).status_code == 403
        assert person.get("/questionnaire-responses").status_code == 403
        assert person.put(new_path(), filled(clock.now)).status_code == 403
        assert person.put(f"{of_ana(cast)}/{uuid7()}", filled(clock.now)).status_code == 403


def test_reading_a_patients_responses_is_audited(app: Flask, cast: Cast, clock: Clock) -> None:
    cast.ana.put(new_path(), filled(clock.now))
    cast.bo.get(of_ana(cast))
    with Surroundings.of(app).database.read() as session:
        done = list(session.scalars(select(AuditEvent).where(AuditEvent.patient_id == cast.ana.patient_id)))
    assert {event.action for event in done} >= {
        "questionnaire_response.create",
        "questionnaire_response.list",
    }


def test_the_last_score_of_a_scale_is_one_call_away(app: Flask, cast: Cast, clock: Clock) -> None:
    newest = new_path()
    cast.ana.put(newest, filled(clock.now, each=2))
    cast.ana.put(new_path(), filled(clock.now - timedelta(days=7), each=1))
    cast.ana.put(new_path(), filled(clock.now, "gad-7"))

    def last(instrument: str) -> float | None:
        with Surroundings.of(app).database.read() as session:
            assert cast.ana.patient_id
            found = latest_response.of(as_work(app, cast.bo, session), cast.ana.patient_id, instrument)
            return found and found.total

    assert (last("phq-9"), last("gad-7"), last("peg")) == (18, 0, None)
    cast.ana.delete(newest, version=1)
    assert last("phq-9") == 9
