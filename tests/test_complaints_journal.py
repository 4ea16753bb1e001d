"""What patients of other diaries complained about, one test a complaint: it must not happen here."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from uuid_utils.compat import uuid7

from examples.phone import Json, Unreachable
from server.clinical.wall_clock import DAY_START
from server.services.civil_time import civil_day, day_end
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.test_phone_rules import phone_of

# Around the two nights on which the clocks of Oslo change.
CLOCK_CHANGES = ((3, 28), (3, 29), (10, 24), (10, 25))
OSLO = ZoneInfo("Europe/Oslo")


def item(body: dict[str, Any], entry_id: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": entry_id or str(uuid7()), "action": "put", "entry": body, **more}


def verdicts(cast: Cast, *items: dict[str, Any]) -> list[str]:
    answer = cast.ana.post("/sync", {"cursor": None, "items": list(items)})
    assert answer.status_code == 200, answer.text
    return [result["verdict"] for result in answer.json["results"]]


def stored(cast: Cast) -> list[dict[str, Any]]:
    return list(cast.ana.get("/entries?limit=200").json["items"])


def stored_at(cast: Cast, clock: Clock, path: str, moment: datetime) -> str:
    """Store an entry felt at ``moment``, in the minute it was felt; return the day it is shown on."""
    clock.now = moment
    fresh = cast.ana.put(path, entry(moment))
    return str(fresh.json["entry"]["local_day"])


def test_complaint_5_an_entry_at_1_37_am_belongs_to_the_evening_it_ends_and_stays_there(
    cast: Cast, clock: Clock
) -> None:
    night = datetime(2026, 3, 2, 1, 37, tzinfo=OSLO)
    path = f"/entries/{uuid7()}"
    assert cast.ana.put(path, entry(night)).json["entry"]["local_day"] == "2026-03-01"
    # After a flight the old entry stays where it was, whatever the patient's zone is now.
    patient = f"/patients/{cast.ana.patient_id}"
    version = cast.bo.get(patient).json["version"]
    assert cast.bo.patch(patient, {"zone": "Pacific/Auckland"}, version=version).status_code == 200
    assert cast.ana.get(path).json["local_day"] == "2026-03-01"
    assert [day["day"] for day in cast.ana.get("/me/timeline").json["items"]] == ["2026-03-01"]
    logged = [day["day"] for day in cast.ana.get("/me/trend").json["days"] if day["items"]]
    assert logged == ["2026-03-01"]


@pytest.mark.parametrize(
    "day", [date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 24), date(2026, 10, 25)]
)
def test_complaint_6_the_day_that_is_shown_ends_when_the_day_that_is_enforced_ends(
    cast: Cast, clock: Clock, day: date
) -> None:
    end, minute = day_end(day, "Europe/Oslo", DAY_START), timedelta(minutes=1)
    assert end.astimezone(OSLO).strftime("%H:%M") == "04:00"
    for moment, wanted in ((end - minute, day), (end, day + timedelta(days=1))):
        path = f"/entries/{uuid7()}"
        assert stored_at(cast, clock, path, moment) == wanted.isoformat()
        # What the phone shows, what the timeline shows and what the watch's day close works by agree.
        assert civil_day(moment, "Europe/Oslo", DAY_START) == wanted
        days = cast.ana.get("/me/timeline").json["items"]
        shown = {one["day"]: [e["id"] for e in one["entries"]] for one in days}
        assert path.rpartition("/")[2] in shown[wanted.isoformat()]


def test_complaint_12_a_write_counts_once_and_an_incomplete_one_not_at_all(cast: Cast, clock: Clock) -> None:
    path, whole = f"/entries/{uuid7()}", entry(clock.now)
    for _ in range(5):
        cast.ana.put(path, whole)
    torn = {key: value for key, value in whole.items() if key != "zone"}
    half_wrong = entry(clock.now, items={"mood": 5, "anxiety": 99})
    assert cast.ana.put(f"/entries/{uuid7()}", torn).status_code == 422
    assert cast.ana.put(f"/entries/{uuid7()}", half_wrong).status_code == 422
    assert len(stored(cast)) == 1


def test_complaint_13_two_real_entries_of_one_moment_stay_two_and_a_resent_one_stays_one(
    cast: Cast, clock: Clock
) -> None:
    body, first, second = entry(clock.now), str(uuid7()), str(uuid7())
    assert verdicts(cast, item(body, first), item(body, second), item(body, first)) == [
        "created",
        "created",
        "duplicate",
    ]
    assert {e["id"] for e in stored(cast)} == {first, second}


def test_complaint_14_two_phones_under_one_sign_in_make_no_pile_of_conflict_copies(
    cast: Cast, clock: Clock
) -> None:
    shared = str(uuid7())
    assert verdicts(cast, item(entry(clock.now, note="phone one"), shared)) == ["created"]
    for _ in range(20):
        said = verdicts(cast, item(entry(clock.now, note="phone two"), shared), item(entry(clock.now)))
        assert said == ["conflict", "created"]
    found = stored(cast)
    assert len(found) == 21
    assert [e["note"] for e in found if e["id"] == shared] == ["phone one"]
    assert len(cast.ana.get(f"/entries/{shared}/revisions").json["items"]) == 1


def test_complaint_15_what_was_written_offline_goes_up_past_a_bad_item_and_again_after_a_lost_answer(
    cast: Cast, clock: Clock
) -> None:
    week = [item(entry(clock.now - timedelta(days=k))) for k in range(7)]
    bad = item(entry(clock.now, items={"mood": 99}))
    batch = [*week[:3], bad, *week[3:]]
    assert verdicts(cast, *batch) == ["created"] * 3 + ["invalid"] + ["created"] * 4
    assert verdicts(cast, *batch) == ["duplicate"] * 3 + ["invalid"] + ["duplicate"] * 4
    assert len(stored(cast)) == 7


def test_complaint_15_the_phone_counts_what_is_pending_and_the_count_falls_to_what_was_refused(
    cast: Cast, clock: Clock
) -> None:
    phone = phone_of(cast.ana, clock)
    online, troubles = phone.send, ["no network", "the answer is lost"]

    def send(method: str, path: str, body: Json | None) -> tuple[int, Json]:
        trouble = troubles.pop(0) if troubles else None
        if trouble == "no network":
            raise Unreachable(trouble)
        answer = online(method, path, body)
        if trouble:
            raise Unreachable(trouble)
        return answer

    def pending() -> int:
        return phone.store.count("waiting", "sent")

    phone.send = send
    for back in range(3):
        phone.log(entry(clock.now - timedelta(days=back)))
    phone.log(entry(clock.now, items={"mood": 99}))
    assert pending() == 4
    for stored_there in (0, 3):  # the second call arrives, and only its answer is lost
        with pytest.raises(Unreachable):
            phone.sync()
        assert (pending(), len(stored(cast))) == (4, stored_there)
    phone.sync()
    assert (pending(), phone.store.count("refused"), len(stored(cast))) == (0, 1, 3)


def test_complaint_23_one_tidy_export_with_local_time_utc_zone_and_form_version_whose_counts_agree(
    cast: Cast, clock: Clock
) -> None:
    for back in range(3):
        cast.ana.put(f"/entries/{uuid7()}", entry(clock.now - timedelta(days=back), zone="America/St_Johns"))
    text = cast.ana.get("/me/export?format=csv").get_data().decode("utf-8-sig")
    *rows, end = csv.DictReader(io.StringIO(text, newline=""))
    assert (end["kind"], end["rows"]) == ("end", "3")
    counts = cast.ana.get("/me/export").json["counts"]
    assert len(rows) == counts["revisions"] == counts["entries"] == len(stored(cast)) == 3
    for row in rows:
        told = datetime.fromisoformat(row["local_time"] + row["utc_offset"].removeprefix("UTC"))
        assert told == datetime.fromisoformat(row["utc"])
        assert told.astimezone(ZoneInfo(row["zone"])).replace(tzinfo=None).isoformat() == row["local_time"]
        assert row["form_version"]


def test_complaint_24_many_entries_a_day_and_long_notes(cast: Cast, clock: Clock) -> None:
    note = "It came back after lunch. " * 380
    for hour in range(20):
        body = entry(clock.now - timedelta(minutes=hour), note=note, items={"mood": hour % 10})
        assert cast.ana.put(f"/entries/{uuid7()}", body).status_code == 201
    (day,) = cast.ana.get("/me/timeline").json["items"]
    assert len(day["entries"]) == 20
    assert {e["note"] for e in day["entries"]} == {note}
    assert len({e["occurred_at"] for e in day["entries"]}) == 20
    assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, note="x" * 10_001)).status_code == 422
