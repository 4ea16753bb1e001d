"""The defects found in the code of the nearest open peer (MindLog, ten of them): none of them is here.

One part of one defect is: there is no command yet that erases a patient (docs/security.md says so).
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from jobs import day_close, deliver
from jobs.around import Around
from server.clinical.policy import THRESHOLDS
from server.commands.channels import armed
from server.database import Database
from server.gateways.message import SendError
from server.settings import Settings
from tests.cast import Cast, entry, pushed
from tests.conftest import Clock, Scene
from tests.source import ROOT
from tests.ward import BAD, BO, DEE, Ward, on_duty


@pytest.fixture
def ward(cast: Cast, clock: Clock, database: Database, settings: Settings) -> Ward:
    """The cast at work."""
    return on_duty(cast, clock, database, settings)


# 1. An open warning of a rule blocked the later critical alert of the same rule.


def test_01_worsening_is_not_silenced_by_an_open_warning(ward: Ward) -> None:
    ward.reports(safety="often")
    assert ward.hears() == [BO]
    ward.reports(safety="plan")
    assert (ward.alert()["urgency"], ward.alert()["state"]) == ("P0", "open")
    assert ward.hears() == [BO], "told anew, in the same episode"


# 2. Once acknowledged, the same rule raised a fresh alert at the next evaluation.


def test_02_after_an_acknowledgement_the_next_evaluations_are_quiet(ward: Ward, scene: Scene) -> None:
    scene(ward.relapses)
    ward.hears()
    alert = ward.alert("family=mood_relapse")
    assert ward.does(ward.cast.bo, "acknowledge", alert).status_code == 200
    for _ in range(2):
        assert ward.hears(days=1) == []
        ward.reports(items=BAD)
    (still,) = ward.alerts(f"patient_id={ward.cast.ana.patient_id}")
    assert (still["id"], still["state"]) == (alert["id"], "acknowledged")
    assert still["day"] > alert["day"], "the new days were judged"


# 3. A sync push never ran the rules: what was logged offline waited for the night.


def test_03_a_sync_push_runs_the_rules_at_once(ward: Ward) -> None:
    offline = entry(ward.clock.now - timedelta(days=2), safety="often")
    answer = ward.cast.ana.post("/sync", {"items": [pushed("entry", offline)]})
    assert answer.json["results"][0]["notice"]["kind"] == "crisis_lines"
    assert ward.alert()["urgency"] == "P1", "no job has run yet"


def test_03_a_relapse_that_was_logged_offline_is_found_by_the_push_itself(ward: Ward, scene: Scene) -> None:
    scene(ward.relapses)
    assert [alert["family"] for alert in ward.alerts()] == ["mood_relapse"]


# 4. Notifications to staff had no caller, and "sent" was written whatever the provider had answered.


def test_04_staff_are_really_written_to(ward: Ward, settings: Settings) -> None:
    ward.reports(safety="often")
    with armed(settings) as gateways:  # a mail server that speaks SMTP, as a first installation has it
        assert deliver.run(Around(ward.around.database, settings, gateways), ward.clock.now) == 1
    (mail,) = (settings.mailbox_dir / "new").iterdir()
    assert f"To: {BO}" in mail.read_text("utf-8")


def test_04_nothing_is_called_sent_that_the_provider_refused(ward: Ward) -> None:
    ward.email.refusals[BO] = SendError(True, "refused_550")
    ward.reports(safety="often")
    assert ward.hears() == [DEE], "and the next people hear at once"
    first, *others = ward.alert()["deliveries"]
    assert (first["account"], first["state"], first["failure"]) == ("Bo", "given_up", "refused_550")
    assert {one["state"] for one in others if one["account"] == "Dee"} == {"accepted"}
    assert "delivery_given_up" in [event["kind"] for event in ward.alert()["events"]]


# 5. The baseline was a mean of 28 days that held the recent ones, and knew nothing of treatments.


def test_05_the_baseline_begins_at_the_session_and_bad_weeks_never_become_part_of_it(
    ward: Ward, scene: Scene
) -> None:
    scene(ward.relapses)
    session, first_bad = (ward.clock.now.date() - timedelta(days=back) for back in (29, 6))
    before = the_baseline(ward)
    assert (before["session"], before["first_day"] > session.isoformat()) == (session.isoformat(), True)
    # It may end within a week that was calm as a whole, so the first bad day may be its last one.
    assert before["last_day"] <= first_bad.isoformat()
    ward.clock.forward(days=7)
    ward.logs(7, BAD)
    assert the_baseline(ward) == before


def the_baseline(ward: Ward) -> dict[str, str]:
    (mood,) = ward.cast.bo.get(f"/patients/{ward.cast.ana.patient_id}/watch").json["arms"]
    assert mood["latest"]["day"] == ward.clock.now.date().isoformat()
    return dict(mood["latest"]["evidence"]["baseline"])


def test_05_a_new_session_ends_what_was_measured_against_the_one_before(ward: Ward, scene: Scene) -> None:
    scene(ward.relapses)
    ward.treats(0)
    ward.clock.forward(days=1)
    ward.reports(items=BAD)
    (mood,) = ward.cast.bo.get(f"/patients/{ward.cast.ana.patient_id}/watch").json["arms"]
    assert (mood["latest"]["state"], mood["latest"]["signal"]) == ("re_treated", False)


# 6. Nights at 07:00 UTC "about 02:00 New York", today by the UTC date, safety by New York's.


@pytest.fixture(params=["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def servers_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server stands at one end of the world, then at the other."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def test_06_a_day_is_the_patients_wherever_the_server_and_the_clinic_are(
    ward: Ward, servers_zone: str
) -> None:
    assert os.environ["TZ"] == servers_zone
    late = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
    ward.clock.now = late
    days = {}
    for zone in ("Europe/Oslo", "America/Los_Angeles", "Pacific/Auckland"):
        assert ward.cast.ana.patch("/me/zone", {"zone": zone}).status_code == 200
        days[zone] = ward.reports(zone=zone)["entry"]["local_day"]
        assert ward.cast.ana.get("/me/today").json["local_day"] == days[zone]
    assert days == {
        "Europe/Oslo": "2026-03-03",
        "America/Los_Angeles": "2026-03-02",  # 01:30 at night: the evening before
        "Pacific/Auckland": "2026-03-03",
    }


def test_06_a_day_is_closed_when_it_has_ended_where_the_patient_is(ward: Ward, servers_zone: str) -> None:
    ward.cast.ana.patch("/me/zone", {"zone": "America/Los_Angeles"})
    ward.reports(zone="America/Los_Angeles")
    ward.clock.now = datetime(2026, 3, 3, 4, tzinfo=UTC)  # 05:00 in Oslo, evening in Los Angeles
    assert day_close.run(ward.around, ward.clock.now) == 1, "the other clinic's patient, who lives in Oslo"
    ward.clock.now = datetime(2026, 3, 3, 12, tzinfo=UTC)  # 04:00 in Los Angeles
    assert day_close.run(ward.around, ward.clock.now) == 1


def test_06_hours_of_work_are_the_clinics(ward: Ward, servers_zone: str) -> None:
    ward.cast.admin.post("/rota/arm")
    ward.cast.ana.patch("/me/zone", {"zone": "America/New_York"})
    for hour, is_open in ((6, False), (7, True), (16, True), (17, False)):  # Oslo is at work from 08 to 18
        ward.clock.now = datetime(2026, 3, 3, hour, tzinfo=UTC)
        assert ward.cast.ana.get("/me/today").json["watch"]["reads_now"] is is_open


# 7. A sync was keyed on the day and wrote over what was there, nulls included; a retry made doubles.


def test_07_a_retried_push_makes_no_double_and_a_bare_one_takes_nothing_away(ward: Ward) -> None:
    first = pushed("entry", entry(ward.clock.now, note="The long version."))
    for verdict in ("created", "duplicate", "duplicate"):
        answer = ward.cast.ana.post("/sync", {"items": [first]})
        assert [one["verdict"] for one in answer.json["results"]] == [verdict]
    bare = pushed(
        "entry", {"occurred_at": first["entry"]["occurred_at"], "zone": "Europe/Oslo", "safety": "no"}
    )
    again = {**bare, "id": first["id"]}
    answer = ward.cast.ana.post("/sync", {"items": [bare, again]})
    assert [one["verdict"] for one in answer.json["results"]] == ["created", "conflict"]
    stored = {one["id"]: one["note"] for one in ward.cast.ana.get("/entries").json["items"]}
    assert stored == {first["id"]: "The long version.", bare["id"]: None}


def test_07_only_who_names_the_version_they_saw_writes_over_it(ward: Ward) -> None:
    path = f"/entries/{uuid7()}"
    ward.cast.ana.put(path, entry(ward.clock.now, note="First."))
    assert ward.cast.ana.put(path, entry(ward.clock.now, note="Second.")).status_code == 428
    assert ward.cast.ana.put(path, entry(ward.clock.now, note="Second."), version=1).status_code == 200
    versions = ward.cast.ana.get(f"{path}/revisions").json["items"]
    assert {one["content"]["note"] for one in versions} == {"First.", "Second."}, "and nothing is lost"


# 8. Resolving had no outcome and called itself automatic; escalating acknowledged the alert.


def test_08_closing_an_alert_needs_an_outcome_and_a_note_and_says_who_did_it(ward: Ward) -> None:
    ward.reports(safety="often")
    for body in ({}, {"outcome": "contacted"}, {"note": "Called."}, {"outcome": "contacted", "note": " "}):
        assert ward.does(ward.cast.bo, "resolve", ward.alert(), **body).status_code == 422
    closed = ward.does(ward.cast.bo, "resolve", ward.alert(), outcome="contacted", note="Called.").json
    assert (closed["state"], closed["outcome"]) == ("resolved", "contacted")
    assert closed["resolved_by"] == str(ward.cast.bo.account_id)


def test_08_an_alert_escalates_by_itself_and_that_acknowledges_nothing(ward: Ward) -> None:
    ward.reports(safety="plan")
    assert ward.hears() == [BO]
    assert sorted(ward.hears(minutes=15)) == [BO, DEE]
    alert = ward.alert()
    assert (alert["level"], alert["state"], alert["acknowledged_by"]) == (1, "open", None)


# 9. The admin's list of alerts held those of every organisation; routing had tables and no API.


def test_09_a_list_of_alerts_shows_only_the_clinics_own(ward: Ward) -> None:
    ward.reports(safety="plan")
    ward.reports(ward.cast.other_patient, safety="plan")
    lists = {who: who.get("/alerts").json["items"] for who in (ward.cast.bo, ward.cast.cyd)}
    assert [a["patient_id"] for a in lists[ward.cast.bo]] == [str(ward.cast.ana.patient_id)]
    assert [a["patient_id"] for a in lists[ward.cast.cyd]] == [str(ward.cast.other_patient.patient_id)]
    theirs = lists[ward.cast.cyd][0]["id"]
    assert ward.cast.bo.get(f"/alerts?patient_id={ward.cast.other_patient.patient_id}").json["items"] == []
    assert ward.cast.bo.get("/alerts/counts").json["open"]["P0"] == 1
    for verb in ("acknowledge", "resolve"):
        body = {"outcome": "contacted", "note": "Called."} if verb == "resolve" else None
        assert ward.cast.bo.post(f"/alerts/{theirs}/{verb}", body, version=1).status_code == 404
    assert ward.cast.admin.get("/alerts").status_code == 403, "an administrator reads no patient's alerts"


def test_09_who_hears_of_an_alert_is_set_over_the_api(ward: Ward) -> None:
    rota = ward.cast.admin.get("/rota").json
    changed = {key: rota[key] for key in ("hours", "holidays", "fallback_account_id")}
    body = {**changed, "steps": [["coordinators"], ["clinicians"]]}
    assert ward.cast.admin.put("/rota", body, version=rota["version"]).status_code == 200
    ward.reports(safety="plan")
    assert ward.hears() == [DEE]


# 10. The manual and the code disagreed about the thresholds.


def test_10_the_page_the_code_and_the_api_name_the_same_thresholds(ward: Ward) -> None:
    page = (ROOT / "docs" / "clinical.md").read_text("utf-8")
    shown = {one["key"]: one for one in ward.cast.bo.get("/clinic/policy").json["thresholds"]}
    assert shown.keys() == THRESHOLDS.keys()
    for key, threshold in THRESHOLDS.items():
        bounds = f"{threshold.low:g} to {threshold.high:g}"
        assert f"| `{key}` | {threshold.default:g} | {threshold.unit} | {bounds} |" in page
        assert (shown[key]["value"], shown[key]["unit"]) == (threshold.default, threshold.unit)
