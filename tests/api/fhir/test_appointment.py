"""A scheduling system that speaks FHIR: it searches what is proposed, answers, and reports how it went."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Role, SuggestionState
from server.database import Database
from server.fhir.visit_status import APPOINTMENT_STATUS
from server.models import BookingSuggestion
from tests.cast import Cast, new_patient, new_staff
from tests.conftest import Clock
from tests.fhir.validators import Validators
from tests.fhir_client import Fhir, Resource, outcome
from tests.visits import CANARY, Visits

SYSTEM = "urn:afterglow:suggestion"
OWN = [{"system": "https://clinic.example/appointments", "value": "apt-7"}]


@pytest.fixture
def fhir(cast: Cast) -> Fhir:
    """The clinic's scheduling system."""
    return Fhir(cast.scheduler)


def answer_to(suggestion: str, status: str, at: datetime | None = None, **parts: Any) -> Resource:
    times = {} if at is None else {"start": at.isoformat(), "end": (at + timedelta(hours=1)).isoformat()}
    return {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{suggestion}"},
        "actor": {"display": "Front desk"},
        "participantStatus": status,
        "comment": CANARY,
        **times,
        **parts,
    }


def changed(fhir: Fhir, suggestion: str, status: str, at: datetime | None = None, **parts: Any) -> Resource:
    """Return the appointment as the clinic would put it: as it was read, with what has changed."""
    times = {} if at is None else {"start": at.isoformat(), "end": (at + timedelta(hours=1)).isoformat()}
    return {**fhir.read(f"Appointment/{suggestion}"), "status": status, "comment": CANARY, **times, **parts}


def test_what_is_approved_is_found_answered_and_booked(visits: Visits, fhir: Fhir, clock: Clock) -> None:
    suggestion = visits.approved()
    (proposal,) = fhir.found("ServiceRequest?intent=proposal&status=active")
    (proposed,) = fhir.found("Appointment?status=proposed")
    assert (proposal["id"], proposed["id"]) == (suggestion, suggestion)
    assert proposed["basedOn"] == [{"reference": f"ServiceRequest/{suggestion}"}]
    at = clock.now + timedelta(days=3)
    accepted = answer_to(suggestion, "accepted", at, identifier=OWN)
    made = fhir.post("AppointmentResponse?_format=json", accepted)
    assert (made.status_code, made.json["participantStatus"]) == (201, "accepted")
    kept = f"/fhir/R4/AppointmentResponse/{made.json['id']}/_history/{made.json['meta']['versionId']}"
    assert made.headers["Location"].endswith(kept)
    assert CANARY not in made.text
    booked = fhir.read(f"Appointment/{suggestion}")
    assert (booked["status"], booked["start"], booked["end"]) == (
        *("booked", "2026-03-05T13:00:00+01:00", "2026-03-05T14:00:00+01:00"),
    )
    assert stored_of(visits, suggestion)["external_id"] == "apt-7"


def stored_of(visits: Visits, suggestion: str) -> Resource:
    return dict(visits.cast.scheduler.get(f"/inbox/booking-suggestions/{suggestion}").json)


def test_an_answer_that_comes_again_changes_nothing(visits: Visits, fhir: Fhir, clock: Clock) -> None:
    suggestion, at = visits.approved(), clock.now + timedelta(days=3)
    accepted = answer_to(suggestion, "accepted", at)
    assert [fhir.post("AppointmentResponse", accepted).status_code for _ in range(2)] == [201, 201]
    version = stored_of(visits, suggestion)["version"]
    moved = changed(fhir, suggestion, "booked", at + timedelta(days=1))
    assert fhir.put(f"Appointment/{suggestion}", moved, version=version).json["start"][:10] == "2026-03-06"
    late = fhir.post("AppointmentResponse", accepted)
    assert outcome(late, 409)["details"]["coding"][0]["code"] == "booked-otherwise"
    assert fhir.read(f"Appointment/{suggestion}")["start"][:10] == "2026-03-06"


@pytest.mark.parametrize(
    ("status", "has_time", "state"),
    [
        ("tentative", False, "acknowledged"),
        ("tentative", True, "acknowledged"),
        ("needs-action", False, "suggested"),
        ("declined", False, "declined"),
    ],
)
def test_an_answer_leads_to_what_the_inbox_would(
    visits: Visits, fhir: Fhir, clock: Clock, status: str, has_time: bool, state: str
) -> None:
    suggestion = visits.approved()
    at = clock.now + timedelta(days=2) if has_time else None
    made = fhir.post("AppointmentResponse", answer_to(suggestion, status, at))
    assert made.status_code == 201, made.text
    stored = stored_of(visits, suggestion)
    assert stored["state"] == state
    assert (stored["proposed_starts_at"] is not None) is has_time


@pytest.mark.parametrize(
    "reference", ["{here}/{id}", "Appointment/{id}/_history/2", "{here}/{id}/_history/2"]
)
def test_an_answer_may_name_the_appointment_as_the_search_addressed_it(
    visits: Visits, fhir: Fhir, reference: str
) -> None:
    suggestion = visits.approved()
    here = fhir.read("Appointment")["entry"][0]["fullUrl"].removesuffix(f"/{suggestion}")
    named = {"reference": reference.format(here=here, id=suggestion)}
    made = fhir.post("AppointmentResponse", {**answer_to(suggestion, "tentative"), "appointment": named})
    assert made.status_code == 201, made.text
    assert stored_of(visits, suggestion)["state"] == "acknowledged"


def test_only_the_clinic_says_when(visits: Visits, fhir: Fhir) -> None:
    suggestion = visits.approved()
    accepted = fhir.post("AppointmentResponse", answer_to(suggestion, "accepted"))
    assert outcome(accepted, 422)["expression"] == ["start"]
    unknown = fhir.post("AppointmentResponse", answer_to(str(uuid7()), "tentative"))
    outcome(unknown, 404)


def test_a_report_about_another_patient_or_another_visit_is_not_taken_for_this_one(
    visits: Visits, fhir: Fhir, clock: Clock, app: Flask, cast: Cast
) -> None:
    suggestion, at = visits.approved(), clock.now + timedelta(days=3)
    path, other = (
        f"Appointment/{suggestion}",
        str(new_patient(app, cast.ana.clinic_id, "nia", None).patient_id),
    )
    for actor in (
        {"reference": f"Patient/{other}"},
        {"reference": f"https://afterglow.example/fhir/R4/Patient/{other}/_history/1"},
        {"type": "Patient", "identifier": {"system": "urn:afterglow:patient", "value": other}},
    ):
        wrong = changed(fhir, suggestion, "booked", at, participant=[{"actor": actor, "status": "accepted"}])
        assert outcome(fhir.put(path, wrong, version=2), 422)["expression"] == ["participant"]
        said = answer_to(suggestion, "accepted", at, actor=actor)
        outcome(fhir.post("AppointmentResponse", said), 422)
    wrong = changed(fhir, suggestion, "booked", at, identifier=[{"system": SYSTEM, "value": str(uuid7())}])
    assert outcome(fhir.put(path, wrong, version=2), 422)["expression"] == ["identifier"]
    assert stored_of(visits, suggestion)["state"] == "suggested"


def test_an_appointment_of_several_patients_is_reported_for_each_of_them(
    visits: Visits, fhir: Fhir, clock: Clock, app: Flask, cast: Cast
) -> None:
    """A group comes at one time, or somebody brings another patient of the clinic along."""
    suggestion, at = visits.approved(), clock.now + timedelta(days=3)
    nia = new_patient(app, cast.ana.clinic_id, "nia", None)
    actors = [{"reference": f"Patient/{one.patient_id}"} for one in (nia, cast.ana)]
    group = [{"actor": actor, "status": "accepted"} for actor in actors]
    told = changed(fhir, suggestion, "booked", at, participant=group)
    assert fhir.put(f"Appointment/{suggestion}", told, version=2).json["status"] == "booked"


@pytest.mark.parametrize(
    "actor",
    [
        {"reference": "Patient/17"},
        {"reference": f"https://clinic.example/Patient/{uuid7()}"},
        {"identifier": {"system": "https://clinic.example/numbers", "value": "17"}},
        {"display": "The patient"},
        {"reference": "Practitioner/bo"},
        "nobody",
    ],
)
def test_whom_the_clinic_calls_otherwise_is_taken_as_said(
    visits: Visits, fhir: Fhir, clock: Clock, actor: object
) -> None:
    suggestion, at = visits.approved(), clock.now + timedelta(days=3)
    told = changed(fhir, suggestion, "booked", at, participant=[{"actor": actor, "status": "accepted"}])
    assert fhir.put(f"Appointment/{suggestion}", told, version=2).status_code == 200


@pytest.mark.parametrize("written", [str.upper, "urn:uuid:{}".format])
def test_our_own_identifier_may_be_written_otherwise(
    visits: Visits, fhir: Fhir, clock: Clock, written: Callable[[str], str]
) -> None:
    suggestion, at = visits.approved(), clock.now + timedelta(days=3)
    own = [{"system": SYSTEM, "value": written(suggestion)}]
    told = changed(fhir, suggestion, "booked", at, identifier=own)
    assert fhir.put(f"Appointment/{suggestion}", told, version=2).status_code == 200


def test_a_visit_is_followed_to_its_end(visits: Visits, fhir: Fhir, clock: Clock) -> None:
    suggestion, at = visits.approved(), clock.now + timedelta(days=3)
    path = f"Appointment/{suggestion}"
    steps = [("pending", None, "proposed"), ("booked", at, "booked"), ("arrived", None, "arrived")]
    for status, when, shown in [*steps, ("fulfilled", None, "fulfilled")]:
        before = fhir.get(path)
        version = int(before.headers["ETag"].strip('W/"'))
        told = changed(fhir, suggestion, status, when)
        done = fhir.put(path, told, version=version)
        assert (done.status_code, done.json["status"]) == (200, shown), done.text
        again = fhir.put(path, told, version=version)
        assert (again.status_code, again.json) == (200, done.json), "a report sent twice changes nothing"
    assert fhir.read(f"ServiceRequest/{suggestion}")["status"] == "completed"


@pytest.mark.parametrize(("status", "state"), [("noshow", "noshow"), ("cancelled", "cancelled")])
def test_a_booked_visit_ends_otherwise(visits: Visits, fhir: Fhir, status: str, state: str) -> None:
    suggestion = visits.booked()
    done = fhir.put(f"Appointment/{suggestion}", changed(fhir, suggestion, status), version=4)
    assert done.status_code == 200, done.text
    assert stored_of(visits, suggestion)["state"] == state
    assert fhir.read(f"ServiceRequest/{suggestion}")["status"] == "revoked"


def test_a_proposal_that_is_cancelled_was_declined_with_its_coded_reason(visits: Visits, fhir: Fhir) -> None:
    suggestion = visits.approved()
    system = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
    reason = {"coding": [{"system": system, "code": "prov"}], "text": CANARY}
    told = changed(fhir, suggestion, "cancelled", cancelationReason=reason)
    assert fhir.put(f"Appointment/{suggestion}", told, version=2).json["status"] == "cancelled"
    log = visits.cast.bo.get(f"/booking-suggestions/{suggestion}").json["events"]
    assert log[-1]["detail"] == {"code": "no_capacity", "note": None}


def test_a_no_to_a_proposal_is_heard_also_where_the_clinic_had_pencilled_in_a_time(
    visits: Visits, fhir: Fhir, clock: Clock
) -> None:
    suggestion, at = visits.approved(), clock.now + timedelta(days=3)
    path = f"Appointment/{suggestion}"
    assert fhir.put(path, changed(fhir, suggestion, "pending", at), version=2).json["status"] == "proposed"
    done = fhir.put(path, changed(fhir, suggestion, "cancelled", at), version=4)
    assert (done.status_code, done.json["status"]) == (200, "cancelled"), done.text
    assert stored_of(visits, suggestion)["state"] == "declined"


def test_that_a_visit_which_is_over_here_is_over_there_changes_nothing(
    visits: Visits, fhir: Fhir, cast: Cast, database: Database
) -> None:
    suggestion = visits.approved()
    put = every_state(database, suggestion, cast.ana.clinic_id)
    for state in (state for state in SuggestionState if APPOINTMENT_STATUS[state] == "cancelled"):
        put(state)
        before = fhir.read(f"Appointment/{suggestion}")
        for status in ("cancelled", "entered-in-error"):
            again = fhir.put(f"Appointment/{suggestion}", {**before, "status": status}, version=2)
            assert (again.status_code, again.json) == (200, before), state


def test_no_other_move_is_taken(visits: Visits, fhir: Fhir, clock: Clock) -> None:
    suggestion, at = visits.approved(), clock.now + timedelta(days=3)
    path = f"Appointment/{suggestion}"
    for status in ("fulfilled", "noshow", "arrived"):
        refused = fhir.put(path, changed(fhir, suggestion, status, at), version=2)
        assert outcome(refused, 409)["code"] == "business-rule", status
    proposed = changed(fhir, suggestion, "proposed")
    assert fhir.put(path, proposed, version=2).status_code == 200
    fhir.put(path, changed(fhir, suggestion, "booked", at), version=2)
    back = changed(fhir, suggestion, "proposed")
    assert outcome(fhir.put(path, back, version=4), 409)["code"] == "business-rule"
    outcome(fhir.put(path, changed(fhir, suggestion, "pending"), version=4), 409)
    before = changed(fhir, suggestion, "booked", clock.now - timedelta(days=30))
    outcome(fhir.put(path, before, version=4), 422)
    assert fhir.read(path)["status"] == "booked"


SEARCHES = [
    ("identifier={system}|{id}", 1),
    ("identifier={id}", 1),
    ("identifier=urn:else|{id}", 0),
    ("identifier={system}|", 1),
    ("identifier=urn:else|", 0),
    ("identifier={system}|nonsense", 0),
    ("identifier={system}|{other},{system}|{id}", 1),
    ("patient=Patient/{patient}", 1),
    ("patient={other}", 0),
    ("_lastUpdated=ge2026-03-02T12:00:00Z", 1),
    ("_lastUpdated=lt2026-03-02T12:00:00Z", 0),
    ("status={status}", 1),
    ("status=cancelled,{status}", 1),
    ("status=entered-in-error", 0),
]


def test_both_resources_are_searched_alike(visits: Visits, fhir: Fhir, cast: Cast) -> None:
    known = {"id": visits.approved(), "other": uuid7(), "system": SYSTEM, "patient": cast.ana.patient_id}
    for kind, status in (("ServiceRequest", "active"), ("Appointment", "proposed")):
        for query, count in SEARCHES:
            if kind == "ServiceRequest":
                query = query.replace("cancelled", "revoked")
            found = fhir.found(f"{kind}?{query.format(**known, status=status)}")
            assert len(found) == count, (kind, query)
    assert fhir.found("ServiceRequest?intent=order") == []
    outcome(fhir.get("Appointment?status=agreed"), 400)


def test_what_no_clinician_let_go_is_not_there(visits: Visits, fhir: Fhir, cast: Cast) -> None:
    visits.on_treatment()
    draft = visits.relapse()
    assert fhir.found("ServiceRequest") == fhir.found("Appointment") == []
    outcome(fhir.get(f"ServiceRequest/{draft}"), 404)
    outcome(fhir.get(f"Appointment/{draft}"), 404)
    body = answer_to(str(draft), "tentative")
    outcome(fhir.post("AppointmentResponse", body), 404)


def test_care_roles_look_and_nobody_else_does(visits: Visits, cast: Cast) -> None:
    suggestion = visits.approved()
    for person in (cast.bo, cast.coordinator):
        assert len(Fhir(person).found("Appointment")) == 1
        told = {"resourceType": "Appointment", "id": suggestion, "status": "pending"}
        outcome(Fhir(person).put(f"Appointment/{suggestion}", told, version=2), 403)
    for person in (cast.ana, cast.admin):
        outcome(Fhir(person).get("Appointment"), 403)
    assert Fhir(cast.cyd).found("Appointment") == []
    outcome(Fhir(cast.cyd).get(f"Appointment/{suggestion}"), 404)


def test_another_clinics_scheduling_system_finds_nothing(visits: Visits, cast: Cast, app: Flask) -> None:
    suggestion = visits.approved()
    other = Fhir(new_staff(app, cast.cyd.clinic_id, Role.INTEGRATION, "Elsewhere"))
    told = {"resourceType": "Appointment", "id": suggestion, "status": "pending"}
    assert other.found("ServiceRequest") == other.found("Appointment") == []
    outcome(other.get(f"ServiceRequest/{suggestion}"), 404)
    outcome(other.put(f"Appointment/{suggestion}", told, version=2), 404)
    outcome(other.post("AppointmentResponse", answer_to(suggestion, "tentative")), 404)
    assert stored_of(visits, suggestion)["version"] == 2


def test_why_a_visit_is_suggested_is_nowhere(visits: Visits, fhir: Fhir, clock: Clock) -> None:
    suggestion = visits.booked()
    path = f"Appointment/{suggestion}"
    told = changed(fhir, suggestion, "fulfilled")
    answers = [
        fhir.get("ServiceRequest"),
        fhir.get("Appointment"),
        fhir.get(path),
        fhir.put(path, told, version=1),
        fhir.put(path, told, version=4),
        fhir.post("AppointmentResponse", answer_to(suggestion, "tentative")),
    ]
    for answer in answers:
        for word in (CANARY, "relapse", "blocks", "programme", "mood", "alert"):
            assert word not in answer.text


def every_state(database: Database, suggestion: str, clinic_id: UUID) -> Callable[[SuggestionState], None]:
    """Return what puts a suggestion into a state by hand: not every one is left as it came."""

    def put(state: SuggestionState) -> None:
        with database.write() as session:
            session.get_one(BookingSuggestion, (clinic_id, UUID(suggestion))).state = state

    return put


def test_a_visit_is_fhir_in_every_state(
    visits: Visits, fhir: Fhir, cast: Cast, database: Database, validators: Validators
) -> None:
    proposed, booked = visits.approved(), None
    put = every_state(database, proposed, cast.ana.clinic_id)
    states = [state for state in SuggestionState if state is not SuggestionState.DRAFT]
    for state in states:
        put(state)
        if state is SuggestionState.BOOKED:
            put(SuggestionState.SENT)
            booked = visits.book(cast.scheduler, proposed, version=2)
            assert booked.status_code == 200
        for kind in ("ServiceRequest", "Appointment"):
            resource = fhir.read(f"{kind}/{proposed}")
            assert validators.problems(resource) == [], state
        assert validators.problems(fhir.read("Appointment")) == []
    answer = answer_to(proposed, "needs-action")
    assert validators.problems(fhir.post("AppointmentResponse", answer).json) == []


def test_a_clinicians_file_has_the_visits_and_the_patients_does_not(visits: Visits, cast: Cast) -> None:
    visits.booked()
    path = f"Patient/{cast.ana.patient_id}/$everything?_type=ServiceRequest,Appointment"
    kinds = [one["resource"]["resourceType"] for one in Fhir(cast.bo).read(path)["entry"]]
    assert kinds == ["ServiceRequest", "Appointment"]
    assert "entry" not in Fhir(cast.ana).read(path)


def test_appointments_are_found_by_the_day_they_begin(visits: Visits, fhir: Fhir, clock: Clock) -> None:
    suggestion = visits.booked(starts_in_days=3)
    day = (clock.now + timedelta(days=3)).date()
    assert [one["id"] for one in fhir.found(f"Appointment?date={day}")] == [suggestion]
    assert [one["id"] for one in fhir.found(f"Appointment?date=ge{day}&date=lt{day + timedelta(days=1)}")]
    assert fhir.found(f"Appointment?date=lt{day}") == []


def test_a_day_of_the_calendar_is_the_clinics_own(visits: Visits, fhir: Fhir, cast: Cast) -> None:
    suggestion = visits.approved()
    assert cast.admin.patch("/clinic", {"zone": "Pacific/Auckland"}, version=1).status_code == 200
    at = datetime.fromisoformat("2026-03-06T09:00:00+13:00")
    fhir.put(f"Appointment/{suggestion}", changed(fhir, suggestion, "booked", at), version=2)
    days = {day: len(fhir.found(f"Appointment?date=2026-03-{day}")) for day in ("05", "06")}
    assert days == {"05": 0, "06": 1}
    assert len(fhir.found("Appointment?date=ge2026-03-05T20:00Z&date=lt2026-03-05T21:00Z")) == 1
    # The visit was made, and last changed, at noon in London: after midnight where the clinic is.
    for name in ("authored", "_lastUpdated"):
        assert fhir.found(f"ServiceRequest?{name}=2026-03-02") == []
        assert len(fhir.found(f"ServiceRequest?{name}=2026-03-03")) == 1


def test_a_patient_who_does_not_want_it_stands_so_beside_the_visit(
    visits: Visits, fhir: Fhir, cast: Cast
) -> None:
    suggestion = visits.approved()
    assert cast.ana.post(f"/visits/{suggestion}/answer", {"answer": "declined"}, version=2).status_code == 200
    assert fhir.read(f"Appointment/{suggestion}")["participant"][0]["status"] == "declined"


def test_proposals_are_found_by_the_day_they_were_made(visits: Visits, fhir: Fhir, clock: Clock) -> None:
    suggestion = visits.approved()
    assert [one["id"] for one in fhir.found(f"ServiceRequest?authored={clock.now.date()}")] == [suggestion]
    assert fhir.found(f"ServiceRequest?authored=gt{clock.now.date()}") == []
