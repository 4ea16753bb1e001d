"""What care teams complain about in other alerting tools: each must not happen here.

The numbers are those of the list the project was started with; docs/clinical.md and docs/operations.md
tell the rules.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.api.edge import EXTENSION, Surroundings
from server.clinical.crisis_lines import SHIPPED
from server.database import Database
from server.readiness import crisis_directory
from server.settings import Settings
from tests.api.test_today import set_rhythm
from tests.cast import Cast, entry, pushed
from tests.conftest import Clock
from tests.scales import with_item9
from tests.ward import ANA, BO, DEE, ELI, Ward, on_duty

NOBODY: list[str] = []


@pytest.fixture
def ward(cast: Cast, clock: Clock, database: Database, settings: Settings) -> Ward:
    """The cast at work."""
    ward = on_duty(cast, clock, database, settings)
    ward.nights = False
    return ward


def rings(ward: Ward, **later: float) -> list[str]:
    """Let time pass and return which of the staff heard something, in order of name."""
    return sorted(
        to for to in ward.hears(**later) if to.endswith("@clinic.example") and to != "cyd@clinic.example"
    )


# 16. Acknowledged or snoozed alarms ring again every quarter of an hour.


def test_complaint_16_what_somebody_has_taken_on_does_not_ring_again(ward: Ward) -> None:
    ward.reports(safety="often")
    assert rings(ward) == [BO]
    ward.does(ward.cast.bo, "acknowledge", ward.alert())
    for _ in range(8):  # two hours in which the phone brings the same answer again and again
        ward.reports(safety="often")
        assert rings(ward, minutes=15) == NOBODY
    assert len(ward.alert()["evidence"]["reports"]) == 8, "and all of it can be read"


def test_complaint_16_what_is_put_off_is_quiet_until_then_whatever_repeats(ward: Ward) -> None:
    ward.reports(safety="often")
    assert rings(ward) == [BO]
    until = (ward.clock.now + timedelta(hours=3)).isoformat()
    put_off = ward.does(ward.cast.bo, "snooze", ward.alert(), until=until, reason="In a session.")
    assert put_off.status_code == 200, put_off.text
    for _ in range(11):
        ward.reports(safety="often")
        assert rings(ward, minutes=15) == NOBODY
    assert rings(ward, minutes=15) == [BO]


# 17. Acknowledging one urgent alarm silences all of that level.


def test_complaint_17_taking_on_one_patients_alert_silences_nobody_elses(ward: Ward) -> None:
    eva = a_second_patient(ward)
    ward.reports(safety="plan")
    eva.reports(safety="plan")
    anas = ward.alert(f"patient_id={ward.cast.ana.patient_id}")
    evas = ward.alert(f"patient_id={eva.cast.ana.patient_id}")
    ward.does(ward.cast.bo, "acknowledge", anas)
    assert rings(ward) == [BO]
    told = [message for message in ward.messages(minutes=15) if message.to in (BO, DEE)]
    assert {message.to for message in told} == {BO, DEE}, "nobody has answered for Eva"
    assert all(evas["id"] in message.link for message in told)


def test_complaint_17_taking_on_one_danger_silences_no_other_one_of_the_same_patient(ward: Ward) -> None:
    ward.reports(safety="plan", side_effects={"chest_pain": 2})
    safety, effect = ward.alert("family=safety"), ward.alert("family=side_effect")
    assert safety["urgency"] == effect["urgency"] == "P0"
    ward.does(ward.cast.bo, "acknowledge", safety)
    assert ward.alert("family=side_effect")["state"] == "open"
    ward.hears()
    assert rings(ward, minutes=15) == [BO, DEE]


def a_second_patient(ward: Ward) -> Ward:
    """Enrol Eva at the same clinic, with Bo as her clinician; return the ward with her in Ana's place."""
    body = {"name": "Eva", "zone": "Europe/Oslo", "clinician_id": str(ward.cast.bo.account_id)}
    patient = ward.cast.bo.post("/patients", body).json["id"]
    email = {"email": "eva@home.example"}
    invited = ward.cast.bo.post(f"/patients/{patient}/invitations", email).json
    chosen = {**email, "password": "a password of her own"}
    client = ward.cast.ana.client
    told = {"code": invited["code"], "proof": invited["word"]}
    assert client.post("/v1/enrolments", json={**chosen, **told}).status_code == 201
    token = client.post("/v1/sign-ins", json={**chosen, "clinic": "demo"}).json["access_token"]
    eva = replace(ward.cast.ana, token=token, patient_id=patient)
    return replace(ward, cast=replace(ward.cast, ana=eva))


# 18. Acknowledged at night, then forgotten; and later alerts are swallowed by the one still open.


def test_complaint_18_what_was_taken_on_and_forgotten_comes_back(ward: Ward) -> None:
    ward.reports(safety="often")
    assert rings(ward) == [BO]
    taken = ward.does(ward.cast.bo, "acknowledge", ward.alert()).json
    until = datetime.fromisoformat(taken["acknowledged_until"])
    assert rings(ward, hours=23, minutes=59) == NOBODY
    ward.clock.now = until
    assert rings(ward) == [BO]
    alert = ward.alert()
    assert (alert["state"], alert["events"][-1]["kind"]) == ("open", "acknowledgement_expired")
    assert rings(ward, hours=2) == [BO, DEE], "and the ladder begins anew"


@pytest.mark.parametrize("weeks", [1, 8])
def test_complaint_18_an_old_open_episode_never_swallows_what_is_worse(ward: Ward, weeks: int) -> None:
    ward.reports(safety="often")
    assert rings(ward) == [BO]
    ward.clock.forward(weeks=weeks)
    ward.does(ward.cast.bo, "acknowledge", ward.alert())
    assert rings(ward) == NOBODY
    ward.reports(safety="plan")
    assert rings(ward) == [BO]
    assert (ward.alert()["urgency"], ward.alert()["state"]) == ("P0", "open")


def test_complaint_18_the_same_answer_is_news_again_after_a_week_without_it(ward: Ward) -> None:
    ward.reports(safety="often")
    ward.does(ward.cast.bo, "acknowledge", ward.alert())
    for days, heard in ((7, NOBODY), (8, [BO])):
        ward.clock.forward(days=days)
        ward.does(ward.cast.bo, "acknowledge", ward.alert())
        assert rings(ward) == NOBODY
        ward.reports(safety="often")
        assert rings(ward) == heard


# 19. The next shift sees "acknowledged" with no idea what was done.


def test_complaint_19_the_next_shift_reads_who_did_what_with_which_words(ward: Ward) -> None:
    ward.reports(safety="often")
    ward.does(ward.cast.bo, "acknowledge", ward.alert())
    body = {"account_id": str(ward.cast.coordinator.account_id), "note": "No answer yet; call her at six."}
    assert ward.cast.bo.post("/alerts/hand-over", body).status_code == 200
    assert rings(ward) == [DEE], "told once, and Bo is not rung again"
    (mine,) = ward.cast.coordinator.get(f"/alerts?assigned_to={ward.cast.coordinator.account_id}").json[
        "items"
    ]
    read = ward.cast.coordinator.get(f"/alerts/{mine['id']}").json
    assert [(e["kind"], e["account"]) for e in read["events"]] == [
        *(("opened", "Ana"), ("acknowledged", "Bo"), ("handed_over", "Bo")),
    ]
    assert read["events"][-1]["detail"]["note"] == "No answer yet; call her at six."


def test_complaint_19_what_is_closed_is_read_with_outcome_and_note_and_never_closed_without(
    ward: Ward,
) -> None:
    ward.reports(safety="often")
    assert ward.does(ward.cast.bo, "resolve", ward.alert()).status_code == 422
    ward.does(ward.cast.bo, "resolve", ward.alert(), outcome="contacted", note="Her sister is with her.")
    (closed,) = ward.cast.coordinator.get("/alerts?state=resolved").json["items"]
    assert (closed["outcome"], closed["resolution_note"]) == ("contacted", "Her sister is with her.")
    assert closed["resolved_by"] == str(ward.cast.bo.account_id)


# 20. Gaps in the rota are found only when an alert goes nowhere.


def test_complaint_20_a_rota_with_a_gap_is_not_armed_and_the_gap_is_named(ward: Ward) -> None:
    on_call_only(ward, until="2026-03-09T12:00")
    refused = ward.cast.admin.post("/rota/arm")
    assert (refused.status_code, refused.json["code"]) == (409, "coverage-gaps")
    assert refused.json["errors"] == [
        {"detail": "From 2026-03-09T11:00Z until 2026-03-16T12:00Z nobody is on call."}
    ]
    assert ward.cast.ana.get("/me/today").json["watch"]["armed"] is False, "and patients are told the truth"


def test_complaint_20_a_gap_that_opens_later_is_told_a_week_ahead(ward: Ward) -> None:
    on_call_only(ward, until="2026-03-18T12:00")
    assert ward.cast.admin.post("/rota/arm").status_code == 200
    gap = datetime(2026, 3, 18, 11, tzinfo=UTC)  # noon in Oslo
    told = [(gap - ward.clock.now).days for _ in range(14) if ELI in ward.hears(days=1)]
    assert told == [6], "seven days ahead, and once"


def on_call_only(ward: Ward, until: str) -> None:
    """Let the rota rest on Bo's shift alone."""
    rota = ward.cast.admin.get("/rota").json
    kept = {"hours": rota["hours"], "holidays": [], "fallback_account_id": None}
    body = {**kept, "steps": [["on_call"]]}
    assert ward.cast.admin.put("/rota", body, version=rota["version"]).status_code == 200
    shift = {"account_id": str(ward.cast.bo.account_id), "starts": "2026-03-02T08:00", "ends": until}
    assert ward.cast.admin.post("/rota/shifts", shift).status_code == 201


# 21. Alarms at hours when nothing is expected; the job and the monitor count in different zones.


def sleeps(ward: Ward) -> None:
    """Give Bo quiet hours by the clinic's clock, Oslo's."""
    hours = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert ward.cast.bo.put("/me/quiet-hours", hours).status_code == 200


def test_complaint_21_quiet_hours_hold_what_can_wait_and_let_go_of_it_in_the_morning(ward: Ward) -> None:
    sleeps(ward)
    ward.clock.now = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)  # 22:30 in Oslo
    ward.reports(safety="often")
    assert rings(ward) == NOBODY
    assert rings(ward, hours=8) == NOBODY
    assert rings(ward, minutes=30) == [BO], "07:00 in Oslo: held, not dropped"


def test_complaint_21_an_emergency_is_never_held(ward: Ward) -> None:
    sleeps(ward)
    ward.clock.now = datetime(2026, 3, 2, 23, tzinfo=UTC)
    ward.reports(safety="plan")
    assert rings(ward) == [BO]


@pytest.mark.parametrize(
    ("evening", "released"),
    [
        (datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 3, 29, 5, tzinfo=UTC)),
        (datetime(2026, 10, 24, 21, tzinfo=UTC), datetime(2026, 10, 25, 6, tzinfo=UTC)),
    ],
)
def test_complaint_21_quiet_hours_end_at_seven_on_the_wall_also_when_the_clocks_change(
    ward: Ward, evening: datetime, released: datetime
) -> None:
    sleeps(ward)
    ward.clock.now = evening
    ward.reports(safety="often")
    assert rings(ward) == NOBODY
    ward.clock.now = released - timedelta(minutes=1)
    assert rings(ward) == NOBODY
    assert rings(ward, minutes=1) == [BO]


def test_complaint_21_staff_sleep_by_the_clinics_clock_and_a_patient_is_reminded_by_her_own(
    ward: Ward,
) -> None:
    sleeps(ward)
    assert ward.cast.ana.patch("/me/zone", {"zone": "America/Los_Angeles"}).status_code == 200
    assert set_rhythm(ward.cast.ana, remind_at="20:00", quiet_from="22:00").status_code == 200
    ward.clock.now = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)  # 22:30 in Oslo, 13:30 where Ana is
    ward.reports(safety="often", zone="America/Los_Angeles")
    assert ward.hears() == NOBODY, "her afternoon wakes nobody in Oslo"
    ward.clock.now = datetime(
        2026, 3, 4, 3, 40, tzinfo=UTC
    )  # 19:40 there; a reminder comes up to 15 minutes early
    assert ANA not in ward.hears()
    assert ANA in ward.hears(hours=1)


def test_complaint_21_what_can_wait_for_the_team_does_not_climb_while_the_clinic_is_closed(
    ward: Ward,
) -> None:
    ward.clock.now = datetime(2026, 3, 6, 16, tzinfo=UTC)  # Friday, 17:00 in Oslo
    ward.reports(side_effects={"nausea": 3})
    assert (ward.alert()["urgency"], rings(ward)) == ("P2", [BO])
    weekend = [rings(ward, hours=6) for _ in range(10)]
    assert weekend == [NOBODY] * 10, "until Monday morning"
    assert ward.clock.now == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert rings(ward, days=1, hours=6) == [BO, DEE], "Tuesday, after a working day"


def test_complaint_21_a_declared_pause_is_no_silence_and_brings_no_reminder(ward: Ward) -> None:
    ward.nights = True
    ward.reports()
    assert ANA in ward.hears(hours=32), "her reminder of the next evening"
    patient = f"/patients/{ward.cast.ana.patient_id}"
    until = (ward.clock.now + timedelta(days=21)).isoformat()
    version = ward.cast.bo.get(patient).json["version"]
    assert ward.cast.bo.patch(patient, {"paused_until": until}, version=version).status_code == 200
    for _ in range(4):
        assert {ANA, BO}.isdisjoint(ward.hears(days=5))
    assert ward.alerts(f"patient_id={ward.cast.ana.patient_id}") == []
    assert ANA in ward.hears(days=2), "and then it goes on"


# 22. Teams need to set which answer raises which message, with local crisis text.


def test_complaint_22_which_answer_raises_an_alert_is_the_clinics_policy(ward: Ward) -> None:
    switch_on(ward, {"redflag.moderate_grade": 3})
    assert ward.reports(side_effects={"abdominal_pain": 2})["notice"] is None
    assert ward.alerts() == []
    elsewhere = ward.reports(ward.cast.other_patient, side_effects={"abdominal_pain": 2})
    assert elsewhere["notice"]["kind"] == "call_clinic", "another clinic keeps its own"
    assert len(ward.cast.cyd.get("/alerts").json["items"]) == 1


def test_complaint_22_no_policy_switches_off_what_is_an_emergency(ward: Ward) -> None:
    body = {"values": {"redflag.extreme_grade": 5}, "reason": "Too many."}
    assert ward.cast.bo.post("/clinic/policies", body).status_code == 422
    switch_on(ward, {"redflag.any_grade": 2, "redflag.severe_grade": 4, "redflag.craving": 10})
    assert ward.reports(safety="plan", side_effects={"seizure": 2})["notice"]["kind"] == "emergency"
    assert {alert["urgency"] for alert in ward.alerts()} == {"P0"}


def test_complaint_22_a_version_of_the_policy_stands_with_its_reason_and_every_judgement(ward: Ward) -> None:
    switch_on(ward, {"redflag.moderate_grade": 3})
    versions = ward.cast.bo.get("/clinic/policies").json["items"]
    assert [(one["version"], one["state"], one["reason"]) for one in versions] == [
        *((2, "in_force", "As agreed."), (1, "replaced", "defaults")),
    ]


def switch_on(ward: Ward, values: Mapping[str, float]) -> None:
    """Put a policy of the clinic's own in force."""
    draft = ward.cast.bo.post("/clinic/policies", {"values": values, "reason": "As agreed."})
    assert draft.status_code == 201, draft.text
    version = draft.json["version"]
    assert ward.cast.bo.post(f"/clinic/policies/{version}/activate", {}).status_code == 200


@pytest.mark.parametrize(("country", "line"), [("GB", "116 123 (Samaritans"), ("US", "988")])
def test_complaint_22_crisis_lines_are_those_of_the_patients_country(
    ward: Ward, country: str, line: str
) -> None:
    lives_in(ward, country)
    notice = ward.reports(safety="often")["notice"]
    assert line in "\n".join(notice["crisis_lines"])
    assert notice["emergency_number"] == SHIPPED.near(country, "Europe/Oslo").emergency
    assert SHIPPED.of(country).emergency in notice["emergency_number"]


def test_complaint_22_who_travels_sees_lines_that_answer_where_they_are_whatever_way_it_comes(
    ward: Ward,
) -> None:
    ana, at = ward.cast.ana, ward.clock.now
    assert ana.patch("/me/zone", {"zone": "America/New_York", "since": at.isoformat()}).status_code == 200
    item = pushed("entry", entry(at, safety="plan"))
    told = [
        ward.reports(safety="plan")["notice"],
        ana.put(f"/questionnaire-responses/{uuid7()}", with_item9(at, 3)).json["notice"],
        ana.post("/sync", {"items": [item]}).json["results"][0]["notice"],
        ana.put(f"/entries/{item['id']}", entry(at, safety="often")).json["notice"],
        ana.put(f"/entries/{uuid7()}", entry(at, safety="often", unheard_of=1)).json["notice"],
        ana.get("/me/today").json["crisis"],
    ]
    assert {one["emergency_number"] for one in told} == {"911 (United States) or 999 or 112 (Britain (UK))"}
    assert all("988" in one["crisis_lines"][0] for one in told)
    assert all("116 123 (Samaritans, Britain (UK))" in one["crisis_lines"] for one in told)


def lives_in(ward: Ward, country: str) -> None:
    """Let Ana live there."""
    patient = f"/patients/{ward.cast.ana.patient_id}"
    version = ward.cast.bo.get(patient).json["version"]
    assert ward.cast.bo.patch(patient, {"country": country}, version=version).status_code == 200


def test_complaint_22_the_operator_puts_lines_of_its_own_in_place_of_a_country(
    ward: Ward, app: Flask, settings: Settings, tmp_path: Path
) -> None:
    own = tmp_path / "lines.toml"
    own.write_text(
        'GB = { emergency = "999", reviewed_on = 2026-02-01, source = "https://line.example",'
        ' lines = [{ number = "0800 000", name = "Our own line", hours = "always" }] }\n'
    )
    directory = crisis_directory(replace(settings, crisis_lines=str(own)), ward.clock.now.date())
    app.extensions[EXTENSION] = replace(Surroundings.of(app), crisis_lines=directory)
    notice: dict[str, Any] = ward.reports(safety="often")["notice"]
    assert notice["emergency_number"] == "your local emergency number (Norway) or 999 (Britain (UK))"
    assert notice["crisis_lines"][1:] == ["0800 000 (Our own line, Britain (UK))"]
    lives_in(ward, "US")
    assert "988" in "\n".join(ward.reports(safety="often")["notice"]["crisis_lines"]), (
        "others stay as shipped"
    )
