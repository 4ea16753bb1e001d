"""What the phone of `examples/phone.py` does with scales, and with what others wrote, app by app."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from examples.phone import (
    ENTRY,
    FILLED,
    MADE_BY_SERVER,
    STORED,
    WRITABLE,
    Json,
    Phone,
    Refused,
    Store,
    Unreachable,
    filled,
    merged,
)
from schemas.entry import EntryBody
from schemas.questionnaire_response import QuestionnaireResponseBody
from schemas.scale import ScaleAnswer
from schemas.sync import SyncedEntry, SyncedQuestionnaireResponse
from server.clinical.instruments.catalog import instrument
from tests.cast import Cast, Person, entry, opened_alerts
from tests.conftest import Clock, Watched, bring_back, empty, keep

PHQ2 = ScaleAnswer().dump(instrument("phq-2", 1))


def phone_of(person: Person, clock: Clock, future: Json | None = None) -> Phone:
    """A phone of ``person``. ``future`` is what a newer server keeps beside an entry (see `Newer`)."""

    def send(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        answer = person.send(method, path.removeprefix("/v1"), body)
        return answer.status_code, answer.get_json()

    return Phone(Store(":memory:"), send if future is None else Newer(send, future).send, print, clock)


@dataclass
class Newer:
    """A server that knows members which this app does not; as ever, a put without them removes them."""

    beyond: Any
    future: Json

    def send(self, method: str, path: str, body: Json | None) -> tuple[int, Json]:
        """Send to the server of today without what it would refuse; give back what the newer one keeps."""
        body = json.loads(json.dumps(body))
        told = [{name: item[ENTRY].pop(name, None) for name in self.future} for item in body["items"]]
        status, answer = self.beyond(method, path, body)
        for said, result in zip(told, answer["results"], strict=True):
            self.future.update(said if result["verdict"] in STORED else {})
        for copy in (*answer["changes"], *(r["current"] for r in answer["results"] if r["current"])):
            copy.update(self.future)
        return status, answer


def test_a_phone_that_goes_on_from_the_journal_of_somebody_else_sends_none_of_it_again(
    cast: Cast, clock: Clock
) -> None:
    phone = phone_of(cast.other_patient, clock)
    phone.sync()
    phone.send = phone_of(cast.ana, clock).send  # whoever signed in next
    phone.log(entry(clock.now, note="Fay's"))
    for _ in range(2):
        with pytest.raises(Refused, match="somebody else"):
            phone.sync()
    assert cast.ana.get("/entries").json["items"] == []
    assert (phone.store.count("waiting", "sent"), len(phone.store.journal())) == (1, 1)


def test_a_scale_that_is_due_is_filled_corrected_and_taken_back_offline(cast: Cast, clock: Clock) -> None:
    path = f"/patients/{cast.ana.patient_id}/check-in-plan"
    day = clock.now.date().isoformat()
    asked = {"instrument": "phq-2", "anchor": "once", "first_day": day, "open_days": 1}
    version = cast.coordinator.get(path).json["version"]
    assert cast.coordinator.put(path, {"scales": [asked]}, version).status_code == 200

    phone = phone_of(cast.ana, clock)
    phone.look()
    assert [due["instrument"] for due in phone.due()] == [None, "phq-2"]
    with pytest.raises(Refused, match="no answer 9"):
        phone.fill("phq-2", [9, 0], "Europe/Oslo")
    row_id = phone.fill("phq-2", [1, None], "Europe/Oslo")
    phone.log(entry(clock.now))
    assert phone.due() == [], "what was done offline is done"
    phone.sync(), phone.look()
    assert phone.due() == []
    stored = cast.ana.get(f"/questionnaire-responses/{row_id}").json
    assert (stored["answers"], stored["occurrence"]) == ({"q1": 1, "q2": None}, f"phq-2:{day}")

    phone.edit(row_id, phone.store.journal(FILLED)[row_id] | filled(PHQ2, [3, 3]))
    phone.sync()
    corrected = cast.ana.get(f"/questionnaire-responses/{row_id}").json
    assert (corrected["total"], corrected["occurrence"]) == (6, f"phq-2:{day}")
    phone.delete(row_id)
    phone.sync(), phone.look()
    assert cast.ana.get(f"/questionnaire-responses/{row_id}").status_code == 404
    assert [due["instrument"] for due in phone.due()] == ["phq-2"]
    clock.forward(days=1)
    assert phone.due() == [], "what was due yesterday is not shown today"


def test_a_phone_knows_every_member_of_today() -> None:
    taken = {*EntryBody().fields, *QuestionnaireResponseBody().fields}
    given = {*SyncedEntry().fields, *SyncedQuestionnaireResponse().fields}
    assert taken == WRITABLE
    # `total` is one of each: the score, and what is typed in for scales kept as a score.
    assert given - taken == MADE_BY_SERVER - {"seen_by_team_at"}


def test_a_correction_keeps_who_typed_it_and_what_a_newer_app_wrote(cast: Cast, clock: Clock) -> None:
    newer: Json = {}
    phone, tablet = (phone_of(cast.ana, clock, newer) for _ in range(2))
    row_id = phone.log(entry(clock.now, entered_by="caregiver"))
    phone.sync()
    newer["weather"] = "rain"  # written by an app of tomorrow
    tablet.sync()
    tablet.edit(row_id, tablet.store.journal()[row_id] | {"note": "from the tablet"})
    tablet.sync()
    assert newer == {"weather": "rain"}, "it was sent back"
    phone.edit(row_id, phone.store.journal()[row_id] | {"items": {"mood": 1}})
    phone.sync()  # a conflict: the two are joined
    found = phone.store.journal()[row_id]
    assert found["items"] == {"mood": 1}
    assert (found["weather"], found["note"], found["entered_by"]) == ("rain", "from the tablet", "caregiver")


def test_a_member_that_only_the_server_makes_is_found_out_and_left_alone(cast: Cast, clock: Clock) -> None:
    """A newer server shows `seen_on`, and refuses to have it told by a phone, as any unknown member."""
    phone = phone_of(cast.ana, clock)
    row_id = phone.log(entry(clock.now))
    phone.sync()
    with phone.store.all_or_nothing():
        phone.store.apply(row_id, ENTRY, 1, phone.store.journal()[row_id] | {"seen_on": "2026-03-02"})
    phone.edit(row_id, phone.store.journal()[row_id] | {"note": "more"})
    phone.sync()
    assert phone.store.count("refused") == 0
    assert cast.ana.get(f"/entries/{row_id}").json["note"] == "more"


def test_of_two_corrections_of_one_scale_none_is_mixed_from_both(cast: Cast, clock: Clock) -> None:
    phone, tablet = (phone_of(cast.ana, clock) for _ in range(2))
    row_id = phone.log({**filled(PHQ2, [0, 0]), "occurred_at": clock.now.isoformat(), "zone": "UTC"}, FILLED)
    phone.sync(), tablet.sync()
    for device, values in ((phone, [3, 0]), (tablet, [0, 2])):
        device.edit(row_id, device.store.journal(FILLED)[row_id] | filled(PHQ2, values))
        device.sync()
    phone.sync()
    for device in (phone, tablet):
        assert device.store.journal(FILLED)[row_id]["answers"] == {"q1": 0, "q2": 2}
    revisions = cast.ana.get(f"/questionnaire-responses/{row_id}/revisions").json["items"]
    assert [list(r["content"]["answers"].values()) for r in revisions] == [[0, 0], [3, 0], [0, 2]]


def test_what_was_corrected_elsewhere_is_not_undone_by_a_lost_answer(cast: Cast, clock: Clock) -> None:
    phone, tablet = (phone_of(cast.ana, clock) for _ in range(2))
    row_id = phone.log(entry(clock.now, note="mistyped"))
    items = phone.store.batch(1)
    cast.ana.post("/sync", {"items": items})  # and the answer is lost
    tablet.sync()
    tablet.edit(row_id, tablet.store.journal()[row_id] | {"note": "typed well"})
    tablet.sync(), phone.sync()
    assert phone.store.journal()[row_id]["note"] == "typed well"
    assert phone.store.count("waiting", "sent") == 0


def test_members_are_merged_three_ways() -> None:
    base = {"items": {"mood": 5, "pain": 2}, "safety": "no", "note": "a", "tags": ["x"]}
    theirs = {"items": {"mood": 5, "pain": 7}, "safety": "no", "note": "a\nb", "tags": ["x"], "new": 1}
    mine = {"items": {"mood": 1, "pain": 2}, "note": "a\nc", "tags": ["y"]}
    assert merged(base, theirs, mine) == {
        "items": {"mood": 1, "pain": 7},
        "note": "a\nb\nc",
        "tags": ["y"],
        "new": 1,
    }


def test_half_of_two_fillings_is_no_filling() -> None:
    theirs, mine = ({"answers": {"q1": a, "q2": b}} for a, b in ((1, 0), (0, 1)))
    assert merged({"answers": {"q1": 0, "q2": 0}}, theirs, mine) == mine


def test_the_last_day_of_a_scale_ends_when_the_server_says(clock: Clock) -> None:
    phone = Phone(Store(":memory:"), lambda *_: (404, {}), print, clock)
    until = clock.now + timedelta(hours=1)
    occurrence = {"key": "phq-2:x", "instrument": "phq-2", "until": until.isoformat(), "done": False}
    phone.store.keep("today", json.dumps({"occurrences": [occurrence]}))
    assert phone.due() == [occurrence]
    clock.forward(hours=1)
    assert phone.due() == []


def test_a_batch_that_is_refused_as_a_whole_shows_its_notice(cast: Cast, clock: Clock) -> None:
    def send(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        answer = cast.ana.send(method, path.removeprefix("/v1"), {**(body or {}), "colour": "blue"})
        return answer.status_code, answer.get_json()

    shown: list[Json] = []
    phone = Phone(Store(":memory:"), send, shown.append, clock)
    phone.log(entry(clock.now, safety="plan"))
    with pytest.raises(Refused):
        phone.sync()
    assert [notice["kind"] for notice in shown] == ["emergency"]
    assert phone.store.count("waiting", "sent") == 1


def test_what_a_restored_server_has_lost_is_pushed_again(cast: Cast, clock: Clock, database: Watched) -> None:
    """An older backup was put back: everybody signs in again, and a copy begins anew."""
    phone = phone_of(cast.ana, clock)
    phone.page = 2  # the copy comes in several pages
    said = [phone.log(entry(clock.now - timedelta(days=day), note=f"day {day}")) for day in range(5)]
    corrected, taken_back, older = said[0], said[1], said[2]
    phone.sync()
    kept = keep(database)
    phone.edit(corrected, phone.store.journal()[corrected] | {"note": "corrected"})
    phone.delete(taken_back)
    since = phone.log(entry(clock.now, note="since the backup", safety="often"))
    never = phone.log(entry(clock.now, note="since, and taken back"))
    phone.sync()
    phone.delete(never)
    phone.sync()
    journal, shown = phone.store.journal(), len(opened_alerts(database))
    empty(database)
    bring_back(database, kept)
    assert len(opened_alerts(database)) == shown - 1, "what could not wait is gone with the rest"
    phone.store.keep("cursor", None)  # after a sign-in
    phone.edit(older, phone.store.journal()[older] | {"note": "while it was away"})
    phone.sync()
    journal[older] = phone.store.journal()[older]
    assert phone.store.journal() == journal
    there = {one["id"]: one.get("note") for one in cast.ana.get("/entries?limit=50").json["items"]}
    assert there == {row_id: body["note"] for row_id, body in journal.items()}
    assert since in there
    assert not {never, taken_back} & there.keys()
    assert len(opened_alerts(database)) == shown, "and heeded again"
    fresh = phone_of(cast.ana, clock)
    fresh.sync()
    assert fresh.store.journal().keys() == journal.keys()


def test_a_copy_that_is_begun_anew_is_seen_whole_while_it_is_cut_off_and_pushes_nothing(
    cast: Cast, clock: Clock
) -> None:
    phone = phone_of(cast.ana, clock)
    for day in range(5):
        phone.log(entry(clock.now - timedelta(days=day), note=f"day {day}"))
    phone.sync()
    journal, send, left = phone.store.journal(), phone.send, 2
    phone.page = 1

    def cut_off(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        nonlocal left
        left -= 1
        if left < 0:
            raise Unreachable
        return send(method, path, body)

    for _ in range(2):
        phone.store.keep("cursor", None)
        phone.send, left = cut_off, 2
        with pytest.raises(Unreachable):
            phone.sync()
        assert phone.store.journal() == journal
    phone.send = send
    phone.sync()
    assert phone.store.journal() == journal
    assert phone.store.count("waiting", "sent", "refused") == 0
    revisions = [cast.ana.get(f"/entries/{row_id}/revisions").json["items"] for row_id in journal]
    assert {len(one) for one in revisions} == {1}, "nothing was sent twice"


def test_a_push_with_a_cursor_from_before_an_older_state_took_over_begins_anew(
    cast: Cast, clock: Clock, database: Watched
) -> None:
    """A standby that was behind took over: nobody is signed out, and nobody knows of it."""
    phone = phone_of(cast.ana, clock)
    phone.log(entry(clock.now, note="before"))
    phone.sync()
    kept = keep(database)
    for day in range(3):
        phone.log(entry(clock.now - timedelta(days=day), note=f"lost, {day}"))
    phone.sync()
    empty(database)
    bring_back(database, kept)
    phone.log(entry(clock.now, note="after", safety="often"))
    phone.sync()
    there = {one["note"] for one in cast.ana.get("/entries?limit=50").json["items"]}
    assert there == {"before", "lost, 0", "lost, 1", "lost, 2", "after"}
    assert len(opened_alerts(database)) == 1
