"""Bo changes a suggested visit before it is booked: a window, an urgency, a length; never a dose."""

from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.visits import Visits

PATH = "/booking-suggestions"
WIDER = {"latest": "2026-03-16", "reason": "She is away for a week."}


def change(cast: Cast, suggestion: object, version: int, **body: Any) -> Any:
    return cast.bo.post(f"{PATH}/{suggestion}/change", body, version=version)


def test_a_change_is_kept_with_its_reason_and_raises_the_version(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    changed = change(cast, suggestion, 1, **WIDER, urgency="P3", minutes=120)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"v2"')
    kept = cast.bo.get(f"{PATH}/{suggestion}").json
    assert (kept["earliest"], kept["latest"]) == ("2026-03-02", "2026-03-16")
    assert (kept["urgency"], kept["minutes"], kept["state"]) == ("P3", 120, "draft")
    last = kept["events"][-1]
    assert (last["action"], last["account"]) == ("change", "Bo")
    assert last["detail"] == {
        "reason": WIDER["reason"],
        "from": {"latest": "2026-03-09", "urgency": "P2", "minutes": "90"},
        "to": {"latest": "2026-03-16", "urgency": "P3", "minutes": "120"},
    }


def test_what_is_so_already_is_no_change(visits: Visits, cast: Cast) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    same = change(cast, suggestion, 1, latest="2026-03-09", reason="As it is.")
    assert (same.status_code, same.json["version"]) == (200, 1)
    assert len(cast.bo.get(f"{PATH}/{suggestion}").json["events"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"earliest": "2026-03-01"}, "/earliest"),
        ({"latest": "2026-03-01"}, "/latest"),
        ({"earliest": "2026-03-10"}, "/latest"),
        ({"latest": "2026-12-01"}, "/latest"),
    ],
)
def test_a_window_that_can_not_be_is_refused(
    visits: Visits, cast: Cast, body: dict[str, Any], pointer: str
) -> None:
    visits.on_treatment()
    refused = change(cast, visits.relapse(), 1, **body, reason="Sooner.")
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)


def test_a_window_before_the_plans_shortest_interval_needs_to_be_said_why(visits: Visits, cast: Cast) -> None:
    visits.session(visits.on_treatment(), visits.now - timedelta(days=2))
    suggestion = visits.relapse()
    sooner = {"earliest": "2026-03-05", "latest": "2026-03-12", "reason": "Sooner."}
    refused = change(cast, suggestion, 1, **sooner)
    assert (refused.status_code, refused.json["code"]) == (409, "blocked")
    assert refused.json["current"]["blocks"] == [
        {"code": "INTERVAL", "detail": "the window begins before 2026-03-07, plan minimum 7 days"}
    ]
    assert cast.bo.get(f"{PATH}/{suggestion}").json["version"] == 1
    taken = change(cast, suggestion, 1, **sooner, override_reason="She flies on the 13th.")
    assert (taken.status_code, taken.json["earliest"]) == (200, "2026-03-05")
    detail = cast.bo.get(f"{PATH}/{suggestion}").json["events"][-1]["detail"]
    assert (detail["override_reason"], detail["overridden"]) == ("She flies on the 13th.", ["INTERVAL"])


def test_guards_are_asked_when_a_changed_draft_is_approved(visits: Visits, cast: Cast, clock: Clock) -> None:
    visits.on_treatment()
    suggestion = visits.relapse()
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, side_effects={"blood_in_urine": 1}))
    assert change(cast, suggestion, 1, **WIDER).status_code == 200
    refused = cast.bo.post(f"{PATH}/{suggestion}/approve", {}, version=2)
    assert (refused.status_code, refused.json["code"]) == (409, "blocked")


def test_a_change_after_the_approval_asks_the_guards_and_the_clinic_sees_a_newer_version(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, side_effects={"blood_in_urine": 1}))
    refused = change(cast, suggestion, 2, **WIDER)
    assert (refused.status_code, refused.json["code"]) == (409, "blocked")
    assert change(cast, suggestion, 2, **WIDER, override_reason="Seen today.").status_code == 200
    (item,) = cast.scheduler.get("/inbox/booking-suggestions").json["items"]
    assert (item["state"], item["version"], item["latest"]) == ("suggested", 3, "2026-03-16")
    assert visits.book(cast.scheduler, suggestion, version=2).status_code == 412


def test_no_reason_makes_a_change_while_somebody_may_be_in_danger(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan"))
    refused = change(cast, suggestion, 2, **WIDER, override_reason="She can come.")
    assert (refused.status_code, refused.json["code"]) == (409, "safety-first")


def test_a_booked_visit_is_the_clinics_and_is_not_changed(visits: Visits, cast: Cast) -> None:
    refused = change(cast, visits.booked(), 4, **WIDER)
    assert (refused.status_code, refused.json["code"]) == (409, "illegal-move")


def test_only_a_clinician_who_read_it_changes_it(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    assert cast.bo.post(f"{PATH}/{suggestion}/change", WIDER).status_code == 428
    assert change(cast, suggestion, 1, **WIDER).status_code == 412
    for other in (cast.coordinator, cast.admin, cast.scheduler, cast.ana):
        assert other.post(f"{PATH}/{suggestion}/change", WIDER, version=2).status_code == 403
    assert cast.cyd.post(f"{PATH}/{suggestion}/change", WIDER, version=2).status_code == 404
    for nothing in ({"reason": "Why not."}, {**WIDER, "dose_mg": 50}, {**WIDER, "interval_days": 3}):
        assert change(cast, suggestion, 2, **nothing).status_code == 422
