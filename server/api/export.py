"""The patient's own export, to keep or to take elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from flask import Response

from schemas.export import ExportAnswer, ExportQuery
from server.api.body import Blueprint
from server.api.contract import CONFIG
from server.api.contract_notes import also
from server.api.edge import allow, stepped_up, writing
from server.api.entry import own_patient
from server.api.fhir import everything, own_export
from server.api.fhir.blueprint import NDJSON
from server.api.sharing import Still, shares, still_leaving
from server.api.streaming import streamed
from server.clinical.vocabulary import Purpose, Role
from server.rendering import export_csv, export_json
from server.services.journal import export as exports
from server.services.work import Actor, Work

blueprint = Blueprint(
    "export", __name__, description="Everything a patient reported, to keep or to take elsewhere"
)
KINDS = {"json": "application/json", "csv": "text/csv; charset=utf-8", "fhir": NDJSON}
ENDINGS = {"json": "json", "csv": "csv", "fhir": "ndjson"}
# The end of a file whose rest could not be sent; half of a JSON object shows by itself.
CUT_OFF = {"json": "", "csv": export_csv.CUT_OFF, "fhir": everything.CUT_OFF}


@blueprint.route("/me/export", methods=["GET"])
@allow(Role.PATIENT)
@stepped_up
@shares(Purpose.EXPORT)
@blueprint.arguments(ExportQuery, location="query")
@blueprint.response(200, ExportAnswer)
@also("text/csv", NDJSON)
def get_export(query: Mapping[str, Any]) -> Response:
    """Take away everything you reported, with every version: JSON, CSV or FHIR. Audited.

    Rows about substance use are in it only where you agreed to `substance_use`.
    """
    kind, patient_id = query["format"], own_patient()
    with writing() as work:
        exports.record(work, patient_id)
    return file(kind, patient_id, still_leaving(patient_id))


def file(kind: str, patient_id: UUID, still: Still, reader: Actor | None = None) -> Response:
    """Return a patient's export as a file of ``kind``, made while it is sent.

    ``still`` checks whether the rest may be sent; ``reader``: for whom, where nobody is signed in.
    """

    def pieces(work: Work) -> Iterator[str]:
        return _PIECES[kind](work, patient_id)

    answer = streamed(pieces, KINDS[kind], still, CUT_OFF[kind], reader)
    answer.headers["Content-Disposition"] = f'attachment; filename="afterglow-export.{ENDINGS[kind]}"'
    return answer


def _json(work: Work, patient_id: UUID) -> Iterator[str]:
    export = exports.gather(work, patient_id, CONFIG["API_VERSION"])
    return export_json.written(export.head, export.sections)


def _csv(work: Work, patient_id: UUID) -> Iterator[str]:
    export = exports.gather(work, patient_id, CONFIG["API_VERSION"])
    return export_csv.written(export.head, export.sections)


_PIECES: Mapping[str, Callable[[Work, UUID], Iterator[str]]] = MappingProxyType(
    {"json": _json, "csv": _csv, "fhir": own_export.written}
)
