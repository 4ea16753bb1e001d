"""Your own second factors."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.factor import (
    ChallengeAnswer,
    ConfirmationBody,
    ConfirmedAnswer,
    FactorBody,
    FactorsAnswer,
    NewTotpAnswer,
    PasskeyBody,
    RecoveryCodesAnswer,
)
from server.api.body import Blueprint
from server.api.edge import allow, here, reading, stepped_up, writing
from server.api.signing_in import party
from server.clinical.vocabulary import Role
from server.services.errors import Invalid
from server.services.people import factor as factors
from server.services.people import recovery_code as recovery_codes

blueprint = Blueprint("second factor", __name__, description="Authenticators, passkeys, recovery codes")
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN)


@blueprint.route("/me/factors", methods=["GET"])
@allow(*STAFF, before_factor=True)
@blueprint.response(200, FactorsAnswer)
def list_factors() -> Any:
    """Read your second factors."""
    with reading() as work:
        rows = factors.own(work)
        assert work.actor.account_id is not None
        left = recovery_codes.left(work, work.actor.account_id)
        return {"items": rows, "recovery_codes_left": left}


@blueprint.route("/me/factors/totp", methods=["POST"])
@allow(*STAFF, before_factor=True)
@stepped_up
@blueprint.arguments(FactorBody)
@blueprint.response(201, NewTotpAnswer)
def add_totp(body: Mapping[str, Any]) -> Any:
    """Begin with an authenticator app; it counts once you have confirmed it with a code."""
    with writing() as work:
        return factors.begin_totp(work, body["name"])


@blueprint.route("/me/factors/totp/<uuid:factor_id>/confirm", methods=["POST"])
@allow(*STAFF, before_factor=True)
@stepped_up
@blueprint.arguments(ConfirmationBody)
@blueprint.response(200, ConfirmedAnswer)
def confirm_totp(body: Mapping[str, Any], factor_id: UUID) -> Any:
    """Confirm an authenticator with its first code. With the first factor come ten recovery codes."""
    with writing() as work:
        confirmed = factors.confirm_totp(work, factor_id, body["totp"])
    if confirmed is None:
        raise Invalid("/totp", "This is not the code of now.")
    return confirmed


@blueprint.route("/me/factors/passkeys/options", methods=["POST"])
@allow(*STAFF, before_factor=True)
@stepped_up
@blueprint.response(201, ChallengeAnswer)
def begin_passkey() -> Any:
    """Ask for what `navigator.credentials.create` takes."""
    with writing() as work:
        return factors.begin_passkey(work, party())


@blueprint.route("/me/factors/passkeys", methods=["POST"])
@allow(*STAFF, before_factor=True)
@stepped_up
@blueprint.arguments(PasskeyBody)
@blueprint.response(201, ConfirmedAnswer)
def add_passkey(body: Mapping[str, Any]) -> Any:
    """Add the passkey that the browser has made. With the first factor come ten recovery codes."""
    with writing() as work:
        made = factors.add_passkey(work, party(), body["ticket"], body["name"], body["credential"])
    if made is None:
        raise Invalid("/credential", "This passkey was not made for us.")
    return made


@blueprint.route("/me/factors/<uuid:factor_id>", methods=["DELETE"])
@allow(*STAFF)
@stepped_up
@blueprint.response(204)
def remove_factor(factor_id: UUID) -> Response:
    """Take a second factor away; the last one stays where one is required."""
    with writing() as work:
        factors.remove(work, factor_id, here().settings.needs_second_factor)
    return Response(status=204)


@blueprint.route("/me/recovery-codes", methods=["POST"])
@allow(*STAFF)
@stepped_up
@blueprint.response(201, RecoveryCodesAnswer)
def renew_recovery_codes() -> Any:
    """Make ten new recovery codes; those before end."""
    with writing() as work:
        assert work.actor.account_id is not None
        return {"recovery_codes": recovery_codes.renew(work, work.actor.account_id)}
