"""Invitations to staff, systems and patients, and enrolling with one."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Email, Id, Moment, Text
from server.clinical.vocabulary import InvitationProof, Role

# How long it must be depends on who chooses: `services.people.password_rules`.
PASSWORD_SHORTEST, PASSWORD_LONGEST = 8, 128
WORD = {"description": "told to them on another way, such as by telephone; left out: the server makes one"}
LONGEST_WORD = 64


class Password(Text):
    """15-128 characters, any of them, 8 where a second factor is required: length is what helps (800-63B)."""

    def __init__(self) -> None:
        super().__init__(
            longest=PASSWORD_LONGEST,
            shortest=PASSWORD_SHORTEST,
            required=True,
            load_only=True,
            metadata={"format": "password", "example": "four words are fine"},
        )


class StaffInvitationBody(Body):
    """A colleague or an integration client to invite, at an address of theirs."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "role": "clinician",
        "name": "Bo",
        "email": "bo@demo.example",
        "word": "tin bridge",
    }

    role = Code(
        Role,
        only=(Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN, Role.INTEGRATION),
        required=True,
        metadata={"description": "patients are invited under their record, caregivers by their patients"},
    )
    name = Text(longest=200, shortest=1, required=True)
    email = Email(required=True)
    word = Text(longest=LONGEST_WORD, shortest=1, load_only=True, metadata=WORD)


class PatientInvitationBody(Body):
    """Where a patient is invited; they are asked for their year of birth, if it is known, or for a word."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"email": "ana@demo.example", "word": "blue kettle"}

    email = Email(required=True)
    word = Text(longest=LONGEST_WORD, shortest=1, load_only=True, metadata=WORD)


class EnrolmentBody(Body):
    """The code, the address that was invited, what else is asked for, and a password of one's own."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "code": "the code of the invitation",
        "email": "ana@demo.example",
        "proof": "blue kettle",
        "password": "four words are fine",
    }

    code = Text(longest=128, shortest=1, required=True, load_only=True)
    email = Email(required=True)
    proof = Text(
        longest=LONGEST_WORD,
        load_only=True,
        load_default="",
        metadata={"description": "the year of birth, or the word the clinic has told you"},
    )
    password = Password()


class InvitationAnswer(Answer):
    """The code is shown here once; the invited person sends it to `POST /v1/enrolments` within 72 hours.

    `code` is null where it went to the address by e-mail: to the one that a patient has an account at.
    ``proof`` says what they are asked for beside it. Tell them the ``word``, shown once too, on another way.
    """

    id = Id(required=True)
    code = fields.String(required=True, allow_none=True)
    expires_at = Moment(required=True)
    proof = Code(InvitationProof, required=True)
    word = fields.String(required=True, allow_none=True)


class OpenInvitation(Answer):
    """An invitation that can still be used."""

    id = Id(required=True)
    role = Code(Role, required=True)
    name = fields.String(required=True)
    created_by = Id(required=True, allow_none=True)
    created_at = Moment(required=True)
    expires_at = Moment(required=True)
    tries = fields.Integer(required=True, metadata={"description": "how often code and proof did not fit"})


class OpenInvitations(Answer):
    """The invitations that can still be used, oldest first."""

    items = fields.List(fields.Nested(OpenInvitation), required=True)
