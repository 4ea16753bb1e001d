"""What patients report, and the members that every resource made of it shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from server.clinical import substance_use
from server.clinical.instruments.catalog import RATED
from server.clinical.vocabulary import EnteredBy, SafetyAnswer, Sensitivity, Source
from server.fhir import ids
from server.fhir.codes import (
    ABOUT_SUBSTANCE_USE,
    CLINICIAN_REPORTED,
    CLOCK_SUSPECT,
    PATIENT_REPORTED,
    instant,
)
from server.fhir.identifiers import Resource
from server.fhir.ids import Kind, Place

CAREGIVER = "caregiver"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """What an entry and a filled scale have in common. Moments are aware; ``zone``: where it was felt.

    ``clock_suspect``: the clock that gave the moment was off, or the date is impossible. ``recorded_at``:
    the phone's clock. ``received_at``: when this version came in. ``deleted_at``: when it was taken back;
    then there is nothing else in it.
    """

    patient_id: UUID
    id: UUID
    version: int
    occurred_at: datetime
    zone: str
    clock_suspect: bool
    recorded_at: datetime | None
    received_at: datetime
    source: Source
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Reported):
    """One diary entry, without its free texts: note and tags never get here."""

    entered_by: EnteredBy
    items: Mapping[str, float]
    side_effects: Mapping[str, int]
    side_effect_onset: Mapping[str, str]
    safety: SafetyAnswer | None
    medication: Mapping[str, Any]
    circumstances: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled(Reported):
    """One filled scale with its score. ``answers`` are empty where only a total was typed in."""

    instrument: str
    instrument_version: int
    locale: str
    sensitivity: Sensitivity
    answers: Mapping[str, int | None]
    total: float | None
    subscores: Mapping[str, float | None]
    prorated: bool


def kind_of(reported: Reported) -> Kind:
    """Return what resources of ``reported`` are made from."""
    return Kind.ENTRY if isinstance(reported, Entry) else Kind.SCALE


def id_of(reported: Reported, number: int = 0) -> str:
    """Return the id of the resource made of ``reported``, or of Observation ``number`` of it."""
    return ids.written(Place(kind_of(reported), reported.patient_id, reported.id, number))


def meta(reported: Reported) -> Resource:
    """Return version, time of the last change, and who says so."""
    labels = [CLINICIAN_REPORTED if is_rated(reported) else PATIENT_REPORTED]
    if is_about_substance_use(reported):
        labels += ABOUT_SUBSTANCE_USE
    return {
        "versionId": str(reported.version),
        "lastUpdated": instant(reported.deleted_at or reported.received_at),
        "security": labels,
    }


def is_about_substance_use(reported: Reported) -> bool:
    """Return whether it holds a row about substance use: then a notice goes with every copy."""
    if isinstance(reported, Entry):
        return substance_use.speaks_of_it({"items": reported.items, "side_effects": reported.side_effects})
    return isinstance(reported, Filled) and reported.sensitivity is Sensitivity.SUBSTANCE_USE


def is_rated(reported: Reported) -> bool:
    """Return whether a clinician judged, and not the patient."""
    return isinstance(reported, Filled) and reported.instrument in RATED


def is_by_caregiver(reported: Reported) -> bool:
    """Return whether somebody typed it for the patient."""
    return isinstance(reported, Entry) and reported.entered_by is EnteredBy.CAREGIVER


def with_caregiver(resource: Resource, reported: Reported) -> Resource:
    """Return ``resource`` with the caregiver in it, where one is spoken of: nobody knows more of them."""
    if not is_by_caregiver(reported):
        return resource
    told = {
        "resourceType": "RelatedPerson",
        "id": CAREGIVER,
        "patient": patient(reported.patient_id),
        "relationship": [{"text": "Caregiver"}],
    }
    return {**resource, "contained": [*resource.get("contained", ()), told]}


def author(reported: Reported) -> Resource | None:
    """Return who put it into words: the patient or a caregiver; None where a clinician judged."""
    if is_rated(reported):
        return None
    return {"reference": f"#{CAREGIVER}"} if is_by_caregiver(reported) else patient(reported.patient_id)


def patient(patient_id: UUID) -> Resource:
    """Return the reference to a patient."""
    return {"reference": f"Patient/{patient_id}"}


def response_of(reported: Reported) -> Resource:
    """Return the reference to what was filled in."""
    return {"reference": f"QuestionnaireResponse/{id_of(reported)}"}


def doubts(reported: Reported) -> list[Resource]:
    """Return the extension that says that the moment can't be relied on; nothing where it can."""
    return [{"url": CLOCK_SUSPECT, "valueBoolean": True}] if reported.clock_suspect else []


def doubted(member: str, reported: Reported) -> Resource:
    """Return what stands beside ``member``, which has the moment: nothing, or that it can't be relied on."""
    found = doubts(reported)
    return {f"_{member}": {"extension": found}} if found else {}


def felt(reported: Reported) -> str:
    """Return when it was felt, with the offset that the patient's clock had there."""
    local = reported.occurred_at.astimezone(ZoneInfo(reported.zone))
    offset = local.utcoffset()
    # Before 1972 one zone was not whole minutes from UTC: FHIR has no such offset.
    return (local if offset is not None and offset.seconds % 60 == 0 else local.astimezone(UTC)).isoformat()
