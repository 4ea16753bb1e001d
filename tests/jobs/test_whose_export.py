"""An export goes into no other patient's diary by a wrong id."""

import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from uuid_utils.compat import uuid7

from jobs import import_diary, import_export, whose_export
from jobs.problem import Problem
from server.database import Database
from tests.cast import Cast, Person, entry, new_patient
from tests.conftest import Clock
from tests.jobs.test_whose_diary import MOODS, csv, plan
from tests.scales import filled


@pytest.fixture
def file(cast: Cast, clock: Clock) -> dict[str, Any]:
    """What Ana takes away: one entry and one filled scale."""
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now))
    cast.ana.put(f"/questionnaire-responses/{uuid7()}", filled(clock.now))
    found: dict[str, Any] = cast.ana.get("/me/export").json
    assert (len(found["entries"]), len(found["questionnaire_responses"])) == (1, 1)
    return found


def check(database: Database, clock: Clock, who: Person, data: bytes, slug: str = "demo") -> None:
    """Have an export looked at that is to go into the diary of ``who``."""
    assert who.patient_id is not None
    whose_export.check(database, import_export.prepare(database, (slug, who.patient_id), data, clock.now))


def text_of(file: dict[str, Any], **patient: Any) -> bytes:
    return json.dumps({**file, "patient": {**file["patient"], **patient}}).encode()


def test_ones_own_is_taken_however_the_name_is_spelled(
    database: Database, cast: Cast, clock: Clock, file: dict[str, Any]
) -> None:
    name = file["patient"]["name"]
    for patient in ({}, {"name": f"  {name.upper()} "}, {"birth_year": 1970}, {"name": None}):
        check(database, clock, cast.ana, text_of(file, **patient))


def test_a_name_whose_accent_was_typed_apart_is_the_same(
    database: Database, cast: Cast, clock: Clock, file: dict[str, Any]
) -> None:
    ana = f"/patients/{cast.ana.patient_id}"
    assert cast.bo.patch(ana, {"name": "Zo\u00eb"}, version=1).status_code == 200
    check(database, clock, cast.ana, text_of(file, name="Zoe\u0308"))
    with pytest.raises(Problem, match="another name"):
        check(database, clock, cast.ana, text_of(file, name="Zoe"))


def test_another_name_is_refused_and_not_told(
    database: Database, cast: Cast, clock: Clock, file: dict[str, Any]
) -> None:
    with pytest.raises(Problem, match="another name or year of birth") as refused:
        check(database, clock, cast.ana, text_of(file, name="Xerxes"))
    assert "Xerxes" not in str(refused.value)
    assert file["patient"]["name"] not in str(refused.value)


def test_another_year_of_birth_is_refused(
    database: Database, cast: Cast, clock: Clock, file: dict[str, Any]
) -> None:
    ana = f"/patients/{cast.ana.patient_id}"
    assert cast.bo.patch(ana, {"birth_year": 1980}, version=1).status_code == 200
    check(database, clock, cast.ana, text_of(file, birth_year=1980))
    with pytest.raises(Problem, match="year of birth"):
        check(database, clock, cast.ana, text_of(file, birth_year=1981))


@pytest.mark.parametrize("kept", ["entries", "questionnaire_responses"])
def test_what_stands_in_another_diary_of_the_clinic_is_refused(
    app: Flask, database: Database, cast: Cast, clock: Clock, file: dict[str, Any], kept: str
) -> None:
    twin = new_patient(app, cast.ana.clinic_id, "Twin", None)
    for name in {"entries", "questionnaire_responses"} - {kept}:
        file[name], file["counts"][name] = [], 0
        file["counts"]["revisions"] = 1
    with pytest.raises(Problem, match="another diary of this clinic"):
        check(database, clock, twin, text_of(file, name="Twin"))


@pytest.mark.parametrize("form", ["csv", "fhir"])
def test_a_file_without_a_name_is_known_by_what_it_holds(
    app: Flask, database: Database, cast: Cast, clock: Clock, file: dict[str, Any], form: str
) -> None:
    data = cast.ana.get(f"/me/export?format={form}").get_data()
    check(database, clock, cast.ana, data)
    with pytest.raises(Problem, match="another diary of this clinic"):
        check(database, clock, new_patient(app, cast.ana.clinic_id, "Twin", None), data)
    # At another clinic nothing speaks against it: where else should it have come from?
    check(database, clock, cast.other_patient, data, "elsewhere")


def test_days_that_two_people_brought_from_elsewhere_are_told_apart_by_what_they_say(
    app: Flask, database: Database, cast: Cast, clock: Clock
) -> None:
    mia = new_patient(app, cast.ana.clinic_id, "Mia", None)
    import_diary.write(database, plan(database, clock, cast.ana, csv(*MOODS)))
    import_diary.write(
        database, plan(database, clock, cast.other_patient, csv(*reversed(MOODS)), "elsewhere")
    )
    data = cast.other_patient.get("/me/export?format=csv").get_data()
    check(database, clock, mia, data)
    with pytest.raises(Problem, match="another diary of this clinic"):
        check(database, clock, mia, cast.ana.get("/me/export?format=csv").get_data())


def test_other_diaries_are_looked_into_by_their_patients_not_entry_by_entry(
    database: Database, app: Flask, cast: Cast, clock: Clock, file: dict[str, Any]
) -> None:
    if not database.is_sqlite:
        pytest.skip("the other database plans by the sizes of tables, which are small here")
    sent: list[Any] = []
    event.listen(database.engine, "before_cursor_execute", keep := lambda *said: sent.append(said[2:4]))
    with pytest.raises(Problem, match="another diary"):
        check(database, clock, new_patient(app, cast.ana.clinic_id, "Mia", None), text_of(file, name=None))
    event.remove(database.engine, "before_cursor_execute", keep)
    with database.engine.connect() as connection:
        asked = [(text, told) for text, told in sent if "entries.id IN" in text and "LIMIT" in text]
        plans = [list(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", told)) for text, told in asked]
    steps = [step.detail for plan in plans for step in plan if "entries" in step.detail]
    assert steps
    assert all("patient_id=?" in step and "id=?)" in step for step in steps), steps
