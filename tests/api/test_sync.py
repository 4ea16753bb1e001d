"""Offline sync: one verdict an item, nothing lost, nothing doubled, nothing skipped."""

from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.models import Alert
from server.services.journal.incoming import Incoming
from server.services.journal.journal import open_journal
from tests.cast import Cast, as_work, entry, new_patient, opened_alerts, pushed
from tests.conftest import Clock
from tests.fhir_client import Fhir
from tests.scales import filled


def put(body: dict[str, Any], version: int | None = None) -> dict[str, Any]:
    return {"id": str(uuid7()), "action": "put", "base_version": version, "entry": body}


def verdicts(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [result["verdict"] for result in answer.json["results"]]


def pull_all(cast: Cast, size: int = 200, cursor: str | None = None) -> list[dict[str, Any]]:
    """Pull until there is no more, as a phone does."""
    seen: list[dict[str, Any]] = []
    more = True
    while more:
        answer = cast.ana.post("/sync", {"cursor": cursor, "limit": size}).json
        seen += answer["changes"]
        cursor, more = answer["next_cursor"], answer["has_more"]
    return seen


def test_a_week_logged_offline_arrives_in_one_call(cast: Cast, clock: Clock) -> None:
    batch = [put(entry(clock.now - timedelta(days=back))) for back in range(7)]
    assert verdicts(cast.ana.post("/sync", {"items": batch})) == ["created"] * 7
    assert verdicts(cast.ana.post("/sync", {"items": batch})) == ["duplicate"] * 7
    assert [e["id"] for e in pull_all(cast, size=3)] == [item["id"] for item in batch]


def test_one_bad_item_never_blocks_the_rest(cast: Cast, clock: Clock) -> None:
    good = [put(entry(clock.now - timedelta(hours=h))) for h in range(5)]
    bad = [
        put(entry(clock.now, items={"mood": 3.9})),
        {"id": str(uuid7()), "action": "put"},
        {"id": "nonsense", "action": "put", "entry": entry(clock.now)},
        put(entry(clock.now + timedelta(days=9))),
        "not an object",
    ]
    answer = cast.ana.post("/sync", {"items": [*good[:2], *bad, *good[2:]]})
    assert verdicts(answer) == ["created"] * 2 + ["invalid"] * 5 + ["created"] * 3
    assert answer.json["results"][2]["errors"][0]["pointer"] == "/entry/items/mood"
    assert len(pull_all(cast)) == 5


def test_a_red_flag_inside_a_late_batch_is_acted_on_at_once(app: Flask, cast: Cast, clock: Clock) -> None:
    late = entry(clock.now - timedelta(days=3), safety="plan")
    answer = cast.ana.post("/sync", {"items": [put(entry(clock.now)), put(late)]})
    assert answer.json["results"][1]["notice"]["kind"] == "emergency"
    with Surroundings.of(app).database.read() as session:
        assert [a.urgency for a in session.scalars(select(Alert))] == ["P0"]


def test_two_phones_that_change_one_entry_both_keep_their_text(cast: Cast, clock: Clock) -> None:
    item = put(entry(clock.now))
    cast.ana.post("/sync", {"items": [item]})
    first = {**item, "base_version": 1, "entry": entry(clock.now, note="from the tablet")}
    second = {**item, "base_version": 1, "entry": entry(clock.now, note="from the phone")}
    assert verdicts(cast.ana.post("/sync", {"items": [first]})) == ["updated"]
    conflict = cast.ana.post("/sync", {"items": [second]}).json["results"][0]
    assert (conflict["verdict"], conflict["current"]["note"]) == ("conflict", "from the tablet")
    again = {**second, "base_version": conflict["version"]}
    assert verdicts(cast.ana.post("/sync", {"items": [again]})) == ["updated"]


def test_one_batch_may_make_correct_and_delete_the_same_entry(cast: Cast, clock: Clock) -> None:
    made = put(entry(clock.now, note="first"))
    corrected = {**made, "base_version": 1, "entry": entry(clock.now, note="second")}
    deleted = {"id": made["id"], "action": "delete", "base_version": 2}
    assert verdicts(cast.ana.post("/sync", {"items": [made, corrected]})) == ["created", "updated"]
    assert [e["note"] for e in pull_all(cast)] == ["second"]
    assert verdicts(cast.ana.post("/sync", {"items": [made, deleted]})) == ["duplicate", "updated"]
    assert [e["deleted"] for e in pull_all(cast)] == [True]


def test_a_push_whose_answer_was_lost_is_no_conflict_after_a_correction(cast: Cast, clock: Clock) -> None:
    made = put(entry(clock.now, safety="plan"))
    corrected = {**made, "base_version": 1, "entry": entry(clock.now, note="from the tablet")}
    first = cast.ana.post("/sync", {"items": [made]}).json["results"][0]
    cast.ana.post("/sync", {"items": [corrected]})
    answer = cast.ana.post("/sync", {"items": [made, {**made, "base_version": 1}]}).json
    again, conflict = answer["results"]
    assert (again["verdict"], again["version"]) == ("duplicate", 1)
    assert again["notice"] == first["notice"], "the phone may not have shown it"
    assert conflict["verdict"] == "conflict"
    assert answer["changes"][0]["note"] == "from the tablet"


def test_each_verdict_names_the_version_its_own_item_made(cast: Cast, clock: Clock) -> None:
    made = put(entry(clock.now, note="first"))
    corrected = {**made, "base_version": 1, "entry": entry(clock.now, note="second")}
    deleted = {"id": made["id"], "action": "delete", "base_version": 2}
    stale = {**made, "base_version": 1, "entry": entry(clock.now, note="too late")}
    answer = cast.ana.post("/sync", {"items": [made, made, corrected, made, stale, deleted]})
    assert verdicts(answer) == ["created", "duplicate", "updated", "duplicate", "conflict", "updated"]
    results = answer.json["results"]
    assert [result["version"] for result in results] == [1, 1, 2, 1, 3, 3]
    assert results[4]["current"]["version"] == 3, "of a conflict the copy to push on top of"


@pytest.mark.parametrize("kind", ["entry", "questionnaire_response"])
def test_whoever_thinks_better_of_taking_something_back_has_it_again_also_where_an_answer_was_lost(
    cast: Cast, clock: Clock, kind: str
) -> None:
    """Each change says the version that the one before it made, as the guide has it."""
    made = pushed(kind, entry(clock.now) if kind == "entry" else filled(clock.now))
    assert verdicts(cast.ana.post("/sync", {"items": [made]})) == ["created"]
    gone = {"id": made["id"], "kind": kind, "action": "delete", "base_version": 1}
    lost, again = (cast.ana.post("/sync", {"items": [gone]}).json["results"][0] for _ in range(2))
    assert (lost["verdict"], again["verdict"]) == ("updated", "duplicate")
    assert lost["version"] == again["version"] == 2
    kept = cast.ana.post("/sync", {"items": [{**made, "base_version": again["version"]}]})
    assert verdicts(kept) == ["updated"]
    assert [one["deleted"] for one in pull_all(cast)] == [False]


def test_a_deletion_of_what_never_came_has_been_done_and_made_no_version(cast: Cast) -> None:
    gone = {"id": str(uuid7()), "action": "delete", "base_version": 1}
    (result,) = cast.ana.post("/sync", {"items": [gone]}).json["results"]
    assert (result["verdict"], result["version"]) == ("duplicate", None)


def test_a_deleted_entry_comes_down_as_an_empty_tombstone(cast: Cast, clock: Clock) -> None:
    item = put(entry(clock.now, note="not for ever"))
    cast.ana.post("/sync", {"items": [item]})
    gone = {"id": item["id"], "action": "delete", "base_version": 1}
    assert verdicts(cast.ana.post("/sync", {"items": [gone, gone]})) == ["updated", "duplicate"]
    (tombstone,) = pull_all(cast)
    assert (tombstone["deleted"], tombstone["note"], tombstone["items"]) == (True, None, {})


def test_a_cursor_of_nobody_means_start_again(cast: Cast) -> None:
    own = cast.ana.post("/sync", {}).json["next_cursor"]
    for cursor in ("made up", own[:-3]):
        answer = cast.ana.post("/sync", {"cursor": cursor})
        assert (answer.status_code, answer.json["code"]) == (410, "resync")


def test_with_the_cursor_of_somebody_else_a_phone_is_told_whose_journal_it_must_not_send(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    """Two patients on one phone, and an app that keeps one journal: not to be told to send it anew."""
    nia = new_patient(app, cast.ana.clinic_id, "Nia", cast.bo.account_id)
    pending = [put(entry(clock.now, note="of Nia")), put(entry(clock.now, safety="plan"))]
    for stranger in (nia, cast.other_patient):
        foreign = stranger.post("/sync", {}).json["next_cursor"]
        for _ in range(2):
            answer = cast.ana.post("/sync", {"cursor": foreign, "items": pending})
            assert (answer.status_code, answer.json["code"]) == (410, "other-journal")
            assert answer.json["notice"]["kind"] == "emergency"
    assert pull_all(cast) == []
    (alert,) = opened_alerts(Surroundings.of(app).database)
    assert (alert.patient_id, alert.version) == (cast.ana.patient_id, 1)
    assert "somebody else's journal" in alert.summary
    assert "ask who said it" in alert.summary
    assert alert.evidence["other_journal"] is True
    (issue,) = Fhir(cast.bo).found(f"DetectedIssue?patient={cast.ana.patient_id}")
    assert "ask who said it" in issue["detail"], "whoever reads it elsewhere is told as well"
    more = [put(entry(clock.now, safety="plan", note="once more"))]
    assert cast.ana.post("/sync", {"cursor": foreign, "items": more}).status_code == 410
    (alert,) = opened_alerts(Surroundings.of(app).database)
    assert [one["other_journal"] for one in alert.evidence["reports"]] == [True], "nor in what joins it"


def test_so_it_is_where_something_else_speaks_against_the_whole_batch(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    """Sent again as it should be, it would be no news: the doubt has to be there from the first."""
    nia = new_patient(app, cast.ana.clinic_id, "Nia", cast.bo.account_id)
    batch = {
        "cursor": nia.post("/sync", {}).json["next_cursor"],
        "items": [put(entry(clock.now, safety="plan"))],
    }
    assert cast.ana.post("/sync", {**batch, "limit": 0}).status_code == 422
    assert cast.ana.post("/sync", batch).json["code"] == "other-journal"
    (alert,) = opened_alerts(Surroundings.of(app).database)
    assert (alert.version, alert.evidence["other_journal"]) == (1, True)
    assert "ask who said it" in alert.summary


def test_what_a_patient_says_herself_is_told_anew_where_what_was_taken_on_may_be_anothers(
    app: Flask, cast: Cast, clock: Clock
) -> None:
    """Who took it on asked her, and it was not she who said it: now she does."""
    nia = new_patient(app, cast.ana.clinic_id, "Nia", cast.bo.account_id)
    foreign = nia.post("/sync", {}).json["next_cursor"]

    def said(note: str, cursor: str | None = foreign) -> dict[str, Any]:
        items = [put(entry(clock.now, safety="often", note=note))]
        cast.ana.post("/sync", {"cursor": cursor, "items": items})
        (one,) = cast.bo.get("/alerts").json["items"]
        return dict(cast.bo.get(f"/alerts/{one['id']}").json)

    alert = said("of Nia")
    cast.bo.post(f"/alerts/{alert['id']}/acknowledge", {}, version=alert["version"])
    assert said("of Nia, too")["state"] == "acknowledged"
    told = said("of Ana", None)
    assert (told["state"], "somebody else" in told["summary"]) == ("open", False)
    cast.bo.post(f"/alerts/{told['id']}/acknowledge", {}, version=told["version"])
    assert said("of Ana, once more", None)["state"] == "acknowledged"


def test_a_slow_transaction_is_not_skipped_by_the_cursor(app: Flask, cast: Cast, clock: Clock) -> None:
    """Two connections write; the one that began first commits last. A pull loop must see both."""
    database = Surroundings.of(app).database
    holds_the_row, may_commit = Event(), Event()

    def slow() -> None:
        with database.write() as session:
            body = {**_loaded(clock), "note": "slow"}
            _write(as_work(app, cast.ana, session), _ana(cast), body)
            holds_the_row.set()
            may_commit.wait(10)

    def fast() -> None:
        holds_the_row.wait(10)
        with database.write() as session:
            body = {**_loaded(clock), "note": "fast"}
            _write(as_work(app, cast.ana, session), _ana(cast), body)

    threads = [Thread(target=slow), Thread(target=fast)]
    for thread in threads:
        thread.start()
    holds_the_row.wait(10)
    between = cast.ana.post("/sync", {}).json  # nothing is committed yet, so nothing may be passed over
    assert between["changes"] == []
    may_commit.set()
    for thread in threads:
        thread.join(15)
    seen = pull_all(cast, size=1, cursor=between["next_cursor"])
    assert [e["note"] for e in seen] == ["slow", "fast"]


def test_a_batch_has_limits_that_are_said(cast: Cast, clock: Clock) -> None:
    many = [put(entry(clock.now))] * 201
    assert cast.ana.post("/sync", {"items": many}).status_code == 422
    long = [put(entry(clock.now, note="x" * 9_999)) for _ in range(60)]
    assert verdicts(cast.ana.post("/sync", {"items": long})) == ["created"] * 60
    too_long = [put(entry(clock.now, note="x" * 9_999)) for _ in range(110)]
    assert cast.ana.post("/sync", {"items": too_long}).status_code == 413


def _loaded(clock: Clock) -> dict[str, Any]:
    return {**entry(clock.now), "occurred_at": clock.now, "side_effects": {}, "medication": {}, "tags": []}


def _ana(cast: Cast) -> Any:
    return cast.ana.patient_id


def _write(work: Any, patient_id: Any, body: dict[str, Any]) -> None:
    incoming = Incoming(uuid7(), body)
    journal = open_journal(work, patient_id, [incoming.id])
    journal.store(incoming)
    journal.write()


@pytest.mark.parametrize(
    ("ahead", "skew", "suspect"),
    [
        (timedelta(0), 0, False),
        (timedelta(minutes=-10), 600, False),
        (timedelta(minutes=10, seconds=1), -601, True),
        (timedelta(days=-365 * 50), 365 * 50 * 86400, True),
    ],
)
def test_a_wrong_clock_is_noted_never_corrected_or_refused(
    cast: Cast, clock: Clock, ahead: timedelta, skew: int, suspect: bool
) -> None:
    item = put(entry(clock.now))
    body = {"items": [item], "sent_at": (clock.now + ahead).isoformat()}
    assert verdicts(cast.ana.post("/sync", body)) == ["created"]
    (seen,) = pull_all(cast)
    assert (seen["clock_skew_seconds"], seen["clock_suspect"]) == (skew, suspect)
    assert seen["occurred_at"] == clock.now.isoformat()
    (read,) = cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["items"]
    assert (read["clock_skew_seconds"], read["clock_suspect"]) == (skew, suspect)


def test_a_phone_that_does_not_say_its_time_is_not_suspected(cast: Cast, clock: Clock) -> None:
    cast.ana.post("/sync", {"items": [put(entry(clock.now))]})
    (seen,) = pull_all(cast)
    assert (seen["clock_skew_seconds"], seen["clock_suspect"]) == (None, False)
