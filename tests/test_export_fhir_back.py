"""Everything the facade gives of a patient comes back to the same resources, in another clinic too."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from jobs.import_export import Taken, prepare, write
from jobs.problem import Problem
from server.database import Database
from server.fhir import codes, ids
from server.fhir.ids import Place
from server.settings import Settings
from tests.cast import Cast, Person, entry, opened_alerts
from tests.conftest import Clock, Scene
from tests.fhir_client import Fhir
from tests.one_shot import runner
from tests.scales import filled
from tests.test_export import keep, taken_away
from tests.visits import Visits

Resource = dict[str, Any]


def lines(person: Person) -> str:
    """Return everything of one patient, a resource a line, as the facade gives it to themself."""
    answer = Fhir(person).get(f"Patient/{person.patient_id}/$everything", Accept="application/fhir+ndjson")
    assert answer.status_code == 200, answer.text
    return answer.text


def brought_to(database: Database, person: Person, text: str, clock: Clock, slug: str) -> Taken:
    assert person.patient_id is not None
    return write(database, prepare(database, (slug, person.patient_id), text.encode(), clock.now))


def comparable(text: str, whose: UUID) -> list[Resource]:
    """Return the resources under one id of a patient, without what belongs to the record they stand in.

    That is the patient's own resource, what was taken back, and which version of a record it is.
    """
    kept, gone = [], set()
    for line in text.splitlines():
        one = json.loads(re.sub(ids._ID.pattern, under, line.replace(str(whose), str(UUID(int=0)))))
        if one["resourceType"] == "Patient" or one["id"] in gone:
            continue
        if one.get("status") == "entered-in-error":
            gone.add(one["id"])
            continue
        del one["meta"]["versionId"]
        # Nor how far a phone's clock was off: what is brought in is dated by no phone any more.
        one.pop("_effectiveDateTime", None), one.pop("_occurredDateTime", None)
        beside = one.get("_authored", {})
        beside["extension"] = [e for e in beside.get("extension", ()) if e["url"] != codes.CLOCK_SUSPECT]
        one.pop("activity", None)
        one.pop("status", None)
        kept.append(one)
    return kept


def under(found: re.Match[str]) -> str:
    """Return the id of a resource as it would be of another patient, the same for all."""
    place = ids.read(found[0])
    return (
        found[0] if place is None else ids.written(Place(place.kind, UUID(int=0), place.source, place.number))
    )


@pytest.fixture
def file(scene: Scene, visits: Visits, cast: Cast, clock: Clock) -> str:
    """Ana has kept a diary with everything in it; a carer wrote for her; what was typed late is corrected."""
    scene(lambda: keep_everything(visits, cast, clock))
    return lines(cast.ana)


def keep_everything(visits: Visits, cast: Cast, clock: Clock) -> None:
    keep(visits, cast, clock)
    said = {"entered_by": "caregiver", "circumstances": ["travel", "infection"], "safety": "often"}
    assert cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, **said)).status_code == 201
    typed = filled(clock.now - timedelta(days=90), "asrm", total=10)
    del typed["answers"]
    paper = f"{visits.ana}/questionnaire-responses/{uuid7()}"
    assert cast.bo.put(paper, typed).status_code == 201
    old = str(uuid7())
    cast.ana.put(f"/entries/{old}", entry(clock.now - timedelta(days=29)))
    clock.forward(days=20)
    corrected = entry(clock.now - timedelta(days=49), items={"mood": 2})
    assert cast.ana.put(f"/entries/{old}", corrected, version=1).status_code == 200


def test_a_fhir_file_comes_back_to_the_same_resources_in_another_clinic(
    file: str, cast: Cast, clock: Clock, database: Database
) -> None:
    clock.forward(days=100)
    taken = brought_to(database, cast.other_patient, file, clock, "elsewhere")
    assert (taken.revisions, taken.refused) == (7, set())
    mine, theirs = cast.ana.patient_id, cast.other_patient.patient_id
    assert mine is not None
    assert theirs is not None
    before, after = comparable(file, mine), comparable(lines(cast.other_patient), theirs)
    ((was, became),) = (pair for pair in zip(before, after, strict=True) if pair[0] != pair[1])
    # Corrected after a month and by no phone's clock: when it was first written down is not in the file.
    assert became == was | {"recorded": "2026-02-01T14:00:00Z"}
    assert any("safety_often" in alert.codes for alert in opened_alerts(database))


def test_importing_fhir_again_or_to_where_it_came_from_changes_nothing(
    file: str, cast: Cast, clock: Clock, database: Database
) -> None:
    # A later version is recognised by what it says, and nothing of a note or tag is lost by it.
    before = taken_away(cast.ana)["entries"]
    assert brought_to(database, cast.ana, file, clock, "demo") == Taken(there_already=7)
    assert taken_away(cast.ana)["entries"] == before
    brought_to(database, cast.other_patient, file, clock, "elsewhere")
    assert brought_to(database, cast.other_patient, file, clock, "elsewhere") == Taken(there_already=7)


def test_a_bundle_of_everything_is_read_like_the_lines_also_the_clinicians(
    file: str, cast: Cast, clock: Clock, database: Database
) -> None:
    answer = Fhir(cast.bo).get(f"Patient/{cast.ana.patient_id}/$everything")
    assert answer.json["resourceType"] == "Bundle"
    for text in (answer.text, json.dumps(answer.json, indent=2)):
        assert brought_to(database, cast.ana, text, clock, "demo") == Taken(there_already=7)


def test_fhir_that_is_cut_off_damaged_or_anothers_is_refused_by_place_and_without_its_words(
    file: str, cast: Cast, clock: Clock, database: Database
) -> None:
    mine = str(cast.ana.patient_id)
    first, rest = file.split("\n", 1)
    for text, said in (
        (file + '{"resourceType": "OperationOutcome"}\n', "was cut off"),
        (file[:-9], "neither a Bundle nor a resource a line"),
        (first, "nothing that was filled in"),
        (first + "\n" + rest.replace(f"Patient/{mine}", "Patient/secret", 1), "more than one patient"),
        (file.replace("urn:afterglow:questionnaire:diary", "secret"), r"resource \d+: can't be read"),
        (file.replace('"linkId": "mood"', '"linkId": "no_item"'), "no_item: Is not an item"),
        (file.replace("tz-code", "secret"), r"resource \d+: can't be read"),
        (first + "\n7\n", "is no FHIR"),
    ):
        with pytest.raises(Problem, match=said) as refused:
            brought_to(database, cast.other_patient, text, clock, "elsewhere")
        assert "secret" not in str(refused.value)


def test_the_command_says_what_the_facade_leaves_out(
    cast: Cast,
    clock: Clock,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    clock.now = clock.now.replace(year=2025)
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now))
    path = tmp_path / "export.ndjson"
    path.write_text(lines(cast.ana))
    words = ("import-export", path, "--clinic", "elsewhere", "--patient", cast.other_patient.patient_id)
    run = runner(settings, monkeypatch)
    said = run(*words, "--dry-run")
    assert "Not in a file of this format: notes and tags, earlier versions" in said.output
    assert "nothing was changed" in said.output
    assert "1 versions imported, 0 things there already" in run(*words).output
