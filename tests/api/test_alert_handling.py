"""What Bo does with an alert: takes it on for a while, puts it off, passes it on, closes and reopens it."""

from datetime import timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from jobs import deliver, escalate
from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.message import RecordingGateway
from server.settings import Settings
from tests.cast import Cast, Person, entry
from tests.conftest import Clock

DEE, BO = "dee@clinic.example", "bo@clinic.example"


@pytest.fixture
def email() -> RecordingGateway:
    """Where outgoing e-mail lands."""
    return RecordingGateway()


@pytest.fixture
def around(database: Database, settings: Settings, email: RecordingGateway) -> Around:
    """What jobs work with."""
    return Around(database, settings, {Channel.EMAIL: email})


def flagged(cast: Cast, clock: Clock, **parts: Any) -> dict[str, Any]:
    """Let Ana report what cannot wait, and return the alert as Bo reads it."""
    answer = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **(parts or {"safety": "often"})))
    assert answer.status_code == 201, answer.text
    return shown(cast.bo)


def shown(who: Person) -> dict[str, Any]:
    (alert,) = who.get("/alerts").json["items"]
    found: dict[str, Any] = who.get(f"/alerts/{alert['id']}").json
    return found


def act(who: Person, alert: dict[str, Any], verb: str, status: int = 200, **body: Any) -> Any:
    """Do ``verb`` on the alert as it is now; the answer."""
    version = who.get(f"/alerts/{alert['id']}").json["version"]
    answer = who.post(f"/alerts/{alert['id']}/{verb}", body, version)
    assert answer.status_code == status, answer.text
    return answer.json


def until(clock: Clock, **parts: float) -> str:
    return (clock.now + timedelta(**parts)).isoformat()


def tell(around: Around, clock: Clock, **parts: float) -> None:
    clock.forward(**parts)
    escalate.run(around, clock.now)
    deliver.run(around, clock.now)


def test_an_acknowledgement_says_until_when_it_holds_and_again_renews_it(cast: Cast, clock: Clock) -> None:
    alert = flagged(cast, clock)
    first = act(cast.bo, alert, "acknowledge")
    assert first["acknowledged_until"] == "2026-03-03T12:00:00+00:00"
    clock.forward(hours=2)
    again = act(cast.bo, alert, "acknowledge")
    assert again["acknowledged_until"] == "2026-03-03T14:00:00+00:00"
    assert again["version"] == first["version"] + 1
    # A colleague who presses the button too does not take it away.
    assert act(cast.coordinator, alert, "acknowledge")["acknowledged_by"] == str(cast.bo.account_id)


def test_a_snoozed_alert_is_silent_whatever_repeats_and_told_anew_when_it_ends(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    alert = flagged(cast, clock)
    snoozed = act(cast.bo, alert, "snooze", until=until(clock, hours=3), reason="In a session.")
    assert (snoozed["state"], snoozed["snoozed"]) == ("acknowledged", True)
    flagged(cast, clock)
    tell(around, clock, hours=2, minutes=59)
    assert email.sent == []
    tell(around, clock, minutes=1)
    assert [message.to for message in email.sent] == [BO]
    alert = shown(cast.bo)
    assert (alert["state"], alert["snoozed"], alert["events"][-1]["kind"]) == ("open", False, "snooze_ended")
    assert [e["detail"]["reason"] for e in alert["events"] if e["kind"] == "snoozed"] == ["In a session."]


def test_worsening_ends_a_snooze_at_once(cast: Cast, clock: Clock) -> None:
    alert = flagged(cast, clock)
    act(cast.bo, alert, "snooze", until=until(clock, hours=3), reason="In a session.")
    worse = flagged(cast, clock, safety="plan")
    assert (worse["state"], worse["snoozed"], worse["urgency"]) == ("open", False, "P0")


@pytest.mark.parametrize("hours", [-1, 9])
def test_an_alert_is_not_put_off_into_the_past_nor_for_longer_than_the_policy_says(
    cast: Cast, clock: Clock, hours: int
) -> None:
    alert = flagged(cast, clock)
    refused = act(cast.bo, alert, "snooze", 422, until=until(clock, hours=hours), reason="Later.")
    assert refused["errors"][0]["pointer"] == "/until"
    assert "480 minutes" in refused["errors"][0]["detail"]


def test_an_alert_in_somebodys_hands_tells_them_first_and_then_everybody(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    alert = flagged(cast, clock)
    deliver.run(around, clock.now)
    given = act(cast.bo, alert, "assign", account_id=str(cast.coordinator.account_id), note="Knows her well.")
    assert (given["assigned_to"], given["state"]) == (str(cast.coordinator.account_id), "open")
    deliver.run(around, clock.now)
    assert [message.to for message in email.sent] == [BO, DEE]
    assert email.sent[-1].subject == "An alert was assigned to you"
    tell(around, clock, hours=2)
    assert {message.to for message in email.sent[2:]} == {BO, DEE}


@pytest.mark.parametrize("who", ["ana", "admin", "cyd"])
def test_an_alert_is_only_given_to_the_clinics_own_care_team(cast: Cast, clock: Clock, who: str) -> None:
    alert = flagged(cast, clock)
    account = str(getattr(cast, who).account_id)
    refused = act(cast.bo, alert, "assign", 422, account_id=account, note="Please.")
    assert refused["errors"][0]["pointer"] == "/account_id"


def test_a_closed_alert_is_opened_again_by_whoever_then_has_it(cast: Cast, clock: Clock) -> None:
    alert = flagged(cast, clock)
    act(cast.bo, alert, "resolve", outcome="contacted", note="Called.")
    again = act(cast.bo, alert, "reopen", reason="The wrong one.")
    assert (again["state"], again["outcome"], again["resolution_note"]) == ("acknowledged", None, None)
    assert again["acknowledged_by"] == str(cast.bo.account_id)
    event = shown(cast.bo)["events"][-1]
    assert event["detail"] == {"outcome_before": "contacted", "reason": "The wrong one."}


def test_an_alert_is_not_opened_again_beside_another_open_one(cast: Cast, clock: Clock) -> None:
    first = flagged(cast, clock)
    act(cast.bo, first, "resolve", outcome="contacted", note="Called.")
    flagged(cast, clock.__class__(clock.forward(days=1)))
    assert act(cast.bo, first, "reopen", 409, reason="Again.")["code"] == "another-open"
    assert act(cast.bo, shown(cast.bo), "reopen", 409, reason="It is open.")["code"] == "illegal-move"


def test_feedback_names_a_rule_of_the_alert_and_the_last_word_counts(cast: Cast, clock: Clock) -> None:
    alert = flagged(cast, clock)
    act(cast.bo, alert, "feedback", code="safety_often", usefulness="noise")
    act(cast.bo, alert, "feedback", code="safety_often", usefulness="useful")
    act(cast.coordinator, alert, "feedback", code="safety_often", usefulness="noise")
    said = [(one["account_id"], one["usefulness"]) for one in shown(cast.bo)["feedback"]]
    assert sorted(said) == sorted(
        [(str(cast.bo.account_id), "useful"), (str(cast.coordinator.account_id), "noise")]
    )
    assert act(cast.bo, alert, "feedback", 422, code="R2:composite", usefulness="noise")


def test_a_shift_is_handed_over_with_all_that_is_in_hand_and_one_message(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    alert = flagged(cast, clock)
    act(cast.bo, alert, "acknowledge")
    deliver.run(around, clock.now)
    body = {"account_id": str(cast.coordinator.account_id), "note": "Call her at six."}
    answer = cast.bo.post("/alerts/hand-over", body)
    assert answer.json == {"account_id": body["account_id"], "alerts": [alert["id"]], "shift_ends": None}
    deliver.run(around, clock.now)
    assert [message.to for message in email.sent] == [DEE]
    alert = shown(cast.bo)
    assert (alert["assigned_to"], alert["state"]) == (body["account_id"], "acknowledged")
    assert alert["events"][-1]["detail"]["note"] == "Call her at six."
    # What was acknowledged runs out all the same, and then the colleague is told.
    tell(around, clock, days=1)
    assert [message.to for message in email.sent[1:]] == [DEE]


def test_who_is_on_call_hands_over_the_rest_of_the_shift(cast: Cast, clock: Clock) -> None:
    shift = {
        "account_id": str(cast.bo.account_id),
        "starts": "2026-03-02T08:00",
        "ends": "2026-03-02T20:00",
        "weekly_until": "2026-06-01",
    }
    assert cast.admin.post("/rota/shifts", shift).status_code == 201
    body = {"account_id": str(cast.coordinator.account_id), "note": "Ill."}
    assert cast.bo.post("/alerts/hand-over", body).json["shift_ends"] == "2026-03-02T19:00:00+00:00"
    on_call = cast.bo.get("/rota/on-call").json["items"]
    assert [one["account_id"] for one in on_call] == [body["account_id"]]
    clock.forward(days=7)
    on_call = cast.bo.get("/rota/on-call").json["items"]
    assert [one["account_id"] for one in on_call] == [str(cast.bo.account_id)]


def test_nobody_hands_over_to_themselves(cast: Cast) -> None:
    body = {"account_id": str(cast.bo.account_id), "note": "Me."}
    assert cast.bo.post("/alerts/hand-over", body).status_code == 422


def test_a_badge_counts_what_is_open_taken_put_off_and_mine(cast: Cast, clock: Clock) -> None:
    assert cast.bo.get("/alerts/counts").json == {
        "open": {"P0": 0, "P1": 0, "P2": 0, "P3": 0},
        "acknowledged": 0,
        "snoozed": 0,
        "exhausted": 0,
        "mine": 0,
    }
    alert = flagged(cast, clock)
    assert cast.bo.get("/alerts/counts").json["open"]["P1"] == 1
    act(cast.bo, alert, "snooze", until=until(clock, hours=1), reason="Soon.")
    counts = cast.bo.get("/alerts/counts").json
    assert (counts["open"]["P1"], counts["acknowledged"], counts["snoozed"], counts["mine"]) == (0, 1, 1, 1)
    assert cast.coordinator.get("/alerts/counts").json["mine"] == 0


def test_the_worklist_is_narrowed_by_what_a_shift_looks_for(cast: Cast, clock: Clock) -> None:
    parts = {"safety": "often", "side_effects": {"chest_pain": 2}}
    assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **parts)).status_code == 201
    act(cast.bo, cast.bo.get("/alerts").json["items"][0], "acknowledge")

    def found(query: str) -> int:
        answer = cast.bo.get(f"/alerts?{query}")
        assert answer.status_code == 200, answer.text
        return len(answer.json["items"])

    assert [found(f"urgency={urgency}") for urgency in ("P0", "P1", "P2")] == [1, 1, 0]
    assert (found("family=safety"), found("family=silence")) == (1, 0)
    assert (found("snoozed=true"), found("snoozed=false"), found("exhausted=true")) == (0, 2, 0)
    assert found(f"assigned_to={cast.bo.account_id}") == 0
    assert found(f"patient_id={cast.ana.patient_id}&state=acknowledged") == 1


@pytest.mark.parametrize("query", ["snoozed=1", "exhausted=yes", "urgency=P9", "assigned_to=bo"])
def test_a_worklist_can_not_be_narrowed_by_nonsense(cast: Cast, query: str) -> None:
    assert cast.bo.get(f"/alerts?{query}").status_code == 422


def test_a_patient_and_what_kind_of_alert_they_have_stand_in_no_address(cast: Cast) -> None:
    answer = cast.bo.get(f"/alerts?family=safety&patient_id={cast.ana.patient_id}")
    assert answer.status_code == 422
    assert "patient_id" in answer.text


@pytest.mark.parametrize("verb", ["snooze", "assign", "reopen", "feedback"])
def test_cyd_of_another_clinic_finds_no_such_alert(cast: Cast, clock: Clock, verb: str) -> None:
    alert = flagged(cast, clock)
    bodies = {
        "snooze": {"until": until(clock, hours=1), "reason": "Soon."},
        "assign": {"account_id": str(cast.cyd.account_id), "note": "Mine."},
        "reopen": {"reason": "Again."},
        "feedback": {"code": "safety_often", "usefulness": "noise"},
    }
    answer = cast.cyd.post(f"/alerts/{alert['id']}/{verb}", bodies[verb], version=1)
    assert answer.status_code == 404


def test_who_saw_an_older_version_changes_nothing(cast: Cast, clock: Clock) -> None:
    alert = flagged(cast, clock)
    flagged(cast, clock, safety="plan")
    body = {"until": until(clock, minutes=10), "reason": "Soon."}
    assert cast.bo.post(f"/alerts/{alert['id']}/snooze", body, alert["version"]).status_code == 412
    assert cast.bo.post(f"/alerts/{alert['id']}/snooze", body).status_code == 428


def test_what_is_urgent_does_not_wait_for_a_sleeper_while_somebody_is_on_call(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    quiet = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert cast.bo.put("/me/quiet-hours", quiet).status_code == 200
    shift = {"account_id": str(cast.coordinator.account_id), "starts": "2026-03-02T18:00"}
    assert cast.admin.post("/rota/shifts", {**shift, "ends": "2026-03-03T08:00"}).status_code == 201
    clock.forward(hours=9, minutes=30)  # 22:30 in Oslo
    flagged(cast, clock)
    deliver.run(around, clock.now)
    assert [message.to for message in email.sent] == [DEE]
    assert [one["held"] for one in shown(cast.bo)["deliveries"]] == [True, False]


def test_an_acknowledgement_of_what_is_no_emergency_runs_out_while_the_clinic_works(
    cast: Cast, clock: Clock
) -> None:
    clock.forward(days=4)  # Friday noon; a day later the clinic is closed until Monday at 8, 7 in UTC
    first = act(cast.bo, flagged(cast, clock), "acknowledge")
    assert first["acknowledged_until"] == "2026-03-09T07:00:00+00:00"
    second = act(cast.bo, flagged(cast, clock, safety="plan"), "acknowledge")
    assert second["acknowledged_until"] == "2026-03-06T12:30:00+00:00"
