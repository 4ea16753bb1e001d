"""The phone's clock at sending, in the header of a PUT."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.consents import caregiver
from tests.scales import filled

WRONG = [
    "",
    "now",
    "2026-03-02",
    "2026-03-02T10:00:00",
    "Mon, 02 Mar 2026 12:00:00 GMT",
    "2026-13-02T10:00:00Z",
]


def put(who: Person, path: str, body: Any, sent_at: str) -> Any:
    """Send a PUT from a phone whose clock shows ``sent_at``."""
    headers = {"Authorization": f"Bearer {who.token}", "Sent-At": sent_at}
    return who.client.open(f"/v1{path}", method="PUT", json=body, headers=headers)


def shown(clock: Clock, behind: timedelta) -> datetime:
    return clock.now - behind


@pytest.mark.parametrize("behind", [timedelta(), timedelta(minutes=9), timedelta(days=-1)])
def test_how_far_the_clock_is_off_is_kept_with_an_entry(cast: Cast, clock: Clock, behind: timedelta) -> None:
    at = shown(clock, behind)
    answer = put(cast.ana, f"/entries/{uuid7()}", entry(at), at.isoformat())
    kept = answer.json["entry"]
    assert (answer.status_code, kept["clock_skew_seconds"]) == (201, behind.total_seconds())
    assert kept["clock_suspect"] is (abs(behind) > timedelta(minutes=10))


def test_a_filled_scale_has_the_same_mark(cast: Cast, clock: Clock) -> None:
    at = shown(clock, timedelta(hours=2))
    answer = put(cast.ana, f"/questionnaire-responses/{uuid7()}", filled(at), at.isoformat())
    kept = answer.json["questionnaire_response"]
    assert (kept["clock_skew_seconds"], kept["clock_suspect"]) == (7200, True)


def test_a_clock_that_is_off_by_years_loses_nothing_and_judges_no_day(cast: Cast, clock: Clock) -> None:
    at, path = datetime.fromisoformat("2011-01-01T12:00:00+00:00"), f"/entries/{uuid7()}"
    answer = put(cast.ana, path, entry(at), at.isoformat())
    assert (answer.status_code, answer.json["entry"]["clock_suspect"]) == (201, True)
    due = cast.ana.get("/me/today").json["occurrences"]
    assert [one["done"] for one in due] == [False]
    again = put(cast.ana, path, entry(at), (at + timedelta(minutes=1)).isoformat())
    assert (again.status_code, again.json["outcome"]) == (200, "duplicate")


def test_a_clock_from_before_1970_keeps_no_entry_out(cast: Cast, clock: Clock) -> None:
    answer = put(cast.ana, f"/entries/{uuid7()}", entry(clock.now), "1904-01-01T00:00:00Z")
    assert (answer.status_code, answer.json["entry"]["clock_suspect"]) == (201, True)
    report = {"zone": "America/New_York", "since": "1904-01-01T00:00:00Z", "sent_at": "1904-01-01T00:00:03Z"}
    assert cast.ana.patch("/me/zone", report).json["zone"] == "America/New_York"


def test_so_has_what_a_caregiver_says(cast: Cast, clock: Clock) -> None:
    gus, entry_id = caregiver(cast, ["log"]), uuid7()
    at = shown(clock, timedelta(hours=2))
    path = f"/cared-for/{cast.ana.patient_id}/entries/{entry_id}"
    assert put(gus, path, entry(at), at.isoformat()).status_code == 201
    assert cast.ana.get(f"/entries/{entry_id}").json["clock_suspect"] is True


@pytest.mark.parametrize("said", WRONG)
def test_what_is_no_moment_is_refused_and_heeded_all_the_same(cast: Cast, clock: Clock, said: str) -> None:
    answer = put(cast.ana, f"/entries/{uuid7()}", entry(clock.now, safety="plan"), said)
    assert answer.status_code == 400
    assert [one["header"] for one in answer.json["errors"]] == ["Sent-At"]
    assert answer.json["notice"]["kind"] == "emergency"
    assert cast.bo.get("/alerts").json["items"], "the care team is told"
