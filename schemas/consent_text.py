"""The texts that a clinic asks its patients to agree to."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Choice, Code, Flag, Id, Moment, Reason, Text
from server.clinical.vocabulary import Language, Purpose

TEXT_LONGEST = 20_000
_EXAMPLE = {"en": {"title": "Your care team", "text": "Your care team may read what you log."}}


class WordsBody(Body):
    """One text in one language."""

    title = Text(longest=200, shortest=1, required=True, metadata={"example": "Your care team"})
    text = Reason(longest=TEXT_LONGEST, required=True)


class ConsentTextBody(Body):
    """The next version of a text, in the clinic's own language and perhaps others."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"texts": _EXAMPLE, "material": True}

    texts = Choice(
        {language.value: fields.Nested(WordsBody) for language in Language},
        required=True,
        metadata={"description": "by language", "example": _EXAMPLE},
    )
    material = Flag(
        required=True,
        metadata={"description": "it says something that matters: whoever agreed before is asked again"},
    )


class ConsentTextAnswer(Answer):
    """One version of one purpose's text; it never changes."""

    purpose = Code(Purpose, required=True)
    version = fields.Integer(required=True, metadata={"example": 1})
    texts = fields.Dict(required=True, metadata={"example": _EXAMPLE})
    material = fields.Boolean(required=True)
    published_at = Moment(required=True)
    published_by = Id(required=True, allow_none=True)


class ConsentTextList(Answer):
    """Every version, by purpose, the newest first."""

    items = fields.List(fields.Nested(ConsentTextAnswer), required=True)
