"""What goes wrong under /fhir is told in FHIR's own words, and no word that was sent is repeated."""

import json
from dataclasses import replace
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from server.api.body import DEEPEST
from server.api.edge import open_to_all
from server.app import create_app
from server.settings import Settings
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.fhir.validators import Validators
from tests.fhir_client import KIND, ROOT, Fhir, Resource, outcome
from tests.visits import Visits

SECRET = "Ana feels hopeless"
WHOSE = "patient=01a1e8a0-5c00-7000-8000-000000000001"


@pytest.fixture
def ana(cast: Cast) -> Fhir:
    """Ana, who asks for her own."""
    return Fhir(cast.ana)


@pytest.fixture
def scheduler(cast: Cast) -> Fhir:
    """The clinic's scheduling system."""
    return Fhir(cast.scheduler)


def test_without_a_good_token_everything_but_the_metadata_is_closed(cast: Cast) -> None:
    stranger = Fhir(replace(cast.ana, token="a.b.c"))
    answer = stranger.get("Observation")
    assert outcome(answer, 401)["code"] == "login"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert stranger.get("metadata").status_code == 200


def test_what_is_not_there_and_what_can_not_be_done_is_told_apart(ana: Fhir, scheduler: Fhir) -> None:
    for path in (
        "Observation/7",
        "Observation/e" + "z" * 43,
        f"Patient/{uuid7()}",
        "Medication",
        "Patient/x",
    ):
        assert outcome(ana.get(path), 404)["code"] == "not-found"
    for path in ("ServiceRequest/7", f"Appointment/{uuid7()}"):
        assert outcome(scheduler.get(path), 404)["code"] == "not-found"
    answer = ana.send("DELETE", "Observation")
    assert outcome(answer, 405)["code"] == "not-supported"
    assert "GET" in answer.headers["Allow"]
    assert outcome(ana.get("Appointment"), 403)["code"] == "forbidden"
    assert outcome(scheduler.get("Observation"), 403)["code"] == "forbidden"


def test_only_json_goes_out_and_comes_in(ana: Fhir, scheduler: Fhir) -> None:
    for kind in ("application/fhir+xml", "text/html", "application/fhir+ndjson"):
        assert outcome(ana.get("Observation", Accept=kind), 406)["code"] == "not-supported"
    for wanted in ("xml", "application/fhir+xml", "ndjson", ""):
        outcome(ana.get(f"Observation?_format={wanted}"), 406)
    for kind in ("application/json", "*/*", "text/html, application/*;q=0.5", KIND):
        answer = ana.get("Observation", Accept=kind)
        assert (answer.status_code, answer.content_type) == (200, KIND)
    for told in ("fhirVersion=4.0", 'fhirVersion="4.0.1"', "charset=utf-8", "fhirVersion=4.0;q=0.5"):
        assert ana.get("Observation", Accept=f"{KIND}; {told}").status_code == 200, told
    for told in ("fhirVersion=3.0", "fhirVersion=5.0;q=0.9, text/html", "q=0"):
        outcome(ana.get("Observation", Accept=f"{KIND}; {told}"), 406)
    for wanted in ("json", "application/fhir+json", "application/fhir%2Bjson"):
        assert ana.get(f"Observation?_format={wanted}", Accept="text/html").status_code == 200
    sent = scheduler.send("POST", "AppointmentResponse", {}, Content_Type="text/plain")
    assert outcome(sent, 415)["code"] == "not-supported"
    sent = scheduler.send("POST", "AppointmentResponse", {}, Content_Type=f"{KIND}; fhirVersion=4.0")
    outcome(sent, 422)


UNASKABLE = [
    ("date=2026-13", "date"),
    ("date=2026-02-30", "date"),
    ("date=ne2026", "date"),
    ("date=sa2026", "date"),
    ("date=1812", "date"),
    ("date=2026-03-02T25:00Z", "date"),
    ("date=2026-3-2", "date"),
    ("date=", "date"),
    ("_lastUpdated=yesterday", "_lastUpdated"),
    ("_count=0", "_count"),
    ("_count=-1", "_count"),
    ("_count=x", "_count"),
    ("code=", "code"),
    ("code=a,,b", "code"),
    ("code=|", "code"),
    ("patient=Ana", "patient"),
    ("patient=Practitioner/01a1e8a0-5c00-7000-8000-000000000001", "patient"),
    ("_cursor=7", "_cursor"),
    ("mood=3", "mood"),
    ("_sort=date", "_sort"),
    ("_include=Observation:subject", "_include"),
    ("date:missing=true", "date:missing"),
]


def test_a_search_that_can_not_be_understood_is_named(ana: Fhir) -> None:
    for query, name in UNASKABLE:
        issue = outcome(ana.get(f"Observation?{query}"), 400)
        assert (issue["code"], issue["expression"][0].split(".")[1]) == ("invalid", name), query
    outcome(ana.get("Observation?code=a&code=b"), 400)
    assert ana.get("Observation?_count=1000000").status_code == 200


def test_who_is_lenient_has_unknown_parameters_passed_over(ana: Fhir) -> None:
    lenient = {"Prefer": "return=minimal; handling = lenient"}
    answer = ana.get("Observation?mood=3&_sort=date&_count=2", **lenient)
    assert answer.status_code == 200
    outcome(ana.get("Observation?mood=3&_count=x", **lenient), 400)
    assert (
        ana.get(
            "Observation?_include=Observation:subject&_include=Observation:performer", **lenient
        ).status_code
        == 200
    )


def test_what_was_passed_over_is_not_in_the_addresses_of_the_answer(ana: Fhir, clock: Clock) -> None:
    ana.person.put(f"/entries/{uuid7()}", entry(clock.now))
    found = ana.get("Observation?mood=3&_count=1&date=2026", Prefer="handling=lenient").json["link"]
    links = {one["relation"]: one["url"].partition("?")[2].partition("&_cursor")[0] for one in found}
    assert links == dict.fromkeys(("self", "next"), "_count=1&date=2026")
    following = next(one["url"] for one in found if one["relation"] == "next").partition(f"{ROOT}/")[2]
    assert len(ana.read(following)["entry"]) == 1, "whoever follows it says nothing of being lenient"


def test_a_clinician_says_whose(cast: Cast) -> None:
    assert outcome(Fhir(cast.bo).get("Observation"), 400)["expression"] == ["http.patient"]
    outcome(Fhir(cast.bo).get(f"Observation?{WHOSE}"), 404)


def test_somebody_elses_place_is_no_place(cast: Cast, ana: Fhir) -> None:
    theirs = Fhir(cast.other_patient)
    cast.other_patient.put(
        f"/entries/{uuid7()}",
        {"occurred_at": "2026-03-02T11:00:00Z", "zone": "Europe/Oslo", "items": {"mood": 3, "anxiety": 4}},
    )
    place = theirs.read("Observation?_count=1")["link"][1]["url"].partition("_cursor=")[2]
    assert outcome(ana.get(f"Observation?_cursor={place}"), 400)["expression"] == ["http._cursor"]


def test_what_is_sent_is_read_as_strictly_as_anywhere(
    scheduler: Fhir, settings: Settings, visits: Visits
) -> None:
    suggestion = visits.approved()
    headers = {"Authorization": f"Bearer {scheduler.person.token}", "If-Match": 'W/"2"'}

    def put(data: bytes) -> Any:
        path = f"{ROOT}/Appointment/{suggestion}"
        return scheduler.person.client.put(path, data=data, content_type=KIND, headers=headers)

    for data in (b"{", b'{"a": NaN}', b'{"id": "a", "id": "b"}', b'{"id": "\xff"}', b"[" * (DEEPEST + 1)):
        assert outcome(put(data), 400)["code"] == "invalid"
    assert outcome(put(b'{"id": "' + b"x" * settings.max_body_bytes + b'"}'), 413)["code"] == "too-long"
    for data in (b"[]", b"null", b"7", b"{}"):
        outcome(put(data), 422)


UNTAKEABLE: list[tuple[Resource, str]] = [
    ({"resourceType": "Patient"}, "resourceType"),
    ({"status": "agreed"}, "status"),
    ({"status": None}, "status"),
    ({"start": "tomorrow"}, "start"),
    ({"start": "2026-03-05"}, "start"),
    ({"end": "2026-03-05T09:00:00"}, "end"),
    ({"id": str(uuid7())}, "id"),
    ({"identifier": [{"value": "a\u0000b"}]}, "identifier"),
    ({"identifier": [{"value": 7}]}, "identifier"),
    ({"identifier": {"value": "x" * 201}}, "identifier"),
]


def test_a_member_that_can_not_be_taken_is_named(scheduler: Fhir, visits: Visits) -> None:
    suggestion = visits.approved()
    good = {"resourceType": "Appointment", "id": suggestion, "status": "booked"}
    times = {"start": "2026-03-05T09:00:00Z", "end": "2026-03-05T10:00:00Z"}
    for members, name in UNTAKEABLE:
        answer = scheduler.put(f"Appointment/{suggestion}", {**good, **times, **members}, version=2)
        assert outcome(answer, 422)["expression"] == [name], members
    early = {"start": "2026-03-01T09:00:00Z", "end": "2026-03-01T10:00:00Z"}
    for members, name in ((early, "start"), ({"end": "2026-03-07T10:00:00Z"}, "end")):
        body = {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": f"Appointment/{suggestion}"},
        }
        body |= {"actor": {"display": "x"}, "participantStatus": "accepted", **times, **members}
        assert outcome(scheduler.post("AppointmentResponse", body), 422)["expression"] == [name], members
    backwards = {"start": times["end"], "end": times["start"]}
    for members in ({}, backwards):
        outcome(scheduler.put(f"Appointment/{suggestion}", {**good, **members}, version=2), 422)
    assert scheduler.read(f"Appointment/{suggestion}")["status"] == "proposed"


def test_an_administrator_who_asks_for_an_id_that_is_none_is_refused_like_for_any(cast: Cast) -> None:
    admin = Fhir(cast.admin)
    for path in ("Patient/7", "Patient/7/$everything", f"Patient/{cast.ana.patient_id}"):
        assert outcome(admin.get(path), 403)["code"] == "forbidden", path


def test_a_version_is_named_and_is_the_current_one(scheduler: Fhir, visits: Visits) -> None:
    suggestion = visits.approved()
    seen = {"resourceType": "Appointment", "id": suggestion, "status": "pending"}
    path = f"Appointment/{suggestion}"
    assert outcome(scheduler.put(path, seen), 428)["code"] == "required"
    assert outcome(scheduler.put(path, seen, version=1), 412)["code"] == "conflict"
    for header in ("2", "*", 'W/"0"', 'W/"2", W/"3"', '"v2"'):
        answer = scheduler.send("PUT", path, seen, If_Match=header)
        assert outcome(answer, 400)["expression"] == ["http.If-Match"]
    assert scheduler.send("PUT", path, seen, If_Match='"2"').status_code == 200


def test_an_error_of_ours_says_nothing_of_what_was_sent(settings: Settings, validators: Validators) -> None:
    app = create_app(settings)

    @open_to_all
    def fail() -> None:
        raise RuntimeError(SECRET)

    app.add_url_rule(f"{ROOT}/fail", "fail", fail)
    answer = app.test_client().get(f"{ROOT}/fail")
    assert outcome(answer, 500)["code"] == "exception"
    assert SECRET not in answer.text
    assert validators.problems(answer.json) == []


def test_errors_are_fhir_too(ana: Fhir, validators: Validators) -> None:
    for path in ("Observation?_count=x&mood=3", "Observation/7", "DetectedIssue", "Observation?_format=xml"):
        answer = ana.get(path)
        assert answer.status_code >= 400
        assert validators.problems(json.loads(answer.text)) == []
