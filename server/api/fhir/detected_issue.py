"""What the rules found, and what the care team did about it. For clinicians only."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response

from schemas.fhir.journal import DetectedIssueQuery
from server.api.contract_notes import documented_headers
from server.api.edge import allow, reading, writing
from server.api.fhir import journal
from server.api.fhir.answer import answered, page
from server.api.fhir.blueprint import FhirBlueprint
from server.api.fhir.cursor import uuid_after
from server.api.sharing import leaving, shares
from server.clinical.vocabulary import Purpose, Role
from server.fhir import ids
from server.services.alerts import alert_past
from server.services.errors import NotFound
from server.services.people import consent as consents

blueprint = FhirBlueprint("detected_issue", "FHIR R4: what the rules found")
KIND = "detected_issue"


@blueprint.route("/DetectedIssue", methods=["GET"])
@allow(Role.CLINICIAN)
@shares(*journal.SHARED)
@blueprint.arguments(DetectedIssueQuery, location="query")
@blueprint.gives("Bundle")
def search_detected_issues(query: Mapping[str, Any]) -> Response:
    """Search a patient's alerts in the order they opened; `date` is when. Audited."""
    whose, after = journal.whose(query, KIND), uuid_after(query)
    bounds = replace(journal.wanted(query, whose.zone), first=after)
    with reading() as work:
        agreed = consents.allows(work, whose.patient_id, Purpose.SUBSTANCE_USE)
        found = alert_past.of_patient(work, whose.patient_id, bounds)
        later = (past for past in found if past.alert.id != after)
        return page(journal.issues(later, agreed), query["count"])


@blueprint.route("/DetectedIssue/<string:alert_id>", methods=["GET"])
@allow(Role.CLINICIAN)
@shares(*journal.SHARED)
@blueprint.gives("DetectedIssue", headers=documented_headers("ETag"))
def get_detected_issue(alert_id: str) -> Response:
    """Read one alert. Audited."""
    known = ids.read_uuid(alert_id)
    if known is None:
        raise NotFound("alert")
    with writing() as work:
        past = alert_past.get(work, known)
        whose = past.alert.patient_id
        leaving(work, whose)
        work.audit(f"fhir.{KIND}.read", whose, known)
        found = journal.issue(past, consents.allows(work, whose, Purpose.SUBSTANCE_USE))
        if found is None:
            raise NotFound("alert")
        return answered(found)
