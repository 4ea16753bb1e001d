"""The three validators are worth believing: one of them sees each fault, and the official examples pass."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fhir.definitions import Resource, examples
from tests.fhir.validators import ABSENT, Validators, are_here

pytestmark = [pytest.mark.peers, pytest.mark.skipif(not are_here(), reason=ABSENT)]

ANA = {"reference": "Patient/ana"}
APPOINTMENT: Resource = {
    "resourceType": "Appointment",
    "status": "booked",
    "start": "2026-12-03T14:00:00-05:00",
    "end": "2026-12-03T15:30:00-05:00",
    "participant": [{"actor": ANA, "status": "accepted"}],
}
REQUEST: Resource = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "proposal",
    "subject": ANA,
    "occurrencePeriod": {"start": "2026-12-01", "end": "2026-12-08"},
}
OBSERVATION: Resource = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "72514-3"}]},
    "valueQuantity": {
        "value": 4,
        "unit": "{score}",
        "system": "http://unitsofmeasure.org",
        "code": "{score}",
    },
}

Judge = Callable[[Validators, Resource], list[str]]
SCHEMA, MEDPLUM, OURS = Validators.schema, Validators.medplum, Validators.ours
NO_ACTOR = [{"status": "accepted"}]
SOMEHOW = [{"actor": ANA, "status": "somehow"}]
UNKNOWN = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]
}

# A fault, and the judge that alone would be enough to see it.
FAULTS: dict[str, tuple[Judge, Resource]] = {
    "a status not in the code set": (SCHEMA, {**APPOINTMENT, "status": "agreed"}),
    "a participant's status not in the code set": (SCHEMA, {**APPOINTMENT, "participant": SOMEHOW}),
    "the same, for our own check": (OURS, {**APPOINTMENT, "participant": SOMEHOW}),
    "a required element is missing": (SCHEMA, {k: v for k, v in APPOINTMENT.items() if k != "participant"}),
    "the same, for Medplum's": (MEDPLUM, {k: v for k, v in REQUEST.items() if k != "subject"}),
    "an unknown property": (SCHEMA, {**APPOINTMENT, "mood": "low"}),
    "not a date": (SCHEMA, {**REQUEST, "authoredOn": "yesterday"}),
    "app-1: a participant who is nobody": (MEDPLUM, {**APPOINTMENT, "participant": NO_ACTOR}),
    "app-2: a start without an end": (MEDPLUM, {k: v for k, v in APPOINTMENT.items() if k != "end"}),
    "app-3: booked for no time": (
        MEDPLUM,
        {k: v for k, v in APPOINTMENT.items() if k not in ("start", "end")},
    ),
    "obs-6: a value, and why there is none": (MEDPLUM, {**OBSERVATION, "dataAbsentReason": UNKNOWN}),
    "an intent that is not FHIR's": (OURS, {**REQUEST, "intent": "wish"}),
    "a priority that is not FHIR's": (OURS, {**REQUEST, "priority": "very"}),
    "an id that no address can hold": (SCHEMA, {**APPOINTMENT, "id": "a b"}),
    "two answers to one choice": (OURS, {**REQUEST, "occurrenceDateTime": "2026-12-01"}),
    "an end before the start": (OURS, {**APPOINTMENT, "end": "2026-12-03T13:59:00-05:00"}),
    "a period that ends before it starts": (
        OURS,
        {**REQUEST, "occurrencePeriod": {"start": "2026-12-08", "end": "2026-12-01"}},
    ),
    "a day that does not exist": (OURS, {**REQUEST, "authoredOn": "2026-02-30"}),
    "a fault inside what is contained": (
        SCHEMA,
        {**REQUEST, "contained": [{**APPOINTMENT, "id": "a", "status": "agreed"}]},
    ),
    "a wrong code inside a bundle": (
        OURS,
        {
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"fullUrl": "urn:uuid:1", "resource": {**REQUEST, "intent": "wish"}}],
        },
    ),
    "no resource at all": (MEDPLUM, {"resourceType": "Visit"}),
}


@pytest.mark.parametrize("resource", [APPOINTMENT, REQUEST, OBSERVATION], ids=lambda r: r["resourceType"])
def test_what_the_faults_are_put_into_is_valid(validators: Validators, resource: Resource) -> None:
    assert validators.problems(resource) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_seen(validators: Validators, fault: str) -> None:
    judge, resource = FAULTS[fault]
    assert judge(validators, resource)
    assert validators.problems(resource)


@pytest.mark.parametrize("judge", [SCHEMA, MEDPLUM, OURS], ids=lambda judge: judge.__name__)
def test_no_judge_can_be_spared(validators: Validators, judge: Judge) -> None:
    others = {SCHEMA, MEDPLUM, OURS} - {judge}
    assert any(
        judge(validators, resource) and not any(other(validators, resource) for other in others)
        for _, resource in FAULTS.values()
    )


# How many official examples there are of what we write or read, and the one that is known to be faulty.
KINDS = {
    "Appointment": 3,
    "AppointmentResponse": 2,
    "CapabilityStatement": 8,
    "Communication": 3,
    "Consent": 12,
    "DetectedIssue": 4,
    "Device": 2,
    "Flag": 2,
    "Observation": 64,
    "OperationOutcome": 6,
    "Patient": 22,
    "Provenance": 5,
    "Questionnaire": 7,
    "QuestionnaireResponse": 5,
    "Schedule": 3,
    "ServiceRequest": 20,
    "Slot": 4,
}
KNOWN_FAULTY = {"Questionnaire-qs1"}  # some of its items have no linkId


def test_the_official_examples_pass_but_for_the_known_faulty_one(validators: Validators) -> None:
    found: dict[str, dict[str, Any]] = {kind: examples(kind) for kind in KINDS}
    assert {kind: len(those) for kind, those in found.items()} == KINDS
    resources = {name: resource for those in found.values() for name, resource in those.items()}
    faulty = {name for name, resource in resources.items() if validators.problems(resource)}
    assert faulty == KNOWN_FAULTY
