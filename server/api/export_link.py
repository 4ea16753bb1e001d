"""Links under which a patient's journal can be taken away for a day."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.export import ExportAnswer
from schemas.export_link import (
    ExportLinkAnswer,
    ExportLinkBody,
    ExportLinkList,
    PatientExportBody,
    TakingQuery,
)
from server.api import throttling
from server.api.body import Blueprint
from server.api.contract_notes import also
from server.api.edge import allow, here, open_with_proof, reading, stepped_up, writing
from server.api.entry import own_patient
from server.api.export import file
from server.api.fhir.blueprint import NDJSON
from server.api.kept_answer import once
from server.api.shapes import joined
from server.api.sharing import Check, Still, shares, still_agreed
from server.clinical.vocabulary import Purpose, Role
from server.database import Database
from server.export_link import Taking
from server.services.errors import NotFound
from server.services.journal import export_link as export_links
from server.services.journal.export_link import Asked
from server.services.work import Actor, Work, system
from server.settings import report_keys

blueprint = Blueprint("export links", __name__, description="A journal to take away by a link, for a day")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/me/exports", methods=["POST"])
@allow(Role.PATIENT)
@stepped_up
@shares(Purpose.EXPORT)
@once()
@blueprint.arguments(ExportLinkBody)
@blueprint.response(201, ExportLinkAnswer)
def create_export(body: dict[str, Any]) -> Any:
    """Make links to all you reported, good for 24 hours. Whoever has one can read it. Audited."""
    with writing() as work:
        return _shown(export_links.ask(work, own_patient(), Asked(**body)))


@blueprint.route("/me/exports", methods=["GET"])
@allow(Role.PATIENT)
@blueprint.response(200, ExportLinkList)
def list_exports() -> Any:
    """Read which links to your journal are open, also those that your clinic asked for."""
    with reading() as work:
        return {"items": [_shown(link) for link in export_links.listed(work, own_patient())]}


@blueprint.route("/me/exports/<uuid:export_id>", methods=["DELETE"])
@allow(Role.PATIENT)
@blueprint.response(204)
def revoke_export(export_id: UUID) -> Response:
    """End links at once, whoever asked for them; a running download ends too. Again is harmless."""
    with writing() as work:
        export_links.revoke(work, own_patient(), export_id)
    return Response(status=204)


@blueprint.route("/patients/<uuid:patient_id>/exports", methods=["POST"])
@allow(*CARE)
@stepped_up
@shares(Purpose.CARE_TEAM, Purpose.EXPORT)
@once()
@blueprint.arguments(PatientExportBody)
@blueprint.response(201, ExportLinkAnswer)
def create_patient_export(body: dict[str, Any], patient_id: UUID) -> Any:
    """Make links to what a patient reported, for a reason. The patient is told. Audited."""
    with writing() as work:
        return _shown(export_links.ask(work, patient_id, Asked(**body)))


@blueprint.route("/exports/<uuid:export_id>", methods=["GET"])
@open_with_proof
@shares(Purpose.CARE_TEAM, Purpose.EXPORT)
@blueprint.arguments(TakingQuery, location="query")
@blueprint.response(200, ExportAnswer)
@also("text/csv", NDJSON)
def take_export(query: Mapping[str, Any], export_id: UUID) -> Response:
    """Follow a link. It proves itself; changed, ended or run out it leads nowhere. Audited.

    It ends with the consent it rests on.
    """
    around = here()
    taking = Taking(query["clinic"], export_id, query["format"], query["expires"])
    try:
        actor = _taken(taking, query["proof"])
    except NotFound:
        throttling.check_stranger(around.throttle)  # before it costs a transaction
        with around.database.write() as session:
            work = Work(session, around.clock(), system(taking.clinic_id))
            export_links.note_refused(work, export_id)
        raise
    assert actor.patient_id is not None, "it is about a patient"
    return file(taking.format, actor.patient_id, _still(around.database, taking, actor), actor)


def _taken(taking: Taking, proof: str) -> Actor:
    around = here()
    if not any(taking.is_proven(key, proof) for key in report_keys(around.settings)):
        raise NotFound("export")
    with around.database.write() as session:
        work = Work(session, around.clock(), system(taking.clinic_id))
        return export_links.take(work, taking.export_id, taking.format)


def _still(database: Database, taking: Taking, reader: Actor) -> Still:
    assert reader.patient_id is not None, "it is about a patient"
    agreed = still_agreed(reader.patient_id, reader)

    def begun(began: Work) -> Check:
        agrees = agreed(began)

        def check() -> None:
            with database.glance(taking.clinic_id) as connection:
                export_links.check(connection, taking.clinic_id, taking.export_id)
            agrees()

        return check

    return begun


def _shown(link: Any) -> dict[str, Any]:
    settings = here().settings
    takings = [
        Taking(link.clinic_id, link.id, kind, int(link.expires_at.timestamp())) for kind in link.formats
    ]
    key, base = report_keys(settings)[0], settings.base_url
    urls = [{"format": one.format, "href": one.address(base, key)} for one in takings]
    return joined(link, ExportLinkAnswer, links=urls)
