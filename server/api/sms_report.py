"""What the SMS gateway reports: the only way in that has a proof in its address in place of a token."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from schemas.sms_report import SmsReportQuery
from server.api.body import Blueprint
from server.api.edge import here, open_with_proof
from server.isolation import Extent
from server.services.errors import NotFound
from server.services.messages import outbox_outcome
from server.settings import report_keys
from server.sms_report import is_proof, meaning_of

blueprint = Blueprint("sms reports", __name__, description="Delivery reports of the SMS gateway")


@blueprint.route("/sms-reports/<uuid:delivery_id>", methods=["GET"])
@open_with_proof
@blueprint.arguments(SmsReportQuery, location="query")
@blueprint.response(204)
def report_sms(query: Mapping[str, Any], delivery_id: UUID) -> Any:
    """Take the report on one SMS. We write the address ourselves; without its proof there is no such place.

    Again is harmless, and a failure after it arrived changes nothing. A state on the way is only noted.
    """
    keys = report_keys(here().settings)
    if not any(is_proof(key, delivery_id, query["proof"]) for key in keys):
        raise NotFound("report")
    meaning = meaning_of(query["status"])
    if meaning is None:
        return
    # Of a ladder that is at its end operations are told, who are another clinic.
    with here().database.write(Extent.ALL) as session:
        if not outbox_outcome.report(session, here().clock(), delivery_id, meaning == "delivered"):
            raise NotFound("report")
