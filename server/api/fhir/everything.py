"""Everything there is of one patient, as a Bundle or line by line, made while it is sent."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response

from schemas.fhir.journal import TYPES, VISIT_TYPES, EverythingQuery
from server.api.contract_notes import also
from server.api.edge import actor, allow, stepped_up, writing
from server.api.fhir import journal
from server.api.fhir.answer import address, base
from server.api.fhir.blueprint import NDJSON, FhirBlueprint, kind_of_answer
from server.api.fhir.patient import known, resource
from server.api.fhir.spans import spans
from server.api.fhir.visiting import appointment_of, request_of
from server.api.sharing import leaving, shares, still_leaving
from server.api.streaming import streamed
from server.clinical.visit import Proposed
from server.clinical.vocabulary import Purpose, Role
from server.fhir import bundle
from server.fhir.identifiers import Resource
from server.fhir.operation_outcome import operation_outcome
from server.fhir.reported import Reported
from server.services.alerts import alert_past
from server.services.journal import export as exports
from server.services.journal.reported import Spans, Wanted
from server.services.people import consent as consents
from server.services.people import patient as patients
from server.services.visits import approved
from server.services.visits.approved import Asked
from server.services.work import Work

blueprint = FhirBlueprint("everything", "FHIR R4: everything there is of one patient")
# What a patient is not shown in the app is not in the file either.
_FOR_PATIENTS = ("Patient", "QuestionnaireResponse", "Observation", "Provenance")
_VISITS = 100
# The last line where the rest could not be sent.
CUT_OFF = f"{json.dumps(operation_outcome(500, 'incomplete', 'The rest could not be sent.'))}\n"


@blueprint.route("/Patient/<string:patient_id>/$everything", methods=["GET"])
@allow(*journal.READERS)
@stepped_up
@shares(*journal.SHARED)
@blueprint.arguments(EverythingQuery, location="query")
@blueprint.gives("Bundle")
@also(NDJSON)
def get_everything(query: Mapping[str, Any], patient_id: str) -> Response:
    """Take away everything there is of one patient; with `application/fhir+ndjson` line by line. Audited."""
    whose, kind = known(patient_id), kind_of_answer()
    with writing() as work:
        zone = patients.get(work, whose).zone
        exports.count(work)
        leaving(work, whose)
        work.audit("fhir.everything.read", whose)
    since = spans([query["since"]] if "since" in query else (), zone)
    kinds = _kinds(query.get("type"))
    here, asked = base(), address()

    def pieces(work: Work) -> Iterator[str]:
        found = _everything(work, whose, kinds, [(first, None) for first, _ in since])
        return lines(found) if kind == NDJSON else _one_bundle(found, here, asked)

    return streamed(pieces, kind, still_leaving(whose), CUT_OFF if kind == NDJSON else "")


def _kinds(wanted: Sequence[str] | None) -> frozenset[str]:
    allowed = _FOR_PATIENTS if actor().role is Role.PATIENT else (*TYPES, *VISIT_TYPES)
    return frozenset(allowed if wanted is None else set(wanted) & set(allowed))


def _everything(work: Work, patient_id: UUID, kinds: frozenset[str], changed: Spans) -> Iterator[Resource]:
    """Yield the patient; what each entry and filled scale became; then alerts and visits."""
    if "Patient" in kinds:
        yield resource(work, patient_id)
    bounds = Wanted(changed=changed)
    makers = {
        "QuestionnaireResponse": journal.forms,
        "Observation": journal.numbers,
        "Provenance": journal.origins,
    }

    def made(said: Reported) -> Iterator[Resource]:
        return (one for kind, make in makers.items() if kind in kinds for one in make(said))

    if kinds & makers.keys():
        yield from journal.walked(work, patient_id, bounds, None, made)
    if "DetectedIssue" in kinds:
        agreed = consents.allows(work, patient_id, Purpose.SUBSTANCE_USE)
        yield from journal.issues(alert_past.of_patient(work, patient_id, bounds), agreed)
    shown = {"ServiceRequest": request_of, "Appointment": appointment_of}
    if kinds & shown.keys():
        for proposed in _visits(work, Asked(patient_id=patient_id, changed=changed, size=_VISITS)):
            yield from (show(proposed) for kind, show in shown.items() if kind in kinds)


def _visits(work: Work, asked: Asked) -> Iterator[Proposed]:
    while found := approved.page(work, asked):
        yield from found
        asked = replace(asked, after=found[-1].id)


def lines(found: Iterator[Resource]) -> Iterator[str]:
    """Yield a resource a line."""
    for one in found:
        yield f"{json.dumps(one, ensure_ascii=False)}\n"


def _one_bundle(found: Iterator[Resource], here: str, asked: str) -> Iterator[str]:
    """Yield a searchset, as FHIR wants it of this operation. An empty list of entries is none."""
    link = [{"relation": "self", "url": asked}]
    head = json.dumps({"resourceType": "Bundle", "type": "searchset", "link": link})
    yield head.removesuffix("}")
    separator = ', "entry": [\n'
    for one in found:
        yield separator + json.dumps(bundle.entry(here, one), ensure_ascii=False)
        separator = ",\n"
    yield "}" if separator.startswith(", ") else "\n]}"
