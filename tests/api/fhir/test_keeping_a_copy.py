"""What the page says of keeping a copy by `_lastUpdated`: what is found, dropped, and missed."""

from datetime import timedelta

from uuid_utils.compat import uuid7

from jobs import import_diary
from server.clinical.vocabulary import Purpose
from server.database import Database
from server.fhir.detected_issue import DISPROVED
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.consents import agree
from tests.fhir_client import Fhir

MAP = "date: {column: day}\nitems: {mood: {column: mood, low: 0, high: 10, direction: high_good}}\n"


def changed(cast: Cast, since: str, kind: str = "Observation") -> set[str]:
    """Return the codes, or the ids of forms, that a search for what has changed finds."""
    found = Fhir(cast.bo).found(f"{kind}?patient={cast.ana.patient_id}&_lastUpdated=ge{since}")
    return {one["code"]["coding"][-1]["code"] if "code" in one else one["id"] for one in found}


def test_a_correction_brings_every_number_that_there_still_is(cast: Cast, clock: Clock) -> None:
    path = f"/entries/{uuid7()}"
    cast.ana.put(path, entry(clock.now, items={"mood": 3, "energy": 7}))
    (copied,) = changed(cast, "2026-01-01", "QuestionnaireResponse")
    since = clock.forward(hours=1).isoformat()
    cast.ana.put(path, entry(clock.now - timedelta(hours=1), items={"mood": 4}), version=1)
    assert changed(cast, since, "QuestionnaireResponse") == {copied}
    assert changed(cast, since) == {"mood"}


def test_an_alert_that_what_came_in_later_disproves_says_so_with_a_new_version(
    cast: Cast, clock: Clock
) -> None:
    path, issues = f"/entries/{uuid7()}", f"DetectedIssue?patient={cast.ana.patient_id}"
    cast.ana.put(path, entry(clock.now, side_effects={"chest_pain": 3}))
    (before,) = Fhir(cast.bo).found(issues)
    since = clock.forward(hours=1).isoformat().replace("+00:00", "Z")
    assert cast.ana.delete(path, version=1).status_code == 204
    (after,) = Fhir(cast.bo).found(f"{issues}&_lastUpdated=ge{since}")
    assert (before.get("detail"), after["status"], after["detail"]) == (None, "preliminary", DISPROVED)
    assert int(after["meta"]["versionId"]) > int(before["meta"]["versionId"])
    assert Fhir(cast.bo).read(f"DetectedIssue/{after['id']}") == after


def test_what_is_brought_in_or_agreed_to_later_is_found_only_by_who_asks_for_all_of_it(
    cast: Cast, clock: Clock, database: Database
) -> None:
    cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, items={"craving": 7}))
    since = clock.forward(hours=1).isoformat()
    assert cast.ana.patient_id is not None
    who, files = ("demo", cast.ana.patient_id), (MAP, b"day,mood\n2026-02-25,3\n")
    import_diary.write(database, import_diary.prepare(database, who, files, clock.now))
    agree(cast, Purpose.SUBSTANCE_USE)
    assert changed(cast, since) == set()
    assert changed(cast, "2025-01-01") == {"mood", "craving"}
