"""Fault 28: Cyd, of another clinic, holds ids of Ana's and tries them wherever an id may stand.

Every path is tried by `tests/test_access_matrix.py`; here are the places beside it: filters, cursors,
FHIR ids and references, ids that a phone makes, a calendar's secret address, bodies. Each answer is that to
an id that never was, word by word, and whoever asked is on record in their own clinic, and nowhere else.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from server.clinical.vocabulary import Role
from server.fhir import ids as fhir_ids
from tests.cast import Cast, Person, entry, new_staff
from tests.conftest import Clock
from tests.fhir_client import Fhir
from tests.visits import Visits


@dataclass(frozen=True)
class Held:
    """What Cyd holds of Ana's clinic, or something of the same kind that never was."""

    patient: str
    entry: str
    alert: str
    suggestion: str
    account: str

    @property
    def journal(self) -> str:
        """The FHIR id of the entry."""
        return fhir_ids.written(fhir_ids.Place(fhir_ids.Kind.ENTRY, UUID(self.patient), UUID(self.entry)))


def nothing() -> Held:
    return Held(*(str(uuid7()) for _ in range(5)))


@pytest.fixture
def held(cast: Cast, visits: Visits, clock: Clock) -> Held:
    """Ana has an entry, an alert and a visit that was approved."""
    suggestion, of_ana = visits.approved(), str(uuid7())
    cast.ana.put(f"/entries/{of_ana}", entry(clock.now, safety="often"))
    alert = cast.bo.get("/alerts").json["items"][0]["id"]
    return Held(str(cast.ana.patient_id), of_ana, alert, suggestion, str(cast.bo.account_id))


@pytest.fixture
def elsewhere(app: Flask, cast: Cast) -> "Elsewhere":
    """The other clinic, with everybody who might try."""
    clinic = cast.cyd.clinic_id
    return Elsewhere(
        cyd=cast.cyd,
        admin=new_staff(app, clinic, Role.CLINIC_ADMIN, "Gus"),
        system=new_staff(app, clinic, Role.INTEGRATION, "Hal"),
        patient=cast.other_patient,
    )


@dataclass(frozen=True)
class Elsewhere:
    """Everybody of the other clinic."""

    cyd: Person
    admin: Person
    system: Person
    patient: Person

    def tried(self) -> list[str]:
        """Return the ids that were asked for and refused, as its log has them, the oldest first."""
        events = self.admin.get("/audit-events?limit=200").json["items"]
        return [one["object_id"] for one in reversed(events) if one["action"].startswith("refused.")]


Ask = Callable[[Elsewhere, Held], TestResponse]
# Where an id stands that leads to one thing: 404, and a line in the log that names it.
ONE_THING: dict[str, Ask] = {
    "a patient": lambda who, it: who.cyd.get(f"/patients/{it.patient}"),
    "an alert": lambda who, it: who.cyd.get(f"/alerts/{it.alert}"),
    "an alert to close": lambda who, it: who.cyd.post(f"/alerts/{it.alert}/resolve", DONE, version=1),
    "a visit to approve": lambda who, it: who.cyd.post(
        f"/booking-suggestions/{it.suggestion}/approve", {}, version=1
    ),
    "a visit in the inbox": lambda who, it: who.system.get(f"/inbox/booking-suggestions/{it.suggestion}"),
    "a visit to report on": lambda who, it: who.system.post(
        f"/inbox/booking-suggestions/{it.suggestion}/acknowledge", version=1
    ),
    "an account to close": lambda who, it: who.admin.post(f"/clinic/accounts/{it.account}/disable"),
    "a record to break into": lambda who, it: who.admin.post(
        f"/patients/{it.patient}/break-glass", {"reason": "An emergency."}
    ),
    "a FHIR patient": lambda who, it: Fhir(who.cyd).get(f"Patient/{it.patient}"),
    "everything of a FHIR patient": lambda who, it: Fhir(who.cyd).get(f"Patient/{it.patient}/$everything"),
    "a FHIR resource": lambda who, it: Fhir(who.cyd).get(f"QuestionnaireResponse/{it.journal}"),
    "a FHIR resource of a part": lambda who, it: Fhir(who.cyd).get(f"Observation/{it.journal}.1"),
    "a FHIR visit": lambda who, it: Fhir(who.system).get(f"Appointment/{it.suggestion}"),
}
DONE = {"outcome": "contacted", "note": "Not mine to close."}
# Where it narrows a list, or is read out of what is sent: the same as for nothing, whatever that is.
IN_PASSING: dict[str, Ask] = {
    # First, for what follows stands in their own log.
    "the log about a patient": lambda who, it: who.admin.get(f"/audit-events?patient_id={it.patient}"),
    "the log by an account": lambda who, it: who.admin.get(f"/audit-events?account_id={it.account}"),
    "alerts of a patient": lambda who, it: who.cyd.get(f"/alerts?patient_id={it.patient}"),
    "visits of a patient": lambda who, it: who.cyd.get(f"/booking-suggestions?patient_id={it.patient}"),
    "a journal by reference": lambda who, it: Fhir(who.cyd).get(f"Observation?patient=Patient/{it.patient}"),
    "a journal by id": lambda who, it: Fhir(who.cyd).get(f"QuestionnaireResponse?patient={it.patient}"),
    "visits by reference": lambda who, it: Fhir(who.system).get(f"Appointment?patient=Patient/{it.patient}"),
    "whom an alert is handed to": lambda who, it: who.cyd.post(
        "/alerts/hand-over", {"account_id": it.account}
    ),
    "whose clinician somebody is": lambda who, it: who.cyd.post(
        "/patients", {"name": "X", "zone": "Europe/Oslo", "clinician_id": it.account}
    ),
}


def told(answer: TestResponse, it: Held) -> tuple[Any, ...]:
    """Return what an answer says, but for the ids that were asked for, times and ids of the request."""
    body = answer.get_data(as_text=True)
    for number, one in enumerate((it.journal, it.patient, it.entry, it.alert, it.suggestion, it.account)):
        body = body.replace(one, f"<{number}>")
    headers = {
        k: v for k, v in answer.headers.items() if k not in ("Date", "X-Request-Id", "ETag", "Content-Length")
    }
    return answer.status_code, re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\w*", "<time>", body), headers


def test_an_id_of_another_clinic_is_told_like_one_that_never_was_and_put_on_record(
    held: Held, elsewhere: Elsewhere, cast: Cast
) -> None:
    never, before = nothing(), len(elsewhere.tried())
    for place, ask in ONE_THING.items():
        of_ana, of_nobody = (ask(elsewhere, one) for one in (held, never))
        assert of_ana.status_code == 404, (place, of_ana.text)
        assert told(of_ana, held) == told(of_nobody, never), place
        tried = len(elsewhere.tried())
        assert tried - before == 2, place
        before = tried
    ours = cast.admin.get("/audit-events?limit=200").json["items"]
    assert not [one for one in ours if one["action"].startswith("refused.")]


def test_an_id_in_passing_finds_what_one_finds_that_never_was(held: Held, elsewhere: Elsewhere) -> None:
    never = nothing()
    for place, ask in IN_PASSING.items():
        of_ana, of_nobody = (ask(elsewhere, one) for one in (held, never))
        assert of_ana.status_code in (200, 404, 409, 422), (place, of_ana.text)
        assert told(of_ana, held) == told(of_nobody, never), place


def test_an_id_that_anas_phone_made_is_free_for_another_patient(
    held: Held, elsewhere: Elsewhere, cast: Cast, clock: Clock
) -> None:
    """An id is a patient's own: it tells nobody that it is taken, and overwrites nothing."""
    body = entry(clock.now, note="of the other one")
    assert elsewhere.patient.get(f"/entries/{held.entry}").status_code == 404
    assert elsewhere.patient.put(f"/entries/{held.entry}", body).status_code == 201
    assert elsewhere.patient.put(f"/entries/{held.entry}", body).json["outcome"] == "duplicate"
    assert cast.ana.get(f"/entries/{held.entry}").json["note"] != "of the other one"


def cursors(cast: Cast) -> Iterator[tuple[str, str]]:
    """Yield the path of a list and a cursor into it that Ana's people were given."""
    cast.bo.post("/patients", {"name": "Second", "zone": "Europe/Oslo"})
    for path in ("/patients?limit=1", "/alerts?limit=1", "/booking-suggestions?limit=1"):
        following = cast.bo.get(path).json.get("next_cursor")
        if following:
            yield path, following


def test_a_cursor_of_another_clinic_leads_to_ones_own_list(
    held: Held, elsewhere: Elsewhere, cast: Cast
) -> None:
    found = dict(cursors(cast))
    assert found
    for path, cursor in found.items():
        answer = elsewhere.cyd.get(f"{path}&cursor={cursor}")
        assert answer.status_code in (200, 422), answer.text
        assert held.patient not in answer.text
        assert "Second" not in answer.text
    of_ana = cast.ana.post("/sync", {"items": []}).json["next_cursor"]
    theirs = elsewhere.patient.post("/sync", {"items": [], "cursor": of_ana})
    assert held.entry not in theirs.text


def test_a_calendar_of_another_clinic_can_not_be_taken_away_and_a_bent_address_never_was(
    held: Held, elsewhere: Elsewhere, cast: Cast
) -> None:
    made = cast.coordinator.post("/clinic/calendar-feeds", {"name": "Front desk"}).json
    address = str(made["url"]).partition("/v1")[2]
    outsider = elsewhere.cyd.client
    assert outsider.get(f"/v1{address}").status_code == 200
    of_ana, of_nobody = (
        elsewhere.admin.delete(f"/clinic/calendar-feeds/{one}") for one in (made["feed"]["id"], uuid7())
    )
    assert (of_ana.status_code, of_ana.get_data()) == (of_nobody.status_code, of_nobody.get_data())
    assert of_ana.status_code == 404
    secret = re.findall(r"[\w-]{40,}", address)[0]
    bent = address.replace(secret, secret[::-1])
    never, gone = outsider.get(f"/v1{bent}"), outsider.get(f"/v1{address.replace(secret, 'x' * len(secret))}")
    assert (never.status_code, never.get_data()) == (404, gone.get_data())
    assert held.suggestion in outsider.get(f"/v1{address}").text
