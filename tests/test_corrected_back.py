"""What was written down in time and corrected later comes back, whichever clock it was taken by."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from jobs.import_export import prepare, write
from server.database import Database
from tests.cast import Cast, Person, entry
from tests.conftest import Clock
from tests.fhir_client import Fhir
from tests.scales import filled
from tests.test_own_fhir_back import reported

WRONG_CLOCKS = (datetime(1970, 1, 2, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC))
KINDS = (("entries", entry), ("questionnaire-responses", filled))
LATER: dict[str, Any] = {"entries": {"note": "Better."}, "questionnaire-responses": {"answers": {"q1": 2}}}


def keep(ana: Person, now: datetime) -> None:
    """Let Ana write without network, or by a wrong clock, and correct what she wrote weeks later."""
    offline = now - timedelta(days=40)
    for kind, body in KINDS:
        for first, second in (
            # Corrected in the browser, which says no time of writing, and on the phone, which says a new one.
            (offline, body(offline, **LATER[kind])),
            (offline, body(offline, recorded_at=now.isoformat(), **LATER[kind])),
            # Put on the day it belongs to.
            *((wrong, body(now, recorded_at=now.isoformat())) for wrong in (offline, *WRONG_CLOCKS)),
        ):
            path = f"/{kind}/{uuid7()}"
            assert ana.put(path, body(first, recorded_at=first.isoformat())).status_code == 201
            assert ana.put(path, second, version=1).status_code == 200


@pytest.mark.long
@pytest.mark.parametrize("form", ["json", "csv", "fhir"])
def test_what_was_corrected_long_after_it_was_felt_comes_back(
    cast: Cast, clock: Clock, database: Database, form: str
) -> None:
    keep(cast.ana, clock.now)
    assert cast.ana.delete(f"/entries/{reported(cast.ana)['entries'][0]['id']}", version=2).status_code == 204
    file = cast.ana.get(f"/me/export?format={form}").get_data()
    clock.forward(days=100)
    assert cast.other_patient.patient_id is not None
    plan = prepare(database, ("elsewhere", cast.other_patient.patient_id), file, clock.now)
    assert (write(database, plan).refused, write(database, plan).refused) == (set(), set())
    assert reported(cast.other_patient) == reported(cast.ana)


@pytest.mark.long
def test_everything_of_one_patient_comes_back_though_it_says_nothing_of_the_version_that_was_in_time(
    cast: Cast, clock: Clock, database: Database
) -> None:
    keep(cast.ana, clock.now)
    clock.forward(minutes=1)
    keep(cast.ana, clock.now - timedelta(seconds=30))
    by_wrong_clock = {"id": str(uuid7()), "action": "put", "entry": entry(WRONG_CLOCKS[1])}
    cast.ana.post("/sync", {"sent_at": WRONG_CLOCKS[1].isoformat(), "items": [by_wrong_clock]})
    path = f"Patient/{cast.ana.patient_id}/$everything"
    file = Fhir(cast.bo).get(path, Accept="application/fhir+ndjson").get_data()
    clock.forward(days=100)
    assert cast.other_patient.patient_id is not None
    taken = write(database, prepare(database, ("elsewhere", cast.other_patient.patient_id), file, clock.now))
    assert (taken.revisions, taken.refused) == (21, set())
