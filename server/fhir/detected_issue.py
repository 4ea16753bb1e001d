"""DetectedIssues: an alert with its rules, what it rests on, and what the care team did about it.

For clinicians only: what the rules conclude is told to a patient by a person (docs/clinical.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from server.clinical.vocabulary import (
    ARM_OF,
    ITEMS,
    AlertClass,
    AlertFamily,
    AlertState,
    Outcome,
)
from server.fhir import codes, device
from server.fhir.codes import coding, concept, instant, named
from server.fhir.identifiers import Resource
from server.fhir.numbers import ITEM_NUMBERS, SCORES, SIDE_EFFECT_NUMBERS
from server.fhir.reported import Entry, Filled, id_of, patient, response_of

DISPROVED = "What it rests on was corrected, taken back or explained since. A person closes it."
OF_OTHER = "It came from a phone that holds somebody else's journal: ask who said it."
_SEVERITY: Mapping[AlertClass, str] = MappingProxyType(
    {AlertClass.P0: "high", AlertClass.P1: "high", AlertClass.P2: "moderate", AlertClass.P3: "low"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert episode. ``changed_at``: its last change. ``policy``: the thresholds in force at its start.

    ``is_about_substance_use``: whether its rules or what it rests on speak of it. ``is_disproved``: whether
    what came in later speaks against it. ``is_of_other``: whether another patient may have said it.
    """

    id: UUID
    patient_id: UUID
    family: AlertFamily
    urgency: AlertClass
    state: AlertState
    codes: Sequence[str]
    opened_at: datetime
    changed_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    resolved_at: datetime | None
    resolved_by: UUID | None
    outcome: Outcome | None
    version: int
    policy: int
    is_about_substance_use: bool
    is_disproved: bool
    is_of_other: bool


@dataclass(frozen=True, slots=True)
class Ground:
    """What an alert rests on: the entries and filled scales its rules looked at."""

    entries: Sequence[Entry] = ()
    filled: Sequence[Filled] = ()


def detected_issue(raised: Raised, ground: Ground) -> Resource:
    """Return one alert."""
    done = list(_mitigations(raised))
    return {
        "resourceType": "DetectedIssue",
        "id": str(raised.id),
        "meta": _meta(raised),
        "contained": [device.rules(raised.policy)],
        "identifier": [{"system": codes.URI, "value": f"urn:uuid:{raised.id}"}],
        "status": "final" if raised.state is AlertState.RESOLVED else "preliminary",
        "code": concept(coding(codes.FAMILY, raised.family.value), text=named(raised.family.value)),
        "severity": _SEVERITY[raised.urgency],
        "patient": patient(raised.patient_id),
        "identifiedDateTime": instant(raised.opened_at),
        "author": {"reference": f"#{device.RULES}"},
        **_detail(raised),
        "evidence": [_evidence(raised, ground)],
        **({"mitigation": done} if done else {}),
    }


def _detail(raised: Raised) -> Resource:
    doubts = ((raised.is_disproved, DISPROVED), (raised.is_of_other, OF_OTHER))
    said = " ".join(text for holds, text in doubts if holds)
    return {"detail": said} if said else {}


def _meta(raised: Raised) -> Resource:
    made: Resource = {"versionId": str(raised.version), "lastUpdated": instant(raised.changed_at)}
    return made | ({"security": list(codes.ABOUT_SUBSTANCE_USE)} if raised.is_about_substance_use else {})


def _evidence(raised: Raised, ground: Ground) -> Resource:
    found = [
        *(reference for entry in ground.entries for reference in _of_entry(raised, entry)),
        *(_of_filled(raised, filled) for filled in ground.filled),
    ]
    spoken = [concept(coding(codes.RULE, code)) for code in raised.codes]
    return {"code": spoken} | ({"detail": found} if found else {})


def _of_entry(raised: Raised, entry: Entry) -> list[Resource]:
    """Return the numbers of an entry that this kind of alert is about; else the entry as a whole."""
    arm = ARM_OF.get(raised.family)
    numbers = [ITEM_NUMBERS[key] for key in entry.items if arm in ITEMS[key].arms]
    if raised.family is AlertFamily.SIDE_EFFECT:
        numbers = [SIDE_EFFECT_NUMBERS[term] for term in entry.side_effects if term in raised.codes]
    found = [{"reference": f"Observation/{id_of(entry, number)}"} for number in sorted(numbers)]
    return found or [response_of(entry)]


def _of_filled(raised: Raised, filled: Filled) -> Resource:
    """Return the score that an alert is about. What cannot wait is an answer, not a score."""
    if raised.family is AlertFamily.SAFETY or filled.total is None:
        return response_of(filled)
    return {"reference": f"Observation/{id_of(filled, SCORES)}"}


def _mitigations(raised: Raised) -> Iterator[Resource]:
    if raised.acknowledged_at is not None:
        action = concept(coding(codes.OUTCOME, "acknowledged"), text="Acknowledged")
        yield _mitigation(action, raised.acknowledged_at, raised.acknowledged_by)
    if raised.resolved_at is not None and raised.outcome is not None:
        action = concept(coding(codes.OUTCOME, raised.outcome.value), text=named(raised.outcome.value))
        yield _mitigation(action, raised.resolved_at, raised.resolved_by)


def _mitigation(action: Resource, at: datetime, account: UUID | None) -> Resource:
    made: Resource = {"action": action, "date": instant(at)}
    if account is None:
        return made
    who = {"type": "Practitioner", "identifier": {"system": codes.ACCOUNT, "value": str(account)}}
    return made | {"author": who}
