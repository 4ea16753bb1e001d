"""What becomes of an answer that somebody has seen to: who mends a word of it rings nobody."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.scales import with_item9
from tests.services.alerts.test_episode import the_alert, told

FALL = {"side_effects": {"fall": 1}}


def close(cast: Cast) -> None:
    alert = the_alert(cast)
    closing = {"outcome": "contacted", "note": "Called her."}
    answer = cast.bo.post(f"/alerts/{alert['id']}/resolve", closing, version=alert["version"])
    assert answer.status_code == 200, answer.text


def put(cast: Cast, path: str, body: Any, version: int | None = None) -> Any:
    answer = cast.ana.put(path, body, version=version)
    assert answer.status_code in (200, 201), answer.text
    return answer.json


def _earlier(clock: Clock) -> str:
    return (clock.now - timedelta(minutes=5)).isoformat()


def still_waiting(cast: Cast) -> int:
    return len(cast.bo.get("/alerts").json["items"])


@pytest.mark.parametrize("safety", ["often", "plan"])
def test_a_word_that_is_mended_in_an_answer_whose_alert_was_closed_rings_nobody(
    app: Flask, cast: Cast, clock: Clock, safety: str
) -> None:
    path, body = f"/entries/{uuid7()}", entry(clock.now, safety=safety)
    put(cast, path, body)
    close(cast)
    clock.forward(days=2)
    receipt = put(cast, path, {**body, "note": "I wrote more.", "items": {"mood": 4}}, 1)
    assert receipt["notice"] is not None, "the patient is shown whom to call all the same"
    assert (still_waiting(cast), told(app)) == (0, 1)


def test_so_it_is_with_another_answer_of_a_scale(app: Flask, cast: Cast, clock: Clock) -> None:
    path, body = f"/questionnaire-responses/{uuid7()}", with_item9(clock.now, 2)
    put(cast, path, body)
    close(cast)
    put(cast, path, {**body, "answers": {**body["answers"], "q3": 1}}, 1)
    assert (still_waiting(cast), told(app)) == (0, 1)
    put(cast, path, {**body, "answers": {**body["answers"], "q9": 0}}, 2)
    put(cast, path, body, 3)
    assert (still_waiting(cast), told(app)) == (1, 2)
    close(cast)
    put(cast, path, with_item9(clock.now, 3), 4)
    assert (still_waiting(cast), told(app)) == (1, 3), "nearly every day is more than half of them"


@pytest.mark.parametrize(
    "change",
    [
        {"safety": "plan"},
        {"side_effects": {"fall": 2}},
        {"side_effects": {"fall": 1, "jaundice": 1}},
        {"occurred_at": -1},
    ],
)
def test_what_is_graver_or_other_or_of_another_day_rings(
    app: Flask, cast: Cast, clock: Clock, change: dict[str, Any]
) -> None:
    path, body = f"/entries/{uuid7()}", entry(clock.now, **FALL)
    put(cast, path, body)
    close(cast)
    if days := change.get("occurred_at"):
        change = {"occurred_at": (clock.now + timedelta(days=days)).isoformat()}
    put(cast, path, {**body, **change}, 1)
    assert (still_waiting(cast), told(app)) == (1, 2)


def test_what_was_taken_back_in_between_and_what_was_closed_long_ago_rings(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    path, body = f"/entries/{uuid7()}", entry(clock.now, safety="often")
    put(cast, path, body)
    close(cast)
    put(cast, path, {**body, "safety": "no"}, 1)
    assert still_waiting(cast) == 0
    put(cast, path, body, 2)
    assert (still_waiting(cast), told(app)) == (1, 2)
    close(cast)
    clock.forward(days=8)
    put(cast, path, {**body, "note": "I still think of it."}, 3)
    assert (still_waiting(cast), told(app)) == (1, 3)


def test_a_word_that_is_mended_where_another_one_was_before_it_rings_nobody(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    said: tuple[tuple[str, Any, Any], ...] = (
        ("/entries", entry(clock.now, safety="often"), {"note": "A word."}),
        ("/questionnaire-responses", with_item9(clock.now, 2), {"occurred_at": _earlier(clock)}),
    )
    for number, (kind, body, change) in enumerate(said, start=1):
        path = f"{kind}/{uuid7()}"
        put(cast, path, body)
        close(cast)
        refused = [cast.ana.put(path, {**body, **change}, version=version) for version in (7, None)]
        assert [answer.status_code for answer in refused] == [412, 428]
        assert all(answer.json["notice"] for answer in refused), "the patient is shown whom to call"
        assert (still_waiting(cast), told(app)) == (0, number)


def test_who_opens_the_alert_again_has_what_is_said_in_it(app: Flask, cast: Cast, clock: Clock) -> None:
    path, body = f"/entries/{uuid7()}", entry(clock.now, safety="often")
    put(cast, path, body)
    alert = the_alert(cast)
    close(cast)
    reopened = cast.bo.post(f"/alerts/{alert['id']}/reopen", {"reason": "Not over."}, alert["version"] + 1)
    assert reopened.status_code == 200, reopened.text
    put(cast, path, {**body, "note": "More."}, 1)
    put(cast, path, {**body, "safety": "plan"}, 2)
    assert (the_alert(cast)["urgency"], told(app)) == ("P0", 2)


def test_a_fall_that_was_no_fall_is_taken_back_also_where_she_says_that_she_is_driven(
    cast: Cast, clock: Clock
) -> None:
    path = f"/entries/{uuid7()}"
    put(cast, path, entry(clock.now, **FALL))
    put(cast, path, entry(clock.now, side_effects={"mania": 3}), 1)
    found = {one["family"]: one["id"] for one in cast.bo.get("/alerts").json["items"]}
    assert {*found} == {"side_effect", "activation"}
    shown = {kind: cast.bo.get(f"/alerts/{one}").json["evidence"] for kind, one in found.items()}
    assert (shown["side_effect"]["disproved"], shown["activation"].get("disproved")) == (True, None)


@pytest.mark.parametrize("safety", ["no", "often"])
def test_an_entry_that_is_corrected_says_nothing_of_a_scale_that_has_its_id(
    cast: Cast, clock: Clock, safety: str
) -> None:
    """A phone may make one id for a whole check-in: the one answer is mended, the other one stands."""
    check_in = uuid7()
    put(cast, f"/entries/{check_in}", entry(clock.now, safety=safety))
    put(cast, f"/questionnaire-responses/{check_in}", with_item9(clock.now, 3))
    put(cast, f"/entries/{check_in}", entry(clock.now, safety="no", note="A slip."), 1)
    assert cast.ana.delete(f"/entries/{check_in}", version=2).status_code == 204
    assert not the_alert(cast)["evidence"].get("disproved")
    assert cast.ana.delete(f"/questionnaire-responses/{check_in}", version=1).status_code == 204
    disproved = the_alert(cast)["evidence"].get("disproved", False)
    assert disproved is (safety == "no"), "where both were dangers, a person has to look"


def test_a_scale_stands_that_came_after_an_entry_of_its_id_was_corrected(cast: Cast, clock: Clock) -> None:
    """What says a danger anew is not taken back with another answer, later."""
    check_in, later = uuid7(), uuid7()
    put(cast, f"/entries/{check_in}", entry(clock.now, safety="often"))
    put(cast, f"/entries/{check_in}", entry(clock.now, safety="no"), 1)
    assert the_alert(cast)["evidence"]["disproved"]
    put(cast, f"/questionnaire-responses/{check_in}", with_item9(clock.now, 3))
    put(cast, f"/entries/{later}", entry(clock.now, safety="often"))
    put(cast, f"/entries/{later}", entry(clock.now, safety="no"), 1)
    assert not the_alert(cast)["evidence"].get("disproved")
