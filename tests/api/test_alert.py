"""Alerts: who sees them, in which order, and how they end."""

from typing import Any

from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertFamily
from server.models import AuditEvent
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.visits import Visits


def report(cast: Cast, clock: Clock, **parts: Any) -> None:
    answer = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **parts))
    assert answer.status_code == 201, answer.text


def the_alert(cast: Cast) -> dict[str, Any]:
    (alert,) = cast.bo.get("/alerts").json["items"]
    return dict(alert)


def test_alerts_come_most_urgent_first_then_oldest_first_a_page_at_a_time(
    visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.relapse(AlertFamily.PAIN_RELAPSE)
    clock.forward(hours=1)
    visits.relapse(AlertFamily.MOOD_RELAPSE)
    clock.forward(hours=1)
    report(cast, clock, safety="plan")
    clock.forward(hours=1)
    report(cast, clock, side_effects={"seizure": 3})
    seen, cursor = [], ""
    while cursor is not None:
        page = cast.bo.get("/alerts?limit=1" + (f"&cursor={cursor}" if cursor else "")).json
        seen += [(alert["urgency"], alert["family"]) for alert in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [
        ("P0", "safety"),
        ("P0", "side_effect"),
        ("P2", "pain_relapse"),
        ("P2", "mood_relapse"),
    ]


def test_resolved_alerts_are_listed_only_when_asked_for(cast: Cast, clock: Clock) -> None:
    report(cast, clock, safety="often")
    alert = the_alert(cast)
    body = {"outcome": "contacted", "note": "Called."}
    cast.bo.post(f"/alerts/{alert['id']}/resolve", body, version=alert["version"])
    assert cast.bo.get("/alerts").json["items"] == []
    assert [a["id"] for a in cast.bo.get("/alerts?state=resolved").json["items"]] == [alert["id"]]
    assert cast.bo.get(f"/alerts?state=resolved&patient_id={uuid7()}").json["items"] == []


def test_an_alert_shows_its_evidence_and_who_was_told(cast: Cast, clock: Clock) -> None:
    entry_id = str(uuid7())
    cast.ana.put(f"/entries/{entry_id}", entry(clock.now, safety="often"))
    shown = cast.bo.get(f"/alerts/{the_alert(cast)['id']}").json
    assert shown["evidence"]["entries"] == [entry_id]
    assert [(e["kind"], e["account"]) for e in shown["events"]] == [("opened", "Ana")]
    assert [(d["account"], d["channel"], d["state"]) for d in shown["deliveries"]] == [
        ("Bo", "email", "queued")
    ]


def test_reading_an_alert_leaves_a_trace(visits: Visits, cast: Cast, app: Flask) -> None:
    visits.relapse()
    alert = the_alert(cast)
    cast.bo.get(f"/alerts/{alert['id']}")
    assert audited(app, "alert.read") == [(cast.bo.account_id, alert["id"])]


def audited(app: Flask, action: str) -> list[tuple[Any, str | None]]:
    with Surroundings.of(app).database.read() as session:
        found = session.scalars(select(AuditEvent).where(AuditEvent.action == action)).all()
        return [(event.account_id, event.object_id) for event in found]


def test_two_people_may_press_the_same_button(cast: Cast, clock: Clock) -> None:
    report(cast, clock, safety="often")
    path = f"/alerts/{the_alert(cast)['id']}/acknowledge"
    first, second = cast.bo.post(path), cast.coordinator.post(path)
    assert (first.json["state"], second.status_code) == ("acknowledged", 200)
    assert second.json["acknowledged_by"] == str(cast.bo.account_id)
    assert second.json["version"] == first.json["version"]


def test_who_acknowledges_what_they_saw_does_not_silence_what_it_became(cast: Cast, clock: Clock) -> None:
    report(cast, clock, safety="often")
    seen = the_alert(cast)
    report(cast, clock, safety="plan")
    path = f"/alerts/{seen['id']}/acknowledge"
    refused = cast.bo.post(path, version=seen["version"])
    assert (refused.status_code, refused.json["current"]["urgency"]) == (412, "P0")
    assert the_alert(cast)["state"] == "open"


def test_an_alert_is_closed_once_with_an_outcome_and_a_note(cast: Cast, clock: Clock) -> None:
    report(cast, clock, safety="often")
    alert = the_alert(cast)
    path, body = f"/alerts/{alert['id']}/resolve", {"outcome": "contacted", "note": "Called."}
    assert cast.bo.post(path, body).status_code == 428
    stale = cast.bo.post(path, body, version=9)
    assert (stale.status_code, stale.json["current"]["id"]) == (412, alert["id"])
    closed = cast.bo.post(path, body, version=alert["version"])
    assert (closed.json["state"], closed.json["outcome"], closed.json["resolution_note"]) == (
        *("resolved", "contacted", "Called."),
    )
    again = cast.bo.post(path, body, version=closed.json["version"])
    assert (again.status_code, again.json["code"]) == (409, "illegal-move")


def test_a_coordinator_does_not_close_an_alert(cast: Cast, clock: Clock) -> None:
    report(cast, clock, safety="often")
    body = {"outcome": "false_alarm", "note": "Sure?"}
    path = f"/alerts/{the_alert(cast)['id']}/resolve"
    assert cast.coordinator.post(path, body, version=1).status_code == 403


def test_a_made_up_place_is_refused(cast: Cast) -> None:
    answer = cast.bo.get("/alerts?cursor=UDI=")
    assert (answer.status_code, answer.json["errors"][0]["parameter"]) == (422, "cursor")
