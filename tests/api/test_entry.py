"""The diary on the wire."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from uuid_utils.compat import uuid4, uuid7

from examples.phone import MADE_BY_SERVER
from tests.cast import Cast, entry, sign_in
from tests.conftest import Clock
from tests.scales import filled


def new_id() -> str:
    return str(uuid7())


def test_an_entry_is_stored_once_however_often_it_is_sent(cast: Cast, clock: Clock) -> None:
    path, body = f"/entries/{new_id()}", entry(clock.now)
    first = cast.ana.put(path, body)
    again = cast.ana.put(path, body)
    assert (first.status_code, first.json["outcome"]) == (201, "created")
    assert (again.status_code, again.json["outcome"]) == (200, "duplicate")
    assert cast.ana.get("/entries").json["items"] == [first.json["entry"] | {"seen_by_team_at": None}]


def test_an_entry_comes_back_as_it_was_sent(cast: Cast, clock: Clock) -> None:
    body = entry(
        clock.now,
        side_effects={"nausea": 2},
        medication={"adherence": "partly", "rescue_doses": 1},
        tags=["walk"],
        note="Slept badly.\nBetter now.",
    )
    path = f"/entries/{new_id()}"
    cast.ana.put(path, body)
    stored = cast.ana.get(path).json
    for part in ("items", "side_effects", "medication", "tags", "note", "safety", "zone"):
        assert stored[part] == body[part]
    assert stored["local_day"] == "2026-03-02"


def test_an_entry_is_taken_back_as_the_server_tells_it_nulls_included(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{new_id()}"
    cast.ana.put(path, {**entry(clock.now), "safety": None, "note": None, "recorded_at": None})
    (told,) = cast.ana.post("/sync", {}).json["changes"]
    back = {name: value for name, value in told.items() if name not in MADE_BY_SERVER}
    assert {name for name, value in back.items() if value is None} == {"safety", "note", "recorded_at"}
    assert cast.ana.put(path, back).json["outcome"] == "duplicate"
    assert cast.ana.put(path, {**back, "note": "one more"}, version=1).json["outcome"] == "updated"


def test_another_time_of_writing_alone_is_no_correction(cast: Cast, clock: Clock) -> None:
    path, said = f"/entries/{new_id()}", clock.now.isoformat()
    cast.ana.put(path, entry(clock.now, recorded_at=said))
    earlier = (clock.now - timedelta(hours=5)).isoformat()
    again = cast.ana.put(path, entry(clock.now, recorded_at=earlier), version=1).json
    assert (again["outcome"], again["entry"]["recorded_at"]) == ("duplicate", said)


def test_a_correction_needs_the_version_it_changes(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{new_id()}"
    cast.ana.put(path, entry(clock.now))
    changed = entry(clock.now, note="I meant yesterday.")
    blind = cast.ana.put(path, changed)
    stale = cast.ana.put(path, changed, version=9)
    right = cast.ana.put(path, changed, version=1)
    assert (blind.status_code, blind.json["current"]["version"]) == (428, 1)
    assert (stale.status_code, stale.json["current"]["version"]) == (412, 1)
    assert (right.status_code, right.json["entry"]["version"]) == (200, 2)
    assert right.headers["ETag"] == '"v2"'


def test_a_correction_of_what_was_taken_back_elsewhere_is_told_so(cast: Cast, clock: Clock) -> None:
    """A tombstone is empty: joined with as if it were an entry, what was not changed would be lost."""
    for kind, path, body in (
        ("entry", f"/entries/{new_id()}", entry(clock.now)),
        ("questionnaire_response", f"/questionnaire-responses/{new_id()}", filled(clock.now)),
    ):
        cast.ana.put(path, body)
        moved = {**body, "zone": "Europe/London"}
        before = [cast.ana.put(path, moved, version).json["current"] for version in (None, 9)]
        assert cast.ana.delete(path, version=1).status_code == 204
        after = [cast.ana.put(path, moved, version).json["current"] for version in (None, 1)]
        assert [(one["kind"], one["deleted"]) for one in before] == [(kind, False)] * 2
        assert [(one["kind"], one["deleted"]) for one in after] == [(kind, True)] * 2
        assert cast.ana.put(path, moved, version=after[0]["version"]).status_code == 200


def test_what_no_text_may_hold_is_left_out_of_a_note_and_keeps_no_entry_out(cast: Cast, clock: Clock) -> None:
    """Pasted from a word processor or a page, or cut in the middle of a character: nobody sees it there."""
    said = "Slept\x0bbadly.\x00\x7f\x85Better now.\x0c\ud83d"
    body, path = entry(clock.now, note=said), f"/entries/{new_id()}"
    first, again = (cast.ana.put(path, body) for _ in range(2))
    assert (first.status_code, again.json["outcome"]) == (201, "duplicate")
    assert first.json["entry"]["note"] == "Slept\nbadly.\nBetter now.\n"
    read_back = cast.ana.put(path, {**body, "note": first.json["entry"]["note"]}).json
    assert read_back["outcome"] == "duplicate"
    item = {"id": str(uuid7()), "action": "put", "entry": entry(clock.now, note=said)}
    (result,) = cast.ana.post("/sync", {"items": [item]}).json["results"]
    assert result["verdict"] == "created"
    nothing = {"occurred_at": clock.now.isoformat(), "zone": "Europe/Oslo", "note": "\x00\ud83d"}
    assert cast.ana.put(f"/entries/{new_id()}", nothing).status_code == 422, "it says nothing"
    longest = entry(clock.now, note="\x00" + "a" * 10_000)
    assert cast.ana.put(f"/entries/{new_id()}", longest).status_code == 201


def test_every_version_of_an_entry_is_kept_also_after_deletion(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{new_id()}"
    cast.ana.put(path, entry(clock.now, note="one"))
    cast.ana.put(path, entry(clock.now, note="two"), version=1)
    assert cast.ana.delete(path, version=2).status_code == 204
    assert cast.ana.get(path).status_code == 404
    kept = cast.ana.get(f"{path}/revisions").json["items"]
    assert [(r["version"], (r["content"] or {}).get("note")) for r in kept] == [
        (1, "one"),
        (2, "two"),
        (3, None),
    ]


def test_a_day_ends_at_four_in_the_morning_where_the_patient_is(cast: Cast, clock: Clock) -> None:
    late = clock.now.replace(hour=1, minute=30)  # 02:30 in Oslo: still the evening before
    receipt = cast.ana.put(f"/entries/{new_id()}", entry(late)).json
    assert receipt["entry"]["local_day"] == "2026-03-01"


def test_entries_are_read_by_day_range_a_page_at_a_time(cast: Cast, clock: Clock) -> None:
    for back in range(5):
        cast.ana.put(f"/entries/{new_id()}", entry(clock.now - timedelta(days=back)))
    seen = list(_pages(cast, "/entries?first=2026-02-27&last=2026-03-01&limit=2"))
    assert [len(page) for page in seen] == [2, 1]
    assert {e["local_day"] for page in seen for e in page} == {"2026-02-27", "2026-02-28", "2026-03-01"}


def _pages(cast: Cast, path: str) -> Iterator[list[dict[str, str]]]:
    cursor = ""
    while cursor is not None:
        page = cast.ana.get(path + (f"&cursor={cursor}" if cursor else "")).json
        yield page["items"]
        cursor = page["next_cursor"]


def test_a_page_says_of_each_entry_what_is_said_of_it_alone(cast: Cast, clock: Clock) -> None:
    felt = clock.now - timedelta(hours=1)
    began = felt.isoformat()
    said = [
        entry(felt),
        entry(felt, items={}, safety=None, note='She said "no"\\ then\nleft 😀'),
        entry(felt + timedelta(microseconds=5), tags=["a walk", "ø"], circumstances=["infection"]),
        entry(felt, side_effects={"nausea": 2, "dizziness": 0}, side_effect_onset={"nausea": began}),
        entry(felt, recorded_at=felt.isoformat(), medication={"rescue_doses": 2, "opioid_changed": True}),
        entry(felt, entered_by="caregiver", zone="America/Argentina/Buenos_Aires"),
    ]
    for one in said:
        cast.ana.put(f"/entries/{uuid7()}", one)
    before = cast.ana.get("/entries").json["items"]
    assert before == [cast.ana.get(f"/entries/{one['id']}").json for one in before]
    assert [one["seen_by_team_at"] for one in before] == [None] * len(said)
    clock.forward(hours=1)
    by_team = cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["items"]
    after = cast.ana.get("/entries").json["items"]
    assert all(one["seen_by_team_at"] for one in after)
    assert by_team == [{k: v for k, v in one.items() if k != "seen_by_team_at"} for one in after]
    assert after == [cast.ana.get(f"/entries/{one['id']}").json for one in after]
    assert [one["note"] for one in after] == [one.get("note") for one in said]


@pytest.mark.parametrize(
    ("answer", "kind"), [("plan", "emergency"), ("often", "crisis_lines"), ("passing", "crisis_lines")]
)
def test_a_safety_answer_shows_help_in_the_same_response(
    cast: Cast, clock: Clock, answer: str, kind: str
) -> None:
    notice = cast.ana.put(f"/entries/{new_id()}", entry(clock.now, safety=answer)).json["notice"]
    assert notice["kind"] == kind
    assert notice["emergency_number"] == "your local emergency number (Norway) or 999 or 112 (Britain (UK))"
    assert "116 123 (Samaritans, Britain (UK))" in notice["crisis_lines"]


@pytest.mark.parametrize(("effects", "asks"), [({"jaundice": 1}, True), ({"nausea": 1}, False)])
def test_crisis_lines_do_not_hide_that_an_effect_asks_for_a_call_to_the_clinic(
    cast: Cast, clock: Clock, effects: dict[str, int], asks: bool
) -> None:
    said = entry(clock.now, safety="passing", side_effects=effects)
    notice = cast.ana.put(f"/entries/{new_id()}", said).json["notice"]
    assert notice["kind"] == "crisis_lines"
    assert notice["text"].endswith("Please also contact your clinic today.") is asks


def test_an_id_of_another_kind_is_told_which_kind_it_must_be(cast: Cast, clock: Clock) -> None:
    for other in (str(uuid4()), new_id().upper()):
        refused = cast.ana.put(f"/entries/{other}", entry(clock.now))
        assert (refused.status_code, "UUIDv7" in refused.json["detail"]) == (422, True)
        for absent in (cast.ana.get(f"/entries/{other}"), cast.ana.delete(f"/entries/{other}", version=1)):
            assert (absent.status_code, "UUIDv7" in absent.json["detail"]) == (404, True)
    assert "UUIDv7" not in cast.ana.get("/entrees").json["detail"]


def test_cyd_finds_nothing_of_ana(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{new_id()}"
    cast.ana.put(path, entry(clock.now))
    assert cast.other_patient.get(path).status_code == 404
    for below in ("", "/entries"):
        assert cast.cyd.get(f"/patients/{cast.ana.patient_id}{below}").status_code == 404
    assert cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["items"]


def test_the_same_id_from_another_patient_is_another_entry(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{new_id()}"
    assert cast.ana.put(path, entry(clock.now)).status_code == 201
    assert cast.other_patient.put(path, entry(clock.now, note="mine")).status_code == 201
    assert cast.ana.get(path).json["note"] is None


@pytest.mark.parametrize(("days", "status"), [(3, 422), (-31, 422), (-29, 201), (1, 201)])
def test_an_entry_is_about_the_last_month_never_the_future(
    cast: Cast, clock: Clock, days: int, status: int
) -> None:
    body = entry(clock.now + timedelta(days=days))
    assert cast.ana.put(f"/entries/{new_id()}", body).status_code == status


@pytest.mark.parametrize(
    ("felt", "written", "status"),
    [
        (-300, -299, 201),
        (-300, -270, 201),
        (-300, -269, 422),
        (-401, -401, 201),
        (-9000, -8000, 422),
        (900, 900, 201),
        (900, 3, 422),
        (-29, 5, 201),
        (-31, 5, 422),
    ],
)
def test_what_was_written_down_in_time_is_taken_after_months_offline(
    cast: Cast, clock: Clock, felt: int, written: int, status: int
) -> None:
    recorded_at = (clock.now + timedelta(days=written)).isoformat()
    body = entry(clock.now + timedelta(days=felt), recorded_at=recorded_at)
    assert cast.ana.put(f"/entries/{new_id()}", body).status_code == status


def test_a_late_correction_leaves_a_good_date_good_and_an_impossible_one_marked(
    cast: Cast, clock: Clock
) -> None:
    good, wrong = clock.now, clock.now + timedelta(days=900)
    paths = {felt: f"/entries/{new_id()}" for felt in (good, wrong)}
    for felt, path in paths.items():
        assert cast.ana.put(path, entry(felt, recorded_at=felt.isoformat())).status_code == 201
    clock.forward(days=450)
    token = sign_in(cast.ana.client, "demo", "ana@home.example")["access_token"]
    ana = replace(cast.ana, token=token)
    for felt, path in paths.items():
        assert (
            ana.put(path, entry(felt, recorded_at=felt.isoformat(), note="later"), version=1).status_code
            == 200
        )
    assert [ana.get(path).json["clock_suspect"] for path in paths.values()] == [False, True]


def test_an_entry_by_a_caregiver_is_marked_as_such(cast: Cast, clock: Clock) -> None:
    own, helped = f"/entries/{new_id()}", f"/entries/{new_id()}"
    cast.ana.put(own, entry(clock.now))
    cast.ana.put(helped, entry(clock.now, entered_by="caregiver"))
    read = cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["items"]
    assert [e["entered_by"] for e in read] == ["patient", "caregiver"]
    assert cast.ana.put(f"/entries/{new_id()}", entry(clock.now, entered_by="robot")).status_code == 422


def test_who_entered_it_is_part_of_an_entry_and_patient_needs_no_word(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{new_id()}"
    cast.ana.put(path, entry(clock.now))
    assert cast.ana.put(path, entry(clock.now, entered_by="patient")).json["outcome"] == "duplicate"
    assert cast.ana.put(path, entry(clock.now, entered_by="caregiver")).status_code == 428


def test_an_entry_taken_in_time_can_be_corrected_after_any_time(cast: Cast, clock: Clock) -> None:
    path, felt = f"/entries/{new_id()}", clock.now
    cast.ana.put(path, entry(felt))
    late = clock.now.replace(month=7)
    clock.now = late
    token = sign_in(cast.ana.client, "demo", "ana@home.example")["access_token"]
    ana = replace(cast.ana, token=token)
    assert ana.put(path, entry(felt, note="I remember better now."), version=1).status_code == 200
    moved = entry(felt + timedelta(hours=1))
    assert ana.put(path, moved, version=2).status_code == 422
