"""Second factors: authenticator codes, passkeys, recovery codes."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, fields, validate

from schemas.base import Answer, Body
from schemas.fields import Code, Id, Moment, Text
from schemas.spelling import Fully
from server.clinical.vocabulary import FactorKind

LONGEST_NAME = 100
_SIX_DIGITS = Fully("^[0-9]{6}$", error="Must be six digits.")
CODE_EXAMPLE = "492039"


class TotpCode(fields.String):
    """The six digits that an authenticator shows."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=_SIX_DIGITS, load_only=True, **kwargs)


class RecoveryCodeText(Text):
    """A recovery code; spaces, dashes and capitals do not matter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=64, shortest=1, load_only=True, **kwargs)


class _FromBrowser(Schema):
    """No body of ours: what a browser makes has members we do not need, and newer ones have more."""

    class Meta:
        """marshmallow's settings."""

        unknown = EXCLUDE
        ordered = True


class _Encoded(Text):
    """Bytes as base64url, as browsers write them."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        super().__init__(longest=longest, shortest=1, required=True, **kwargs)


def _named(name: str) -> dict[str, str]:
    """Return what gives a field the name that browsers use, on the wire and once it is read."""
    return {"data_key": name, "attribute": name}


class NewCredentialResponse(_FromBrowser):
    """The authenticator's answer to a registration."""

    client_data = _Encoded(8192, **_named("clientDataJSON"))
    attestation = _Encoded(65536, **_named("attestationObject"))


class NewCredential(_FromBrowser):
    """A `PublicKeyCredential` of `navigator.credentials.create`, as its `toJSON()` writes it."""

    id = _Encoded(2048)
    raw_id = _Encoded(2048, **_named("rawId"))
    type = fields.String(required=True, validate=validate.OneOf(["public-key"]))
    response = fields.Nested(NewCredentialResponse, required=True)


class SignedResponse(_FromBrowser):
    """The authenticator's answer to a challenge."""

    client_data = _Encoded(8192, **_named("clientDataJSON"))
    authenticator_data = _Encoded(8192, **_named("authenticatorData"))
    signature = _Encoded(2048)


class SignedCredential(_FromBrowser):
    """A `PublicKeyCredential` of `navigator.credentials.get`, as its `toJSON()` writes it."""

    id = _Encoded(2048)
    raw_id = _Encoded(2048, **_named("rawId"))
    type = fields.String(required=True, validate=validate.OneOf(["public-key"]))
    response = fields.Nested(SignedResponse, required=True)


class FactorBody(Body):
    """What its owner calls a new authenticator."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"name": "my telephone"}

    name = Text(longest=LONGEST_NAME, shortest=1, required=True)


class ConfirmationBody(Body):
    """The first code of a new authenticator."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"totp": CODE_EXAMPLE}

    totp = TotpCode(required=True)


class PasskeyBody(Body):
    """The passkey that a browser has made, with the ticket of its options."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "ticket": "the ticket of the options",
        "name": "my laptop",
        "credential": {
            "id": "AQIDBA",
            "rawId": "AQIDBA",
            "type": "public-key",
            "response": {"clientDataJSON": "e30", "attestationObject": "oA"},
        },
    }

    ticket = Text(longest=128, shortest=1, required=True, load_only=True)
    name = Text(longest=LONGEST_NAME, shortest=1, required=True)
    credential = fields.Nested(NewCredential, required=True)


class FactorAnswer(Answer):
    """One second factor."""

    id = Id(required=True)
    kind = Code(FactorKind, required=True)
    name = fields.String(required=True)
    created_at = Moment(required=True)
    last_used_at = Moment(required=True, allow_none=True)


class FactorsAnswer(Answer):
    """Your second factors, and how many recovery codes are left."""

    items = fields.List(fields.Nested(FactorAnswer), required=True)
    recovery_codes_left = fields.Integer(required=True)


class NewTotpAnswer(Answer):
    """A new authenticator, shown once: the secret, and the address to show as a QR code."""

    id = Id(required=True)
    secret = fields.String(required=True)
    address = fields.String(required=True)


class ChallengeAnswer(Answer):
    """What to hand to `navigator.credentials`, and the ticket its answer comes back with."""

    ticket = fields.String(required=True)
    options = fields.Dict(required=True)


class ConfirmedAnswer(Answer):
    """A factor that counts from now on; with the first one recovery codes, shown only now."""

    factor = fields.Nested(FactorAnswer, required=True)
    recovery_codes = fields.List(fields.String(), required=True, allow_none=True)


class RecoveryCodesAnswer(Answer):
    """Ten new recovery codes, shown only now; those before end."""

    recovery_codes = fields.List(fields.String(), required=True)
