"""A new password for whoever forgot theirs."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from schemas.recovery import NewPasswordBody, RecoveryBody
from server.api.address import client_address
from server.api.body import Blueprint
from server.api.edge import here, open_to_all
from server.isolation import Extent
from server.services.people import recovered, tries
from server.services.people import recovery as recoveries
from server.services.people.recovered import NewPassword

blueprint = Blueprint("recovery", __name__, description="A new password for whoever forgot theirs")


@blueprint.route("/recoveries", methods=["POST"])
@open_to_all
@blueprint.arguments(RecoveryBody)
@blueprint.response(204)
def ask_for_recovery(body: Mapping[str, Any]) -> Response:
    """Ask for a new password. If there is such an account, a link arrives by e-mail, good for 15 minutes.

    The answer is the same for every address. Systems get no link.
    """
    around = here()
    with around.database.write(Extent.DOOR) as session:
        tries.ask_recovery(session, around.clock(), client_address())
        recoveries.ask(session, around.clock(), body["clinic"], body["email"])
    return Response(status=204)


@blueprint.route("/recoveries/redeem", methods=["POST"])
@open_to_all
@blueprint.arguments(NewPasswordBody)
@blueprint.response(204)
def redeem_recovery(body: Mapping[str, Any]) -> Response:
    """Set a new password with the code of the link. Every sign-in ends; sign in with the new password.

    So do pushes to every device of the account, and invitations that it made (of caregivers, staff, systems)
    and nobody has used: somebody else may have had it. A second factor is asked for as before.
    """
    around = here()
    new = NewPassword(**body, factor_required=around.settings.needs_second_factor)
    with around.database.write(Extent.DOOR) as session:
        whose = recovered.redeem(session, around.clock(), new, around.passwords)
        # Whoever reads the owner's mail is the owner: here they sign in, however many others guess elsewhere.
        tries.come_back(session, around.clock(), whose, client_address())
    return Response(status=204)
