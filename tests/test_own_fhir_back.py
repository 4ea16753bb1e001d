"""A patient's own export in FHIR holds all that they reported, and comes back to the same content."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from jobs.import_export import Taken, prepare, write
from jobs.problem import Problem
from server.database import Database
from server.diary_import.moment import in_utc
from server.fhir import ids
from server.fhir.own import codes
from tests.as_said import tell
from tests.cast import Cast, Person, entry, opened_alerts
from tests.conftest import Clock, Scene
from tests.fhir.validators import Validators
from tests.fhir_client import Fhir
from tests.scales import filled
from tests.source import sources
from tests.test_export import keep, taken_away
from tests.test_export_csv_back import ODD_NOTES, ODD_TAGS
from tests.test_export_fhir_back import lines, under
from tests.visits import Visits

Resource = dict[str, Any]
CANARY = "kanarienvogel"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[^ ]*[+-]\d\d:\d\d")
# What tells one file from another, and nothing of what was reported.
MADE = ("exported_at", "patient")


def own(person: Person) -> str:
    answer = person.get("/me/export?format=fhir")
    assert (answer.status_code, answer.mimetype) == (200, "application/fhir+ndjson"), answer.text
    return answer.text


def resources(text: str) -> list[Resource]:
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def reported(person: Person) -> dict[str, Any]:
    """Return all that is in the JSON of the export but for when it was made and who it is."""
    return {name: value for name, value in taken_away(person).items() if name not in MADE}


def brought_to(database: Database, person: Person, text: str, clock: Clock, slug: str) -> Taken:
    assert person.patient_id is not None
    return write(database, prepare(database, (slug, person.patient_id), text.encode(), clock.now))


def comparable(person: Person, text: str) -> list[Resource]:
    """Return the resources under one id of a patient, without the patient's name and when it was made."""
    anonymous = text.replace(str(person.patient_id), str(UUID(int=0)))
    found = resources(re.sub(ids._ID.pattern, under, anonymous))
    assert found[-1]["extension"][0].pop("valueInstant")
    return found[1:]


@pytest.fixture
def file(scene: Scene, visits: Visits, cast: Cast, clock: Clock) -> str:
    """Ana has kept a diary with everything in it; odd words, an answer to a check-in, a typed-in total."""
    scene(lambda: keep_everything(visits, cast, clock))
    return own(cast.ana)


def keep_everything(visits: Visits, cast: Cast, clock: Clock) -> None:
    keep(visits, cast, clock)
    tell(cast.ana, clock.now)
    for note in (*ODD_NOTES, " \n", f" {CANARY}\u2028 \u00a0"):
        said = {"note": note, "tags": [*ODD_TAGS, f"{CANARY}  tag "], "circumstances": ["travel"]}
        assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **said)).status_code == 201
    carer = {"entered_by": "caregiver", "recorded_at": clock.now.isoformat()}
    by_carer = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **carer))
    assert by_carer.status_code == 201, by_carer.text
    typed = filled(clock.now - timedelta(days=90), "asrm", total=10)
    del typed["answers"]
    paper = f"{visits.ana}/questionnaire-responses/{uuid7()}"
    assert cast.bo.put(paper, typed).status_code == 201
    assert cast.bo.put(paper, typed | {"total": 11}, version=1).status_code == 200
    mistaken = f"{visits.ana}/questionnaire-responses/{uuid7()}"
    assert cast.bo.put(mistaken, filled(clock.now - timedelta(days=3))).status_code == 201
    assert cast.bo.delete(mistaken, version=1).status_code == 204
    answer = filled(clock.now, "gad-7") | {"occurrence": f"gad-7:{clock.now.date()}"}
    gone = f"/questionnaire-responses/{uuid7()}"
    assert cast.ana.put(gone, answer).status_code == 201, answer
    assert cast.ana.delete(gone, version=1).status_code == 204
    assert cast.ana.put(f"/questionnaire-responses/{uuid7()}", answer).status_code == 201


def test_an_own_fhir_file_comes_back_to_the_same_content_in_another_clinic(
    file: str, cast: Cast, clock: Clock, database: Database
) -> None:
    before = reported(cast.ana)
    clock.forward(days=100)
    taken = brought_to(database, cast.other_patient, file, clock, "elsewhere")
    assert (taken.courses, taken.sessions, taken.zone_changes, taken.refused) == (2, 2, 3, set())
    assert (taken.plan, taken.plan_refused) == (True, False)
    assert reported(cast.other_patient) == before
    again = own(cast.other_patient)
    assert comparable(cast.other_patient, again) == comparable(cast.ana, file)
    assert any("safety_often" in alert.codes for alert in opened_alerts(database))


@pytest.mark.long
def test_importing_an_own_file_again_or_to_where_it_came_from_changes_nothing(
    file: str, cast: Cast, clock: Clock, database: Database
) -> None:
    revisions = reported(cast.ana)["counts"]["revisions"]
    # Beside every version: two sessions, three zone changes and the plan.
    assert brought_to(database, cast.ana, file, clock, "demo") == Taken(there_already=revisions + 6)
    brought_to(database, cast.other_patient, file, clock, "elsewhere")
    again = brought_to(database, cast.other_patient, file, clock, "elsewhere")
    assert again == Taken(there_already=revisions + 6)


def test_every_resource_of_an_own_file_is_fhir(file: str, validators: Validators) -> None:
    found = resources(file)
    assert {one["resourceType"] for one in found} == {
        *("Patient", "QuestionnaireResponse", "Observation", "Provenance"),
        *("Bundle", "CarePlan", "Procedure", "Basic"),
    }
    faults = {fault for one in found for fault in validators.problems(one)}
    assert faults == set()
    assert len({(one["resourceType"], one["id"]) for one in found}) == len(found)


@pytest.mark.long
def test_a_note_and_a_tag_leave_in_the_patients_own_file_and_never_by_the_facade(
    file: str, cast: Cast
) -> None:
    assert CANARY in file
    for person in (cast.ana, cast.bo):
        fhir, whose = Fhir(person), f"patient={cast.ana.patient_id}"
        found = [fhir.found(f"{k}?{whose}") for k in ("QuestionnaireResponse", "Observation", "Provenance")]
        asked = [fhir.get(f"QuestionnaireResponse/{one['id']}").text for one in found[0]]
        text = json.dumps(found) + "".join(asked)
        text += fhir.get(f"Patient/{cast.ana.patient_id}/$everything").text
        text += fhir.get(f"Patient/{cast.ana.patient_id}/$everything?_format=ndjson").text
        assert len(asked) > 5
        for word in (CANARY, '"tags"', '"note"', *vars_of(codes)):
            assert word not in text, word


def vars_of(module: Any) -> list[str]:
    """Return the systems and extensions that only the patient's own export has."""
    return [value for value in vars(module).values() if str(value).startswith("urn:afterglow:")]


def test_an_own_file_is_what_the_facade_gives_and_more(file: str, cast: Cast) -> None:
    facade = resources(lines(cast.ana))
    mine = {(one["resourceType"], one["id"]): one for one in resources(file)}
    without = [one for one in facade if (one["resourceType"], one["id"]) not in mine]
    # The clinic's own mistake, of which the facade says that it is gone.
    assert [one["resourceType"] for one in without] == ["QuestionnaireResponse", "Provenance"]
    assert (without[0]["status"], "item" in without[0]) == ("entered-in-error", False)
    for one in (one for one in facade if one not in without):
        whole = mine[one["resourceType"], one["id"]]
        whole, one = _without_offsets(whole), _without_offsets(one)
        for name in ("item", "basedOn", "extension", "entity", "meta"):
            given, more = one.pop(name, []), whole.pop(name, [])
            assert name in ("item", "basedOn", "extension", "entity") or more | given == more
            assert name != "item" or [item for item in more if item in given] == given
        assert whole == one


def _without_offsets(value: Any) -> Any:
    """Return all moments in UTC: only the patient's own export says how they were said."""
    if isinstance(value, list):
        return [_without_offsets(one) for one in value]
    if not isinstance(value, dict):
        return in_utc(value) if isinstance(value, str) and _MOMENT.fullmatch(value) else value
    parts = {name: _without_offsets(part) for name, part in value.items()}
    kept = [one for one in parts.get("extension", ()) if one["url"] != codes.UTC_OFFSET]
    told = parts | ({"extension": kept} if "extension" in parts else {})
    return {name: part for name, part in told.items() if part not in ([], {})}


@pytest.mark.long
def test_nothing_of_the_facade_knows_what_only_the_patients_own_export_has() -> None:
    writers = {"server/api/fhir/own_export.py"}
    callers = {"server/api/export.py"}
    found = {(source.path, name) for source in sources() for name in source.imports()}
    own = {path for path, name in found if name.startswith("server.fhir.own")}
    assert {path for path in own if path.startswith("server/api/")} == writers
    assert {path for path, name in found if name == "server.api.fhir.own_export"} == callers


def test_a_bundle_of_an_own_file_is_read_like_its_lines(
    file: str, cast: Cast, clock: Clock, database: Database
) -> None:
    entries = [{"resource": one} for one in resources(file)]
    text = json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries})
    taken = brought_to(database, cast.ana, text, clock, "demo")
    assert (taken.revisions, taken.refused) == (0, set())


def test_an_own_file_that_is_cut_off_or_damaged_is_refused_without_its_words(
    file: str, cast: Cast, clock: Clock, database: Database
) -> None:
    mine = str(cast.ana.patient_id)
    whole = [f"{line}\n" for line in file.split("\n")[:-1]]
    for text, said in (
        (file + '{"resourceType": "OperationOutcome"}\n', "was cut off"),
        ("".join(whole[:-1]), "is not whole"),
        ("".join(whole[:3] + whole[4:]), "is not whole|can't be read"),
        (file.replace(f"Patient/{mine}", "Patient/secret", 1), "more than one patient"),
        (file.replace("urn:afterglow:route", "secret", 1), r"resource \d+: can't be read"),
        (file.replace("CarePlan/", "secret"), r"resource \d+: can't be read"),
        (file.replace("zone-change", "secret"), r"resource \d+: can't be read"),
        (file.replace('"Procedure"', '"Secret"'), r"resource \d+: can't be read"),
        (file.replace('"linkId": "mood"', '"linkId": "no_item"'), "no_item: Is not an item"),
        (file.replace('"preparation"', '"secret"'), r"resource \d+: can't be read"),
    ):
        with pytest.raises(Problem, match=said) as refused:
            brought_to(database, cast.other_patient, text, clock, "elsewhere")
        assert "secret" not in str(refused.value).lower()
