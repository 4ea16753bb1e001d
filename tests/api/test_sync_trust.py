"""What a phone can rely on when the wire, the clock or a single entry is bad."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from uuid_utils.compat import uuid7

from examples.phone import written
from server.api.edge import Surroundings
from server.database import Database
from server.isolation import Extent
from server.models import Entry, EntryRevision
from tests.api.test_sync import pull_all, put, verdicts
from tests.cast import Cast, entry, opened_alerts, pushed
from tests.conftest import Clock, owner_of
from tests.scales import filled

LOST = {"sqlite": 200, "postgresql": 40}


def stored(app: Flask) -> list[tuple[Any, ...]]:
    """Return every entry's id, version, hash and number, and how many revisions there are."""
    with Surroundings.of(app).database.read() as session:
        columns = (Entry.id, Entry.version, Entry.content_hash, Entry.sequence)
        rows = sorted(tuple(row) for row in session.execute(select(*columns)))
        return [*rows, (len(list(session.scalars(select(EntryRevision.version)))),)]


def test_one_bad_entry_among_199_good_ones_is_named_and_the_next_sync_is_clean(
    cast: Cast, clock: Clock
) -> None:
    batch = [put(entry(clock.now - timedelta(hours=n))) for n in range(200)]
    batch[77]["entry"] = entry(clock.now, items={"mood": 11})
    answer = cast.ana.post("/sync", {"items": batch})
    assert verdicts(answer) == ["created"] * 77 + ["invalid"] + ["created"] * 122
    assert answer.json["results"][77]["id"] == batch[77]["id"]
    assert answer.json["results"][77]["errors"][0]["pointer"] == "/entry/items/mood"
    mended = {**batch[77], "entry": entry(clock.now, items={"mood": 10})}
    assert verdicts(cast.ana.post("/sync", {"items": [mended]})) == ["created"]
    assert len(pull_all(cast)) == 200


def test_a_member_with_half_a_character_in_its_name_takes_no_answer_from_the_good_entries(
    cast: Cast, clock: Clock
) -> None:
    batch = [put(entry(clock.now)), put(entry(clock.now, items={"mo\ud800od": 3, "a/b~": 3}))]
    batch.append({**put(entry(clock.now)), "\udfff": 1})
    answer = cast.ana.post("/sync", {"items": batch})
    assert verdicts(answer) == ["created", "invalid", "invalid"]
    named = [[found["pointer"] for found in result["errors"]] for result in answer.json["results"]]
    assert named == [[], ["/entry/items/a~1b~0", "/entry/items/mo\ufffdod"], ["/\ufffd"]]
    assert verdicts(cast.ana.post("/sync", {"items": batch})) == ["duplicate", "invalid", "invalid"]


REFUSE_MALTA = {
    "sqlite": """CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN NEW.zone = 'Europe/Malta'
        BEGIN SELECT RAISE(ABORT, 'refused'); END""",
    "postgresql": "ALTER TABLE entries ADD CONSTRAINT refuse CHECK (zone <> 'Europe/Malta')",
}
TAKE_MALTA = {
    "sqlite": "DROP TRIGGER refuse",
    "postgresql": "ALTER TABLE entries DROP CONSTRAINT refuse",
}


@pytest.fixture
def picky(database: Database) -> Iterator[None]:
    """A database that can't store what was felt in Malta."""
    kind = database.engine.dialect.name
    with owner_of(database).write(Extent.NONE) as session:
        # SQLite: a connection that slept while the trigger of the last test went would find it there.
        session.execute(text("SELECT 1 FROM entries")).first()
        session.execute(text(REFUSE_MALTA[kind]))
    yield
    with owner_of(database).write(Extent.NONE) as session:
        session.execute(text(TAKE_MALTA[kind]))


@pytest.mark.usefixtures("picky")
def test_what_the_database_refuses_is_to_be_sent_again_and_holds_nothing_else_up(
    cast: Cast, clock: Clock, app: Flask
) -> None:
    first, last = put(entry(clock.now, note="first")), put(entry(clock.now, safety="often"))
    second = {**first, "base_version": 1, "entry": entry(clock.now, note="second")}
    malta = put(entry(clock.now, zone="Europe/Malta"))
    answer = cast.ana.post("/sync", {"items": [first, malta, second, malta, last]})
    assert verdicts(answer) == ["created", "retry", "updated", "retry", "created"]
    assert answer.json["results"][4]["notice"]["kind"] == "crisis_lines"
    assert [(e["id"], e["note"]) for e in pull_all(cast)] == [(first["id"], "second"), (last["id"], None)]
    assert len(cast.bo.get("/alerts").json["items"]) == 1
    assert len(opened_alerts(Surroundings.of(app).database)) == 1


@pytest.mark.usefixtures("picky")
def test_what_the_database_refuses_is_heeded_all_the_same_and_once(
    cast: Cast, clock: Clock, app: Flask
) -> None:
    malta, fine = put(entry(clock.now, zone="Europe/Malta", safety="plan")), put(entry(clock.now))
    for _ in range(2):
        answer = cast.ana.post("/sync", {"items": [malta, fine]})
        assert verdicts(answer)[0] == "retry"
        assert answer.json["results"][0]["notice"]["kind"] == "emergency"
        alone = cast.ana.put(f"/entries/{malta['id']}", malta["entry"])
        assert (alone.status_code, alone.json["notice"]["kind"]) == (500, "emergency")
    assert "notice" not in cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, zone="Europe/Malta")).json
    (alert,) = opened_alerts(Surroundings.of(app).database)
    assert (alert.codes, alert.evidence["stored"], alert.version) == (["safety_plan"], False, 1)
    assert [e["id"] for e in pull_all(cast)] == [fine["id"]]


@pytest.mark.long
def test_a_response_lost_200_times_leaves_the_rows_as_they_were(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    made = put(entry(clock.now, note="first"))
    gone = put(entry(clock.now, note="taken back"))
    cast.ana.post("/sync", {"items": [made, gone]})
    batch = [
        {**made, "base_version": 1, "entry": entry(clock.now, note="second")},
        {"id": gone["id"], "action": "delete", "base_version": 1},
        put(entry(clock.now, note="new")),
    ]
    cast.ana.post("/sync", {"items": batch})
    once = stored(app)
    for _ in range(LOST[database.engine.dialect.name]):
        cast.ana.post("/sync", {"items": batch, "limit": 1})
    assert stored(app) == once
    assert verdicts(cast.ana.post("/sync", {"items": batch})) == ["duplicate"] * 3


@pytest.mark.parametrize("off", [timedelta(days=900), timedelta(days=3), timedelta(days=-20_000)])
def test_a_phone_whose_clock_is_off_by_years_loses_nothing_and_misleads_nobody(
    cast: Cast, clock: Clock, off: timedelta
) -> None:
    shown = clock.now + off
    felt = shown - timedelta(hours=1)
    said = put(entry(felt, recorded_at=felt.isoformat(), items={"mood": 1}))
    answer = cast.ana.post("/sync", {"items": [said], "sent_at": shown.isoformat()}).json
    assert ([r["verdict"] for r in answer["results"]], answer["clock_suspect"]) == (["created"], True)
    kept = cast.ana.get(f"/entries/{said['id']}").json
    assert datetime.fromisoformat(kept["occurred_at"]) == felt  # as the phone said it, and marked
    assert (kept["clock_suspect"], abs(kept["clock_skew_seconds"] + off.total_seconds()) < 2) == (True, True)
    clock.forward(days=3, hours=-1)
    assert [due["done"] for due in cast.ana.get("/me/today").json["occurrences"]] == [False]
    too_old = put(entry(felt - timedelta(days=31), recorded_at=felt.isoformat()))
    sent = (clock.now + off).isoformat()
    assert verdicts(cast.ana.post("/sync", {"items": [too_old], "sent_at": sent})) == ["invalid"]
    put_right = put(entry(felt, recorded_at=felt.isoformat(), note="logged before the clock was put right"))
    right = cast.ana.post("/sync", {"items": [put_right], "sent_at": clock.now.isoformat()})
    assert verdicts(right) == ["created"]
    assert cast.ana.get(f"/entries/{put_right['id']}").json["clock_suspect"] is (abs(off) > timedelta(days=5))


@pytest.mark.parametrize("size", [1, 3])
def test_a_first_sync_interrupted_after_every_page_ends_in_the_same_journal(
    cast: Cast, clock: Clock, size: int
) -> None:
    batch = [put(entry(clock.now - timedelta(hours=n))) for n in range(7)]
    cast.ana.post("/sync", {"items": batch})
    cast.ana.post("/sync", {"items": [{"id": batch[2]["id"], "action": "delete", "base_version": 1}]})
    whole = {e["id"]: (e["version"], e["deleted"]) for e in pull_all(cast)}
    copy: dict[str, Any] = {}
    cursor, more = None, True
    while more:
        lost = cast.ana.post("/sync", {"cursor": cursor, "limit": size}).json  # the phone dies with it
        page = cast.ana.post("/sync", {"cursor": cursor, "limit": size}).json
        assert page["changes"] == lost["changes"]
        copy |= {e["id"]: (e["version"], e["deleted"]) for e in page["changes"]}
        cursor, more = page["next_cursor"], page["has_more"]
    assert copy == whole


@pytest.mark.parametrize(
    "wrong", [timedelta(days=2), timedelta(days=-365), datetime(1970, 1, 1, tzinfo=UTC) - datetime.now(UTC)]
)
def test_a_wrong_clock_of_the_phone_is_kept_and_said_and_corrects_nothing(
    cast: Cast, clock: Clock, wrong: timedelta
) -> None:
    phone = max(clock.now + wrong, datetime(1970, 1, 1, tzinfo=UTC))
    said = entry(clock.now - timedelta(hours=1), recorded_at=phone.isoformat())
    answer = cast.ana.post("/sync", {"items": [put(said)], "sent_at": phone.isoformat()})
    assert verdicts(answer) == ["created"]
    assert answer.json["clock_suspect"] is True
    (kept,) = answer.json["changes"]
    assert datetime.fromisoformat(kept["recorded_at"]) == phone
    assert datetime.fromisoformat(kept["occurred_at"]) == clock.now - timedelta(hours=1)
    assert datetime.fromisoformat(kept["received_at"]) == clock.now


BEFORE_1970 = ("1969-12-31T23:59:59.999999Z", "1904-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59")


@pytest.mark.parametrize("offset", [-8, -5, 1, 13])
def test_a_clock_that_was_reset_keeps_no_phone_from_syncing_wherever_it_is(
    cast: Cast, clock: Clock, offset: int
) -> None:
    """West of Greenwich it is still 1969 when the clock of a phone begins to count."""
    phone = datetime(1970, 1, 1, 0, 5, tzinfo=UTC).astimezone(timezone(timedelta(hours=offset)))
    before = put(entry(clock.now - timedelta(hours=1), recorded_at=clock.now.isoformat()))
    by_it = put(entry(phone, recorded_at=phone.isoformat()))
    answer = cast.ana.post("/sync", {"items": [before, by_it], "sent_at": phone.isoformat()})
    assert verdicts(answer) == ["created", "created"]
    assert [kept["clock_suspect"] for kept in answer.json["changes"]] == [True, True]
    back = written(answer.json["changes"][1])
    again = {**by_it, "base_version": 1, "entry": {**back, "note": "corrected"}}
    assert verdicts(cast.ana.post("/sync", {"items": [again]})) == ["updated"]


@pytest.mark.parametrize(
    ("shown", "kept_as"),
    [
        *((early, "1970-01-01T00:00:00+00:00") for early in BEFORE_1970),
        ("9999-12-31T23:59:59-23:59", "2200-12-31T23:59:59.999999+00:00"),
    ],
)
def test_no_clock_is_so_far_off_that_a_batch_is_lost(
    cast: Cast, clock: Clock, shown: str, kept_as: str
) -> None:
    """The patient said themself when it was felt, as a clock that is off asks of them."""
    at = clock.now - timedelta(hours=1)
    items = [put(entry(at, recorded_at=shown)), pushed("questionnaire_response", filled(at))]
    items[1]["questionnaire_response"]["recorded_at"] = shown
    items.append(put(entry(datetime(1965, 1, 1, tzinfo=UTC), safety="plan")))
    answer = cast.ana.post("/sync", {"items": items, "sent_at": shown})
    assert verdicts(answer) == ["created", "created", "invalid"]
    assert answer.json["results"][2]["notice"]["kind"] == "emergency"
    assert answer.json["clock_suspect"] is True
    for kept in answer.json["changes"]:
        assert kept["clock_suspect"] is True
        assert datetime.fromisoformat(kept["recorded_at"]) == datetime.fromisoformat(kept_as)
        assert datetime.fromisoformat(kept["occurred_at"]) == at
    assert cast.ana.get("/entries").json["items"][0]["id"] == items[0]["id"]
    corrected = {**items[0], "base_version": 1, "entry": {**items[0]["entry"], "note": "typo mended"}}
    assert verdicts(cast.ana.post("/sync", {"items": [corrected], "sent_at": shown})) == ["updated"]


def corrected(cast: Cast, item: dict[str, Any], sent_at: datetime | None) -> tuple[bool, int | None]:
    """Correct the note of what ``item`` stored; return the mark that it has then."""
    body = {**item["entry"], "note": "typo mended"}
    if sent_at is None:
        kept = cast.ana.put(f"/entries/{item['id']}", body, version=1).json["entry"]
    else:
        again = {**item, "base_version": 1, "entry": body}
        answer = cast.ana.post("/sync", {"items": [again], "sent_at": sent_at.isoformat()})
        (kept,) = (one for one in answer.json["changes"] if one["id"] == item["id"])
    return kept["clock_suspect"], kept["clock_skew_seconds"]


def test_a_mended_typo_leaves_the_mark_of_the_clock_that_gave_the_moment(cast: Cast, clock: Clock) -> None:
    slow = clock.now - timedelta(hours=3)
    for first, then, mark in (
        *((slow, sent_at, (True, 10800)) for sent_at in (None, clock.now, slow)),
        (clock.now, slow, (False, 0)),
    ):
        item = put(entry(first, note="tpyo"))
        cast.ana.post("/sync", {"items": [item], "sent_at": first.isoformat()})
        assert corrected(cast, item, then) == mark


def test_a_correction_of_the_moment_is_marked_by_the_clock_that_gave_the_new_one(
    cast: Cast, clock: Clock
) -> None:
    slow = clock.now - timedelta(hours=3)
    item = put(entry(slow))
    cast.ana.post("/sync", {"items": [item], "sent_at": slow.isoformat()})
    item["entry"] = entry(clock.now)
    assert corrected(cast, item, clock.now) == (False, 0)


def test_a_phone_whose_clock_is_right_is_not_suspected(cast: Cast, clock: Clock) -> None:
    for sent_at, suspect in ((clock.now + timedelta(minutes=9), False), (clock.now, False)):
        answer = cast.ana.post("/sync", {"sent_at": sent_at.isoformat()})
        assert answer.json["clock_suspect"] is suspect
    assert cast.ana.post("/sync", {}).json["clock_suspect"] is False


def test_a_feeling_two_days_ahead_or_thirty_back_is_taken_and_one_beyond_is_named(
    cast: Cast, clock: Clock
) -> None:
    days = [timedelta(days=2), timedelta(days=-30)]
    beyond = [days[0] + timedelta(seconds=1), days[1] - timedelta(seconds=1)]
    answer = cast.ana.post("/sync", {"items": [put(entry(clock.now + d)) for d in [*days, *beyond]]})
    assert verdicts(answer) == ["created"] * 2 + ["invalid"] * 2
    assert {r["errors"][0]["pointer"] for r in answer.json["results"][2:]} == {"/entry/occurred_at"}


def test_what_was_stored_is_recognised_however_late_it_is_sent_again(cast: Cast, clock: Clock) -> None:
    item = put(entry(clock.now))
    cast.ana.post("/sync", {"items": [item]})
    clock.forward(days=100)
    assert verdicts(cast.ana.post("/sync", {"items": [item]})) == ["duplicate"]


def test_a_cursor_lasts_180_days_and_every_sync_renews_it(cast: Cast, clock: Clock) -> None:
    first = cast.ana.post("/sync", {}).json["next_cursor"]
    clock.forward(days=180)
    second = cast.ana.post("/sync", {"cursor": first})
    assert second.status_code == 200
    clock.forward(days=1)
    expired = cast.ana.post("/sync", {"cursor": first, "items": [put(entry(clock.now))]})
    assert (expired.status_code, expired.json["code"]) == (410, "resync")
    assert pull_all(cast) == [], "what came with a refused cursor was not looked at"
    assert cast.ana.post("/sync", {"cursor": second.json["next_cursor"]}).status_code == 200


def test_a_conflict_with_a_deleted_entry_says_that_it_was_deleted(cast: Cast, clock: Clock) -> None:
    item = put(entry(clock.now))
    cast.ana.post("/sync", {"items": [item]})
    cast.ana.post("/sync", {"items": [{"id": item["id"], "action": "delete", "base_version": 1}]})
    late = {**item, "base_version": 1, "entry": entry(clock.now, note="kept on the tablet")}
    (result,) = cast.ana.post("/sync", {"items": [late]}).json["results"]
    assert (result["verdict"], result["version"], result["current"]["deleted"]) == ("conflict", 2, True)
    back = {**late, "base_version": 2}
    assert verdicts(cast.ana.post("/sync", {"items": [back]})) == ["updated"]
