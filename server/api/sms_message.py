"""SMS that come in at the gateway: STOP is heeded, everything else is forgotten unread."""

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import ServiceUnavailable

from schemas.sms_message import SmsMessageQuery
from server.api.body import Blueprint
from server.api.edge import here, open_with_proof
from server.clinical.consent import is_stop
from server.isolation import Extent
from server.services.errors import NotFound
from server.services.messages import sms_stop
from server.settings import report_keys
from server.sms_report import is_inbound_proof

blueprint = Blueprint("sms messages", __name__, description="What people send back by SMS")


@blueprint.route("/sms-messages", methods=["GET"])
@open_with_proof
@blueprint.arguments(SmsMessageQuery, location="query")
@blueprint.response(204)
def take_sms(query: Mapping[str, Any]) -> None:
    """Take an SMS that came in. STOP holds before the next message to that number; again is harmless.

    The gateway's settings hold the address with its proof (`afterglow sms-address`); without it there is
    no such place. Whether the number is known is not told. 503: at some clinic it failed, and is to be sent
    again.
    """
    if not any(is_inbound_proof(key, query["proof"]) for key in report_keys(here().settings)):
        raise NotFound("place for messages")
    if not is_stop(query["keyword"]):
        return
    with here().database.write(Extent.ALL) as session:
        stopped = sms_stop.stop(session, here().clock(), query["number"])
    if not stopped.every:
        raise ServiceUnavailable("It does not hold everywhere yet. Send it again.")
