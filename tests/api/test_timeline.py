"""What the patient gets back: days in one neutral list, when the team looked, and what changed in words."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.cast import Cast, Person, entry, push, pushed
from tests.conftest import Clock
from tests.scales import filled
from tests.visits import Visits

CALM = {"mood": 8, "interest": 8, "anxiety": 1, "restlessness": 1, "sleep_quality": 8}
LOW = {"mood": 2, "interest": 2, "anxiety": 8, "restlessness": 8, "sleep_quality": 2}


def log(cast: Cast, clock: Clock, back: float = 0, **parts: Any) -> str:
    path = f"/entries/{uuid7()}"
    answer = cast.ana.put(path, entry(clock.now - timedelta(days=back), **parts))
    assert answer.status_code == 201, answer.text
    return path


def test_a_day_shows_its_entries_its_sessions_and_that_the_team_looked(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    given = visits.session(visits.course(), clock.now - timedelta(days=1))
    log(cast, clock, 1), log(cast, clock, 0, note="Fine.")
    clock.forward(hours=2)
    cast.bo.get(f"{visits.ana}/entries")
    cast.coordinator.get(f"{visits.ana}/entries")
    today, yesterday = cast.ana.get("/me/timeline").json["items"]
    assert (today["day"], yesterday["day"]) == ("2026-03-02", "2026-03-01")
    assert [e["note"] for e in today["entries"]] == ["Fine."]
    assert today["seen_by_team"] == ["clinician", "coordinator"]
    assert [s["id"] for s in yesterday["treatment_sessions"]] == [given["id"]]
    assert (yesterday["seen_by_team"], today["treatment_sessions"]) == ([], [])


def test_an_entry_is_seen_when_the_team_opens_the_diary_after_it_came_in(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    first = log(cast, clock)
    assert cast.ana.get(first).json["seen_by_team_at"] is None
    looked = clock.forward(hours=1)
    cast.bo.get(f"{visits.ana}/entries")
    clock.forward(hours=1)
    later = log(cast, clock)
    clock.forward(hours=1)
    cast.ana.get("/entries"), cast.cyd.get(f"{visits.ana}/entries"), cast.bo.get(f"{visits.ana}/trend")
    seen = {e["id"]: e["seen_by_team_at"] for e in cast.ana.get("/entries").json["items"]}
    assert seen == {first.rpartition("/")[2]: looked.isoformat(), later.rpartition("/")[2]: None}


def test_reading_the_alert_counts_as_seen_and_a_correction_is_unseen_again(cast: Cast, clock: Clock) -> None:
    path = log(cast, clock, safety="often")
    clock.forward(minutes=5)
    alert = cast.bo.get("/alerts").json["items"][0]["id"]
    assert cast.ana.get(path).json["seen_by_team_at"] is None
    cast.bo.get(f"/alerts/{alert}")
    assert cast.ana.get(path).json["seen_by_team_at"] == clock.now.isoformat()
    clock.forward(minutes=5)
    cast.ana.put(path, entry(clock.now, note="I mean it."), version=1)
    assert cast.ana.get(path).json["seen_by_team_at"] is None


def test_a_filled_scale_is_told_in_numbers_and_plain_words_and_follows_its_corrections(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    def told() -> list[dict[str, Any]]:
        return [
            one
            for day in cast.ana.get("/me/timeline").json["items"]
            for one in day["questionnaire_responses"]
        ]

    path, scale = f"/questionnaire-responses/{uuid7()}", filled(clock.now - timedelta(days=3), each=1)
    cast.ana.put(path, scale | {"answers": scale["answers"] | {"q9": 0}})
    (one,) = told()
    assert one["sentences"] == [
        "Patient Health Questionnaire, 9 items: 8 on a scale from 0 to 27, where lower is better.",
        "The scale is read in 5 parts; this total lies in part 2 (5 to 9).",
    ]
    assert (one["total"], one["part"]) == (8, {"number": 2, "of": 5, "low": 5, "high": 9})
    assert (one["seen_by_team_at"], "mild" in str(one)) == (None, False)
    looked = clock.forward(minutes=5)
    cast.bo.get(f"{visits.ana}/questionnaire-responses")
    assert told()[0]["seen_by_team_at"] == looked.isoformat()
    clock.forward(minutes=5)
    cast.ana.put(path, scale | {"answers": scale["answers"] | {"q9": 0, "q1": 0}}, version=1)
    assert [(one["version"], one["total"], one["seen_by_team_at"]) for one in told()] == [(2, 7, None)]
    cast.ana.delete(path, version=2)
    assert cast.ana.get("/me/timeline").json["items"] == []


def test_a_day_with_nothing_but_a_filled_scale_is_a_day_and_a_clinicians_rating_is_none(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    bare = {"fatigue": 1}
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now, "digibp", answers=bare))
    rated = filled(clock.now - timedelta(days=1), "madrs", total=12)
    del rated["answers"]
    assert cast.bo.put(f"{visits.ana}/questionnaire-responses/{uuid7()}", rated).status_code == 201
    (day,) = cast.ana.get("/me/timeline").json["items"]
    (one,) = day["questionnaire_responses"]
    assert (one["sentences"], one["low"], one["total"]) == (["digiBP daily mood items: filled."], None, None)


def pages(person: Person, size: int) -> Iterator[list[dict[str, Any]]]:
    cursor = ""
    while cursor is not None:
        page = person.get(f"/me/timeline?limit={size}" + (f"&cursor={cursor}" if cursor else "")).json
        yield page["items"]
        cursor = page["next_cursor"]


def test_pages_of_days_hold_every_day_once_newest_first(visits: Visits, cast: Cast, clock: Clock) -> None:
    course = visits.course()
    for back in (1, 3, 8):
        log(cast, clock, back)
    for back in (2, 40):
        visits.session(course, clock.now - timedelta(days=back))
    clock.forward(days=1)
    cast.bo.get(f"{visits.ana}/entries")
    whole = [day for page in pages(cast.ana, 100) for day in page]
    assert [d["day"][5:] for d in whole] == ["03-03", "03-01", "02-28", "02-27", "02-22", "01-21"]
    for size in (1, 2, 5):
        assert [day for page in pages(cast.ana, size) for day in page] == whole


def test_the_last_and_first_moments_that_are_taken_can_be_paged_past(cast: Cast, clock: Clock) -> None:
    east, west = ("2200-12-31T23:59:59Z", "Pacific/Kiritimati"), ("1970-01-01T00:00:00Z", "Pacific/Niue")
    far = [entry(clock.now, zone=zone) | {"occurred_at": at, "recorded_at": at} for at, zone in (east, west)]
    push(cast.ana, [pushed("entry", one) for one in (*far, entry(clock.now))])
    days = ["2201-01-01", "2026-03-02", "1969-12-31"]
    assert [day["day"] for page in pages(cast.ana, 1) for day in page] == days
    for day in days:
        (one,) = cast.ana.get(f"/entries?first={day}&last={day}").json["items"]
        assert one["local_day"] == day
        assert cast.ana.get(f"/me/trend?first={day}&last={day}").json["days"][0]["items"] == one["items"]


def test_an_empty_diary_is_an_empty_page_and_a_bad_cursor_is_refused(cast: Cast) -> None:
    assert cast.ana.get("/me/timeline").json == {"items": [], "next_cursor": None}
    for query in ("cursor=yesterday", "limit=0", "limit=101", "day=2026-03-02"):
        assert cast.ana.get(f"/me/timeline?{query}").status_code == 422


def test_a_taken_back_entry_and_a_cancelled_session_leave_the_timeline(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    gone = visits.session(visits.course(), clock.now, "planned")
    cast.bo.patch(f"{visits.ana}/treatment-sessions/{gone['id']}", {"status": "cancelled"}, version=1)
    cast.ana.delete(log(cast, clock), version=1)
    assert cast.ana.get("/me/timeline").json["items"] == []


def test_what_the_patient_gets_back_holds_no_judgement(visits: Visits, cast: Cast, clock: Clock) -> None:
    visits.on_treatment()
    log(cast, clock, safety="plan")
    visits.relapse()
    for path in ("/me/timeline", "/me/response"):
        said = cast.ana.get(path).text
        for word in ("relapse", "alert", "signal", "state", "baseline", "urgency", "P0"):
            assert word not in said, (path, word)


@pytest.mark.parametrize("path", ["/me/timeline", "/me/response", "/me/trend.svg", "/me/export"])
def test_only_the_patient_has_it(cast: Cast, path: str) -> None:
    for person in (cast.bo, cast.coordinator, cast.admin, cast.scheduler):
        assert person.get(path).status_code == 403
    assert cast.other_patient.get(path).status_code == 200


def test_the_response_says_what_changed_after_a_session(visits: Visits, cast: Cast, clock: Clock) -> None:
    clock.forward(days=-2)
    low = [entry(clock.now - timedelta(days=back), items=LOW) for back in range(14, 0, -1)]
    push(cast.ana, [pushed("entry", body) for body in low])
    session = clock.now
    visits.session(visits.course(started_on="2026-02-01"), session)
    clock.forward(days=29)
    told = [(session + timedelta(days=day), CALM if day < 20 else LOW) for day in range(1, 30)]
    push(cast.ana, [pushed("entry", entry(at, items=items)) for at, items in told])
    mood, pain = cast.ana.get("/me/response").json["items"]
    assert mood["sentences"] == [
        "After your session on 28 February 2026, from 3 March 2026 to 16 March 2026, your mood entries were "
        "better on average than in the 14 days before.",
        "In the last 7 days they were worse on average than in those days.",
    ]
    assert (mood["before"]["days"], mood["after"]["days"], mood["lately"]["days"]) == (14, 14, 7)
    assert mood["before"]["mean"] == pytest.approx(8.0)
    assert pain["sentences"][0].startswith("There are too few pain entries before your session")


def test_without_a_session_the_response_says_so(cast: Cast, clock: Clock) -> None:
    log(cast, clock)
    for arm in cast.ana.get("/me/response").json["items"]:
        assert arm["sentences"] == ["No session has been recorded yet, so there is nothing to compare."]


def alert_about(cast: Cast, clock: Clock, back: int) -> dict[str, Any]:
    """Let Ana report something that cannot wait, of ``back`` days ago; return the alert."""
    log(cast, clock, back, safety="often")
    return dict(cast.bo.get("/alerts").json["items"][0])


def told(cast: Cast) -> dict[str, list[str]]:
    return {day["day"][5:]: day["sentences"] for day in cast.ana.get("/me/timeline").json["items"]}


def closes(cast: Cast, path: str, version: int) -> Any:
    return cast.bo.post(f"{path}/resolve", {"outcome": "contacted", "note": "Called."}, version=version)


def assigns(cast: Cast, path: str, version: int) -> Any:
    body = {"account_id": str(cast.bo.account_id), "note": "Knows her."}
    return cast.coordinator.post(f"{path}/assign", body, version=version)


def acknowledges(cast: Cast, path: str, version: int) -> Any:
    return cast.coordinator.post(f"{path}/acknowledge", version=version)


@pytest.mark.parametrize("handles", [closes, assigns, acknowledges])
def test_who_handles_an_alert_has_seen_the_days_it_is_about_and_no_others(
    cast: Cast, clock: Clock, handles: Any
) -> None:
    log(cast, clock, 2)
    alert = alert_about(cast, clock, 1)
    assert told(cast) == {"02-28": [], "03-01": []}
    handled = clock.forward(days=1)
    assert handles(cast, f"/alerts/{alert['id']}", alert["version"]).status_code == 200
    words = ["Your care team saw this on 3 March 2026."]
    assert told(cast) == {"02-28": [], "03-01": words, "03-03": []}
    days = {day["day"]: day for day in cast.ana.get("/me/timeline").json["items"]}
    assert [one["seen_by_team_at"] for one in days["2026-03-01"]["entries"]] == [handled.isoformat()]
    assert [one["seen_by_team_at"] for one in days["2026-02-28"]["entries"]] == [None]
    assert len(days["2026-03-03"]["seen_by_team"]) == 1


def test_who_handles_an_alert_has_seen_what_it_names_also_where_a_clock_ran_ahead(
    cast: Cast, clock: Clock
) -> None:
    ahead = clock.now + timedelta(days=400)
    push(cast.ana, [pushed("entry", entry(ahead, safety="often", recorded_at=ahead.isoformat()))])
    (alert,) = cast.bo.get("/alerts").json["items"]
    acknowledges(cast, f"/alerts/{alert['id']}", alert["version"])
    (one,) = cast.ana.get("/entries").json["items"]
    assert one["seen_by_team_at"] == clock.now.isoformat()


def test_what_comes_in_after_the_alert_was_handled_is_not_seen_yet(cast: Cast, clock: Clock) -> None:
    alert = alert_about(cast, clock, 0)
    acknowledges(cast, f"/alerts/{alert['id']}", alert["version"])
    clock.forward(minutes=5)
    log(cast, clock, 0)
    assert told(cast) == {"03-02": ["Your care team saw part of this on 2 March 2026."]}


def test_an_alert_that_changed_hands_unread_was_seen_by_nobody(cast: Cast, clock: Clock) -> None:
    alert = alert_about(cast, clock, 1)
    assigns(cast, f"/alerts/{alert['id']}", alert["version"])
    clock.forward(minutes=5)
    log(cast, clock, 0, safety="passing")
    clock.forward(minutes=5)
    body = {"account_id": str(cast.coordinator.account_id), "note": "Night."}
    assert cast.bo.post("/alerts/hand-over", body).json["alerts"] == [alert["id"]]
    assert told(cast)["03-02"] == []


def test_an_open_diary_is_told_as_that(visits: Visits, cast: Cast, clock: Clock) -> None:
    log(cast, clock, 1)
    clock.forward(hours=1)
    cast.bo.get(f"{visits.ana}/entries")
    assert told(cast)["03-01"] == ["Your care team opened your diary on 2 March 2026."]
