"""Enrol, sign in, stay signed in, sign out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Response
from flask_jwt_extended import create_access_token

from schemas.sign_in import EnrolmentBody, MeAnswer, RefreshBody, SignInBody, TokensAnswer
from server.api import device_token
from server.api.address import client_address
from server.api.body import Blueprint
from server.api.edge import actor, allow, here, open_to_all, open_with_proof, reading, writing
from server.clinical.vocabulary import Role
from server.services.errors import NotSignedIn
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import invitation as invitations
from server.services.people import sign_in as sign_ins
from server.services.people import tries
from server.services.people.invitation import Enrolment
from server.services.people.sign_in import Credentials, Issued
from server.services.people.tries import Try
from server.services.work import Actor, Work

blueprint = Blueprint("sign-in", __name__, description="Enrolment by invitation, sign-in, tokens")


@blueprint.route("/enrolments", methods=["POST"])
@open_to_all
@blueprint.arguments(EnrolmentBody)
@blueprint.response(201, TokensAnswer)
def enrol(body: Mapping[str, Any]) -> Any:
    """Enrol with the code of an invitation; you are signed in at once."""
    around, now = here(), here().clock()
    with around.database.write() as session:
        tries.begin_enrolment(session, now, client_address())
    with around.database.write() as session:
        account = invitations.enrol(session, now, Enrolment(**body), around.passwords)
        work = Work(session, now, Actor(account.clinic_id, account.id, account.role))
        issued = sign_ins.start(work, account, _keep())
        slug = clinics.get(work).slug
        tries.end_enrolment(session, client_address())
    return _tokens(issued, device_token.issue(slug, account.email, issued.sign_in_id))


@blueprint.route("/sign-ins", methods=["POST"])
@open_to_all
@blueprint.arguments(SignInBody)
@blueprint.response(201, TokensAnswer)
def sign_in(body: Mapping[str, Any]) -> Any:
    """Sign in with clinic, e-mail and password.

    After five failures at one address each further try waits longer than the one before (429). A device
    that sends its `device_token` is never kept waiting by what others try elsewhere.
    """
    around, now, made = here(), here().clock(), _try(body)
    account = _proven(body, made)
    with around.database.write() as session:
        work = Work(session, now, Actor(account.clinic_id, account.id, account.role))
        issued = sign_ins.start(work, account, _keep())
        tries.succeeded(session, now, made)
    return _tokens(issued, device_token.issue(made.clinic, made.email, issued.sign_in_id))


def _try(body: Mapping[str, Any]) -> Try:
    clinic, email = body["clinic"], body["email"]
    device = device_token.read(body.get("device_token"), clinic, email)
    return Try(clinic, email, client_address(), device)


def _proven(body: Mapping[str, Any], made: Try) -> Any:
    """Return whose password it is; counted before that is known, in a transaction of its own."""
    around, now = here(), here().clock()
    with around.database.write() as session:
        tries.begin(session, now, made)
    try:
        # The slow password check stays outside the writing transaction.
        with around.database.read() as session:
            credentials = Credentials(body["clinic"], body["email"], body["password"])
            account = sign_ins.find_account(session, credentials, around.passwords)
            session.expunge(account)
            return account
    except NotSignedIn:
        with around.database.write() as session:
            tries.failed(session, now, made)
        raise


@blueprint.route("/sign-ins/refresh", methods=["POST"])
@open_with_proof
@blueprint.arguments(RefreshBody)
@blueprint.response(200, TokensAnswer)
def refresh(body: Mapping[str, Any]) -> Any:
    """Trade a refresh token for fresh tokens. Each works once; using one twice ends the sign-in."""
    around = here()
    with around.database.read() as session:
        sign_ins.check_known(session, body["refresh_token"])  # a guess costs no writing transaction
    with around.database.write() as session:
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


def _tokens(issued: Issued, device: str | None = None) -> dict[str, Any]:
    minutes = here().settings.access_minutes
    claims = {"clinic": str(issued.account.clinic_id), "sid": str(issued.sign_in_id)}
    access = create_access_token(
        str(issued.account.id), additional_claims=claims, expires_delta=timedelta(minutes=minutes)
    )
    told = {"access_token": access, "expires_in": minutes * 60, "refresh_token": issued.refresh_token}
    return {**told, "device_token": device}
