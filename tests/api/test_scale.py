"""The scales a clinic offers: words as the app shows them, and slots only where they are filled."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.clinical.vocabulary import Arm
from server.isolation import Extent
from server.models import CheckInPlan, ScaleRequest, ScaleText
from tests.cast import Cast
from tests.conftest import Clock
from tests.scales import filled

WHO5 = {f"q{n}": 3 for n in range(1, 6)}


def words(**parts: Any) -> dict[str, Any]:
    """Return a clinic's own words for the WHO-5."""
    body = {
        "locale": "en",
        "notice": "The owner's notice.",
        "instructions": "How it has been.",
        "options": {str(value): f"answer {value}" for value in range(6)},
        "items": {f"q{n}": f"question {n}" for n in range(1, 6)},
    }
    return {**body, **parts}


def screener() -> dict[str, Any]:
    """Return a clinic's own words for the C-SSRS screener."""
    items = [*(f"q{n}" for n in range(1, 7)), "q6_recent"]
    return words(options={"0": "no", "1": "yes"}, items={item: item for item in items})


def due(cast: Cast) -> set[str]:
    """Return the scales that are due for Ana today."""
    found = cast.ana.get("/me/today").json["occurrences"]
    return {one["instrument"] for one in found if one["instrument"]}


def keys(answer: Any) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {scale["key"] for scale in answer.json["items"]}


def test_a_scale_is_shown_with_its_questions_answers_and_notice(cast: Cast) -> None:
    shown = cast.ana.get("/scales/phq-9").json
    assert (shown["key"], shown["version"], shown["locale"]) == ("phq-9", 1, "en")
    assert shown["recall"] == "last 2 weeks"
    assert "No permission required" in shown["licence"]["notice"]
    item = shown["items"][0]
    assert (item["id"], item["text"]) == ("q1", "Little interest or pleasure in doing things")
    assert [option["value"] for option in item["options"]] == [0, 1, 2, 3]


def test_everybody_who_is_signed_in_reads_the_same_scales(cast: Cast, client: Any) -> None:
    mine = cast.ana.get("/scales")
    assert keys(mine) >= {"phq-9", "gad-7", "peg", "asrm"}
    for person in (cast.bo, cast.coordinator, cast.admin, cast.scheduler, cast.cyd):
        assert person.get("/scales").json == mine.json
    assert client.get("/v1/scales").status_code == 401


def test_a_locale_without_words_of_its_own_falls_back_to_english(cast: Cast) -> None:
    for locale in ("en-GB", "nb", "zz"):
        assert cast.ana.get(f"/scales/phq-9?locale={locale}").json["locale"] == "en"
    assert cast.ana.get("/scales/horoscope").status_code == 404


def test_a_slot_is_offered_only_where_the_clinic_has_filled_it(cast: Cast, clock: Clock) -> None:
    response = filled(clock.now, "who-5", answers=WHO5)
    assert "who-5" not in keys(cast.ana.get("/scales"))
    assert cast.ana.get("/scales/who-5").status_code == 404
    refused = cast.ana.put(f"/questionnaire-responses/{uuid7()}", response)
    assert refused.json["errors"][0]["pointer"] == "/instrument"

    assert cast.admin.put("/clinic/scales/who-5", words()).json["content"] == "text"
    assert "who-5" in keys(cast.ana.get("/scales"))
    assert cast.ana.get("/scales/who-5").json["items"][4]["text"] == "question 5"
    taken = cast.ana.put(f"/questionnaire-responses/{uuid7()}", response)
    assert taken.json["questionnaire_response"]["total"] == 60

    assert "who-5" not in keys(cast.cyd.get("/scales")), "another clinic's licence is not ours"
    assert cast.other_patient.put(f"/questionnaire-responses/{uuid7()}", response).status_code == 422


def test_a_slot_is_answered_only_in_the_words_the_clinic_has(cast: Cast, clock: Clock) -> None:
    cast.admin.put("/clinic/scales/who-5", words(locale="nb"))
    assert cast.ana.get("/scales/who-5?locale=de").json["locale"] == "nb"
    for locale, status in (("en", 422), ("nb", 201)):
        body = filled(clock.now, "who-5", answers=WHO5, locale=locale)
        assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", body).status_code == status


def test_whoever_asks_in_their_language_gets_it_also_of_another_region(cast: Cast) -> None:
    for locale in ("en", "de-CH"):
        assert cast.admin.put("/clinic/scales/who-5", words(locale=locale)).status_code == 200
    for asked in ("de", "de-DE", "DE-ch", "de_CH", "de_DE"):
        assert cast.ana.get(f"/scales/who-5?locale={asked}").json["locale"] == "de-CH", asked
    assert cast.ana.get("/scales/who-5?locale=fr").json["locale"] == "en"


def test_words_that_were_stored_under_the_name_of_a_telephone_are_found(app: Flask, cast: Cast) -> None:
    for locale in ("en", "de-DE"):
        assert cast.admin.put("/clinic/scales/who-5", words(locale=locale)).status_code == 200
    with Surroundings.of(app).database.write(Extent.ALL) as session:
        (stored,) = session.scalars(select(ScaleText).where(ScaleText.locale == "de-DE"))
        session.execute(
            update(ScaleText)
            .where(ScaleText.locale == "de-DE")
            .values(locale="de_DE", texts={**stored.texts, "locale": "de_DE"})
        )
    for asked in ("de", "de-DE", "de-CH", "de_DE"):
        assert cast.ana.get(f"/scales/who-5?locale={asked}").json["locale"] == "de_DE", asked


def test_words_in_what_no_phone_asks_for_are_refused(cast: Cast) -> None:
    for locale in ("German", "de_DE", "DE", "de-", "d", "de-DE-x"):
        answer = cast.admin.put("/clinic/scales/who-5", words(locale=locale))
        assert [error["pointer"] for error in answer.json["errors"]] == ["/locale"], locale


def test_a_filled_screener_keeps_its_safety_rules(cast: Cast, clock: Clock) -> None:
    assert cast.admin.put("/clinic/scales/c-ssrs-screener", screener()).status_code == 200
    body = filled(clock.now, "c-ssrs-screener", answers={"q1": 0, "q2": 1, "q3": 0, "q4": 0, "q5": 1})
    receipt = cast.ana.put(f"/questionnaire-responses/{uuid7()}", body).json
    assert receipt["notice"]["kind"] == "emergency"
    (alert,) = cast.bo.get("/alerts").json["items"]
    assert (alert["urgency"], alert["codes"]) == ("P0", ["cssrs_plan", "cssrs_thoughts"])


def test_new_words_are_a_new_revision_and_the_same_words_are_none(app: Flask, cast: Cast) -> None:
    for text in (words(), words(), words(instructions="Reworded.")):
        assert cast.admin.put("/clinic/scales/who-5", text).status_code == 200
    assert cast.ana.get("/scales/who-5").json["instructions"] == "Reworded."
    with Surroundings.of(app).database.read() as session:
        kept = session.scalars(select(ScaleText).order_by(ScaleText.revision))
        assert [t.texts["instructions"] for t in kept] == ["How it has been.", "Reworded."]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"items": {"q1": "only one"}}, "/items/q2"),
        ({"items": {**words()["items"], "q6": "one more"}}, "/items/q6"),
        ({"options": {"0": "never"}}, "/options/1"),
        ({"options": {**words()["options"], "9": "nine"}}, "/options/9"),
        ({"notice": " "}, "/notice"),
        ({"title": "mine"}, "/title"),
    ],
)
def test_words_that_do_not_fit_the_slot_are_refused_where_they_stand(
    cast: Cast, changed: dict[str, Any], pointer: str
) -> None:
    answer = cast.admin.put("/clinic/scales/who-5", words(**changed))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_only_slots_take_words_and_only_the_admin_gives_them(cast: Cast) -> None:
    for key in ("phq-9", "asrm", "horoscope"):
        assert cast.admin.put(f"/clinic/scales/{key}", words()).status_code == 404
    for person in (cast.ana, cast.bo, cast.coordinator, cast.scheduler):
        assert person.put("/clinic/scales/who-5", words()).status_code == 403


def test_a_slot_is_asked_only_once_the_clinic_has_filled_it(cast: Cast) -> None:
    asked = [
        {"instrument": key, "anchor": "once", "first_day": "2026-03-02"} for key in ("phq-9", "who-5", "peg")
    ]
    plan = f"/patients/{cast.ana.patient_id}/check-in-plan"
    refused = cast.bo.put(plan, {"scales": asked}, version=1)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["/scales/1/instrument"]
    assert cast.bo.get(plan).json["scales"] == []
    cast.admin.put("/clinic/scales/who-5", words())
    assert cast.bo.put(plan, {"scales": asked}, version=1).status_code == 200
    assert due(cast) == {"phq-9", "who-5", "peg"}


def test_a_slot_without_words_is_never_due_however_it_came_to_be_asked(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    plan = f"/patients/{cast.ana.patient_id}/check-in-plan"
    today = clock.now.date()
    once = {"instrument": "phq-9", "anchor": "once", "first_day": today.isoformat()}
    cast.bo.put(plan, {"scales": [once]}, version=1)
    key = (cast.ana.clinic_id, cast.ana.patient_id)
    with Surroundings.of(app).database.write() as session:  # as an import, or an older server, left it
        stored = session.get_one(CheckInPlan, key)
        stored.scales = [*stored.scales, {**stored.scales[0], "instrument": "who-5"}]
        request = ScaleRequest(
            clinic_id=key[0],
            patient_id=key[1],
            instrument="c-ssrs-screener",
            local_day=today,
            last_day=today,
            arm=Arm.MOOD,
            judged_day=today,
            asked_at=clock.now,
        )
        session.add(request)
    assert due(cast) == {"phq-9"}
    cast.admin.put("/clinic/scales/who-5", words())
    assert due(cast) == {"phq-9", "who-5"}
    cast.admin.put("/clinic/scales/c-ssrs-screener", screener())
    assert due(cast) == {"phq-9", "who-5", "c-ssrs-screener"}
