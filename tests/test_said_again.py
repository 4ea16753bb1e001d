"""After an import the phone may say all of it again: to the letter the same, it is known, in every format."""

import csv
import io
import json
from datetime import timedelta, timezone
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from jobs.import_export import prepare, write
from jobs.problem import Problem
from server.database import Database
from server.diary_import.export_csv import read_csv
from server.diary_import.export_fhir import read_fhir
from server.fhir.own import codes
from tests.as_said import PATHS, tell
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.scales import filled
from tests.test_export_fhir_back import lines

FORMATS = ["json", "csv", "fhir"]
EAST = timezone(timedelta(hours=1))
SCALES = PATHS["questionnaire_response"]
LISTS = ("entries", "questionnaire_responses")


def taken_away(person: Person, form: str) -> bytes:
    answer = person.get(f"/me/export?format={form}")
    assert answer.status_code == 200, answer.text
    return answer.get_data()


def brought(database: Database, person: Person, data: bytes, clock: Clock) -> None:
    assert person.patient_id is not None
    taken = write(database, prepare(database, ("elsewhere", person.patient_id), data, clock.now))
    assert taken.refused == set()


@pytest.mark.long
@pytest.mark.parametrize("form", FORMATS)
def test_what_the_phone_says_again_after_an_import_is_known_to_the_letter(
    form: str, cast: Cast, clock: Clock, database: Database
) -> None:
    told = tell(cast.ana, clock.now)
    file, before = taken_away(cast.ana, form), json.loads(taken_away(cast.ana, "json"))
    clock.forward(days=100)
    brought(database, cast.other_patient, file, clock)
    after = json.loads(taken_away(cast.other_patient, "json"))
    assert [after[name] for name in LISTS] == [before[name] for name in LISTS]
    for kind, name, body in told:
        answer = cast.other_patient.put(f"/{PATHS[kind]}/{name}", body)
        assert (answer.status_code, answer.json["outcome"]) == (200, "duplicate"), body
    items = [{"id": name, "kind": kind, "action": "put", kind: body} for kind, name, body in told]
    answer = cast.other_patient.post("/sync", {"items": items})
    assert {one["verdict"] for one in answer.json["results"]} == {"duplicate"}, answer.text


def test_of_what_the_facade_gave_only_what_it_tells_whole_is_known(
    cast: Cast, clock: Clock, database: Database
) -> None:
    typed = filled(clock.now, "asrm", total=10)
    del typed["answers"]
    known = [("entries", entry(clock.now)), (SCALES, filled(clock.now, each=1)), (SCALES, typed)]
    unknown = [("entries", entry(clock.now, note="")), ("entries", entry(clock.now.astimezone(EAST)))]
    told = [(f"/{path}/{uuid7()}", body) for path, body in (*known, *unknown)]
    for path, body in told:
        assert cast.ana.put(path, body).status_code == 201
    brought(database, cast.other_patient, lines(cast.ana).encode(), clock)
    answers = [cast.other_patient.put(path, body).status_code for path, body in told]
    assert answers == [200, 200, 200, 428, 428]


def contents(file: Any) -> list[dict[str, Any]]:
    return [dict(one.said) for one in file.revisions if one.said is not None]


def rewritten(data: bytes, *without: str) -> bytes:
    """Return a CSV without the columns ``without``."""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, [name for name in rows[0] if name not in without], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def test_a_csv_of_before_is_read_as_before(cast: Cast, clock: Clock) -> None:
    tell(cast.ana, clock.now)
    file = taken_away(cast.ana, "csv")
    found = contents(read_csv(rewritten(file, "occurred_at", "side_effect_onset", "empty_note")))
    assert len(found) == len(contents(read_csv(file)))
    assert {one["occurred_at"][-6:] for one in found} == {"+00:00"}
    began = [at for one in found for at in one.get("side_effect_onset", {}).values()]
    assert {at[-6:] for at in began} == {"+00:00"}
    assert {one["note"] for one in found if "note" in one} == {None, "'", "Ill."}


@pytest.mark.long
def test_a_csv_whose_two_moments_are_not_the_same_is_refused(
    cast: Cast, clock: Clock, database: Database
) -> None:
    tell(cast.ana, clock.now)
    file = taken_away(cast.ana, "csv").replace(b"10:00:00.100000+01:00", b"10:00:00.100000+02:00")
    with pytest.raises(Problem, match=r"line \d+: can't be read"):
        brought(database, cast.other_patient, file, clock)


def test_an_own_fhir_file_of_before_is_read_as_before(cast: Cast, clock: Clock) -> None:
    tell(cast.ana, clock.now)
    file = taken_away(cast.ana, "fhir").decode()
    assert codes.UTC_OFFSET in file
    found = contents(read_fhir(file.replace(codes.UTC_OFFSET, "urn:of-nobody").encode()))
    assert {one["occurred_at"][-6:] for one in found} == {"+00:00"}
