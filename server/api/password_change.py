"""Another password, in place."""

from collections.abc import Mapping
from typing import Any

from flask import Response

from schemas.password_change import PasswordChangeBody
from server.api.body import Blueprint
from server.api.edge import allow, here, writing
from server.clinical.vocabulary import Role
from server.services.errors import DoesNotFit
from server.services.people import password_change as changes

blueprint = Blueprint("password", __name__, description="Another password, in place")
# A system has nobody who would type: an administrator invites it anew.
PEOPLE = tuple(role for role in Role if role is not Role.INTEGRATION)


@blueprint.route("/me/password", methods=["PUT"])
@allow(*PEOPLE)
@blueprint.arguments(PasswordChangeBody)
@blueprint.response(204)
def change_password(body: Mapping[str, Any]) -> Response:
    """Change your password. You stay signed in here; every other sign-in of yours ends, and so do your
    export links and pushes to your devices: this one registers its own again. You are told.

    Who has a second factor proves it within five minutes before (403 `step-up-required`). A wrong
    `current_password` is 401 `does-not-fit` and counts like a wrong step-up; after five each try waits
    longer (429).
    """
    around = here()
    with writing() as work:
        known = changes.begin(work, body["new_password"], around.settings.needs_second_factor)
    # Checked and made outside any transaction: both are slow on purpose.
    if not around.passwords.matches(known, body["current_password"]):
        raise DoesNotFit
    made = around.passwords.hash(body["new_password"])
    with writing() as work:
        changes.change(work, known, made)
    return Response(status=204)
