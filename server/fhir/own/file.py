"""A patient's own export as resources, in the order they stand in the file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from server.fhir import observation, provenance
from server.fhir.codes import coding, instant
from server.fhir.identifiers import Resource
from server.fhir.own import codes, forms, history, record, rest, treatment
from server.fhir.own.codes import extension
from server.fhir.reported import Reported, id_of

Row = Mapping[str, Any]


def resources(person: Resource, head: Row, sections: Mapping[str, Iterable[Row]]) -> Iterator[Resource]:
    """Yield what ``head`` and ``sections`` (`server.services.journal.export.Export`) say of ``person``.

    Only for the patient themself: notes and tags are in it. Rows are read while they are taken.
    """
    count = 0
    for one in _all(person, head, sections):
        count += 1
        yield one
    yield rest.end(UUID(person["id"]), head["exported_at"], count)


def _all(person: Resource, head: Row, sections: Mapping[str, Iterable[Row]]) -> Iterator[Resource]:
    whose = UUID(person["id"])
    yield person | {"meta": {**person["meta"], "tag": [coding(codes.EXPORT, codes.OWN)]}}
    yield rest.check_in_plan(whose, head["check_in_plan"])
    for row in sections["entries"]:
        yield from _entry(whose, row)
    for row in sections["questionnaire_responses"]:
        yield from _filled(whose, row)
    made = {
        "courses": treatment.care_plan,
        "treatment_sessions": treatment.procedure,
        "zone_changes": rest.zone_change,
    }
    for name, make in made.items():
        yield from (make(whose, place, row) for place, row in enumerate(sections[name]))


def _entry(whose: UUID, row: Row) -> Iterator[Resource]:
    versions = range(1, len(row["revisions"]) + 1)
    said = [record.entry(whose, row, version) for version in versions]
    contents = [one["content"] for one in row["revisions"]]
    told = [forms.of_entry(*one) for one in zip(said, contents, strict=True)]
    yield from _reported(row, said[-1], told, list(observation.of_entry(said[-1])))


def _filled(whose: UUID, row: Row) -> Iterator[Resource]:
    versions = range(1, len(row["revisions"]) + 1)
    said = [record.filled(whose, row, version) for version in versions]
    contents = [one["content"] for one in row["revisions"]]
    told = [forms.of_filled(*one) for one in zip(said, contents, strict=True)]
    yield from _reported(row, said[-1], told, list(observation.of_filled(said[-1])))


def _reported(
    row: Row, said: Reported, told: Sequence[Resource], numbers: Sequence[Resource]
) -> Iterator[Resource]:
    """Yield what stands, its numbers, where it comes from; every version where there was more than one."""
    yield told[-1]
    yield from numbers
    yield _origin(row, said, numbers)
    if len(told) > 1:
        moments = [instant(datetime.fromisoformat(one["received_at"])) for one in row["revisions"]]
        kept = [None if one["status"] == "entered-in-error" else one for one in told]
        yield history.bundle(id_of(said), list(zip(kept, moments, strict=True)))


def _origin(row: Row, said: Reported, numbers: Sequence[Resource]) -> Resource:
    made = provenance.of(said, numbers)
    told = []
    if said.recorded_at is not None:
        told.append(extension(codes.WRITTEN_DOWN, valueInstant=instant(said.recorded_at)))
    if row["clock_skew_seconds"] is not None:
        behind = codes.seconds(row["clock_skew_seconds"])
        told.append(extension(codes.CLOCK_BEHIND, valueDuration=behind))
    if row["clock_suspect"]:
        told.append(extension(codes.CLOCK_SUSPECT, valueBoolean=True))
    made |= {"extension": told} if told else {}
    if len(row["revisions"]) == 1:
        return made
    revised = {"role": "revision", "what": {"reference": f"Bundle/{id_of(said)}"}}
    return made | {"entity": [revised]}
