"""However long a diary is, taking it away needs the same memory, and what was cut off does not look whole."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.api.streaming import Incomplete
from server.database import Database
from server.models import AuditEvent
from server.settings import Settings
from tests.cast import Cast, Person, entry, new_patient
from tests.conftest import Clock
from tests.taking_away import FORGET
from tests.years import live_through

EVERYTHING = "/fhir/R4/Patient/{patient}/$everything"
WAYS = {
    "the export as JSON": ("/v1/me/export", "application/json"),
    "the export as CSV": ("/v1/me/export?format=csv", "*/*"),
    "FHIR as a bundle": (EVERYTHING, "application/fhir+json"),
    "FHIR line by line": (f"{EVERYTHING}?_type=Observation", "application/fhir+ndjson"),
}
# What a heap gains and loses by itself, in KiB. Five years of this diary are 3 MiB as CSV, 36 as FHIR.
UNEVEN = 2048
GIVEN = ("database_url", "data_dir", "password_cost", "jwt_key", "master_key")


@pytest.mark.skipif(not FORGET.exists(), reason="the resident set is measured as Linux tells it")
def test_five_years_need_no_more_memory_than_one(
    app: Flask, cast: Cast, database: Database, clock: Clock, settings: Settings
) -> None:
    lea = new_patient(app, cast.ana.clinic_id, "Lea", None)
    for person, years in ((cast.ana, 1), (lea, 5)):
        assert person.patient_id is not None
        live_through(database, person.clinic_id, person.patient_id, clock.now, years)
    # The first time is for what is made once and kept.
    _, one, five = measured(settings, [cast.ana, cast.ana, lea])
    for way in WAYS:
        (rose, highest), (rose_then, highest_then) = one[way], five[way]
        assert highest_then <= 1.2 * highest, way
        assert rose_then <= max(rose, 0) + UNEVEN, way


def measured(settings: Settings, people: Sequence[Person]) -> list[dict[str, tuple[int, int]]]:
    """Return how far memory rose, and to where, while each of ``people`` took their diary away each way."""
    told = {field: str(value) for field, value in asdict(settings).items() if field in GIVEN}
    who = [(person.token, str(person.patient_id)) for person in people]
    asked = json.dumps({"settings": told, "ways": WAYS, "who": who})
    command = [sys.executable, "-m", "tests.taking_away"]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=120, check=True)
    found: list[dict[str, tuple[int, int]]] = json.loads(done.stdout)
    return found


def asked(cast: Cast, path: str, kind: str | None = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {cast.ana.token}", **({"Accept": kind} if kind else {})}
    answer = cast.ana.client.get(path.format(patient=cast.ana.patient_id), headers=headers)
    assert answer.status_code == 200
    return answer


def test_an_answer_sees_one_moment_and_is_audited_before_its_first_word(
    cast: Cast, database: Database, clock: Clock
) -> None:
    live_through(database, cast.ana.clinic_id, cast.ana.patient_id, clock.now, years=1)
    pieces = asked(cast, "/v1/me/export").iter_encoded()
    first = next(pieces)
    with database.read() as session:
        assert "export.read" in session.scalars(select(AuditEvent.action)).all()
    cast.ana.put("/entries/019ff000-0000-7000-8000-000000000001", entry(clock.now))
    export = json.loads(first + b"".join(pieces))
    assert len(export["entries"]) == export["counts"]["entries"] == 730


def test_who_is_signed_out_meanwhile_gets_no_more_and_what_they_have_is_not_whole(
    cast: Cast, database: Database, clock: Clock
) -> None:
    live_through(database, cast.ana.clinic_id, cast.ana.patient_id, clock.now, years=1)
    pieces = asked(cast, "/v1/me/export").iter_encoded()
    begun = next(pieces)
    cast.ana.delete("/sign-ins/current")
    with pytest.raises(Incomplete):
        next(pieces)
    with pytest.raises(ValueError, match="line"):
        json.loads(begun)
