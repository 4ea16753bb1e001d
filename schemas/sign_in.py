"""Signing in, staying signed in, enrolling."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validates_schema

from schemas.base import Answer, Body
from schemas.combining import ExactlyOne
from schemas.factor import CODE_EXAMPLE, LONGEST_NAME, RecoveryCodeText, SignedCredential, TotpCode
from schemas.fields import Code, Email, Id, Moment, Text
from schemas.short_name import ShortName
from server.clinical.vocabulary import Role

# How long it must be depends on who chooses: `services.people.password_rules`.
PASSWORD_SHORTEST, PASSWORD_LONGEST = 8, 128


DEVICE = {"description": "what you call the device", "example": "my telephone"}


class SignInBody(Body):
    """What a person types."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "clinic": "demo",
        "email": "ana@demo.example",
        "password": "four words are fine",
    }

    clinic = ShortName(required=True)
    email = Email(required=True, metadata={"example": "ana@demo.example"})
    password = Text(longest=PASSWORD_LONGEST, shortest=1, required=True, load_only=True)
    totp = TotpCode()
    recovery_code = RecoveryCodeText()
    device = Text(longest=LONGEST_NAME, shortest=1, metadata=DEVICE)
    device_token = Text(
        longest=256,
        shortest=1,
        load_only=True,
        metadata={"description": "of this device's last sign-in"},
    )


def _one_of(*names: str) -> ExactlyOne:
    return ExactlyOne(names, f"Send one of {', '.join(names)}.")


class SecondFactorBody(Body):
    """The second half of a sign-in: the ticket, and one of the three."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"ticket": "the ticket of the answer before", "totp": CODE_EXAMPLE}
    TOGETHER: ClassVar[ExactlyOne] = _one_of("totp", "recovery_code", "passkey")

    ticket = Text(longest=128, shortest=1, required=True, load_only=True)
    totp = TotpCode()
    recovery_code = RecoveryCodeText()
    passkey = fields.Nested(SignedCredential)
    device = Text(longest=LONGEST_NAME, shortest=1, metadata=DEVICE)

    @validates_schema
    def _one_of_them(self, data: Mapping[str, Any], **_: Any) -> None:
        self.TOGETHER.check(data)


class StepUpBody(Body):
    """Proof that it is still you: a second factor if you have one, else your password."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"password": "four words are fine"}
    TOGETHER: ClassVar[ExactlyOne] = _one_of("password", "totp", "passkey")

    password = Text(longest=PASSWORD_LONGEST, shortest=1, load_only=True)
    totp = TotpCode()
    passkey = fields.Nested(SignedCredential)
    ticket = Text(longest=128, shortest=1, load_only=True, metadata={"description": "goes with a passkey"})

    @validates_schema
    def _one_of_them(self, data: Mapping[str, Any], **_: Any) -> None:
        self.TOGETHER.check(data)


class RefreshBody(Body):
    """The refresh token of the answer before; each works once."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"refresh_token": "the refresh_token of the last answer"}

    refresh_token = Text(longest=128, shortest=1, required=True, load_only=True)


class TokensAnswer(Answer):
    """A short-lived access token for `Authorization: Bearer`, and its single-use refresh token."""

    access_token = fields.String(required=True)
    token_type = fields.Constant("Bearer", metadata={"type": "string", "enum": ["Bearer"]})
    expires_in = fields.Integer(required=True, metadata={"description": "seconds", "example": 600})
    refresh_token = fields.String(required=True)
    awaits_factor = fields.Boolean(
        required=True, metadata={"description": "it can do nothing before a second factor is added"}
    )
    device_token = fields.String(
        allow_none=True,
        metadata={
            "description": "keep it, and send it with the next sign-in on this device, also after a "
            "sign-out: others who fail elsewhere then do not make it wait. Null after a refresh"
        },
    )


class OwnSignIn(Answer):
    """One of your sign-ins. ``last_used_at``: when its tokens were last refreshed."""

    id = Id(required=True)
    device = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    last_used_at = Moment(required=True)
    ends_at = Moment(
        required=True,
        metadata={"description": "however much it is used; unused it ends earlier. Ask to sign in before"},
    )
    is_this_one = fields.Boolean(required=True)


class OwnSignInsAnswer(Answer):
    """Where you are signed in, the device used last first."""

    items = fields.List(fields.Nested(OwnSignIn), required=True)


class MeAnswer(Answer):
    """Who this token stands for."""

    account_id = Id(required=True)
    clinic_id = Id(required=True)
    clinic = fields.String(
        required=True,
        metadata={"description": "the clinic's short name: what signing in asks for", "example": "demo"},
    )
    role = Code(Role, required=True)
    name = fields.String(required=True)
    patient_id = Id(required=True, allow_none=True)
