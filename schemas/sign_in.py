"""Signing in, staying signed in, enrolling."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Email, Id, Text
from server.clinical.vocabulary import Role

PASSWORD_SHORTEST, PASSWORD_LONGEST = 15, 128


class Password(Text):
    """15-128 characters, any of them: length is what helps (NIST 800-63B)."""

    def __init__(self) -> None:
        super().__init__(
            longest=PASSWORD_LONGEST,
            shortest=PASSWORD_SHORTEST,
            required=True,
            load_only=True,
            metadata={"format": "password", "example": "four words are fine"},
        )


class SignInBody(Body):
    """What a person types."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "clinic": "demo",
        "email": "ana@demo.example",
        "password": "demo-afterglow-1",
    }

    clinic = Text(longest=64, shortest=1, required=True, metadata={"example": "demo"})
    email = Email(required=True, metadata={"example": "ana@demo.example"})
    password = Text(longest=PASSWORD_LONGEST, shortest=1, required=True, load_only=True)
    device_token = Text(
        longest=256,
        shortest=1,
        load_only=True,
        metadata={"description": "of this device's last sign-in"},
    )


class RefreshBody(Body):
    """The refresh token of the answer before; each works once."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"refresh_token": "the refresh_token of the last answer"}

    refresh_token = Text(longest=128, shortest=1, required=True, load_only=True)


class EnrolmentBody(Body):
    """The code of the invitation and the credentials the invited person chooses."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "code": "the code of the invitation",
        "email": "ana@demo.example",
        "password": "four words are fine",
    }

    code = Text(longest=128, shortest=1, required=True, load_only=True)
    email = Email(required=True)
    password = Password()


class TokensAnswer(Answer):
    """A short-lived access token for `Authorization: Bearer`, and its single-use refresh token."""

    access_token = fields.String(required=True)
    token_type = fields.Constant("Bearer", metadata={"type": "string", "enum": ["Bearer"]})
    expires_in = fields.Integer(required=True, metadata={"description": "seconds", "example": 600})
    refresh_token = fields.String(required=True)
    device_token = fields.String(
        allow_none=True,
        metadata={
            "description": "keep it, and send it with the next sign-in on this device, also after a "
            "sign-out: others who fail elsewhere then do not make it wait. Null after a refresh"
        },
    )


class MeAnswer(Answer):
    """Who this token stands for."""

    account_id = Id(required=True)
    clinic_id = Id(required=True)
    role = Code(Role, required=True)
    name = fields.String(required=True)
    patient_id = Id(required=True, allow_none=True)
