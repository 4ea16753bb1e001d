"""Questionnaire responses on the wire."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from schemas.base import Answer, Body, PageQuery, page_of
from schemas.combining import OneThatSays
from schemas.entry import WITHIN
from schemas.fields import Code, Day, Decimal, Id, Moment, Named, Text, Whole, Zone
from schemas.notice import NoticeAnswer
from schemas.phone_clock import PhoneClock
from server.clinical.redflags import Notice
from server.clinical.vocabulary import AlertClass, AlertFamily, Sensitivity

ITEMS_MOST, VALUE_MOST, TOTAL_MOST = 200, 1000, 10_000.0
ANSWERS = {"q1": 1, "q2": 2, "q3": 1, "q4": 1, "q5": 0, "q6": 1, "q7": 0, "q8": 0, "q9": 0}

RESPONSE = {
    "instrument": "phq-9",
    "instrument_version": 1,
    "locale": "en",
    "answers": ANSWERS,
    "occurred_at": "2026-05-02T20:15:00+02:00",
    "zone": "Europe/Oslo",
    "occurrence": "phq-9:2026-05-01",
}


class QuestionnaireResponseBody(Body):
    """A filled scale: which one, in which version and words, and the answers.

    `total` takes the place of `answers` for scales of which only the score is kept.
    """

    EXAMPLE: ClassVar[Mapping[str, Any]] = RESPONSE
    TOGETHER: ClassVar[OneThatSays] = OneThatSays(
        ("answers", "total"), "Give either answers or a total.", "answers"
    )

    instrument = Text(longest=64, shortest=1, required=True, metadata={"description": "key of the scale"})
    instrument_version = Whole(low=1, high=1_000_000, required=True)
    locale = Text(longest=35, shortest=2, required=True, metadata={"description": "the words shown"})
    answers = Named(
        Whole(low=0, high=VALUE_MOST, allow_none=True),
        most=ITEMS_MOST,
        metadata={"description": "whole number for each item id; null: left open", "example": ANSWERS},
    )
    total = Decimal(
        low=0,
        high=TOTAL_MOST,
        allow_none=True,
        metadata={"description": "for scales kept as a score only"},
    )
    occurred_at = Moment(
        required=True, metadata={"description": f"when it was filled, with offset: {WITHIN}"}
    )
    zone = Zone(required=True, metadata={"description": "where the patient was"})
    recorded_at = PhoneClock(
        allow_none=True, metadata={"description": "the phone's clock at logging; kept, never trusted"}
    )
    occurrence = Text(
        longest=80,
        shortest=1,
        allow_none=True,
        metadata={
            "description": "key of the occurrence it answers, as today says it; its day is at most a day"
            " after and 31 days before the local day of the response, by the phone's clock or by ours",
            "example": "phq-9:2026-05-02",
        },
    )

    @validates_schema
    def says_something(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a response without an answer: it would look like a filled questionnaire."""
        self.TOGETHER.check(data)
        if data.get("occurrence") is not None and not _names(data["occurrence"], data["instrument"]):
            raise ValidationError("Is not the key of an occurrence of this scale.", "occurrence")
        if data.get("answers") and all(value is None for value in data["answers"].values()):
            raise ValidationError("Answer at least one item.", "answers")

    @post_load
    def without_what_says_nothing(self, data: Mapping[str, Any], **_: Any) -> Mapping[str, Any]:
        """Leave out what is null, or no answers at all: a response that is read has such members."""
        return {name: value for name, value in data.items() if value not in (None, {})}


def _names(occurrence: str, instrument: str) -> bool:
    scale, _, day = occurrence.rpartition(":")
    try:
        return scale == instrument and date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


class QuestionnaireResponseAnswer(Answer):
    """One response, its current version, with the score as it was made from that version of the scale."""

    id = Id(required=True)
    version = fields.Integer(required=True)
    instrument = fields.String(required=True, metadata={"example": "phq-9"})
    instrument_version = fields.Integer(required=True)
    locale = fields.String(required=True, metadata={"example": "en"})
    occurrence = fields.String(required=True, allow_none=True)
    superseded = fields.Boolean(
        required=True,
        metadata={"description": "the same occurrence was answered again later; that answer counts"},
    )
    occurred_at = Moment(required=True)
    zone = Zone(required=True)
    local_day = Day(
        required=True,
        metadata={"description": "the patient's civil day, starting at the clinic's hour"},
    )
    recorded_at = Moment(required=True, allow_none=True)
    received_at = Moment(required=True)
    source = fields.String(required=True)
    clock_skew_seconds = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "how far the phone's clock was behind; null where it did not say"},
    )
    clock_suspect = fields.Boolean(
        required=True, metadata={"description": "more than 10 minutes off: its times may be wrong"}
    )
    answers = fields.Dict(keys=fields.String(), values=fields.Integer(allow_none=True), required=True)
    entered_total = fields.Float(required=True, allow_none=True)
    total = fields.Float(
        required=True, allow_none=True, metadata={"description": "null where too much was left open"}
    )
    subscores = fields.Dict(keys=fields.String(), values=fields.Float(allow_none=True), required=True)
    prorated = fields.Boolean(
        required=True, metadata={"description": "made from fewer items than the scale has"}
    )
    missing = fields.List(fields.String(), required=True, metadata={"description": "items left open"})


class SafetyTriggerAnswer(Answer):
    """One answer that cannot wait. `until_screened`: urgent until a suicide risk screener is answered."""

    item = fields.String(required=True, metadata={"example": "q9"})
    code = fields.String(required=True, metadata={"example": "phq9_item9_passing"})
    urgency = Code(AlertClass, required=True)
    family = Code(AlertFamily, required=True)
    notice = Code(Notice, required=True)
    until_screened = fields.Boolean(required=True)
    contact_today = fields.Boolean(required=True)


class ClinicalQuestionnaireResponseAnswer(QuestionnaireResponseAnswer):
    """A response as the care team reads it: with band and safety. A band is no diagnosis."""

    sensitivity = Code(Sensitivity, required=True)
    band = fields.String(required=True, allow_none=True, metadata={"example": "moderate"})
    safety = fields.List(fields.Nested(SafetyTriggerAnswer), required=True)
    safety_missing = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "safety items nobody answered; never read this as a no"},
    )


class QuestionnaireResponseReceipt(Answer):
    """The stored response, what the patient must see, and who reads this and when."""

    outcome = fields.String(
        required=True,
        validate=validate.OneOf(["created", "duplicate", "updated"]),
        metadata={"example": "created"},
    )
    questionnaire_response = fields.Nested(QuestionnaireResponseAnswer, required=True)
    notice = fields.Nested(NoticeAnswer, required=True, allow_none=True)
    who_reads_this = fields.String(required=True)


class ClinicalQuestionnaireResponseReceipt(QuestionnaireResponseReceipt):
    """The stored response as the care team reads it, and what the patient must hear."""

    questionnaire_response = fields.Nested(ClinicalQuestionnaireResponseAnswer, required=True)


class QuestionnaireResponseQuery(PageQuery):
    """A range of the patient's days, both included, and perhaps one scale."""

    first = Day(metadata={"description": "first day"})
    last = Day(metadata={"description": "last day"})
    instrument = Text(longest=64, shortest=1, metadata={"description": "key of a scale"})


class QuestionnaireResponseRevisionAnswer(Answer):
    """One version of a response; `content` is null where it was deleted."""

    version = fields.Integer(required=True)
    received_at = Moment(required=True)
    content = fields.Dict(required=True, allow_none=True)


QuestionnaireResponsePage = page_of(QuestionnaireResponseAnswer, "QuestionnaireResponsePage")
ClinicalQuestionnaireResponsePage = page_of(
    ClinicalQuestionnaireResponseAnswer, "ClinicalQuestionnaireResponsePage"
)
QuestionnaireResponseRevisionPage = page_of(
    QuestionnaireResponseRevisionAnswer, "QuestionnaireResponseRevisionPage"
)
