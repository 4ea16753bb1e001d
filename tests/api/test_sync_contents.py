"""An item of a sync holds one content, that of its kind; every content that is there is read for danger."""

from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from tests.api.test_sync import pull_all, verdicts
from tests.cast import Cast, entry, opened_alerts
from tests.conftest import Clock
from tests.scales import filled, with_item9

ENTRY, SCALE = "entry", "questionnaire_response"


def item(**members: Any) -> dict[str, Any]:
    return {"id": str(uuid7()), "action": "put", **members}


def codes(app: Flask) -> list[str]:
    return [code for alert in opened_alerts(Surroundings.of(app).database) for code in alert.codes]


@pytest.mark.parametrize("named", [{}, {"kind": ENTRY}])
def test_a_null_beside_an_entry_is_as_good_as_left_out(
    app: Flask, cast: Cast, clock: Clock, named: dict[str, Any]
) -> None:
    said = item(**named, entry=entry(clock.now, safety="plan"), questionnaire_response=None)
    answer = cast.ana.post("/sync", {"items": [said]})
    assert verdicts(answer) == ["created"]
    assert answer.json["results"][0]["notice"]["kind"] == "emergency"
    assert codes(app) == ["safety_plan"]


def test_a_null_beside_a_filled_scale_is_too(app: Flask, cast: Cast, clock: Clock) -> None:
    said = item(kind=SCALE, questionnaire_response=with_item9(clock.now, 3), entry=None)
    answer = cast.ana.post("/sync", {"items": [said]})
    assert verdicts(answer) == ["created"]
    assert answer.json["results"][0]["notice"]["kind"] == "crisis_lines"
    assert len(codes(app)) == 1


def test_a_null_alone_is_missing_and_a_deletion_may_carry_it(cast: Cast, clock: Clock) -> None:
    missing, made = item(entry=None), item(entry=entry(clock.now))
    answer = cast.ana.post("/sync", {"items": [missing, made]})
    assert verdicts(answer) == ["invalid", "created"]
    assert [error["pointer"] for error in answer.json["results"][0]["errors"]] == ["/entry"]
    gone = {"id": made["id"], "action": "delete", "base_version": 1, ENTRY: None, SCALE: None}
    assert verdicts(cast.ana.post("/sync", {"items": [gone]})) == ["updated"]


def test_a_content_of_another_kind_is_named_and_heeded(app: Flask, cast: Cast, clock: Clock) -> None:
    wrong = [
        item(questionnaire_response=with_item9(clock.now, 3)),
        item(kind=SCALE, entry=entry(clock.now, safety="plan")),
    ]
    answer = cast.ana.post("/sync", {"items": wrong})
    assert verdicts(answer) == ["invalid"] * 2
    first, second = answer.json["results"]
    assert [error["pointer"] for error in first["errors"]] == [f"/{ENTRY}", f"/{SCALE}"]
    assert [error["pointer"] for error in second["errors"]] == [f"/{SCALE}", f"/{ENTRY}"]
    assert (first["notice"]["kind"], second["notice"]["kind"]) == ("crisis_lines", "emergency")
    assert "safety_plan" in codes(app)
    assert pull_all(cast) == []


@pytest.mark.parametrize("kind", [ENTRY, SCALE])
@pytest.mark.parametrize("wrong", [{}, {"colour": "blue"}])
def test_of_two_contents_none_vanishes_and_both_are_heeded(
    app: Flask, cast: Cast, clock: Clock, kind: str, wrong: dict[str, Any]
) -> None:
    calm = {ENTRY: entry(clock.now), SCALE: filled(clock.now)}
    grave = {ENTRY: entry(clock.now, safety="plan"), SCALE: with_item9(clock.now, 3)}
    other = {ENTRY: SCALE, SCALE: ENTRY}[kind]
    batch = [item(kind=kind, **calm | {held: grave[held]}, **wrong) for held in (kind, other)]
    answer = cast.ana.post("/sync", {"items": batch})
    assert verdicts(answer) == ["invalid"] * 2
    assert all(result["notice"] for result in answer.json["results"])
    assert {"safety_plan"} < set(codes(app))
    assert len(codes(app)) == 2
    if not wrong:
        assert [error["pointer"] for error in answer.json["results"][0]["errors"]] == [f"/{other}"]
    assert pull_all(cast) == []


@pytest.mark.parametrize("members", [{"items": {"mood": 10**400}}, {"side_effects": {"nausea": -(10**400)}}])
def test_a_number_of_any_length_is_out_of_its_bounds_and_blocks_no_other_item(
    cast: Cast, clock: Clock, members: dict[str, Any]
) -> None:
    body = entry(clock.now, safety="plan", **members)
    assert cast.ana.put(f"/entries/{uuid7()}", body).status_code == 422
    answer = cast.ana.post("/sync", {"items": [item(entry=body), item(entry=entry(clock.now))]})
    assert verdicts(answer) == ["invalid", "created"]
    assert answer.json["results"][0]["notice"]["kind"] == "emergency"
