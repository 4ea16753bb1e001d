"""What people do with an alert: acknowledge, put off, pass on, judge, close, open again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.alert import AlertAnswer
from schemas.alert_handling import (
    AssignmentBody,
    FeedbackBody,
    HandOverAnswer,
    ReopeningBody,
    ResolutionBody,
    SnoozeBody,
    VerdictBody,
)
from server.api.alert import CARE
from server.api.body import Blueprint
from server.api.contract_notes import documented_headers
from server.api.edge import allow, writing
from server.api.version_header import etag, if_match, required_version, takes_version
from server.clinical.vocabulary import Role
from server.services.alerts import alert_feedback, alert_handling
from server.services.alerts import hand_over as hand_overs
from server.services.watch import verdict as verdicts

blueprint = Blueprint(
    "alert handling", __name__, description="Alerts: acknowledge, put off, pass on, judge, close"
)


@blueprint.route("/alerts/<uuid:alert_id>/acknowledge", methods=["POST"])
@allow(*CARE)
@blueprint.response(200, AlertAnswer, headers=documented_headers("ETag"))
@takes_version(required=False)
def acknowledge_alert(alert_id: UUID) -> Any:
    """Say "I have it": escalation stops until the contact clock runs out. Again renews it.

    With If-Match, an alert that has changed since you read it is refused instead (412).
    """
    version = if_match()
    with writing() as work:
        alert = alert_handling.acknowledge(work, alert_id, version)
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
def give_alert_verdict(body: Mapping[str, Any], alert_id: UUID) -> Any:
    """Confirm or dismiss a relapse, with the reason; needs If-Match. The same verdict again is harmless.

    `confirmed` acknowledges the alert and leaves it open; `dismissed` closes it as a false alarm. Another
    verdict than the one given before is refused (409), and so is one on an alert that is about no relapse.
    """
    version = required_version()
    with writing() as work:
        alert = verdicts.give(work, alert_id, body["verdict"], body["reason"], version)
    return alert, 200, etag(alert.version)


@blueprint.route("/alerts/<uuid:alert_id>/snooze", methods=["POST"])
@allow(*CARE)
@blueprint.arguments(SnoozeBody)
@blueprint.response(200, AlertAnswer, headers=documented_headers("ETag"))
@takes_version()
def snooze_alert(body: Mapping[str, Any], alert_id: UUID) -> Any:
    """Put an alert off until a moment, with the reason; needs If-Match.

    It is then open again and told anew. What is worse gets through all the same; a repeat does not.
    """
    version = required_version()
    with writing() as work:
        alert = alert_handling.snooze(work, alert_id, body["until"], body["reason"], version)
    return alert, 200, etag(alert.version)


@blueprint.route("/alerts/<uuid:alert_id>/assign", methods=["POST"])
@allow(*CARE)
@blueprint.arguments(AssignmentBody)
@blueprint.response(200, AlertAnswer, headers=documented_headers("ETag"))
@takes_version()
def assign_alert(body: Mapping[str, Any], alert_id: UUID) -> Any:
    """Put an alert into a colleague's hands, who is told; needs If-Match."""
    version = required_version()
    with writing() as work:
        alert = alert_handling.assign(work, alert_id, body["account_id"], body["note"], version)
    return alert, 200, etag(alert.version)


@blueprint.route("/alerts/<uuid:alert_id>/reopen", methods=["POST"])
@allow(*CARE)
@blueprint.arguments(ReopeningBody)
@blueprint.response(200, AlertAnswer, headers=documented_headers("ETag"))
@takes_version()
def reopen_alert(body: Mapping[str, Any], alert_id: UUID) -> Any:
    """Open a closed alert again, with the reason; you have then taken it on. Needs If-Match."""
    version = required_version()
    with writing() as work:
        alert = alert_handling.reopen(work, alert_id, body["reason"], version)
    return alert, 200, etag(alert.version)


@blueprint.route("/alerts/<uuid:alert_id>/feedback", methods=["POST"])
@allow(*CARE)
@blueprint.arguments(FeedbackBody)
@blueprint.response(200, AlertAnswer, headers=documented_headers("ETag"))
def give_alert_feedback(body: Mapping[str, Any], alert_id: UUID) -> Any:
    """Say of one rule of the alert that it was useful, or noise. Your last word counts.

    It changes nothing else: the alert's outcome is `resolve`. The clinic's alert budget is made of it.
    """
    with writing() as work:
        alert = alert_feedback.give(work, alert_id, body["code"], body["usefulness"])
    return alert, 200, etag(alert.version)


@blueprint.route("/alerts/hand-over", methods=["POST"])
@allow(*CARE)
@blueprint.arguments(AssignmentBody)
@blueprint.response(200, HandOverAnswer)
def hand_alerts_over(body: Mapping[str, Any]) -> Any:
    """End your shift: what you have in hand, and the rest of your time on call, goes to a colleague."""
    with writing() as work:
        return hand_overs.give(work, body["account_id"], body["note"])
