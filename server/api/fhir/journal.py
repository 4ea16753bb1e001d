"""A patient's journal as resources, in one order: entries, then filled scales, each by its id.

Where a page ended is the id of its last resource, so the next one begins in the middle of an entry's numbers.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar, cast
from uuid import UUID

from flask import Response

from server.api.edge import actor, reading, writing
from server.api.fhir.answer import page
from server.api.fhir.spans import spans
from server.api.refusals import QueryProblem
from server.api.sharing import leaving
from server.clinical import substance_use
from server.clinical.vocabulary import Purpose, Role, Sensitivity
from server.fhir import ids, observation, provenance, questionnaire_response
from server.fhir.detected_issue import Ground, Raised, detected_issue
from server.fhir.identifiers import Resource
from server.fhir.ids import Kind, Place
from server.fhir.reported import Entry, Filled, Reported
from server.services.alerts.alert_source import is_of_other
from server.services.errors import Gone, NotFound
from server.services.journal import reported
from server.services.journal.reported import Wanted
from server.services.people import consent as consents
from server.services.people import patient as patients
from server.services.work import Work

READERS = (Role.CLINICIAN, Role.PATIENT)
# What of the diary leaves here, and on what that rests: of a patient's own reading the second alone.
SHARED = (Purpose.CARE_TEAM, Purpose.EXPORT)
_FELT = ("date", "authored", "when", "identified")
_SENSITIVE = ("items", "side_effects", "side_effect_onset")
V = TypeVar("V")
Made = Callable[[Reported], Iterable[Resource]]


@dataclass(frozen=True, slots=True)
class Whose:
    """The patient who is asked about, and the zone whose days a search means."""

    patient_id: UUID
    zone: str


def whose(query: Mapping[str, Any], kind: str) -> Whose:
    """Return whom a search is about, and record that it was made.

    A patient may leave it out; somebody else's record is not found.
    """
    patient_id = query.get("patient") or actor().patient_id
    if patient_id is None:
        raise QueryProblem("patient", "Say whose.")
    with writing() as work:
        patient = patients.get(work, patient_id)
        leaving(work, patient_id)
        work.audit(f"fhir.{kind}.search", patient_id)
        return Whose(patient_id, patient.zone)


def wanted(query: Mapping[str, Any], zone: str) -> Wanted:
    """Return the bounds of a search. R4 names the date of each kind of resource otherwise."""
    felt = [span for name in _FELT for span in spans(query.get(name), zone)]
    return Wanted(felt, spans(query.get("last_updated"), zone))


def walked(
    work: Work, patient_id: UUID, bounds: Wanted, after: Place | None, made: Made
) -> Iterator[Resource]:
    """Yield the resources made of a patient's entries and filled scales that come after ``after``.

    What is about substance use is not in them, unless the patient agreed to it.
    """
    agreed = consents.allows(work, patient_id, Purpose.SUBSTANCE_USE)
    for kind, rows, shape in ((Kind.ENTRY, reported.entries, Entry), (Kind.SCALE, reported.filled, Filled)):
        if after is not None and kind < after.kind:
            continue
        first = after.source if after is not None and after.kind == kind else None
        for row in rows(work, patient_id, Wanted(bounds.felt, bounds.changed, first)):
            said = shareable(value_of(row, shape), agreed)
            skipped = after if row.id == first else None
            yield from _after(skipped, () if said is None else made(said))


def searched(query: Mapping[str, Any], kind: str, made: Made) -> Response:
    """Return a page of the resources of ``kind`` made of what a patient has reported. Audited."""
    asked = whose(query, kind)
    after = place_after(query, asked.patient_id)
    with reading() as work:
        bounds = wanted(query, asked.zone)
        return page(walked(work, asked.patient_id, bounds, after, made), query["count"])


def _after(place: Place | None, found: Iterable[Resource]) -> Iterator[Resource]:
    for resource in found:
        here = ids.read(resource["id"]) if place is not None else None
        if place is None or (here is not None and here > place):
            yield resource


def place_after(query: Mapping[str, Any], patient_id: UUID) -> Place | None:
    """Return where the page before ended; raises a problem for what is no place in this patient's record."""
    cursor = query.get("cursor")
    place = None if cursor is None else ids.read(cursor)
    if cursor is not None and (place is None or place.patient != patient_id):
        raise QueryProblem("_cursor", "Is no place in this list.")
    return place


def one(resource_id: str, kind: str) -> Reported:
    """Return what a resource of ``kind`` is made of, and record that it was read. Raises NotFound."""
    place = ids.read(resource_id)
    if place is None:
        raise NotFound(kind)
    with writing() as work:
        patients.get(work, place.patient)
        leaving(work, place.patient)
        work.audit(f"fhir.{kind}.read", place.patient, place.source)
    with reading() as work:
        agreed = consents.allows(work, place.patient, Purpose.SUBSTANCE_USE)
        if place.kind is Kind.ENTRY:
            row: Any = reported.entry(work, place.patient, place.source)
        else:
            row = reported.filled_scale(work, place.patient, place.source)
        said = shareable(value_of(row, Entry if place.kind is Kind.ENTRY else Filled), agreed)
    if said is None:
        raise NotFound(kind)
    return said


def shareable(said: Reported, agreed: bool) -> Reported | None:
    """Return ``said`` as it may leave; None where nothing of it may without consent to substance use."""
    if agreed:
        return said
    if isinstance(said, Entry):
        return replace(said, **substance_use.without({name: getattr(said, name) for name in _SENSITIVE}))
    return None if isinstance(said, Filled) and said.sensitivity is not Sensitivity.ORDINARY else said


def the_one(resource_id: str, kind: str, made: Made) -> Resource:
    """Return the resource with this id. What was taken back is gone, what never was is not found."""
    said = one(resource_id, kind)
    found = next((resource for resource in made(said) if resource["id"] == resource_id), None)
    if found is not None:
        return found
    if said.deleted_at is not None:
        raise Gone("taken-back", "It was taken back.")
    raise NotFound(kind)


def forms(said: Reported) -> Iterator[Resource]:
    """Yield what was filled in."""
    if isinstance(said, Entry):
        yield questionnaire_response.of_entry(said)
    elif isinstance(said, Filled):
        yield questionnaire_response.of_filled(said)


def numbers(said: Reported) -> Iterator[Resource]:
    """Yield its numbers."""
    if isinstance(said, Entry):
        yield from observation.of_entry(said)
    elif isinstance(said, Filled):
        yield from observation.of_filled(said)


def origins(said: Reported) -> Iterator[Resource]:
    """Yield where it comes from."""
    yield provenance.of(said, list(numbers(said)))


def issues(found: Iterable[Any], agreed: bool) -> Iterator[Resource]:
    """Yield past alerts as resources, those about substance use only where the patient ``agreed``."""
    return (one for one in (issue(past, agreed) for past in found) if one is not None)


def issue(past: Any, agreed: bool) -> Resource | None:
    """Return a past alert as a resource; None where it is about substance use and nobody ``agreed``."""
    about_it = substance_use.names_it(past.alert.codes) or _rests_on_it(past.responses)
    if about_it and not agreed:
        return None
    ground = Ground(
        tuple(_ground(value_of(entry, Entry), agreed) for entry in past.entries),
        tuple(value_of(response, Filled) for response in past.responses),
    )
    beside = {
        "changed_at": past.changed_at,
        "policy": past.policy,
        "is_about_substance_use": about_it,
        "is_disproved": bool(past.alert.evidence.get("disproved")),
        "is_of_other": is_of_other(past.alert.evidence),
    }
    raised = value_of(past.alert, Raised, **beside)
    return detected_issue(raised, ground)


def _ground(entry: Entry, agreed: bool) -> Entry:
    found = shareable(entry, agreed)
    assert isinstance(found, Entry), "an entry only loses rows"
    return found


def _rests_on_it(responses: Iterable[Any]) -> bool:
    return any(one.sensitivity is not Sensitivity.ORDINARY for one in responses)


def value_of(row: Any, shape: type[V], **known: Any) -> V:
    """Return the pure value of a stored row: members of the same names, and what is ``known`` beside it."""
    names = (field.name for field in fields(cast(Any, shape)))
    return shape(**{name: getattr(row, name) for name in names if name not in known}, **known)
