"""Read a patient's own export in FHIR (`server.fhir.own`), resource by resource."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server.diary_import import fhir_parts
from server.diary_import.fhir_form import Resource, entry_said, response_said
from server.diary_import.fhir_parts import Said
from server.fhir import codes

Known = Mapping[tuple[str, str], Resource]
Rows = list[dict[str, Any]]


@dataclass(slots=True)
class OwnFile:
    """What was read so far. ``known``: all of the file's resources; ``places``: of courses, by CarePlan.

    ``count``: how many resources the end says came before it; None until it was met.
    """

    known: Known
    entries: Rows = field(default_factory=list)
    questionnaire_responses: Rows = field(default_factory=list)
    courses: Rows = field(default_factory=list)
    treatment_sessions: Rows = field(default_factory=list)
    zone_changes: Rows = field(default_factory=list)
    plan: dict[str, Any] | None = None
    places: dict[str, int] = field(default_factory=dict)
    count: int | None = None

    def sections(self) -> dict[str, Rows]:
        """Return what was read as the lists of an export."""
        return {name: getattr(self, name) for name in _LISTS}


_LISTS = ("entries", "questionnaire_responses", "courses", "treatment_sessions", "zone_changes")


def take(read: OwnFile, kind: str, one: Resource) -> None:
    """Take what ``one``, of ``kind``, says. Errors as of `fhir_parts`."""
    _KINDS[kind](read, one)


def _form(read: OwnFile, form: Resource) -> None:
    if form["questionnaire"] == codes.DIARY_FORM:
        read.entries.append(_reported(read, form, entry_said))
    elif form["questionnaire"].startswith(f"{codes.QUESTIONNAIRE}:"):
        read.questionnaire_responses.append(_reported(read, form, response_said))
    else:
        raise ValueError("is no form of ours")


def _reported(read: OwnFile, form: Resource, said: Said) -> dict[str, Any]:
    origin = read.known["Provenance", form["id"]]
    return fhir_parts.reported_of(form, origin, read.known.get(("Bundle", form["id"])), said)


def _course(read: OwnFile, plan: Resource) -> None:
    read.places[plan["id"]] = len(read.courses)
    read.courses.append(fhir_parts.course_of(plan))


def _session(read: OwnFile, procedure: Resource) -> None:
    read.treatment_sessions.append(fhir_parts.session_of(procedure, read.places))


def _basic(read: OwnFile, basic: Resource) -> None:
    kind = fhir_parts.kind_of(basic)
    if kind == "zone-change":
        read.zone_changes.append(fhir_parts.zone_change_of(basic))
    elif kind == "check-in-plan":
        read.plan = fhir_parts.plan_of(basic)
    else:
        read.count = fhir_parts.resources_of(basic)


def _made_of_forms(_: OwnFile, __: Resource) -> None:
    """Take nothing: what it says, a form says too, or is asked for where the form is read."""


_KINDS: Mapping[str, Callable[[OwnFile, Resource], None]] = {
    **dict.fromkeys(("Patient", "Observation", "Provenance", "Bundle"), _made_of_forms),
    "QuestionnaireResponse": _form,
    "CarePlan": _course,
    "Procedure": _session,
    "Basic": _basic,
}
