"""docs/fhir.md: its requests are sent, in order, and its tables say what the code does."""

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

import pytest
from werkzeug.test import TestResponse

from server.clinical.instruments.catalog import EDITIONS
from server.clinical.vocabulary import SuggestionState
from server.fhir import codes
from server.fhir.capability_statement import capability_statement
from server.fhir.own import codes as own
from server.fhir.visit_status import APPOINTMENT_STATUS, REQUEST_STATUS
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.fhir.definitions import entries
from tests.fhir.validators import ABSENT, are_here
from tests.fhir_client import ROOT, Resource
from tests.source import ROOT as HERE
from tests.visits import Visits

PAGE = (HERE / "docs" / "fhir.md").read_text("utf-8")
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def requests(known: dict[str, str]) -> Iterator[list[str]]:
    """Yield the words of every curl command of the page, its variables filled in."""
    for block in BLOCK.findall(PAGE):
        for command in re.split(r"\n(?=curl )", f"\n{block}")[1:]:
            filled = re.sub(r"(?<!\\)\$(\w+)", lambda found: known[found[1]], command)
            yield [word.replace("\\$", "$") for word in shlex.split(filled)]


def send(cast: Cast, words: list[str]) -> TestResponse:
    """Send one curl command."""
    given = list(pairwise(words))
    headers = dict(word.split(": ", 1) for flag, word in given if flag == "-H")
    method = next((word for flag, word in given if flag == "-X"), "GET")
    data = next((word for flag, word in given if flag == "-d"), None)
    (url,) = (word for word in words if word.startswith(ROOT))
    return cast.ana.client.open(url, method=method, data=data, headers=headers)


def test_every_request_of_the_page_is_answered(visits: Visits, cast: Cast, clock: Clock) -> None:
    told = entry(clock.now, items={"mood": 3, "pain_now": 7})
    cast.ana.put("/entries/019ff000-0000-7000-8000-000000000001", told)
    known = {
        "FHIR": ROOT,
        "KIND": "Content-Type: application/fhir+json",
        "BO": cast.bo.token,
        "ANA": cast.ana.token,
        "SCHEDULING": cast.scheduler.token,
        "PATIENT": str(cast.ana.patient_id),
        "VISIT": visits.approved(),
    }
    answers = [send(cast, words) for words in requests(known)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 201, *[200] * 8]
    assert answers[5].json["status"] == "arrived"
    for answer in answers[1:3] + answers[6:9]:
        assert len(answer.json["entry"]) > 0, answer.request.url


def test_the_table_of_parameters_is_the_capability_statement() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`[^|]+`) \|$", PAGE.partition("## Searching")[2], re.MULTILINE)
    said = {kind: re.findall(r"`(\w+)`", parameters) for kind, parameters in rows}
    statement: Resource = capability_statement("https://a.example", "1")
    resources = statement["rest"][0]["resource"]
    stated = {
        one["type"]: [p["name"] for p in one["searchParam"]] for one in resources if "searchParam" in one
    }
    assert said == stated


@pytest.mark.peers
@pytest.mark.skipif(not are_here(), reason=ABSENT)
def test_no_parameter_but_one_date_for_all_of_the_journal_is_our_own() -> None:
    known = {(base, one["code"]) for one in entries("search-parameters") for base in one.get("base", ())}
    resources = capability_statement("https://a.example", "1")["rest"][0]["resource"]
    own = {
        (one["type"], parameter["name"])
        for one in resources
        for parameter in one.get("searchParam", ())
        if not {(one["type"], parameter["name"]), ("Resource", parameter["name"])} & known
    }
    assert own == {(kind, "date") for kind in ("QuestionnaireResponse", "DetectedIssue", "Provenance")}


def test_the_table_of_codes_names_every_system_and_every_code_of_loinc_that_leaves() -> None:
    ours = {value for value in vars(codes).values() if str(value).startswith("urn:afterglow:")}
    named = set(re.findall(r"`(urn:afterglow:[a-z-]+)`", PAGE))
    assert {value.partition(":diary|")[0] for value in ours} <= named
    totals = {made.loinc.total for made in EDITIONS.values()} - {None}
    assert {total for total in totals if str(total) not in PAGE} == set()


def test_the_table_of_the_patients_own_export_names_all_that_only_it_has() -> None:
    table = PAGE.partition("## The patient's own export")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(urn:afterglow:[a-z-]+)`", table))
    assert named == {value for value in vars(own).values() if str(value).startswith("urn:afterglow:")}


def test_the_table_of_states_is_what_is_sent() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| `(\w+)` \| `(\w+)` \|$", PAGE, re.MULTILINE)
    said = {
        SuggestionState(state): (request, appointment)
        for states, request, appointment in rows
        for state in re.findall(r"`(\w+)`", states)
    }
    assert said.keys() == set(SuggestionState) - {SuggestionState.DRAFT}
    for state, (request, appointment) in said.items():
        # Once a person has seen it there still is no time, and FHIR has no pending appointment without one.
        shown = "proposed" if APPOINTMENT_STATUS[state] == "pending" else APPOINTMENT_STATUS[state]
        assert (request, appointment) == (REQUEST_STATUS[state], shown), state
