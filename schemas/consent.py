"""What a patient is asked to agree to, and what they said."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Flag, Id, Moment, Text, Whole
from server.clinical.vocabulary import ConsentState, ConsentWay, Language, Purpose

LATEST_VERSION = 999_999_999
_LANGUAGE = {"description": "in which the text was read; the clinic's by default", "example": "en"}


class ConsentQuery(Body):
    """In which language to read the texts."""

    language = Code(Language, metadata={"description": "of the texts; the clinic's by default"})


class ConsentBody(Body):
    """The patient's word. Withdrawing needs no text, so `version` may be left out there."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"version": 1, "given": True, "language": "en"}

    version = Whole(
        low=0,
        high=LATEST_VERSION,
        load_default=0,
        metadata={"description": "of the text that was read; 0: none, which only a no can be about"},
    )
    given = Flag(required=True, metadata={"description": "true: agreed; false: refused or withdrawn"})
    language = Code(Language, load_default=None, metadata=_LANGUAGE)


class WitnessedConsentBody(ConsentBody):
    """A patient's word as the clinic heard or read it, and who saw it."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {**ConsentBody.EXAMPLE, "witness": "Dee, at the front desk"}

    witness = Text(longest=200, shortest=1, required=True, metadata={"example": "Dee, at the front desk"})


class ConsentWordAnswer(Answer):
    """One word of the patient. `account_id` null: it came by SMS. `witness`: where the clinic recorded it."""

    given = fields.Boolean(required=True)
    version = fields.Integer(required=True, metadata={"description": "of the text; 0: none", "example": 1})
    language = Code(Language, required=True, allow_none=True)
    text_hash = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "SHA-256 of title and text as they were shown"},
    )
    at = Moment(required=True)
    way = Code(ConsentWay, required=True)
    account_id = Id(required=True, allow_none=True)
    witness = fields.String(required=True, allow_none=True)


class ConsentWordsAnswer(Answer):
    """The text to show."""

    version = fields.Integer(required=True, metadata={"example": 1})
    language = Code(Language, required=True)
    title = fields.String(required=True)
    text = fields.String(required=True)


class ConsentAnswer(Answer):
    """One purpose as it stands. `history`: every word of the patient, the latest first."""

    purpose = Code(Purpose, required=True)
    state = Code(ConsentState, required=True, metadata={"description": "what the patient said last"})
    holds = fields.Boolean(
        required=True, metadata={"description": "whether it is shared, or written to, now"}
    )
    asks = fields.Boolean(required=True, metadata={"description": "show the text and ask"})
    text = fields.Nested(
        ConsentWordsAnswer,
        required=True,
        allow_none=True,
        metadata={"description": "null: the clinic has none"},
    )
    changed_at = Moment(required=True, allow_none=True)
    history = fields.List(fields.Nested(ConsentWordAnswer), required=True)


class ConsentList(Answer):
    """Every purpose. `told`: what a withdrawal means right now, to be shown as it is; null: nothing."""

    items = fields.List(fields.Nested(ConsentAnswer), required=True)
    told = fields.String(required=True, allow_none=True)
