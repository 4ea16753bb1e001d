"""Passkeys (WebAuthn): what a browser is asked to make or to sign, and whether what came back is right."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import update
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from server.models import Factor, Ticket
from server.services.work import Work

Credential = Mapping[str, Any]
# What a browser sends is anybody's: whatever can't be read is no proof.
_UNREADABLE = (WebAuthnException, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks: the host name that passkeys are bound to, and the page's origin (scheme, host and port)."""

    id: str
    origin: str
    name: str = "Afterglow"


def registration(party: RelyingParty, email: str, ticket: Ticket, known: Sequence[Factor]) -> Any:
    """Return what the browser's `navigator.credentials.create` takes; passkeys ``known`` are left out.

    ``email`` is that of the ticket's account: the browser shows it beside the passkey.
    """
    wanted = generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=ticket.account_id.bytes,
        user_name=email,
        challenge=_challenge(ticket),
        exclude_credentials=_descriptors(known),
        authenticator_selection=AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.PREFERRED
        ),
    )
    return json.loads(options_to_json(wanted))


def made(party: RelyingParty, ticket: Ticket, credential: Credential) -> tuple[dict[str, str], int] | None:
    """Return id and public key of a new passkey, base64url, and its count; None where it is not right."""
    try:
        found = verify_registration_response(
            credential=dict(credential),
            expected_challenge=_challenge(ticket),
            expected_rp_id=party.id,
            expected_origin=party.origin,
        )
    except _UNREADABLE:
        return None
    secret = {
        "id": bytes_to_base64url(found.credential_id),
        "key": bytes_to_base64url(found.credential_public_key),
    }
    return secret, found.sign_count


def assertion(party: RelyingParty, ticket: Ticket, known: Sequence[Factor]) -> Any:
    """Return what the browser's `navigator.credentials.get` takes for one of the passkeys ``known``."""
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
    except _UNREADABLE:
        return None
    return passkey.id if _counted(work, passkey, found.new_sign_count) else None


def _counted(work: Work, passkey: Factor, count: int) -> bool:
    """Keep the new count, unless another sign-in has moved it meanwhile."""
    won = work.session.execute(
        update(Factor)
        .where(
            Factor.clinic_id == work.clinic_id,
            Factor.id == passkey.id,
            Factor.sign_count == passkey.sign_count,
        )
        .values(sign_count=count, last_used_at=work.now)
        .returning(Factor.id)
    ).first()
    return won is not None


def _descriptors(known: Sequence[Factor]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.secret["id"])) for one in known]


def _challenge(ticket: Ticket) -> bytes:
    return urlsafe_b64decode(ticket.challenge + "=" * (-len(ticket.challenge) % 4))
