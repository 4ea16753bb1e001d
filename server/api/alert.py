"""Alerts for the care team."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.alert import (
    AlertAnswer,
    AlertDeliveryAnswer,
    AlertDetail,
    AlertEventAnswer,
    AlertPage,
    AlertQuery,
    ResolutionBody,
    VerdictBody,
    cursor_of,
)
from server.api.body import Blueprint
from server.api.edge import (
    allow,
    documented_headers,
    etag,
    if_match,
    required_version,
    takes_version,
    writing,
)
from server.api.paging import paged
from server.api.shapes import joined
from server.clinical.vocabulary import Role
from server.services import alert as alerts
from server.services import verdict as verdicts
from server.services.alert import Place, Record, Wanted

blueprint = Blueprint("alerts", __name__, description="Alerts: read, acknowledge, judge, resolve")
CARE = (Role.CLINICIAN, Role.COORDINATOR)


@blueprint.route("/alerts", methods=["GET"])
@allow(*CARE)
@blueprint.arguments(AlertQuery, location="query")
@blueprint.response(200, AlertPage)
def list_alerts(query: Mapping[str, Any]) -> Any:
    """Read alerts, most urgent first, the oldest of the same urgency first. Audited.

    Without `state`: those that are not resolved.
    """

    def rows(after: tuple[Any, Any, Any] | None, size: int) -> Any:
        place = None if after is None else Place(*after)
        return alerts.page(work, Wanted(query.get("state"), query.get("patient_id"), place, size))

    with writing() as work:
        work.audit("alert.list", query.get("patient_id"))
        return paged(query, rows, lambda alert: cursor_of(alert.urgency, alert.opened_at, alert.id))


@blueprint.route("/alerts/<uuid:alert_id>", methods=["GET"])
@allow(*CARE)
@blueprint.response(200, AlertDetail, headers=documented_headers("ETag"))
def get_alert(alert_id: UUID) -> Any:
    """Read one alert: evidence, what happened to it, who was told what and when. Audited."""
    with writing() as work:
        record = alerts.record(work, alert_id)
        return _detail(record), 200, etag(record.alert.version)


@blueprint.route("/alerts/<uuid:alert_id>/acknowledge", methods=["POST"])
@allow(*CARE)
@blueprint.response(200, AlertAnswer, headers=documented_headers("ETag"))
@takes_version(required=False)
def acknowledge_alert(alert_id: UUID) -> Any:
    """Say "I have it": escalation stops. Again is harmless.

    With If-Match, an alert that has changed since you read it is refused instead (412).
    """
    version = if_match()
    with writing() as work:
        alert = alerts.acknowledge(work, alert_id, version)
    return alert, 200, etag(alert.version)


@blueprint.route("/alerts/<uuid:alert_id>/resolve", methods=["POST"])
@allow(Role.CLINICIAN)
@blueprint.arguments(ResolutionBody)
@blueprint.response(200, AlertAnswer, headers=documented_headers("ETag"))
@takes_version()
def resolve_alert(body: Mapping[str, Any], alert_id: UUID) -> Any:
    """Close an episode with its outcome and a note; needs If-Match."""
    version = required_version()
    with writing() as work:
        alert = verdicts.resolve(work, alert_id, body["outcome"], body["note"], version)
    return alert, 200, etag(alert.version)


@blueprint.route("/alerts/<uuid:alert_id>/verdict", methods=["POST"])
@allow(Role.CLINICIAN)
@blueprint.arguments(VerdictBody)
@blueprint.response(200, AlertAnswer, headers=documented_headers("ETag"))
@takes_version()
def give_verdict(body: Mapping[str, Any], alert_id: UUID) -> Any:
    """Confirm or dismiss a relapse, with the reason; needs If-Match. The same verdict again is harmless.

    `confirmed` acknowledges the alert and leaves it open; `dismissed` closes it as a false alarm. Another
    verdict than the one given before is refused (409), and so is one on an alert that is about no relapse.
    """
    version = required_version()
    with writing() as work:
        alert = verdicts.give(work, alert_id, body["verdict"], body["reason"], version)
    return alert, 200, etag(alert.version)


def _detail(record: Record) -> dict[str, Any]:
    names = record.names
    return joined(
        record.alert,
        AlertDetail,
        events=[joined(e, AlertEventAnswer, account=names.get(e.account_id)) for e in record.events],
        deliveries=[
            joined(d, AlertDeliveryAnswer, account=names.get(d.account_id)) for d in record.deliveries
        ],
    )
