"""A patient's own export as resources, in the order they stand in the file."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from server.fhir import observation, provenance
from server.fhir.codes import coding, instant
from server.fhir.identifiers import Resource
from server.fhir.own import codes, forms, history, record, rest, treatment
from server.fhir.own.codes import extension
from server.fhir.reported import Entry, Filled, Reported, id_of

Row = Mapping[str, Any]
R = TypeVar("R", Entry, Filled)


@dataclass(frozen=True, slots=True)
class _Kind(Generic[R]):
    """How one kind of thing that is reported is read from its row, and told as a form and as numbers."""

    read: Callable[[UUID, Row, int], R]
    form: Callable[[R, Row | None], Resource]
    numbers: Callable[[R], Iterable[Resource]]


_ENTRY = _Kind(record.entry, forms.of_entry, observation.of_entry)
_FILLED = _Kind(record.filled, forms.of_filled, observation.of_filled)


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
        yield from _reported(whose, row, _ENTRY)
    for row in sections["questionnaire_responses"]:
        yield from _reported(whose, row, _FILLED)
    made = {
        "courses": treatment.care_plan,
        "treatment_sessions": treatment.procedure,
        "zone_changes": rest.zone_change,
    }
    for name, make in made.items():
        yield from (make(whose, place, row) for place, row in enumerate(sections[name]))


def _reported(whose: UUID, row: Row, kind: _Kind[R]) -> Iterator[Resource]:
    """Yield what stands, its numbers, where it comes from; every version where there was more than one."""
    revisions = row["revisions"]
    said = [kind.read(whose, row, version) for version in range(1, len(revisions) + 1)]
    told = [kind.form(*one) for one in zip(said, (one["content"] for one in revisions), strict=True)]
    numbers = list(kind.numbers(said[-1]))
    yield told[-1]
    yield from numbers
    yield _origin(row, said[-1], numbers)
    if len(told) > 1:
        moments = [instant(datetime.fromisoformat(one["received_at"])) for one in revisions]
        kept = [None if one["status"] == "entered-in-error" else one for one in told]
        yield history.bundle(id_of(said[-1]), list(zip(kept, moments, strict=True)))


def _origin(row: Row, said: Reported, numbers: Sequence[Resource]) -> Resource:
    made = provenance.of(said, numbers)
    told = []
    if said.recorded_at is not None:
        told.append(extension(codes.WRITTEN_DOWN, valueInstant=instant(said.recorded_at)))
    if row["clock_skew_seconds"] is not None:
        behind = codes.seconds(row["clock_skew_seconds"])
        told.append(extension(codes.CLOCK_BEHIND, valueDuration=behind))
    made |= {"extension": told} if told else {}
    if len(row["revisions"]) == 1:
        return made
    revised = {"role": "revision", "what": {"reference": f"Bundle/{id_of(said)}"}}
    return made | {"entity": [revised]}
