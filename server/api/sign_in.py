"""Sign in, stay signed in, sign out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from schemas.factor import ChallengeAnswer
from schemas.sign_in import (
    MeAnswer,
    OwnSignIn,
    OwnSignInsAnswer,
    RefreshBody,
    SecondFactorBody,
    SignInBody,
    StepUpBody,
    TokensAnswer,
)
from server.api import device_token, signing_in
from server.api.address import client_address
from server.api.body import Blueprint
from server.api.edge import actor, allow, here, open_to_all, open_with_proof, reading, writing
from server.api.shapes import joined
from server.clinical.vocabulary import Role
from server.isolation import Extent
from server.services.errors import DoesNotFit, FactorRequired, NotSignedIn
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import sign_in as sign_ins
from server.services.people import sign_in_refresh as refreshes
from server.services.people import sign_in_step as steps
from server.services.people import sign_out as sign_outs
from server.services.people import tries
from server.services.people.sign_in import Credentials
from server.services.people.sign_in_step import Asked
from server.services.people.tries import Try
from server.services.work import Actor, Work

blueprint = Blueprint("sign-in", __name__, description="Sign-in, tokens, devices")
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN)


@blueprint.route("/sign-ins", methods=["POST"])
@open_to_all
@blueprint.arguments(SignInBody)
@blueprint.response(201, TokensAnswer)
def sign_in(body: Mapping[str, Any]) -> Any:
    """Sign in with clinic, e-mail and password, and a second factor where the account has one.

    Without it the answer is 401 `second-factor-required` with a `ticket` and the `ways` there are; send it
    to `/v1/sign-ins/second-factor`. Staff who need one and have none can do nothing before they add it.
    After five failures at one address each further try waits longer than the one before (429). A device
    that sends its `device_token` is never kept waiting by what others try elsewhere.
    """
    around = here()
    made = _begun(body)
    account = _proven(body, made)
    renewed = around.passwords.renewed(account.password_hash, body["password"])
    with around.database.write() as session:
        work = Work(session, around.clock(), Actor(account.clinic_id, account.id, account.role))
        account = sign_ins.locked(work, account)
        sign_ins.renew_hash(work, account, renewed)
        tries.password_fitted(session, work.now, made)
        outcome = steps.after_password(work, account, signing_in.arrival(body))
        signing_in.remember(session, outcome)
    if isinstance(outcome, Asked):
        raise FactorRequired(ticket=outcome.ticket, ways=outcome.ways, passkey=outcome.passkey)
    return signing_in.tokens_of(outcome)


def _try(body: Mapping[str, Any]) -> Try:
    clinic, email = body["clinic"], body["email"]
    return Try(clinic, email, client_address(), device_token.read(body.get("device_token"), clinic, email))


def _begun(body: Mapping[str, Any]) -> Try:
    """Return the try as it was counted, before it is known how it ends: in a transaction of its own."""
    around = here()
    with around.database.write(Extent.DOOR) as session:
        return tries.begin(session, around.clock(), _try(body))


def _proven(body: Mapping[str, Any], made: Try) -> Any:
    """Return whose password it is."""
    around = here()
    try:
        # The slow password check stays outside the writing transaction.
        with around.database.read(Extent.DOOR) as session:
            credentials = Credentials(body["clinic"], body["email"], body["password"])
            account = sign_ins.find_account(session, credentials, around.passwords)
            session.expunge(account)
            return account
    except NotSignedIn:
        with around.database.write(Extent.DOOR) as session:
            tries.failed(session, around.clock(), made)
        raise


@blueprint.route("/sign-ins/second-factor", methods=["POST"])
@open_to_all
@blueprint.arguments(SecondFactorBody)
@blueprint.response(201, TokensAnswer)
def prove_second_factor(body: Mapping[str, Any]) -> Any:
    """Finish a sign-in within five minutes: the ticket, and a code, a recovery code or a passkey.

    401 `does-not-fit`: that is wrong, and the ticket still good; `not-signed-in`: begin with the password.
    """
    around = here()
    with around.database.write(Extent.DOOR) as session:
        issued = steps.with_ticket(session, around.clock(), body["ticket"], signing_in.arrival(body))
        signing_in.remember(session, issued)
    if issued is None:
        raise DoesNotFit
    return signing_in.tokens_of(issued)


@blueprint.route("/sign-ins/refresh", methods=["POST"])
@open_with_proof
@blueprint.arguments(RefreshBody)
@blueprint.response(200, TokensAnswer)
def refresh_sign_in(body: Mapping[str, Any]) -> Any:
    """Trade a refresh token for fresh tokens. Each works once; using one twice ends the sign-in.

    Whoever lost the answer sends the same again within 30 seconds and gets the same refresh token. However
    much it is used, a sign-in ends at its `ends_at` (`GET /v1/me/sign-ins`): 401, sign in anew.
    """
    around = here()
    with around.database.read(Extent.DOOR) as session:
        sign_ins.check_known(session, body["refresh_token"])  # a guess costs no writing transaction
    with around.database.write(Extent.DOOR) as session:
        issued = refreshes.refresh(session, body["refresh_token"], around.clock(), signing_in.life())
    return signing_in.tokens_of(issued)


@blueprint.route("/sign-ins/step-up/challenge", methods=["POST"])
@allow(*STAFF)
@blueprint.response(201, ChallengeAnswer)
def begin_step_up() -> Any:
    """Ask for what your passkey has to sign, to step up with."""
    with writing() as work:
        return steps.challenge(work, signing_in.party())


@blueprint.route("/sign-ins/step-up", methods=["POST"])
@allow(*Role, before_factor=True)
@blueprint.arguments(StepUpBody)
@blueprint.response(204)
def step_up(body: Mapping[str, Any]) -> Response:
    """Prove again that it is you: what is worth a second look is open for five minutes then.

    With your second factor if you have one, else with your password. What is wrong is 401 `does-not-fit`:
    you stay signed in, and a refresh changes nothing.
    """
    proven = signing_in.by_password(body["password"]) if "password" in body else signing_in.by_factor(body)
    if not proven:
        raise DoesNotFit
    return Response(status=204)


@blueprint.route("/sign-ins/current", methods=["DELETE"])
@allow(*Role, before_factor=True)
@blueprint.response(204)
def sign_out() -> Response:
    """Sign out: this device's tokens are refused from now on."""
    with writing() as work:
        assert work.actor.sign_in_id is not None
        sign_ins.end(work, work.actor.sign_in_id)
    return Response(status=204)


@blueprint.route("/me/sign-ins", methods=["GET"])
@allow(*Role)
@blueprint.response(200, OwnSignInsAnswer)
def list_own_sign_ins() -> Any:
    """Read where you are signed in."""
    with reading() as work:
        life = signing_in.life()
        rows, this_one = sign_ins.own(work, life), work.actor.sign_in_id
        shown = [(row, {"is_this_one": row.id == this_one, "ends_at": life.end(row)}) for row in rows]
        return {"items": [joined(row, OwnSignIn, **more) for row, more in shown]}


@blueprint.route("/me/sign-ins", methods=["DELETE"])
@allow(*Role)
@blueprint.response(204)
def end_own_sign_ins() -> Response:
    """Sign out everywhere, here too. With it end your export links, and pushes to your devices."""
    with writing() as work:
        assert work.actor.account_id is not None
        sign_outs.everywhere(work, work.actor.account_id)
    return Response(status=204)


@blueprint.route("/me/sign-ins/<uuid:sign_in_id>", methods=["DELETE"])
@allow(*Role)
@blueprint.response(204)
def end_own_sign_in(sign_in_id: UUID) -> Response:
    """End one of your sign-ins: its tokens are refused from the next request on."""
    with writing() as work:
        sign_ins.end_own(work, sign_in_id)
    return Response(status=204)


@blueprint.route("/me", methods=["GET"])
@allow(*Role, before_factor=True)
@blueprint.response(200, MeAnswer)
def get_me() -> Any:
    """Say who this token stands for."""
    with reading() as work:
        name, clinic = accounts.get(work).name, clinics.get(work).slug
    who = actor()
    return {
        "account_id": who.account_id,
        "clinic_id": who.clinic_id,
        "clinic": clinic,
        "role": who.role,
        "name": name,
        "patient_id": who.patient_id,
    }
