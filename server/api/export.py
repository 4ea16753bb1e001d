"""The patient's own export, to keep or to take elsewhere."""

import json
from collections.abc import Mapping
from typing import Any

from flask import Response

from schemas.export import ExportAnswer, ExportQuery
from server.api.body import Blueprint
from server.api.contract import CONFIG
from server.api.edge import allow, also_csv, stepped_up, writing
from server.api.entry import own_patient
from server.clinical.vocabulary import Role
from server.rendering.export_csv import written
from server.services.journal import export as exports

blueprint = Blueprint(
    "export", __name__, description="Everything a patient reported, to keep or to take elsewhere"
)
KINDS = {"json": "application/json", "csv": "text/csv"}


@blueprint.route("/me/export", methods=["GET"])
@allow(Role.PATIENT)
@stepped_up
@blueprint.arguments(ExportQuery, location="query")
@blueprint.response(200, ExportAnswer)
@also_csv
def get_export(query: Mapping[str, Any]) -> Response:
    """Take away everything you reported: JSON (complete, with every version) or CSV. Audited."""
    kind = query["format"]
    with writing() as work:
        export = exports.collect(work, own_patient(), CONFIG["API_VERSION"])
    text = written(export) if kind == "csv" else json.dumps(export, ensure_ascii=False, indent=1)
    answer = Response(text, content_type=f"{KINDS[kind]}; charset=utf-8" if kind == "csv" else KINDS[kind])
    answer.headers["Content-Disposition"] = f'attachment; filename="afterglow-export.{kind}"'
    return answer
