"""The accounts of a clinic's staff and systems, and ending sign-ins of others."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.account import AccountAnswer, AccountsAnswer, ColleaguesAnswer, SystemScopesBody
from server.api.body import Blueprint
from server.api.edge import allow, reading, stepped_up, writing
from server.api.shapes import joined
from server.clinical.vocabulary import Role
from server.services.people import account as accounts
from server.services.people import account_admin, account_return
from server.services.people import patient as patients
from server.services.people import sign_out as sign_outs

blueprint = Blueprint("accounts", __name__, description="Accounts of staff and systems")
ONE = "/clinic/accounts/<uuid:account_id>"
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN)


@blueprint.route("/clinic/accounts", methods=["GET"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(200, AccountsAnswer)
def list_accounts() -> Any:
    """Read the accounts of your clinic's staff and systems."""
    with reading() as work:
        return {"items": [_shown(one) for one in account_admin.listed(work)]}


@blueprint.route("/clinic/colleagues", methods=["GET"])
@allow(*STAFF)
@blueprint.response(200, ColleaguesAnswer)
def list_colleagues() -> Any:
    """Read who works at your clinic: an alert or a shift is given to one of these `id`s.

    A patient is given to that of a `clinician`.
    """
    with reading() as work:
        return {"items": accounts.recipients(work, set(STAFF))}


@blueprint.route(f"{ONE}/sign-ins", methods=["DELETE"])
@allow(Role.CLINIC_ADMIN)
@blueprint.response(204)
def end_sign_ins(account_id: UUID) -> Response:
    """End every sign-in of an account, and its export links: all are refused from the next request on.

    No push goes to its devices until somebody signs in on one and registers it again.
    """
    with writing() as work:
        account_admin.end_sign_ins(work, account_id)
    return Response(status=204)


@blueprint.route(f"{ONE}/disable", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@blueprint.response(204)
def disable_account(account_id: UUID) -> Response:
    """Close an account; its sign-ins, export links and open invitations of staff end. Again is harmless.

    Not your own. With a patient's account their caregivers end.
    """
    with writing() as work:
        account_admin.disable(work, account_id)
    return Response(status=204)


@blueprint.route(f"{ONE}/enable", methods=["POST"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@blueprint.response(204)
def enable_account(account_id: UUID) -> Response:
    """Open a closed account again."""
    with writing() as work:
        account_admin.enable(work, account_id)
    return Response(status=204)


@blueprint.route(f"{ONE}/factors", methods=["DELETE"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@blueprint.response(204)
def reset_factors(account_id: UUID) -> Response:
    """Take away the second factors of a colleague who has lost them; make sure first that it is them."""
    with writing() as work:
        account_admin.reset_factors(work, account_id)
    return Response(status=204)


@blueprint.route(f"{ONE}/scopes", methods=["PUT"])
@allow(Role.CLINIC_ADMIN)
@stepped_up
@blueprint.arguments(SystemScopesBody)
@blueprint.response(204)
def set_scopes(body: Mapping[str, Any], account_id: UUID) -> Response:
    """Say what one of your clinic's systems may do; it holds from its next request on. Audited."""
    with writing() as work:
        account_admin.set_scopes(work, account_id, body["scopes"])
    return Response(status=204)


@blueprint.route("/patients/<uuid:patient_id>/sign-ins", methods=["DELETE"])
@allow(Role.CLINICIAN, Role.COORDINATOR)
@blueprint.response(204)
def end_patient_sign_ins(patient_id: UUID) -> Response:
    """End every sign-in of a patient, who has lost a telephone, say, and the export links they asked for.

    What was not synced stays on it, and no push goes there any more.
    """
    with writing() as work:
        patients.get(work, patient_id)
        account = account_return.of_patient(work, patient_id)
        if account is not None:
            sign_outs.everywhere(work, account.id)
    return Response(status=204)


def _shown(one: account_admin.KnownAccount) -> dict[str, Any]:
    return joined(one.account, AccountAnswer, email=one.email, has_second_factor=one.has_factor)
