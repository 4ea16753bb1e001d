"""Provenances: who said it, who typed it, with what it came in, and when by the phone's own clock."""

from collections.abc import Sequence

from server.clinical.vocabulary import Source
from server.fhir import codes, device
from server.fhir.codes import coding, concept, instant
from server.fhir.identifiers import Resource
from server.fhir.reported import (
    Reported,
    author,
    doubted,
    felt,
    id_of,
    meta,
    response_of,
    with_caregiver,
)

_STAFF = {"type": "Organization", "display": "The clinic"}


def of(reported: Reported, observations: Sequence[Resource]) -> Resource:
    """Return where the current version of ``reported``, and the ``observations`` made of it, come from."""
    recorded = reported.deleted_at or reported.recorded_at or reported.received_at
    made = {
        "resourceType": "Provenance",
        "id": id_of(reported),
        "meta": meta(reported),
        "contained": [device.assembler(reported.source)],
        "target": [
            response_of(reported),
            *({"reference": f"Observation/{one['id']}"} for one in observations),
        ],
        "occurredDateTime": felt(reported),
        **doubted("occurredDateTime", reported),
        "recorded": instant(recorded),
        "activity": concept(_activity(reported)),
        "agent": _agents(reported),
    }
    return with_caregiver(made, reported)


def _agents(reported: Reported) -> list[Resource]:
    who = author(reported) or _STAFF
    found = [_agent("author", who)]
    if reported.source is Source.CLINIC and who is not _STAFF:
        found.append(_agent("enterer", _STAFF))
    return [*found, _agent("assembler", {"reference": f"#{device.ASSEMBLER}"})]


def _agent(role: str, who: Resource) -> Resource:
    return {"type": concept(coding(codes.PARTICIPANT, role, role.capitalize())), "who": who}


def _activity(reported: Reported) -> Resource:
    if reported.deleted_at is not None:
        return coding(codes.OPERATION, "DELETE", "delete")
    return coding(codes.OPERATION, *(("CREATE", "create") if reported.version == 1 else ("UPDATE", "revise")))
