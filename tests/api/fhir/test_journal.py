"""A patient's journal in FHIR: what is in it, for whom, page by page, and that all of it is FHIR."""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Purpose
from server.database import Database
from server.models import AuditEvent
from tests.cast import Cast, Person, entry, push, pushed
from tests.conftest import Clock, Scene
from tests.consents import agree
from tests.fhir.validators import Validators
from tests.fhir_client import Fhir, Resource, outcome, resources
from tests.scales import filled
from tests.visits import Visits

NOTE = "canary of Ana"
KINDS = ("QuestionnaireResponse", "Observation", "Provenance")
FOR_CLINICIANS = ("DetectedIssue", "ServiceRequest", "Appointment")
FIRST, TYPED, GONE, SCALE = (str(uuid7()) for _ in range(4))


@pytest.fixture
def bo(scene: Scene, visits: Visits, cast: Cast, clock: Clock) -> Fhir:
    """Bo, whose patient Ana has kept a diary with everything in it."""
    scene(lambda: keep(visits, cast, clock))
    return Fhir(cast.bo)


def keep(visits: Visits, cast: Cast, clock: Clock) -> None:
    """Ana logs, corrects, takes back, has a carer type, fills scales, one of alcohol which
    she lets leave; two alerts open, one is closed."""
    agree(cast, Purpose.SUBSTANCE_USE)
    ana, course = cast.ana, visits.on_treatment()
    told = {
        "items": {"mood": 3, "sleep_hours": 5, "pain_average": 7, "pain_worst": 9},
        "side_effects": {"nausea": 2, "headache": 0, "chest_pain": 3},
        "side_effect_onset": {"nausea": (clock.now - timedelta(hours=3)).isoformat()},
        "medication": {"adherence": "partly", "rescue_doses": 1, "opioid_changed": False},
        "circumstances": ["travel", "infection"],
        "tags": [NOTE],
        "note": NOTE,
        "recorded_at": (clock.now + timedelta(seconds=30)).isoformat(),
    }
    first = ana.put(f"/entries/{FIRST}", entry(clock.now, **told))
    assert first.status_code == 201, first.text
    typed = entry(clock.now - timedelta(days=1), entered_by="caregiver", safety="often")
    ana.put(f"/entries/{TYPED}", typed)
    ana.put(f"/entries/{GONE}", entry(clock.now))
    clock.forward(hours=1)
    ana.put(f"/entries/{FIRST}", entry(clock.now - timedelta(hours=1), **told, safety="passing"), version=1)
    ana.delete(f"/entries/{GONE}", version=1)
    ana.put(f"/questionnaire-responses/{SCALE}", filled(clock.now, each=1))
    on_paper(visits, cast, clock)
    visits.relapse()
    visits.session(course, clock.now)
    for alert in cast.bo.get("/alerts").json["items"]:
        cast.bo.post(f"/alerts/{alert['id']}/acknowledge")
    closed = cast.bo.get("/alerts?family=safety").json["items"][0]
    body = {"outcome": "contacted", "note": NOTE}
    answer = cast.bo.post(f"/alerts/{closed['id']}/resolve", body, version=closed["version"])
    assert answer.status_code == 200, answer.text


def on_paper(visits: Visits, cast: Cast, clock: Clock) -> None:
    """Bo types in what Ana filled on paper, and rates her himself; a scale of alcohol is filled."""
    days_ago = clock.now - timedelta(days=2)
    rated = filled(days_ago, "madrs", total=22)
    del rated["answers"]
    for body in (
        filled(days_ago, "gad-7", each=2),
        rated,
        filled(days_ago, "audit-c", answers={"q1": 1, "q2": 1, "q3": 0}),
    ):
        answer = cast.bo.put(f"{visits.ana}/questionnaire-responses/{uuid7()}", body)
        assert answer.status_code == 201, answer.text


def everything(who: Fhir, patient: Person, query: str = "") -> list[Resource]:
    return resources(who.read(f"Patient/{patient.patient_id}/$everything{query}"))


def of_kind(found: Iterable[Resource], kind: str) -> list[Resource]:
    return [one for one in found if one["resourceType"] == kind]


def coded(found: Iterable[Resource], code: str) -> list[Resource]:
    return [one for one in found if code in [coding["code"] for coding in one["code"]["coding"]]]


def test_everything_is_fhir_for_all_three_validators(bo: Fhir, cast: Cast, validators: Validators) -> None:
    whole = bo.read(f"Patient/{cast.ana.patient_id}/$everything")
    assert validators.problems(whole) == []
    found = resources(whole)
    assert [fault for one in found for fault in validators.problems(one)] == []
    counted = Counter(one["resourceType"] for one in found)
    assert counted.keys() == {"Patient", *KINDS, "DetectedIssue"}
    assert counted["QuestionnaireResponse"] == counted["Provenance"] == 12
    page = bo.read(f"Observation?patient={cast.ana.patient_id}&_count=3")
    assert validators.problems(page) == []
    assert validators.problems(bo.read("metadata")) == []


def test_a_part_of_everything_says_by_its_link_that_it_is_one(bo: Fhir, cast: Cast) -> None:
    place = f"Patient/{cast.ana.patient_id}/$everything"
    for asked in ("", "?_type=Observation&_since=2026-03-01T00%3A00%3A00Z"):
        (link,) = bo.read(f"{place}{asked}")["link"]
        assert link["url"].endswith(f"/fhir/R4/{place}{asked}"), asked


def test_numbers_have_the_codes_of_the_page_and_no_others(bo: Fhir, cast: Cast) -> None:
    numbers = of_kind(everything(bo, cast.ana), "Observation")
    (pain,), (worst,) = coded(numbers, "72514-3"), coded(numbers, "pain_worst")
    assert (pain["code"]["coding"][0]["code"], pain["valueQuantity"]["value"]) == ("pain_average", 7)
    assert pain["valueQuantity"]["code"] == "{score}"
    assert pain["category"][0]["coding"][0]["code"] == "survey"
    assert worst["valueQuantity"]["value"] == 9
    assert [coding["code"] for coding in worst["code"]["coding"]] == ["pain_worst"], "an extreme is no level"
    (sleep,) = coded(numbers, "sleep_hours")
    assert sleep["valueQuantity"] == {
        "value": 5,
        "unit": "h",
        "system": "http://unitsofmeasure.org",
        "code": "h",
    }
    (nausea,) = coded(numbers, "nausea")
    assert (nausea["valueInteger"], nausea["component"][0]["valueDateTime"]) == (
        2,
        "2026-03-02T09:00:00+00:00",
    )
    (headache,) = coded(numbers, "headache")
    assert headache["valueInteger"] == 0
    scores = {code: coded(numbers, code)[0]["valueQuantity"]["value"] for code in ("44261-6", "70274-6")}
    assert scores == {"44261-6": 9, "70274-6": 14}
    (ninth,) = coded(numbers, "44260-8")
    assert ninth["valueQuantity"]["value"] == 1
    systems = {c["system"] for one in coded(numbers, "mood") for c in one["code"]["coding"]}
    assert systems == {"urn:afterglow:diary-item"}, "a slider is no validated scale"


def test_what_was_not_answered_and_a_missed_day_are_not_there(bo: Fhir, cast: Cast) -> None:
    found = everything(bo, cast.ana)
    days = {one["authored"][:10] for one in of_kind(found, "QuestionnaireResponse")}
    assert "2026-02-20" not in days
    first = one_of(found, "QuestionnaireResponse", FIRST)
    numbers = [
        one
        for one in of_kind(found, "Observation")
        if one["derivedFrom"] == [{"reference": f"QuestionnaireResponse/{first['id']}"}]
    ]
    assert len(numbers) == 7
    assert not any("dataAbsentReason" in one for one in found)


def one_of(found: Iterable[Resource], kind: str, entry_id: str) -> Resource:
    (one,) = (
        o for o in of_kind(found, kind) if o.get("identifier", {}).get("value") == f"urn:uuid:{entry_id}"
    )
    return one


def test_a_correction_is_amended_and_what_was_taken_back_says_so(bo: Fhir, cast: Cast) -> None:
    found = everything(bo, cast.ana)
    first, gone = (one_of(found, "QuestionnaireResponse", key) for key in (FIRST, GONE))
    assert (first["status"], first["meta"]["versionId"]) == ("amended", "2")
    assert (gone["status"], gone["meta"]["versionId"], "item" in gone) == ("entered-in-error", "2", False)
    numbers = [one for one in of_kind(found, "Observation") if one["id"].startswith(first["id"])]
    assert {one["status"] for one in numbers} == {"amended"}
    assert outcome(bo.get(f"Observation/{gone['id']}.1"), 410)["code"] == "deleted"
    (origin,) = (one for one in of_kind(found, "Provenance") if one["id"] == gone["id"])
    assert origin["activity"]["coding"][0]["code"] == "DELETE"
    assert origin["target"] == [{"reference": f"QuestionnaireResponse/{gone['id']}"}]


def test_three_times_are_kept_apart(bo: Fhir, cast: Cast) -> None:
    found = everything(bo, cast.ana)
    first = one_of(found, "QuestionnaireResponse", FIRST)
    number = bo.read(f"Observation/{first['id']}.1")
    origin = bo.read(f"Provenance/{first['id']}")
    assert number["effectiveDateTime"] == "2026-03-02T13:00:00+01:00"
    assert number["issued"] == "2026-03-02T13:00:00Z"
    assert origin["recorded"] == "2026-03-02T12:00:30Z"


def test_a_score_that_a_clock_ahead_has_dated_is_told_as_such(cast: Cast, clock: Clock) -> None:
    ahead = clock.now + timedelta(days=200)
    sent = {"items": [pushed("questionnaire_response", filled(ahead, each=1))], "sent_at": ahead.isoformat()}
    assert cast.ana.post("/sync", sent).json["clock_suspect"]
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now))
    off = [one for one in Fhir(cast.ana).found("Observation") if "_effectiveDateTime" in one]
    assert {one["code"]["coding"][0]["code"] for one in off} == {"phq-9", "phq-9.q9"}


def test_who_said_it_is_told_apart_from_who_typed_it(bo: Fhir, cast: Cast) -> None:
    found = everything(bo, cast.ana)
    ana = {"reference": f"Patient/{cast.ana.patient_id}"}
    typed = one_of(found, "QuestionnaireResponse", TYPED)
    assert (typed["author"], typed["source"]) == ({"reference": "#caregiver"}, ana)
    agents = {key: who(bo.read(f"Provenance/{one_of(found, *key)['id']}")) for key in [typed_key(TYPED)]}
    assert agents[typed_key(TYPED)] == {
        "author": {"reference": "#caregiver"},
        "assembler": {"reference": "#assembler"},
    }
    paper = coded(of_kind(found, "Observation"), "70274-6")[0]["id"].partition(".")[0]
    assert who(bo.read(f"Provenance/{paper}"))["enterer"]["display"] == "The clinic"
    rated = coded(of_kind(found, "Observation"), "madrs")[0]
    assert ("performer" in rated, rated["meta"]["security"][0]["code"]) == (False, "CLINRPT")
    alcohol = coded(of_kind(found, "Observation"), "audit-c")[0]
    assert [label["code"] for label in alcohol["meta"]["security"]] == ["PATRPT", "ETH", "redisclosure"]


def typed_key(entry_id: str) -> tuple[str, str]:
    return "QuestionnaireResponse", entry_id


def who(origin: Resource) -> dict[str, Any]:
    return {agent["type"]["coding"][0]["code"]: agent["who"] for agent in origin["agent"]}


def test_no_free_text_leaves_over_fhir(bo: Fhir, cast: Cast) -> None:
    for who_reads in (bo, Fhir(cast.ana)):
        assert NOTE not in json.dumps(everything(who_reads, cast.ana))


def test_an_alert_names_its_rules_its_grounds_and_what_was_done(bo: Fhir, cast: Cast) -> None:
    issues = {one["code"]["coding"][0]["code"]: one for one in bo.found(f"DetectedIssue?{of(cast.ana)}")}
    assert set(issues) == {"safety", "side_effect", "mood_relapse"}
    safety, effect = issues["safety"], issues["side_effect"]
    assert (safety["status"], safety["severity"], effect["status"]) == ("final", "high", "preliminary")
    assert [one["action"]["coding"][0]["code"] for one in safety["mitigation"]] == [
        "acknowledged",
        "contacted",
    ]
    assert safety["mitigation"][0]["author"]["identifier"]["value"] == str(cast.bo.account_id)
    (grounds,) = effect["evidence"]
    assert [code["coding"][0]["code"] for code in grounds["code"]] == ["chest_pain"]
    numbers = [bo.read(detail["reference"]) for detail in grounds["detail"]]
    assert {one["code"]["coding"][0]["code"] for one in numbers} == {"chest_pain"}
    (device,) = effect["contained"]
    assert device["version"] == [{"type": {"text": "policy"}, "value": "1"}]
    for issue in issues.values():
        for detail in issue["evidence"][0]["detail"]:
            assert bo.get(detail["reference"]).status_code in (200, 410)


def of(patient: Person) -> str:
    return f"patient=Patient/{patient.patient_id}"


def test_the_patient_reads_her_own_journal_and_nothing_the_app_does_not_show(bo: Fhir, cast: Cast) -> None:
    ana = Fhir(cast.ana)
    mine, theirs = everything(ana, cast.ana), everything(bo, cast.ana)
    hidden = [one for one in theirs if one not in mine]
    assert {one["resourceType"] for one in hidden} == {"DetectedIssue", *KINDS}
    assert of_kind(mine, "DetectedIssue") == coded(of_kind(mine, "Observation"), "madrs") == []
    assert ana.found("Observation") == of_kind(mine, "Observation")
    assert everything(ana, cast.ana, "?_type=DetectedIssue,Appointment") == []
    outcome(ana.get("DetectedIssue"), 403)
    rated = coded(of_kind(theirs, "Observation"), "madrs")[0]["id"]
    outcome(ana.get(f"Observation/{rated}"), 404)
    assert [one["id"] for one in ana.found("Patient")] == [str(cast.ana.patient_id)]
    assert ana.found(f"Patient?_id={cast.other_patient.patient_id}") == []
    assert ana.found("Patient?identifier=urn:afterglow:patient|") == ana.found("Patient")


def test_everybody_else_finds_nothing_or_may_not(bo: Fhir, cast: Cast) -> None:
    found = {one["resourceType"]: one["id"] for one in everything(bo, cast.ana)}
    paths = [f"{kind}/{name}" for kind, name in found.items()]
    paths += [f"{kind}?{of(cast.ana)}" for kind in (*KINDS, "DetectedIssue")]
    paths += [f"Patient/{cast.ana.patient_id}/$everything"]
    for path in paths:
        outcome(Fhir(cast.cyd).get(path), 404)
        for person in (cast.coordinator, cast.admin, cast.scheduler):
            outcome(Fhir(person).get(path), 403)
        status = 403 if path.startswith("DetectedIssue") else 404
        outcome(Fhir(cast.other_patient).get(path), status)
    assert Fhir(cast.cyd).found(f"Patient?_id={cast.ana.patient_id}") == []


@pytest.mark.long
def test_every_page_follows_the_one_before_and_nothing_comes_twice(bo: Fhir, cast: Cast) -> None:
    for kind in (*KINDS, "DetectedIssue"):
        whole = bo.found(f"{kind}?{of(cast.ana)}&_count=200")
        for size in (1, 2, 7):
            assert bo.found(f"{kind}?{of(cast.ana)}&_count={size}") == whole, kind
        assert whole == of_kind(everything(bo, cast.ana), kind)
    patients = {one["id"] for one in bo.found("Patient?_count=1")}
    assert patients == {str(cast.ana.patient_id)}


def test_patients_are_found_by_our_identifier_and_by_its_system_alone(cast: Cast) -> None:
    bo, ana = Fhir(cast.bo), str(cast.ana.patient_id)
    cast.bo.post("/patients", {"name": "Gil", "zone": "Europe/Oslo"})
    everybody = bo.found("Patient?_count=1")
    assert len(everybody) == 2
    assert bo.found("Patient?_count=1&identifier=urn:afterglow:patient|") == everybody
    both = ",".join(one["id"] for one in everybody)
    pages = list(islice(bo.pages(f"Patient?_count=1&identifier={both}"), 3))
    assert [one for page in pages for one in resources(page)] == everybody, "no page comes twice"
    for named in (ana, f"urn:afterglow:patient|{ana}", f"x,urn:afterglow:patient|{ana}"):
        assert [one["id"] for one in bo.found(f"Patient?identifier={named}")] == [ana], named
    for named in (f"urn:else|{ana}", "urn:else|", f"|{ana}", "urn:afterglow:patient|x"):
        assert bo.found(f"Patient?identifier={named}") == [], named


@pytest.mark.long
def test_each_is_read_by_its_id_as_the_search_gave_it(bo: Fhir, cast: Cast) -> None:
    for one in everything(bo, cast.ana):
        answer = bo.get(f"{one['resourceType']}/{one['id']}")
        assert answer.json == one
        assert answer.headers["ETag"] == f'W/"{one["meta"]["versionId"]}"'
        assert answer.headers["Cache-Control"] == "no-store"


DATES = [
    ("date=2026-03-02", 4),
    ("date=ge2026-03-02", 4),
    ("date=gt2026-03-01", 4),
    ("date=gt2026-03-02", 0),
    ("date=lt2026-03-01", 6),
    ("date=le2026-03-01", 8),
    ("date=ge2026-02-27&date=lt2026-03-01", 5),
    ("date=2026-03", 6),
    ("date=2026", 12),
    ("date=2025", 0),
    ("date=2026-03-02T13:00", 3),
    ("date=2026-03-02T12:00:00Z", 3),
    ("date=ge2026-03-02T13:00:00.5%2B01:00", 1),
    ("date=gt2026-03-02T12:00:00Z&date=lt2027", 1),
    ("_lastUpdated=gt2026-03-02T12:00:00Z", 6),
    ("_lastUpdated=le2026-03-02T12:00:00Z", 6),
]


def test_a_search_by_time_means_the_patients_own_days(bo: Fhir, cast: Cast) -> None:
    found = {query: len(bo.found(f"QuestionnaireResponse?{of(cast.ana)}&{query}")) for query, _ in DATES}
    assert found == dict(DATES)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("QuestionnaireResponse", "authored"), ("Provenance", "when"), ("DetectedIssue", "identified")],
)
def test_a_date_may_have_the_name_that_r4_gives_it(bo: Fhir, cast: Cast, kind: str, name: str) -> None:
    for when in ("ge2026-03-02", "lt2026-03-02", "2025"):
        by_r4, by_us = (bo.found(f"{kind}?{of(cast.ana)}&{key}={when}") for key in (name, "date"))
        assert by_r4 == by_us, when
    assert bo.found(f"{kind}?{of(cast.ana)}&{name}=ge2026-03-02")
    assert bo.found(f"{kind}?{of(cast.ana)}&{name}=ge2026-03-02&date=lt2026-03-02") == []
    outcome(bo.get(f"Observation?{of(cast.ana)}&{name}=2026"), 400)


def test_an_entry_after_midnight_belongs_to_the_day_where_the_patient_is(cast: Cast, clock: Clock) -> None:
    push(cast.ana, [pushed("entry", entry(clock.now.replace(hour=23, minute=30) - timedelta(days=1)))])
    ana = Fhir(cast.ana)
    assert len(ana.found("QuestionnaireResponse?date=2026-03-02")) == 1
    assert ana.found("QuestionnaireResponse?date=2026-03-01") == []
    assert len(ana.found("QuestionnaireResponse?date=2026-03-01T23:30Z")) == 1


CODES = [
    ("http://loinc.org|72514-3", 1),
    ("72514-3", 1),
    ("urn:afterglow:diary-item|pain_worst", 1),
    ("http://loinc.org|pain_worst", 0),
    ("|pain_worst", 0),
    ("44261-6,70274-6", 2),
    ("urn:afterglow:side-effect|", 3),
    ("nausea", 1),
    ("no-such-code", 0),
]


def test_a_search_by_code_finds_ours_and_the_standard_one(bo: Fhir, cast: Cast) -> None:
    found = {code: len(bo.found(f"Observation?{of(cast.ana)}&code={code}&_count=1")) for code, _ in CODES}
    assert found == dict(CODES)


def test_what_has_changed_since_is_taken_alone(bo: Fhir, cast: Cast) -> None:
    since = everything(bo, cast.ana, "?_since=2026-03-02T12:30:00Z&_type=QuestionnaireResponse")
    assert len(since) == 6
    lines = bo.get(
        f"Patient/{cast.ana.patient_id}/$everything?_type=Patient,Observation",
        Accept="application/fhir+ndjson",
    )
    assert lines.content_type == "application/fhir+ndjson"
    found = [json.loads(line) for line in lines.text.splitlines()]
    assert found == [
        one for one in everything(bo, cast.ana) if one["resourceType"] in ("Patient", "Observation")
    ]


def test_every_look_is_audited_and_none_of_them_tells_the_patient_that_somebody_has_seen_it(
    bo: Fhir, cast: Cast, database: Database
) -> None:
    before = cast.ana.get(f"/entries/{FIRST}").json["seen_by_team_at"]
    whole = everything(bo, cast.ana)
    for kind in (*KINDS, "DetectedIssue"):
        bo.found(f"{kind}?{of(cast.ana)}")
        bo.read(f"{kind}/{of_kind(whole, kind)[0]['id']}")
    bo.found("Patient"), bo.read(f"Patient/{cast.ana.patient_id}")
    with database.read() as session:
        done = session.execute(
            select(AuditEvent.action, AuditEvent.account_id).where(AuditEvent.action.like("fhir.%"))
        ).all()
    kinds = ("questionnaire_response", "observation", "provenance", "detected_issue", "patient")
    expected = {f"fhir.{kind}.{verb}" for kind in kinds for verb in ("search", "read")}
    assert {action for action, _ in done} == expected | {"fhir.everything.read"}
    assert {account for _, account in done} == {cast.bo.account_id}
    # A machine of the clinic that fetches is no eye that has read.
    assert cast.ana.get(f"/entries/{FIRST}").json["seen_by_team_at"] == before
