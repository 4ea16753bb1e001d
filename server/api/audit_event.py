"""The audit log for the clinic's admin: to read in, and to take away with its proof."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.audit_event import AuditEventPage, AuditExportQuery, AuditQuery
from server.api.audit_export import COLUMNS, Source, header, lines, trailer
from server.api.body import Blueprint
from server.api.contract_notes import also
from server.api.edge import actor, allow, here, stepped_up, writing
from server.api.paging import paged
from server.api.table import CSV, csv_lines
from server.clinical.vocabulary import Role
from server.services.audit import audit_event as audit_events
from server.services.audit.audit_event import FILTERS, Wanted

blueprint = Blueprint("audit-events", __name__, description="Who read or changed what")
NDJSON = "application/x-ndjson"
_LINES = {"type": "string", "description": "one JSON object a line; docs/audit.md says how to verify it"}


@blueprint.route("/audit-events", methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@blueprint.arguments(AuditQuery, location="query")
@blueprint.response(200, AuditEventPage)
def list_audit_events(query: Mapping[str, Any]) -> Any:
    """Read who read or changed what, newest first. Audited itself."""
    equal = {name: query[name] for name in FILTERS if name in query}
    wanted = Wanted(equal, query.get("since"), query.get("until"))

    def rows(before: UUID | None, size: int) -> Any:
        return audit_events.page(work, wanted, before, size)

    with writing() as work:
        page = paged(query, rows)
        work.audit("audit-event.list", query.get("patient_id"))
        return page


@blueprint.route("/audit-events/export", methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@blueprint.arguments(AuditExportQuery, location="query")
@blueprint.response(200, _LINES, content_type=NDJSON)
@also("text/csv")
def export_audit_events(query: Mapping[str, Any]) -> Response:
    """Take the chained part of the log away, in the order of the chain, with what proves it. Audited.

    A file without its last line was cut off on the way: ask again `after` the last position you have.
    """
    with writing() as work:
        work.audit("audit-event.export", object_id=str(query["after"]))
        before = audit_events.end_at(work, query["after"])
        end, waiting = audit_events.ends(work)
    source = Source(here().database, here().clock(), actor(), end.position)
    rows = lines(source, query["after"])
    if query["format"] == "csv":
        kind, text = f"{CSV}; charset=utf-8", csv_lines(COLUMNS, rows)
    else:
        kind, text = NDJSON, _ndjson(header(source, before), rows, trailer(end, waiting))
    answer = Response(text, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="audit-log.{query["format"]}"'
    return answer


def _ndjson(
    first: Mapping[str, Any], rows: Iterator[Mapping[str, Any]], last: Mapping[str, Any]
) -> Iterator[str]:
    yield json.dumps(first) + "\n"
    for row in rows:
        yield json.dumps(row) + "\n"
    yield json.dumps(last) + "\n"
