"""However long a diary is, taking it away needs the same memory, and what was cut off does not look whole."""

import json
import re

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.api.streaming import PIECE, Incomplete
from server.clinical.vocabulary import Purpose
from server.database import Database
from server.models import AuditEvent, EntryRevision
from server.settings import Settings
from tests.cast import Cast, Person, entry, new_patient
from tests.conftest import Clock
from tests.consents import withdraw
from tests.leaving import leaves
from tests.taking_away import FORGET, in_process
from tests.years import live_through

EVERYTHING = "/fhir/R4/Patient/{patient}/$everything"
WAYS = {
    "the export as JSON": ("/v1/me/export", "application/json"),
    "the export as CSV": ("/v1/me/export?format=csv", "*/*"),
    "the export as FHIR": ("/v1/me/export?format=fhir", "*/*"),
    "FHIR as a bundle": (f"{EVERYTHING}?_type=QuestionnaireResponse", "application/fhir+json"),
    "FHIR line by line": (f"{EVERYTHING}?_type=Provenance", "application/fhir+ndjson"),
}
# What a heap gains and loses by itself, in KiB. Five years of this diary are 1.4 MiB as CSV and more as all
# else; as rows they are several times that. `benchmarks/export.py` takes all of FHIR, 36 MiB.
UNEVEN = 2048


@pytest.mark.skipif(not FORGET.exists(), reason="the resident set is measured as Linux tells it")
def test_five_years_need_no_more_memory_than_one(
    app: Flask, cast: Cast, database: Database, clock: Clock, settings: Settings
) -> None:
    lea = new_patient(app, cast.ana.clinic_id, "Lea", None)
    for person, years in ((cast.ana, 1), (lea, 5)):
        assert person.patient_id is not None
        live_through(database, person.clinic_id, person.patient_id, clock.now, years)
    # The first time is for what is made once and kept.
    _, one, five = in_process(settings, WAYS, [cast.ana, cast.ana, lea])
    for way in WAYS:
        assert five[way].size > 4 * one[way].size, way
        assert five[way].highest <= 1.2 * one[way].highest, way
        assert five[way].rose <= max(one[way].rose, 0) + UNEVEN, way


def asked(cast: Cast, path: str, kind: str | None = None, who: Person | None = None) -> TestResponse:
    person = who or cast.ana
    headers = {"Authorization": f"Bearer {person.token}", **({"Accept": kind} if kind else {})}
    answer = person.client.get(path.format(patient=cast.ana.patient_id), headers=headers)
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


@pytest.mark.parametrize("way", WAYS)
def test_who_is_signed_out_meanwhile_gets_no_more_and_what_they_have_is_not_whole(
    way: str, cast: Cast, database: Database, clock: Clock
) -> None:
    live_through(database, cast.ana.clinic_id, cast.ana.patient_id, clock.now, years=1)
    path, kind = WAYS[way]
    pieces = asked(cast, path, kind).iter_encoded()
    got = [next(pieces)]
    cast.ana.delete("/sign-ins/current")
    with pytest.raises(Incomplete):
        got.extend(pieces)
    assert sum(map(len, got)) < 3 * PIECE
    assert not looks_whole(b"".join(got).decode(), way)


@pytest.mark.parametrize("way", WAYS)
def test_who_takes_their_consent_back_meanwhile_ends_it_too(
    way: str, cast: Cast, database: Database, clock: Clock
) -> None:
    live_through(database, cast.ana.clinic_id, cast.ana.patient_id, clock.now, years=1)
    path, kind = WAYS[way]
    pieces = asked(cast, path, kind).iter_encoded()
    got = [next(pieces)]
    withdraw(cast, Purpose.EXPORT)
    with pytest.raises(Incomplete):
        got.extend(pieces)
    assert sum(map(len, got)) < 3 * PIECE
    assert not looks_whole(b"".join(got).decode(), way)


@pytest.mark.parametrize("way", ["FHIR as a bundle", "FHIR line by line"])
def test_an_erasure_that_is_confirmed_meanwhile_ends_what_staff_takes(
    way: str, cast: Cast, database: Database, clock: Clock
) -> None:
    live_through(database, cast.ana.clinic_id, cast.ana.patient_id, clock.now, years=1)
    path, kind = WAYS[way]
    pieces = asked(cast, path, kind, cast.bo).iter_encoded()
    got = [next(pieces)]
    leaves(cast)
    with pytest.raises(Incomplete):
        got.extend(pieces)
    assert sum(map(len, got)) < 3 * PIECE
    assert not looks_whole(b"".join(got).decode(), way)


def looks_whole(text: str, way: str) -> bool:
    if way == "the export as CSV":
        assert text.endswith("\r\nincomplete\r\n")
        return "\r\nend," in text
    lines = text.splitlines() if way in ("FHIR line by line", "the export as FHIR") else [text]
    try:
        return json.loads(lines[-1]).get("resourceType") != "OperationOutcome"
    except ValueError:
        return False


def test_what_breaks_an_answer_is_told_to_the_log_without_a_word_of_the_diary(
    cast: Cast, database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    live_through(database, cast.ana.clinic_id, cast.ana.patient_id, clock.now, years=1)
    with database.write() as session:
        damaged = session.scalars(
            select(EntryRevision).order_by(EntryRevision.entry_id.desc()).limit(1)
        ).one()
        damaged.sealed_content = b"\x00" * 40
    answer = asked(cast, "/v1/me/export")
    with pytest.raises(Incomplete):
        list(answer.iter_encoded())
    (line,) = [record.getMessage() for record in caplog.records if "broke off" in record.getMessage()]
    assert re.fullmatch(r"an answer broke off: \w+ at [^ ]+\.py:\d+", line)
