"""Texts that never change, words that are kept, and a no that holds at once."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.clinical.vocabulary import AlertClass, AlertFamily, Channel, Purpose
from server.database import Database
from server.models import AuditEvent, Delivery, Patient
from server.services.alerts import episode as episodes
from server.services.alerts.episode import Finding
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.consents import TEXT, agree, of_purpose, publish, say, withdraw
from tests.visits import Visits


def test_a_clinic_publishes_texts_and_a_version_never_changes(cast: Cast) -> None:
    first = cast.admin.post("/clinic/consent-texts/research", {"texts": TEXT, "material": True}).json
    other = {"en": {"title": "Other", "text": "Other."}, "nb": {"title": "Annet", "text": "Annet."}}
    second = cast.admin.post("/clinic/consent-texts/research", {"texts": other, "material": False}).json
    assert (first["version"], second["version"]) == (1, 2)
    assert first["published_by"] == str(cast.admin.account_id)
    for who in (cast.admin, cast.bo, cast.coordinator):
        assert who.get("/clinic/consent-texts").json["items"] == [second, first]
    assert cast.cyd.get("/clinic/consent-texts").json["items"] == []


def test_only_an_admin_publishes_and_only_with_the_clinics_own_language(cast: Cast) -> None:
    body: dict[str, Any] = {"texts": TEXT, "material": True}
    for who in (cast.ana, cast.bo, cast.coordinator, cast.scheduler):
        assert who.post("/clinic/consent-texts/export", body).status_code == 403
    assert cast.admin.post("/clinic/consent-texts/nothing", body).status_code == 404
    only = {"texts": {"nb": TEXT["en"]}, "material": True}
    assert cast.admin.post("/clinic/consent-texts/export", only).status_code == 422


def test_a_word_is_kept_with_who_when_how_and_which_text(cast: Cast, clock: Clock) -> None:
    version = publish(cast, Purpose.RESEARCH)
    assert of_purpose(cast.ana.get("/me/consents"), Purpose.RESEARCH)["asks"] is True
    given = of_purpose(say(cast.ana, Purpose.RESEARCH, True, version), Purpose.RESEARCH)
    assert (given["state"], given["holds"], given["asks"]) == ("given", True, False)
    clock.forward(days=1)
    taken = of_purpose(say(cast.ana, Purpose.RESEARCH, False, version), Purpose.RESEARCH)
    assert (taken["state"], taken["holds"], taken["asks"]) == ("withdrawn", False, False)
    no, yes = taken["history"]
    shown = hashlib.sha256(b"A title\n\nWhat it is about.").hexdigest()
    assert yes == {
        "given": True,
        "version": 1,
        "language": "en",
        "text_hash": shown,
        "at": (clock.now - timedelta(days=1)).isoformat(),
        "way": "app",
        "account_id": str(cast.ana.account_id),
        "witness": None,
    }
    assert (no["given"], no["at"]) == (False, clock.now.isoformat())
    assert taken["changed_at"] == no["at"]


def test_the_same_word_again_is_one_word(cast: Cast, clock: Clock) -> None:
    withdraw(cast, Purpose.EMAIL)
    clock.forward(hours=1)
    withdraw(cast, Purpose.EMAIL)
    assert len(of_purpose(cast.ana.get("/me/consents"), Purpose.EMAIL)["history"]) == 1


def test_a_no_holds_also_where_the_yes_was_said_by_a_clock_that_was_ahead(cast: Cast, clock: Clock) -> None:
    clock.forward(days=100)
    for purpose in (Purpose.CAREGIVER, Purpose.CARE_TEAM):
        agree(cast, purpose)
    clock.forward(days=-100)
    for purpose in (Purpose.CAREGIVER, Purpose.CARE_TEAM):
        for given, version in ((False, 0), (True, 1), (False, 0)):
            said = of_purpose(say(cast.ana, purpose, given, version), purpose)
            assert (said["holds"], said["history"][0]["given"]) == (given, given), purpose
    assert cast.bo.get(f"/patients/{cast.ana.patient_id}/entries").json["code"] == "consent-withdrawn"


def test_a_yes_is_to_the_text_that_is_newest(cast: Cast) -> None:
    assert say(cast.ana, Purpose.RESEARCH, True).status_code == 422, "there is no text yet"
    old = publish(cast, Purpose.RESEARCH)
    publish(cast, Purpose.RESEARCH)
    late = say(cast.ana, Purpose.RESEARCH, True, old)
    assert (late.status_code, late.json["code"]) == (409, "consent-text-changed")
    assert say(cast.ana, Purpose.RESEARCH, True, 7).status_code == 409
    assert cast.ana.post("/me/consents/nothing", {"given": False}).status_code == 404


def test_what_held_from_the_start_can_be_taken_back_and_given_again_without_any_text(cast: Cast) -> None:
    for purpose in (Purpose.CARE_TEAM, Purpose.SMS, Purpose.EXPORT):
        withdraw(cast, purpose)
        assert of_purpose(say(cast.ana, purpose, True), purpose)["holds"] is True


def test_a_material_text_asks_again_and_rests_what_goes_beyond_care(cast: Cast) -> None:
    agree(cast, Purpose.RESEARCH)
    agree(cast, Purpose.EXPORT)
    publish(cast, Purpose.RESEARCH, material=False)
    assert of_purpose(cast.ana.get("/me/consents"), Purpose.RESEARCH)["holds"] is True
    newest = publish(cast, Purpose.RESEARCH)
    publish(cast, Purpose.EXPORT)
    found = cast.ana.get("/me/consents")
    research, export = of_purpose(found, Purpose.RESEARCH), of_purpose(found, Purpose.EXPORT)
    assert (research["asks"], research["holds"]) == (True, False)
    assert (export["asks"], export["holds"]) == (True, True)
    assert of_purpose(say(cast.ana, Purpose.RESEARCH, True, newest), Purpose.RESEARCH)["holds"] is True


def test_a_text_is_shown_in_the_language_asked_for_or_the_clinics(cast: Cast) -> None:
    texts = {**TEXT, "nb": {"title": "Forskning", "text": "Om forskning."}}
    cast.admin.post("/clinic/consent-texts/research", {"texts": texts, "material": True})
    shown = {
        language: of_purpose(cast.ana.get(f"/me/consents?language={language}"), Purpose.RESEARCH)["text"]
        for language in ("nb", "en", "fr")
    }
    assert [one["language"] for one in shown.values()] == ["nb", "en", "en"]
    assert shown["nb"]["title"] == "Forskning"


def test_the_clinic_records_a_word_with_its_witness(cast: Cast, visits: Visits) -> None:
    path = f"{visits.ana}/consents"
    body = {"given": False, "version": 0, "witness": "Dee, at the front desk"}
    assert cast.bo.post(f"{path}/care_team", {"given": False}).status_code == 422, "who saw it?"
    answer = cast.coordinator.post(f"{path}/care_team", body)
    (word,) = of_purpose(answer, Purpose.CARE_TEAM)["history"]
    assert (word["way"], word["witness"]) == ("clinic", "Dee, at the front desk")
    assert word["account_id"] == str(cast.coordinator.account_id)
    assert cast.bo.get(path).json == answer.json
    for who in (cast.ana, cast.admin, cast.scheduler):
        assert who.get(path).status_code == 403
        assert who.post(f"{path}/care_team", body).status_code == 403
    assert cast.cyd.get(path).status_code == 404
    assert cast.cyd.post(f"{path}/care_team", body).status_code == 404


def test_a_yes_that_the_clinic_records_over_a_no_is_told_to_the_patient(
    cast: Cast, visits: Visits, database: Database
) -> None:
    """Who would like to read on could write down a yes that nobody said: whose it is has to hear of it."""
    withdraw(cast, Purpose.CARE_TEAM)
    yes = {"given": True, "version": 0, "witness": "Dee, at the front desk"}
    for answer in (yes, yes, {**yes, "given": False}):
        assert cast.bo.post(f"{visits.ana}/consents/care_team", answer).status_code == 200
    told = select(Delivery.account_id, Delivery.channel).where(Delivery.template == "consent_recorded")
    with database.read() as session:
        assert session.execute(told).all() == [(cast.ana.account_id, Channel.EMAIL)], "once; of a no nobody"


def test_words_leave_a_trace(cast: Cast, visits: Visits, database: Database) -> None:
    agree(cast, Purpose.RESEARCH)
    withdraw(cast, Purpose.RESEARCH)
    cast.bo.get(f"{visits.ana}/consents")
    with database.read() as session:
        done = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert [one for one in done if one.startswith("consent.")] == [
        "consent.give",
        "consent.withdraw",
        "consent.list",
    ]


def test_a_patient_without_a_team_is_told_who_reads_and_a_danger_is_heeded(
    cast: Cast, clock: Clock, app: Flask
) -> None:
    withdraw(cast, Purpose.CARE_TEAM)
    told = cast.ana.get("/me/consents").json["told"]
    assert "care team does not read" in told
    assert cast.ana.get("/me/today").json["watch"]["reads_now"] is False
    path = "/entries/019caae3-5000-7000-8000-00000000000{}"
    calm = cast.ana.put(path.format(1), entry(clock.now))
    danger = cast.ana.put(path.format(2), entry(clock.now, safety="plan"))
    assert calm.json["who_reads_this"] == danger.json["who_reads_this"] == told
    assert danger.json["notice"]["crisis_lines"]
    (alert,) = cast.bo.get("/alerts").json["items"]
    assert (alert["family"], alert["urgency"]) == ("safety", "P0")
    assert cast.bo.get(f"/alerts/{alert['id']}").json["evidence"]["flags"]


def test_the_team_sees_that_it_was_withdrawn(cast: Cast, clock: Clock, visits: Visits) -> None:
    withdraw(cast, Purpose.CARE_TEAM)
    assert cast.bo.get(visits.ana).json["team_withdrawn_at"] == clock.now.isoformat()
    (listed,) = cast.bo.get("/patients").json["items"]
    assert listed["team_withdrawn_at"] == clock.now.isoformat()
    say(cast.ana, Purpose.CARE_TEAM, True)
    assert cast.bo.get(visits.ana).json["team_withdrawn_at"] is None


def test_a_second_no_about_another_text_moves_nothing_of_since_when(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    withdraw(cast, Purpose.CARE_TEAM)
    since = clock.now.isoformat()
    version = publish(cast, Purpose.CARE_TEAM)
    clock.forward(days=3)
    assert say(cast.ana, Purpose.CARE_TEAM, False, version).status_code == 200
    assert cast.bo.get(visits.ana).json["team_withdrawn_at"] == since


def test_a_withdrawal_closes_what_a_trend_raised_and_keeps_what_cannot_wait(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    visits.on_treatment()
    visits.relapse()
    cast.ana.put("/entries/019caae3-5000-7000-8000-000000000009", entry(clock.now, safety="often"))
    assert {one["family"] for one in cast.bo.get("/alerts").json["items"]} == {"safety", "mood_relapse"}
    withdraw(cast, Purpose.CARE_TEAM)
    (left,) = cast.bo.get("/alerts").json["items"]
    assert left["family"] == "safety"
    assert cast.bo.get("/alerts?state=resolved").json["items"] == []
    (draft,) = cast.bo.get("/booking-suggestions").json["items"]
    assert (draft["state"], draft["blocks"]) == ("expired", [])
    closed = cast.bo.post(
        f"/alerts/{left['id']}/resolve", {"outcome": "contacted", "note": "Called."}, left["version"]
    )
    assert closed.status_code == 200
    assert cast.bo.get(f"/alerts/{left['id']}").json["code"] == "consent-withdrawn"


def test_while_it_is_withdrawn_single_answers_alone_raise_an_alert(
    cast: Cast, clock: Clock, visits: Visits, database: Database
) -> None:
    withdraw(cast, Purpose.CARE_TEAM)
    with database.write() as session:
        work = visits.work(session)
        patient = session.get_one(Patient, (work.clinic_id, cast.ana.patient_id))

        def is_raised(family: AlertFamily, **evidence: Any) -> bool:
            finding = Finding(family, AlertClass.P2, clock.now.date(), ("code",), "Why.", evidence)
            return episodes.raise_alert(work, patient, finding) is not None

        raised = {family for family in AlertFamily if is_raised(family)}
        assert raised == {AlertFamily.SAFETY, AlertFamily.SIDE_EFFECT}
        assert is_raised(AlertFamily.ACTIVATION, flags=[{"code": "mania"}])


def test_nothing_is_made_of_the_diary_until_a_yes_and_then_the_watch_speaks_again_at_once(
    cast: Cast, clock: Clock, visits: Visits
) -> None:
    visits.on_treatment()
    visits.relapse()
    withdraw(cast, Purpose.CARE_TEAM)
    clock.forward(days=10)
    assert visits.maintenance() is None
    say(cast.ana, Purpose.CARE_TEAM, True)
    assert visits.relapse() is not None, "neither a lock-out nor a refusal stands in its way"
    assert [one["family"] for one in cast.bo.get("/alerts").json["items"]] == ["mood_relapse"]


@pytest.mark.parametrize("body", [{}, {"given": "yes"}, {"given": True, "version": -1}, {"given": 1}])
def test_a_word_that_is_none_is_refused(cast: Cast, body: dict[str, Any]) -> None:
    assert cast.ana.post("/me/consents/email", body).status_code == 422
