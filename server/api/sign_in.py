"""Enrol, sign in, stay signed in, sign out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Response
from flask_jwt_extended import create_access_token

from schemas.sign_in import EnrolmentBody, MeAnswer, RefreshBody, SignInBody, TokensAnswer
from server.api.body import Blueprint
from server.api.edge import actor, allow, here, open_to_all, reading, writing
from server.clinical.vocabulary import Role
from server.isolation import Scope
from server.services.errors import NotSignedIn
from server.services.people import account as accounts
from server.services.people import invitation as invitations
from server.services.people import sign_in as sign_ins
from server.services.people.invitation import Enrolment
from server.services.people.sign_in import Credentials, Issued
from server.services.work import Actor, Work

blueprint = Blueprint("sign-in", __name__, description="Enrolment by invitation, sign-in, tokens")


@blueprint.route("/enrolments", methods=["POST"])
@open_to_all
@blueprint.arguments(EnrolmentBody)
@blueprint.response(201, TokensAnswer)
def enrol(body: Mapping[str, Any]) -> Any:
    """Enrol with the code of an invitation; you are signed in at once."""
    around = here()
    with around.database.write(Scope.DOOR) as session:
        account = invitations.enrol(session, around.clock(), Enrolment(**body), around.passwords)
        work = Work(session, around.clock(), Actor(account.clinic_id, account.id, account.role))
        issued = sign_ins.start(work, account, _keep())
    return _tokens(issued)


@blueprint.route("/sign-ins", methods=["POST"])
@open_to_all
@blueprint.arguments(SignInBody)
@blueprint.response(201, TokensAnswer)
def sign_in(body: Mapping[str, Any]) -> Any:
    """Sign in with clinic, e-mail and password."""
    around = here()
    # The slow password check stays outside the writing transaction.
    with around.database.read(Scope.DOOR) as session:
        account = sign_ins.find_account(session, Credentials(**body), around.passwords)
        session.expunge(account)
    with around.database.write() as session:
        work = Work(session, around.clock(), Actor(account.clinic_id, account.id, account.role))
        issued = sign_ins.start(work, account, _keep())
    return _tokens(issued)


@blueprint.route("/sign-ins/refresh", methods=["POST"])
@open_to_all
@blueprint.arguments(RefreshBody)
@blueprint.response(200, TokensAnswer)
def refresh(body: Mapping[str, Any]) -> Any:
    """Trade a refresh token for fresh tokens. Each works once; using one twice ends the sign-in."""
    around = here()
    with around.database.write(Scope.DOOR) as session:
        issued = sign_ins.refresh(session, body["refresh_token"], around.clock(), _keep())
    if issued is None:
        raise NotSignedIn
    return _tokens(issued)


@blueprint.route("/sign-ins/current", methods=["DELETE"])
@allow(*Role)
@blueprint.response(204)
def sign_out() -> Response:
    """Sign out: this device's tokens are refused from now on."""
    with writing() as work:
        sign_in_id = work.actor.sign_in_id
        assert sign_in_id is not None
        sign_ins.end(work, sign_in_id)
    return Response(status=204)


@blueprint.route("/me", methods=["GET"])
@allow(*Role)
@blueprint.response(200, MeAnswer)
def me() -> Any:
    """Say who this token stands for."""
    with reading() as work:
        name = accounts.get(work).name
    who = actor()
    return {
        "account_id": who.account_id,
        "clinic_id": who.clinic_id,
        "role": who.role,
        "name": name,
        "patient_id": who.patient_id,
    }


def _keep() -> timedelta:
    return timedelta(days=here().settings.refresh_days)


def _tokens(issued: Issued) -> dict[str, Any]:
    minutes = here().settings.access_minutes
    claims = {"clinic": str(issued.account.clinic_id), "sid": str(issued.sign_in_id)}
    access = create_access_token(
        str(issued.account.id), additional_claims=claims, expires_delta=timedelta(minutes=minutes)
    )
    return {"access_token": access, "expires_in": minutes * 60, "refresh_token": issued.refresh_token}
