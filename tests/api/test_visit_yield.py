"""The yield report on the wire: who reads it, over which months, and why suggestions were declined."""

from tests.cast import Cast
from tests.conftest import Clock
from tests.visits import Visits


def test_a_declined_suggestion_is_counted_by_its_code_and_months_are_whole(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    suggestion = visits.approved()
    body = {"code": "no_capacity", "note": "Full until April."}
    cast.scheduler.post(f"/inbox/booking-suggestions/{suggestion}/decline", body, version=2)
    found = cast.bo.get("/visit-yield?months=1").json
    assert (found["since"], found["total"]["suggested"]) == ("2026-03-01", 1)
    assert found["total"]["declined"] == [{"code": "no_capacity", "suggestions": 1}]
    assert "Full" not in cast.bo.get("/visit-yield").text
    clock.forward(days=30)
    later = cast.bo.get("/visit-yield?months=1").json
    assert (later["since"], later["total"]["suggested"], later["by_reason"]) == ("2026-04-01", 0, [])
    assert cast.bo.get("/visit-yield?months=2").json["total"]["suggested"] == 1


def test_it_is_for_clinicians_and_admins_of_the_clinic(visits: Visits, cast: Cast) -> None:
    visits.approved()
    for other in (cast.ana, cast.coordinator, cast.scheduler):
        assert other.get("/visit-yield").status_code == 403
    assert cast.cyd.get("/visit-yield").json["total"]["suggested"] == 0
    assert cast.admin.get("/visit-yield").json["total"]["under_way"] == 1
    for months in ("0", "37", "x"):
        assert cast.bo.get(f"/visit-yield?months={months}").status_code == 422
