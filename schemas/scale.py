"""Scales on the wire: what the app shows, and a clinic's own words for a slot."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Named, Text
from schemas.spelling import Fully
from server.clinical.instruments.instrument import Content, Method, Respondent
from server.clinical.vocabulary import Sensitivity

WORDS_LONGEST = 2000
# Of BCP 47 what phones ask for; by any other name the words would never be found.
LOCALE = "^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"


class ScaleQuery(Body):
    """In which language; without it, or where a scale has no such words, English."""

    locale = Text(longest=35, shortest=2, load_default="en", metadata={"description": "BCP 47"})


class OptionAnswer(Answer):
    """One answer a person can pick."""

    value = fields.Integer(required=True)
    text = fields.String(required=True)


class ScaleItemAnswer(Answer):
    """One question; without `text` where the licence lets nobody ship it."""

    id = fields.String(required=True, metadata={"example": "q1"})
    text = fields.String(required=True, allow_none=True)
    low = fields.Integer(required=True)
    high = fields.Integer(required=True)
    options = fields.List(fields.Nested(OptionAnswer), required=True)


class ScoringAnswer(Answer):
    """Which totals there are. `entered`: the scale takes a typed-in total and no answers."""

    method = Code(Method, required=True)
    low = fields.Float(required=True)
    high = fields.Float(required=True)
    whole = fields.Boolean(required=True)


class LicenceAnswer(Answer):
    """Whose scale it is. The app shows the notice with it."""

    notice = fields.String(required=True)


class ScaleAnswer(Answer):
    """One scale in one version and locale, as the app shows it."""

    key = fields.String(required=True, metadata={"example": "phq-9"})
    version = fields.Integer(required=True)
    locale = fields.String(required=True, metadata={"example": "en"})
    title = fields.String(required=True)
    content = Code(Content, required=True, metadata={"description": "score: no words, a score is typed in"})
    respondent = Code(Respondent, required=True)
    sensitivity = Code(Sensitivity, required=True)
    recall = fields.String(required=True, metadata={"example": "last 2 weeks"})
    instructions = fields.String(required=True, allow_none=True)
    items = fields.List(fields.Nested(ScaleItemAnswer), required=True)
    safety_from = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={
            "description": "items whose answer cannot wait, from that value on: show help, offline too",
            "example": {"q9": 1},
        },
    )
    scoring = fields.Nested(ScoringAnswer, required=True)
    licence = fields.Nested(LicenceAnswer, required=True)


class ScaleList(Answer):
    """Every scale the clinic offers, by key."""

    items = fields.List(fields.Nested(ScaleAnswer), required=True)


class ScaleTextBody(Body):
    """The words of a scale that the clinic is licensed to hold, and the owner's notice."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "locale": "en",
        "notice": "The owner's notice.",
        "instructions": "The instructions of your licensed copy.",
        "options": {str(value): f"Words of answer {value}" for value in range(6)},
        "items": {f"q{number}": f"Words of question {number}" for number in range(1, 6)},
    }

    locale = fields.String(
        required=True,
        validate=Fully(LOCALE, error="Must be a language as phones name it: de, de-CH, zh-Hant-TW."),
        metadata={"description": "BCP 47: language, perhaps script and region", "example": "de-CH"},
    )
    notice = Text(longest=WORDS_LONGEST, shortest=1, lines=True, required=True)
    instructions = Text(longest=WORDS_LONGEST, shortest=1, lines=True, required=True)
    options = Named(Text(longest=WORDS_LONGEST, shortest=1), most=100, required=True)
    items = Named(Text(longest=WORDS_LONGEST, shortest=1, lines=True), most=100, required=True)
