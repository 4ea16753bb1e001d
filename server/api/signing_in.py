"""What the routes of sign-in share: who asks, what came with the request, and the tokens in the answer."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from server.api import device_token, tokens
from server.api.address import client_address
from server.api.edge import here, writing
from server.services.errors import NotSignedIn
from server.services.people import account as accounts
from server.services.people import sign_in as sign_ins
from server.services.people import sign_in_step as steps
from server.services.people import tries
from server.services.people.passkey import RelyingParty
from server.services.people.second_factor import Proof
from server.services.people.sign_in import Device, Issued, Life
from server.services.people.sign_in_step import Arrival, Asked


def party() -> RelyingParty:
    """Return who asks a browser for a passkey: the host of our public address."""
    address = urlsplit(here().settings.base_url)
    return RelyingParty(address.hostname or "", f"{address.scheme}://{address.netloc}")


def keep() -> timedelta:
    """Return for how long a sign-in may lie unused."""
    return timedelta(days=here().settings.refresh_days)


def life() -> Life:
    """Return when a sign-in ends by itself."""
    return Life(keep(), timedelta(days=here().settings.sign_in_days))


def arrival(body: Mapping[str, Any]) -> Arrival:
    """Return who arrives with the members of ``body``."""
    device = Device(keep(), body.get("device"))
    return Arrival(device, _proof(body), here().settings.needs_second_factor)


def tokens_of(outcome: Issued | Asked | None) -> dict[str, Any]:
    """Return the tokens of a sign-in; NotSignedIn where there is none."""
    if not isinstance(outcome, Issued):
        raise NotSignedIn
    lasts = timedelta(minutes=here().settings.access_minutes)
    who, whose = outcome.account, outcome.whose
    return {
        "access_token": tokens.issue(who.id, who.clinic_id, outcome.sign_in_id, lasts),
        "expires_in": int(lasts.total_seconds()),
        "refresh_token": outcome.refresh_token,
        "awaits_factor": outcome.awaits_factor,
        "device_token": whose and device_token.issue(*whose, outcome.sign_in_id),
    }


def remember(session: Session, outcome: Issued | Asked | None) -> None:
    """Where somebody was signed in, let the request's address be one that the account knows."""
    if isinstance(outcome, Issued) and outcome.whose is not None:
        tries.remember(session, here().clock(), outcome.whose, client_address())


def by_password(password: str) -> bool:
    """Step up with a password, for whoever has no second factor; return whether it fits."""
    with writing() as work:
        account = accounts.get(work)
        enough = steps.password_is_enough(work)
        tries.begin_second_factor(work.session, work.now, account.id)
    # Checked outside any transaction: it is slow on purpose.
    if not here().passwords.matches(account.password_hash, password) or not enough:
        with writing() as work:
            work.audit("step-up.refused", object_id=work.actor.sign_in_id)
        return False
    with writing() as work:
        tries.end_second_factor(work.session, account.id)
        sign_ins.step_up(work)
    return True


def by_factor(body: Mapping[str, Any]) -> bool:
    """Step up with a second factor; return whether it fits."""
    with writing() as work:
        proven = steps.prove_again(work, _proof(body), body.get("ticket"))
        if not proven:
            work.audit("step-up.refused", object_id=work.actor.sign_in_id)
        return proven


def _proof(body: Mapping[str, Any]) -> Proof:
    return Proof(party(), body.get("totp"), body.get("recovery_code"), body.get("passkey"))
