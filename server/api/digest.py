"""The care team's week."""

from typing import Any

from schemas.digest import DigestAnswer
from server.api.alert import CARE
from server.api.body import Blueprint
from server.api.edge import allow, writing
from server.api.sharing import shares
from server.clinical.vocabulary import Purpose
from server.clinical.week import Week
from server.services.alerts import digest as digests

blueprint = Blueprint("digests", __name__, description="What the care team reads once a week")


@blueprint.route("/digests/<week:week>", methods=["GET"])
@allow(*CARE)
@shares(Purpose.CARE_TEAM)
@blueprint.response(200, DigestAnswer)
def get_digest(week: Week | None) -> Any:
    """Read a week, your own patients first: what no message told, what is open, what came of it. Audited.

    `current` is the newest week that is over, the one the weekly message tells of. The running week can
    be named and is shown so far. `p3` and `became` are of the alerts opened in the week; everything else
    is as it is now.
    """
    with writing() as work:
        return digests.read(work, week)
