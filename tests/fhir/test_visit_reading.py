"""What a clinic's FHIR system says of a visit is read word by word, and nonsense is refused."""

from collections.abc import Callable
from datetime import UTC, datetime
from time import process_time
from typing import Any

import pytest

from server.clinical.vocabulary import DeclineCode, PeerStatus
from server.fhir.identifiers import appointment_id, patient_id
from server.fhir.visit import appointment, service_request
from server.fhir.visit_reading import (
    is_based_on,
    read_appointment,
    read_appointment_response,
    read_service_request,
)
from tests.fhir.definitions import examples
from tests.fhir.proposals import ANA_ID, TEN, proposal
from tests.fhir.validators import ABSENT, are_here

needs_examples = pytest.mark.skipif(not are_here(), reason=ABSENT)
THERE = {
    "id": "17",
    "meta": {"versionId": "4", "lastUpdated": "2026-11-25T09:00:00.123Z"},
    "start": "2026-12-03T10:00:00-05:00",
    "end": "2026-12-03T11:30:00-05:00",
}


def meeting(**changes: Any) -> dict[str, Any]:
    return {**appointment(proposal()), "id": "17", **changes}


@pytest.mark.parametrize(
    ("status", "read"),
    [
        ("proposed", PeerStatus.PROPOSED),
        ("pending", PeerStatus.PENDING),
        ("waitlist", PeerStatus.PENDING),
        ("booked", PeerStatus.BOOKED),
        ("arrived", PeerStatus.ARRIVED),
        ("checked-in", PeerStatus.ARRIVED),
        ("fulfilled", PeerStatus.FULFILLED),
        ("noshow", PeerStatus.NOSHOW),
        ("cancelled", PeerStatus.CANCELLED),
        ("entered-in-error", PeerStatus.CANCELLED),
    ],
)
def test_every_status_of_an_appointment_is_read(status: str, read: PeerStatus) -> None:
    seen = read_appointment(meeting(status=status, **THERE))
    assert (seen.external_id, seen.status, seen.starts_at) == ("17", read, TEN)
    assert (seen.version, seen.changed_at) == ("4", datetime(2026, 11, 25, 9, 0, 0, 123000, tzinfo=UTC))


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_what_ended_before_it_was_booked_is_declined(status: str) -> None:
    assert read_appointment(meeting(status=status)).status is PeerStatus.DECLINED
    assert read_appointment(meeting(status=status), was_booked=True).status is PeerStatus.CANCELLED
    assert read_appointment(meeting(status=status), was_booked=True).decline is None


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("pat", DeclineCode.PATIENT_REFUSED),
        ("pat-swl", DeclineCode.ALREADY_BOOKED),
        ("prov-pers", DeclineCode.NO_CAPACITY),
        ("prov-labs", DeclineCode.NOT_INDICATED),
        ("pat-preg", DeclineCode.OTHER),
        ("oth-weath", DeclineCode.OTHER),
    ],
)
def test_why_it_was_declined_is_kept_as_one_of_our_codes(reason: str, code: DeclineCode) -> None:
    system = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
    said = {"coding": [{"system": "urn:local", "code": "pat"}, {"system": system, "code": reason}]}
    assert read_appointment(meeting(status="cancelled", cancelationReason=said)).decline is code
    assert read_appointment(meeting(status="cancelled")).decline is DeclineCode.OTHER


@pytest.mark.parametrize(
    ("status", "read"),
    [
        ("draft", PeerStatus.PROPOSED),
        ("active", PeerStatus.PROPOSED),
        ("unknown", PeerStatus.PROPOSED),
        ("on-hold", PeerStatus.PENDING),
        ("revoked", PeerStatus.DECLINED),
        ("entered-in-error", PeerStatus.DECLINED),
        ("completed", PeerStatus.FULFILLED),
    ],
)
def test_every_status_of_a_proposal_is_read(status: str, read: PeerStatus) -> None:
    resource = {**service_request(proposal()), "id": "9", "status": status}
    assert read_service_request(resource).status is read


@pytest.mark.parametrize(
    "nonsense",
    [
        [],
        {"resourceType": "Slot", "id": "17", "status": "booked"},
        meeting(id=None),
        meeting(id=17),
        meeting(id=".."),
        meeting(id="17?status=booked"),
        meeting(status="agreed"),
        meeting(status=["booked"]),
        meeting(status="booked"),
        meeting(status="booked", start="2026-12-03T10:00:00"),
        meeting(status="booked", start="soon"),
        meeting(status="booked", start=1764774000),
        meeting(status="booked", start=THERE["end"], end=THERE["start"]),
        meeting(meta={"lastUpdated": "yesterday"}),
    ],
)
def test_nonsense_is_refused(nonsense: Any) -> None:
    with pytest.raises(ValueError):
        read_appointment(nonsense)


def test_what_is_missing_without_harm_is_missing() -> None:
    seen = read_appointment({"resourceType": "Appointment", "id": "17", "status": "proposed", "meta": []})
    assert (seen.version, seen.changed_at, seen.starts_at) == (None, None, None)


def test_an_answer_names_the_appointment_and_another_time() -> None:
    answer = read_appointment_response(
        {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": "Appointment/17"},
            "participantStatus": "tentative",
            "start": THERE["start"],
        }
    )
    assert (answer.appointment, answer.status, answer.starts_at) == ("Appointment/17", "tentative", TEN)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"appointment": {"reference": "Appointment/17"}},
        {"appointment": {"reference": "Appointment/17"}, "participantStatus": "maybe"},
        {"appointment": "Appointment/17", "participantStatus": "accepted"},
        {"participantStatus": "accepted"},
    ],
)
def test_an_answer_to_nothing_or_of_no_kind_is_refused(nonsense: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        read_appointment_response({"resourceType": "AppointmentResponse", **nonsense})


@pytest.mark.parametrize(
    ("based_on", "is_so"),
    [
        ([{"reference": "ServiceRequest/9"}], True),
        ([{"display": "?"}, {"reference": "https://clinic.example/r4/ServiceRequest/9"}], True),
        ([{"reference": "ServiceRequest/19"}], False),
        ([{"reference": 9}, "ServiceRequest/9"], False),
        ({"reference": "ServiceRequest/9"}, False),
        (None, False),
    ],
)
def test_what_an_appointment_is_based_on_is_told_however_it_is_addressed(based_on: Any, is_so: bool) -> None:
    assert is_based_on(meeting(basedOn=based_on), "ServiceRequest/9") is is_so


@pytest.mark.peers
@needs_examples
def test_every_official_appointment_is_read() -> None:
    found = {name: read_appointment(resource) for name, resource in examples("Appointment").items()}
    assert {name: (seen.status, seen.starts_at) for name, seen in found.items()} == {
        "Appointment-2docs": (PeerStatus.BOOKED, datetime(2013, 12, 9, 9, 0, tzinfo=UTC)),
        "Appointment-example": (PeerStatus.BOOKED, datetime(2013, 12, 10, 9, 0, tzinfo=UTC)),
        "Appointment-examplereq": (PeerStatus.PROPOSED, None),
    }
    assert is_based_on(examples("Appointment")["Appointment-example"], "ServiceRequest/myringotomy")


@pytest.mark.peers
@needs_examples
def test_every_official_answer_is_read() -> None:
    found = [read_appointment_response(resource) for resource in examples("AppointmentResponse").values()]
    assert [(answer.appointment, answer.status) for answer in found] == [
        ("Appointment/example", "accepted"),
        ("Appointment/examplereq", "tentative"),
    ]
    assert found[1].starts_at == datetime(2013, 12, 25, 13, 15, tzinfo=UTC)


@pytest.mark.peers
@needs_examples
def test_every_official_proposal_is_read() -> None:
    found = [read_service_request(resource) for resource in examples("ServiceRequest").values()]
    assert len(found) == 20
    assert {seen.status for seen in found} == {PeerStatus.PROPOSED, PeerStatus.FULFILLED}


@pytest.mark.parametrize(
    ("read", "part"),
    [(appointment_id, "Appointment/17/_history/"), (patient_id, f"Patient/{ANA_ID}/_history/")],
)
def test_a_reference_that_begins_again_and_again_holds_nobody_up(
    read: Callable[[Any], object], part: str
) -> None:
    """One as long as a body may be: who reads it lets nobody else in meanwhile."""
    reference, before = {"reference": part * (250_000 // len(part)) + "\n"}, process_time()
    assert read(reference) is None
    assert process_time() - before < 1
    assert str(read({"reference": f"https://clinic.example/{part}3"})) in part
