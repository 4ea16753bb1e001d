"""Alerts for the care team."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from schemas.alert import (
    AlertCounts,
    AlertDeliveryAnswer,
    AlertDetail,
    AlertEventAnswer,
    AlertPage,
    AlertQuery,
    FeedbackAnswer,
    cursor_of,
)
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, reading, writing
from server.api.paging import paged
from server.api.shapes import joined
from server.api.sharing import shares
from server.api.version_header import etag
from server.clinical.vocabulary import Purpose, Role
from server.services.alerts import alert as alerts
from server.services.alerts import alert_feedback, worklist
from server.services.alerts.alert import Record
from server.services.alerts.worklist import Place, Wanted

blueprint = Blueprint("alerts", __name__, description="Alerts: what needs a look, and on what grounds")
CARE = (Role.CLINICIAN, Role.COORDINATOR)
NARROWING = ("urgency", "family", "patient_id", "assigned_to", "snoozed")


@blueprint.route("/alerts", methods=["GET"])
@allow(*CARE)
@shares(Purpose.CARE_TEAM)
@blueprint.arguments(AlertQuery, location="query")
@blueprint.response(200, AlertPage)
def list_alerts(query: Mapping[str, Any]) -> Any:
    """Read alerts, most urgent first, the oldest of the same urgency first. Audited.

    Without `state`: those that are not resolved.
    """

    def rows(after: tuple[Any, Any, Any] | None, size: int) -> Any:
        place = None if after is None else Place(*after)
        return worklist.page(work, Wanted(query.get("state"), place, size, equal, query.get("exhausted")))

    equal = {name: query[name] for name in NARROWING if name in query}

    with writing() as work:
        work.audit("alert.list", query.get("patient_id"))
        return paged(query, rows, lambda alert: cursor_of(alert.urgency, alert.opened_at, alert.id))


@blueprint.route("/alerts/counts", methods=["GET"])
@allow(*CARE)
@blueprint.response(200, AlertCounts)
def count_alerts() -> Any:
    """Count the alerts that are not resolved, for a badge. Names no patient."""
    with reading() as work:
        return alerts.counts(work)


@blueprint.route("/alerts/<uuid:alert_id>", methods=["GET"])
@allow(*CARE)
@shares(Purpose.CARE_TEAM)
@blueprint.response(200, AlertDetail, headers=documented_headers("ETag"))
def get_alert(alert_id: UUID) -> Any:
    """Read one alert: evidence, what happened to it, who was told what and when. Audited."""
    with writing() as work:
        record = alerts.record(work, alert_id)
        said = alert_feedback.of(work, alert_id)
        return _detail(record, said), 200, etag(record.alert.version)


def _detail(record: Record, said: Sequence[Any]) -> dict[str, Any]:
    names = record.names
    return joined(
        record.alert,
        AlertDetail,
        events=[joined(e, AlertEventAnswer, account=names.get(e.account_id)) for e in record.events],
        deliveries=[
            joined(d, AlertDeliveryAnswer, account=names.get(d.account_id)) for d in record.deliveries
        ],
        feedback=[joined(one, FeedbackAnswer) for one in said],
    )
