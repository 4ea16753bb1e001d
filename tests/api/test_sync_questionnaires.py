"""Questionnaire responses beside entries in one sync: same verdicts, one order, no way around safety."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event, select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.models import Alert
from tests.api.test_sync import pull_all, put, verdicts
from tests.cast import Cast, entry, opened_alerts
from tests.conftest import Clock
from tests.scales import filled, with_item9


def push(body: dict[str, Any], version: int | None = None) -> dict[str, Any]:
    return {
        "id": str(uuid7()),
        "kind": "questionnaire_response",
        "action": "put",
        "base_version": version,
        "questionnaire_response": body,
    }


def test_entries_and_responses_come_down_in_the_order_they_were_stored(cast: Cast, clock: Clock) -> None:
    batch = [
        push(filled(clock.now)),
        put(entry(clock.now)),
        push(filled(clock.now, "gad-7")),
        put(entry(clock.now)),
    ]
    assert verdicts(cast.ana.post("/sync", {"items": batch})) == ["created"] * 4
    assert verdicts(cast.ana.post("/sync", {"items": batch})) == ["duplicate"] * 4
    for size in (1, 3, 200):
        pulled = pull_all(cast, size=size)
        assert [change["id"] for change in pulled] == [item["id"] for item in batch]
        assert [change["kind"] for change in pulled] == ["questionnaire_response", "entry"] * 2
    assert pulled[0]["total"] == 0


def test_item_9_in_a_late_batch_is_acted_on_at_once(app: Flask, cast: Cast, clock: Clock) -> None:
    late = clock.now - timedelta(days=5)
    batch = [put(entry(clock.now)), *(push(with_item9(late, answer)) for answer in (0, 1, 2, 3))]
    results = cast.ana.post("/sync", {"items": batch}).json["results"]
    kinds = [result["notice"] and result["notice"]["kind"] for result in results]
    assert kinds == [None, None, "crisis_lines", "crisis_lines", "crisis_lines"]
    asks = ["contact your clinic today" in (r["notice"] or {}).get("text", "") for r in results]
    assert asks == [False, False, False, True, True]
    (alert,) = opened_alerts(Surroundings.of(app).database)
    assert (alert.family, alert.codes) == ("safety", ["phq9_item9_often", "phq9_item9_passing"])


def test_item_9_in_a_synced_correction_is_acted_on_too(app: Flask, cast: Cast, clock: Clock) -> None:
    item = push(with_item9(clock.now, 0))
    corrected = {**item, "base_version": 1, "questionnaire_response": with_item9(clock.now, 2)}
    answer = cast.ana.post("/sync", {"items": [item, corrected]})
    assert verdicts(answer) == ["created", "updated"]
    assert answer.json["results"][1]["notice"]["kind"] == "crisis_lines"
    with Surroundings.of(app).database.read() as session:
        assert [alert.urgency for alert in session.scalars(select(Alert))] == ["P1"]


def test_one_bad_response_never_blocks_the_rest(cast: Cast, clock: Clock) -> None:
    bad = [
        push(filled(clock.now, answers={"q1": 9})),
        push(filled(clock.now, answers={"q1": 1.5})),
        push(filled(clock.now + timedelta(days=9))),
        {**push(filled(clock.now)), "questionnaire_response": None},
        {**put(entry(clock.now)), "kind": "questionnaire_response"},
        {**push(filled(clock.now)), "kind": "poem"},
    ]
    answer = cast.ana.post("/sync", {"items": [put(entry(clock.now)), *bad, push(filled(clock.now))]})
    assert verdicts(answer) == ["created", *["invalid"] * 6, "created"]
    pointers = [result["errors"][0]["pointer"] for result in answer.json["results"][1:-1]]
    assert pointers == [
        "/questionnaire_response/answers/q1",
        "/questionnaire_response/answers/q1",
        "/questionnaire_response/occurred_at",
        "/questionnaire_response",
        "/questionnaire_response",
        "/kind",
    ]


def test_two_phones_that_change_one_response_both_keep_their_answers(cast: Cast, clock: Clock) -> None:
    item = push(filled(clock.now))
    cast.ana.post("/sync", {"items": [item]})
    first = {**item, "base_version": 1, "questionnaire_response": filled(clock.now, each=1)}
    second = {**item, "base_version": 1, "questionnaire_response": filled(clock.now, each=2)}
    assert verdicts(cast.ana.post("/sync", {"items": [first]})) == ["updated"]
    conflict = cast.ana.post("/sync", {"items": [second]}).json["results"][0]
    assert (conflict["verdict"], conflict["version"], conflict["current"]["total"]) == ("conflict", 2, 9)
    again = {**second, "base_version": conflict["version"]}
    assert verdicts(cast.ana.post("/sync", {"items": [again]})) == ["updated"]


def test_a_deleted_response_comes_down_as_an_empty_tombstone(cast: Cast, clock: Clock) -> None:
    item = push(with_item9(clock.now, 1, occurrence="phq-9:2026-03-02"))
    cast.ana.post("/sync", {"items": [item]})
    gone = {"id": item["id"], "kind": "questionnaire_response", "action": "delete", "base_version": 1}
    assert verdicts(cast.ana.post("/sync", {"items": [gone, gone]})) == ["updated", "duplicate"]
    (tombstone,) = pull_all(cast)
    assert (tombstone["kind"], tombstone["deleted"]) == ("questionnaire_response", True)
    assert (tombstone["answers"], tombstone["total"], tombstone["occurrence"]) == ({}, None, None)


def test_what_the_clinic_typed_in_comes_down_and_is_not_the_phones_to_change(
    cast: Cast, clock: Clock
) -> None:
    item = push(filled(clock.now), version=1)
    paper = f"/patients/{cast.ana.patient_id}/questionnaire-responses/{item['id']}"
    assert cast.bo.put(paper, item["questionnaire_response"]).status_code == 201
    assert [change["source"] for change in pull_all(cast)] == ["clinic"]
    changed = {**item, "questionnaire_response": filled(clock.now, each=1)}
    gone = {"id": item["id"], "kind": "questionnaire_response", "action": "delete", "base_version": 1}
    items = [one | {"base_version": version} for one in (changed, gone) for version in (1, 2)]
    assert verdicts(cast.ana.post("/sync", {"items": items})) == ["forbidden"] * 4


def test_what_a_clinician_rated_comes_down_nowhere(cast: Cast, clock: Clock) -> None:
    rated = {key: value for key, value in filled(clock.now, "madrs", total=22).items() if key != "answers"}
    item = push(rated)
    theirs, mine = f"/patients/{cast.ana.patient_id}", f"/questionnaire-responses/{item['id']}"
    assert cast.bo.put(f"{theirs}{mine}", rated).status_code == 201
    own = push(filled(clock.now))
    cast.ana.post("/sync", {"items": [own]})
    assert [change["id"] for change in pull_all(cast)] == [own["id"]]
    assert [one["id"] for one in cast.ana.get("/questionnaire-responses").json["items"]] == [own["id"]]
    assert len(cast.bo.get(f"{theirs}/questionnaire-responses").json["items"]) == 2
    assert [cast.ana.get(path).status_code for path in (mine, f"{mine}/revisions")] == [404, 404]
    changed = {**item, "questionnaire_response": filled(clock.now)}
    gone = {"id": item["id"], "kind": "questionnaire_response", "action": "delete", "base_version": 9}
    for told in cast.ana.post("/sync", {"items": [changed, gone]}).json["results"]:
        assert (told["verdict"], told["current"]) == ("forbidden", None)
    for told in (cast.ana.put(mine, filled(clock.now)), cast.ana.delete(mine, version=9)):
        assert (told.status_code, told.json["code"], "current" in told.json) == (409, "other-author", False)
    assert cast.bo.delete(f"{theirs}{mine}", version=1).status_code == 204
    assert [change["id"] for change in pull_all(cast)] == [own["id"]]


def test_what_a_clinician_rated_does_not_become_what_the_patient_filled_nor_the_other_way_round(
    cast: Cast, clock: Clock
) -> None:
    rated = {key: value for key, value in filled(clock.now, "madrs", total=22).items() if key != "answers"}
    paper, theirs = filled(clock.now), f"/patients/{cast.ana.patient_id}/questionnaire-responses"
    for first, then in ((rated, paper), (paper, rated)):
        path = f"{theirs}/{uuid7()}"
        assert cast.bo.put(path, first).status_code == 201
        refused = cast.bo.put(path, then, version=1)
        assert (refused.status_code, [one["pointer"] for one in refused.json["errors"]]) == (
            422,
            ["/instrument"],
        )
        assert cast.bo.delete(path, version=1).status_code == 204
        assert cast.bo.put(path, then, version=2).status_code == 422
    assert [(one["instrument"], one["deleted"]) for one in pull_all(cast)] == [("phq-9", True)]


def test_a_commit_between_the_two_readings_of_a_pull_is_not_skipped(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    """While entries are read already and responses not yet, another phone stores one of each."""
    first = put(entry(clock.now))
    cast.ana.post("/sync", {"items": [first]})
    late = [put(entry(clock.now)), push(filled(clock.now))]
    with before_responses_are_read(app, lambda: cast.ana.post("/sync", {"items": late})):
        between = cast.ana.post("/sync", {}).json
    seen = [*between["changes"], *pull_all(cast, cursor=between["next_cursor"])]
    assert [change["id"] for change in seen] == [item["id"] for item in (first, *late)]


@contextmanager
def before_responses_are_read(app: Flask, act: Any) -> Iterator[None]:
    """Run ``act`` once, on other connections, just before the first reading of responses."""
    engine = Surroundings.of(app).database.engine
    waiting = [act]

    def interrupt(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if waiting and "FROM questionnaire_responses" in statement:
            waiting.pop()()

    event.listen(engine, "before_cursor_execute", interrupt)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", interrupt)
    assert not waiting, "nothing came between"


def test_a_scale_that_came_in_time_may_be_corrected_for_ever(cast: Cast, clock: Clock) -> None:
    felt = clock.now
    item = push(filled(felt, "gad-7"))
    assert verdicts(cast.ana.post("/sync", {"items": [item]})) == ["created"]
    clock.forward(days=40)
    later = {**item, "base_version": 1, "questionnaire_response": filled(felt, "gad-7", each=1)}
    moved = {**item, "base_version": 2, "questionnaire_response": filled(felt - timedelta(days=1), "gad-7")}
    assert verdicts(cast.ana.post("/sync", {"items": [later, moved]})) == ["updated", "invalid"]


def test_item_9_is_answered_again_where_its_answer_was_lost_and_it_was_corrected(
    cast: Cast, clock: Clock
) -> None:
    item = push(with_item9(clock.now, 2))
    corrected = {**item, "base_version": 1, "questionnaire_response": with_item9(clock.now, 0)}
    first = cast.ana.post("/sync", {"items": [item]}).json["results"][0]
    cast.ana.post("/sync", {"items": [corrected]})
    again = cast.ana.post("/sync", {"items": [item]}).json["results"][0]
    assert (again["verdict"], again["version"]) == ("duplicate", 1)
    assert "contact your clinic today" in again["notice"]["text"]
    assert again["notice"] == first["notice"]
