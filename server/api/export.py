"""The patient's own export, to keep or to take elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response

from schemas.export import ExportAnswer, ExportQuery
from server.api.body import Blueprint
from server.api.contract import CONFIG
from server.api.edge import allow, also, writing
from server.api.entry import own_patient
from server.api.sharing import shares, still_leaving
from server.api.streaming import streamed
from server.clinical.vocabulary import Purpose, Role
from server.rendering import export_csv, export_json
from server.services.journal import export as exports
from server.services.work import Work

blueprint = Blueprint(
    "export", __name__, description="Everything a patient reported, to keep or to take elsewhere"
)
KINDS = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


@blueprint.route("/me/export", methods=["GET"])
@allow(Role.PATIENT)
@shares(Purpose.EXPORT)
@blueprint.arguments(ExportQuery, location="query")
@blueprint.response(200, ExportAnswer)
@also("text/csv")
def get_export(query: Mapping[str, Any]) -> Response:
    """Take away everything you reported: JSON (complete, with every version) or CSV. Audited.

    Rows about substance use are in it only where you agreed to `substance_use`.
    """
    kind, patient_id = query["format"], own_patient()
    written = export_csv.written if kind == "csv" else export_json.written
    with writing() as work:
        exports.record(work, patient_id)

    def pieces(work: Work) -> Iterator[str]:
        export = exports.gather(work, patient_id, CONFIG["API_VERSION"])
        return written(export.head, export.sections)

    cut_off = export_csv.CUT_OFF if kind == "csv" else ""
    answer = streamed(pieces, KINDS[kind], still_leaving(patient_id), cut_off)
    answer.headers["Content-Disposition"] = f'attachment; filename="afterglow-export.{kind}"'
    return answer
