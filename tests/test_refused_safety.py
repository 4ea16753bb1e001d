"""No way in skips the safety check, not even one that is shut: what is refused is heeded all the same."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertFamily
from server.models import Alert, AlertEvent, Entry, QuestionnaireResponse
from tests.api.test_sync import put, verdicts
from tests.cast import Cast, entry, opened_alerts, pushed
from tests.conftest import Clock
from tests.scales import filled, with_item9


def alerts(app: Flask) -> Sequence[Alert]:
    return opened_alerts(Surroundings.of(app).database)


def events(app: Flask) -> list[str]:
    with Surroundings.of(app).database.read() as session:
        return list(session.scalars(select(AlertEvent.kind).order_by(AlertEvent.at, AlertEvent.number)))


def versions(app: Flask) -> list[int]:
    with Surroundings.of(app).database.read() as session:
        return [
            row.version for table in (Entry, QuestionnaireResponse) for row in session.scalars(select(table))
        ]


def the_alert(app: Flask) -> Alert:
    (alert,) = alerts(app)
    assert alert.family is AlertFamily.SAFETY
    assert alert.evidence["stored"] is False
    assert "could not be stored" in alert.summary
    return alert


@pytest.mark.parametrize(("version", "status"), [(None, 428), (7, 412)])
def test_a_correction_that_is_refused_shows_help_and_tells_the_care_team(
    app: Flask, cast: Cast, clock: Clock, version: int | None, status: int
) -> None:
    path = f"/entries/{uuid7()}"
    assert cast.ana.put(path, entry(clock.now)).status_code == 201
    answer = cast.ana.put(path, entry(clock.now, safety="plan"), version=version)
    assert (answer.status_code, answer.json["notice"]["kind"]) == (status, "emergency")
    assert "999 or 112" in answer.json["notice"]["emergency_number"]
    assert answer.json["current"]["version"] == 1
    assert the_alert(app).day == clock.now.date()
    assert versions(app) == [1]
    assert cast.ana.get(path).json["safety"] == "no"


@pytest.mark.parametrize("days", [400, -400])
def test_a_clock_that_is_a_year_off_hides_nothing(app: Flask, cast: Cast, clock: Clock, days: int) -> None:
    felt = clock.now + timedelta(days=days)
    answer = cast.ana.put(f"/entries/{uuid7()}", entry(felt, safety="plan"))
    assert (answer.status_code, answer.json["notice"]["kind"]) == (422, "emergency")
    assert the_alert(app).day == min(felt, clock.now).date()
    assert versions(app) == []


def test_an_answer_to_a_scale_that_is_refused_is_heeded_too(app: Flask, cast: Cast, clock: Clock) -> None:
    path = f"/questionnaire-responses/{uuid7()}"
    assert cast.ana.put(path, filled(clock.now)).status_code == 201
    answer = cast.ana.put(path, with_item9(clock.now, 3))
    assert (answer.status_code, answer.json["notice"]["kind"]) == (428, "crisis_lines")
    the_alert(app)
    assert versions(app) == [1]


@pytest.mark.parametrize(
    "wrong", [{"items": {"mood": 99}}, {"colour": "blue"}, {"zone": "Moon/Sea"}, {"note": 7}, {"items": []}]
)
def test_an_entry_that_cannot_be_read_as_a_whole_is_heeded_by_parts(
    app: Flask, cast: Cast, clock: Clock, wrong: dict[str, Any]
) -> None:
    body = entry(clock.now, safety="plan") | wrong
    item = put(body)
    alone = cast.ana.put(f"/entries/{item['id']}", body)
    assert (alone.status_code, alone.json["notice"]["kind"]) == (422, "emergency")
    assert alone.json["errors"]
    batch = cast.ana.post("/sync", {"items": [item]})
    assert verdicts(batch) == ["invalid"]
    assert batch.json["results"][0]["notice"]["kind"] == "emergency"
    the_alert(app)
    assert events(app) == ["opened"]  # the same thing in both, heeded once


@pytest.mark.parametrize(
    "wrong",
    [
        {"instrument_version": 2},
        {"locale": "xx"},
        {"zone": "Moon/Sea"},
        {"occurrence": "phq-2:2026-03-02"},
        {"answers": {"q9": 3, "q1": 9}},
        {"answers": {"q9": 3, "q77": 1}},
    ],
)
def test_a_scale_that_cannot_be_taken_is_heeded_by_its_answers(
    app: Flask, cast: Cast, clock: Clock, wrong: dict[str, Any]
) -> None:
    body = with_item9(clock.now, 3) | wrong
    alone = cast.ana.put(f"/questionnaire-responses/{uuid7()}", body)
    assert (alone.status_code, alone.json["notice"]["kind"]) == (422, "crisis_lines")
    item = {"id": str(uuid7()), "kind": "questionnaire_response", "action": "put"}
    batch = cast.ana.post("/sync", {"items": [{**item, "questionnaire_response": body}]})
    assert verdicts(batch) == ["invalid"]
    assert batch.json["results"][0]["notice"]["kind"] == "crisis_lines"
    the_alert(app)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"total": 3}, "emergency"),
        ({"total": 3, "answers": {"q3": 1}}, "emergency"),
        ({"total": 1}, "crisis_lines"),
    ],
)
def test_the_risk_that_a_screener_came_to_is_heeded_though_it_takes_answers_alone(
    app: Flask, cast: Cast, clock: Clock, said: dict[str, Any], kind: str
) -> None:
    body = filled(clock.now, "c-ssrs-screener")
    del body["answers"]
    path = f"/patients/{cast.ana.patient_id}/questionnaire-responses/{uuid7()}"
    answer = cast.bo.put(path, body | said)
    assert (answer.status_code, answer.json["notice"]["kind"]) == (422, kind)
    the_alert(app)


def test_what_the_clinic_types_in_wrongly_is_heeded_for_its_own_patients_alone(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    body = with_item9(clock.now, 3) | {"locale": 7}
    path = f"/patients/{cast.ana.patient_id}/questionnaire-responses/{uuid7()}"
    assert "notice" not in cast.cyd.put(path, body).json
    assert alerts(app) == []
    assert cast.bo.put(path, body).json["notice"]["kind"] == "crisis_lines"
    the_alert(app)


@pytest.mark.parametrize("body", [[], "plan", {}, {"safety": "no", "items": 7}])
def test_what_says_nothing_of_danger_is_only_refused(app: Flask, cast: Cast, body: Any) -> None:
    answer = cast.ana.put(f"/entries/{uuid7()}", body)
    assert answer.status_code == 422
    assert "notice" not in answer.json
    assert alerts(app) == []


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"colour": "blue"}, 422),
        ({"sent_at": "yesterday"}, 422),
        ({"limit": 5000}, 422),
        ({"cursor": "nonsense"}, 410),
    ],
)
def test_a_batch_that_is_refused_as_a_whole_is_heeded_item_by_item(
    app: Flask, cast: Cast, clock: Clock, wrong: dict[str, Any], status: int
) -> None:
    items = [put(entry(clock.now)), put(entry(clock.now, safety="plan"))]
    answer = cast.ana.post("/sync", {"items": items} | wrong)
    assert (answer.status_code, answer.json["notice"]["kind"]) == (status, "emergency")
    the_alert(app)
    assert versions(app) == []


def test_a_batch_heeds_what_it_refuses_and_stores_the_rest(app: Flask, cast: Cast, clock: Clock) -> None:
    stored = put(entry(clock.now))
    cast.ana.post("/sync", {"items": [stored]})
    batch: list[dict[str, Any]] = [
        {**stored, "base_version": None, "entry": entry(clock.now, safety="often")},
        put(entry(clock.now + timedelta(days=400), safety="plan")),
        put(entry(clock.now, note="fine")),
    ]
    answer = cast.ana.post("/sync", {"items": batch})
    assert verdicts(answer) == ["conflict", "invalid", "created"]
    kinds = [result["notice"] and result["notice"]["kind"] for result in answer.json["results"]]
    assert kinds == ["crisis_lines", "emergency", None]
    the_alert(app)


def test_a_number_that_no_total_can_be_does_not_stop_the_rest_of_a_batch(cast: Cast, clock: Clock) -> None:
    huge, scales = 10**400, ("phq-9", "c-ssrs-screener", "asrm", "madrs")
    items = [pushed("questionnaire_response", filled(clock.now, scale, total=huge)) for scale in scales]
    items.append(pushed("entry", entry(clock.now, side_effects={"fall": huge}, items={"mood": huge})))
    items.append(pushed("entry", entry(clock.now)))
    answer = cast.ana.post("/sync", {"items": items})
    assert verdicts(answer) == [*["invalid"] * 5, "created"]


def test_the_same_refused_report_sent_again_rings_once(app: Flask, cast: Cast, clock: Clock) -> None:
    path = f"/entries/{uuid7()}"
    cast.ana.put(path, entry(clock.now))
    refused = entry(clock.now, safety="plan")
    for _ in range(3):
        assert cast.ana.put(path, refused).json["notice"]["kind"] == "emergency"
    assert events(app) == ["opened"]
    (alert,) = alerts(app)
    cast.bo.post(f"/alerts/{alert.id}/acknowledge", {})
    assert cast.ana.put(path, refused).status_code == 428
    assert events(app) == ["opened", "acknowledged"]
    cast.ana.put(path, entry(clock.now, safety="plan", note="again"))  # other words: a report of its own
    assert events(app) == ["opened", "acknowledged", "repeated"]


def test_what_was_heeded_when_it_was_stored_is_no_news_when_its_push_is_repeated(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    said = put(entry(clock.now, safety="plan"))
    cast.ana.post("/sync", {"items": [said]})
    cast.ana.post("/sync", {"items": [{**said, "base_version": 1, "entry": entry(clock.now)}]})
    (alert,) = alerts(app)
    cast.bo.post(f"/alerts/{alert.id}/acknowledge", {})
    again = cast.ana.post("/sync", {"items": [said]})
    assert verdicts(again) == ["duplicate"]
    assert again.json["results"][0]["notice"]["kind"] == "emergency"
    assert events(app) == ["opened", "answer_corrected", "disproved", "acknowledged"]


def test_a_refused_entry_that_is_calm_raises_nothing(app: Flask, cast: Cast, clock: Clock) -> None:
    path = f"/entries/{uuid7()}"
    cast.ana.put(path, entry(clock.now))
    answer = cast.ana.put(path, entry(clock.now, note="other"))
    assert answer.status_code == 428
    assert "notice" not in answer.json
    assert alerts(app) == []


def test_what_could_not_be_stored_is_not_disproved_by_what_is(app: Flask, cast: Cast, clock: Clock) -> None:
    said = put(entry(clock.now))
    cast.ana.post("/sync", {"items": [said]})
    danger = {**said, "base_version": 7, "entry": entry(clock.now, safety="plan")}
    assert verdicts(cast.ana.post("/sync", {"items": [danger]})) == ["conflict"]
    mended = {**said, "base_version": 1, "entry": entry(clock.now, note="from the other phone")}
    assert verdicts(cast.ana.post("/sync", {"items": [mended]})) == ["updated"]
    assert "disproved" not in the_alert(app).evidence


@pytest.mark.parametrize("is_first", [True, False])
def test_a_slip_that_is_taken_back_disproves_nothing_that_could_not_be_read(
    app: Flask, cast: Cast, clock: Clock, is_first: bool
) -> None:
    slip, unread = put(entry(clock.now, safety="plan")), put(entry(clock.now, safety="plan", mood=1))
    for item in (unread, slip) if is_first else (slip, unread):
        cast.ana.post("/sync", {"items": [item]})
    calm = {**slip, "base_version": 1, "entry": entry(clock.now)}
    assert verdicts(cast.ana.post("/sync", {"items": [calm]})) == ["updated"]
    (alert,) = alerts(app)
    assert (alert.evidence["taken_back"], "disproved" in alert.evidence) == ([slip["id"]], False)
