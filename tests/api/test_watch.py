"""The whole road from a diary to the watch, an alert and a draft, on the wire."""

from datetime import timedelta

from uuid_utils.compat import uuid7

from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.visits import Visits

GOOD = {"mood": 8, "interest": 8, "anxiety": 1, "restlessness": 1, "sleep_quality": 8}
BAD = {"mood": 2, "interest": 2, "anxiety": 8, "restlessness": 8, "sleep_quality": 2}


def test_symptoms_that_return_show_in_the_watch_raise_an_alert_and_draft_a_visit(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.session(visits.course(), clock.now - timedelta(days=29))
    for back in range(26, -1, -1):
        items = GOOD if back > 6 else BAD
        cast.ana.put(f"/entries/{uuid7()}", entry(clock.now - timedelta(days=back), items=items))
    (mood,) = cast.bo.get(f"{visits.ana}/watch").json["arms"]
    assert (mood["arm"], mood["latest"]["state"], mood["latest"]["signal"]) == ("mood", "relapsed", True)
    assert (mood["latest"]["day"], mood["latest"]["policy_version"]) == ("2026-03-02", 1)
    assert mood["latest"]["evidence"]["baseline"]["session"] == "2026-02-01"
    days = [day["day"] for day in mood["history"]]
    assert days == sorted(set(days))
    assert mood["history"][0]["state"] == "baseline"
    (alert,) = cast.bo.get("/alerts").json["items"]
    (draft,) = cast.bo.get("/booking-suggestions").json["items"]
    assert (alert["family"], draft["alert_id"]) == ("mood_relapse", alert["id"])
    assert (draft["state"], draft["reason"], draft["blocks"]) == ("draft", "relapse_signal", [])


def test_nothing_was_judged_where_nothing_was_logged(visits: Visits, cast: Cast) -> None:
    assert cast.bo.get(f"{visits.ana}/watch").json == {"arms": []}


def test_the_watch_is_for_clinicians_alone(visits: Visits, cast: Cast) -> None:
    for person in (cast.ana, cast.coordinator, cast.admin, cast.scheduler):
        assert person.get(f"{visits.ana}/watch").status_code == 403
