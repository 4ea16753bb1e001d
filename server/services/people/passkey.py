"""Passkeys (WebAuthn): what a browser is asked to make or to sign, and whether what came back is right.

The library is loaded by whoever first needs it: few processes ever do, and it is not small.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update

from server.models import Factor, Ticket
from server.services.work import Work

Credential = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks: the host name that passkeys are bound to, and the page's origin (scheme, host and port)."""

    id: str
    origin: str
    name: str = "Afterglow"


def registration(party: RelyingParty, label: str, ticket: Ticket, known: Sequence[Factor]) -> Any:
    """Return what the browser's `navigator.credentials.create` takes; passkeys ``known`` are left out.

    ``label``: what the browser shows beside the passkey of the ticket's account.
    """
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria, UserVerificationRequirement

    wanted = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=ticket.account_id.bytes,
        user_name=label,
        challenge=_challenge(ticket),
        exclude_credentials=_descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    return json.loads(options_to_json(wanted))


def made(party: RelyingParty, ticket: Ticket, credential: Credential) -> tuple[dict[str, str], int] | None:
    """Return id and public key of a new passkey, base64url, and its count; None where it is not right."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    try:
        found = verify_registration_response(
            credential=dict(credential),
            expected_challenge=_challenge(ticket),
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    except _unreadable():
        return None
    secret = {
        "id": bytes_to_base64url(found.credential_id),
        "key": bytes_to_base64url(found.credential_public_key),
    }
    return secret, found.sign_count


def assertion(party: RelyingParty, ticket: Ticket, known: Sequence[Factor]) -> Any:
    """Return what the browser's `navigator.credentials.get` takes for one of the passkeys ``known``."""
    from webauthn import generate_authentication_options, options_to_json

    wanted = generate_authentication_options(
        rp_id=party.id, challenge=_challenge(ticket), allow_credentials=_descriptors(known)
    )
    return json.loads(options_to_json(wanted))


def fits(
    work: Work, party: RelyingParty, ticket: Ticket, credential: Credential, known: Sequence[Factor]
) -> UUID | None:
    """Return which of the passkeys ``known`` (opened) signed the ticket's challenge, or None.

    A count that did not rise is refused: there is a copy of that passkey. Those that never count
    (synchronised ones) stay at 0.
    """
    from webauthn import base64url_to_bytes, verify_authentication_response

    passkey = next((one for one in known if one.secret["id"] == credential.get("id")), None)
    if passkey is None:
        return None
    try:
        found = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=_challenge(ticket),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=base64url_to_bytes(passkey.secret["key"]),
            credential_current_sign_count=passkey.sign_count or 0,
        )
    except _unreadable():
        return None
    return passkey.id if _counted(work, passkey, found.new_sign_count) else None


def _counted(work: Work, passkey: Factor, count: int) -> bool:
    """Keep the new count, unless another sign-in has moved it meanwhile, or the passkey was taken away."""
    won = work.session.execute(
        update(Factor)
        .where(
            Factor.clinic_id == work.clinic_id,
            Factor.id == passkey.id,
            Factor.retired_at.is_(None),
            Factor.sign_count == passkey.sign_count,
        )
        .values(sign_count=count, last_used_at=work.now)
        .returning(Factor.id)
    ).first()
    return won is not None


def _unreadable() -> tuple[type[Exception], ...]:
    """Return what a credential raises that can't be read: what a browser sends is anybody's, and no proof."""
    from webauthn.helpers.exceptions import WebAuthnException

    return WebAuthnException, ValueError, KeyError, TypeError


def _descriptors(known: Sequence[Factor]) -> list[Any]:
    from webauthn import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.secret["id"])) for one in known]


def _challenge(ticket: Ticket) -> bytes:
    return urlsafe_b64decode(ticket.challenge + "=" * (-len(ticket.challenge) % 4))
