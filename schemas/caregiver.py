"""Caregivers: whom a patient lets look after their diary, and what those do."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate

from schemas.base import Answer, Body, page_of
from schemas.codes import Codes
from schemas.entry import EntryAnswer
from schemas.fields import Code, Day, Email, Id, Moment, Text
from schemas.invitation import LONGEST_WORD, WORD
from schemas.notice import NoticeAnswer
from schemas.timeline import TimelineScaleAnswer
from schemas.trend import TrendSession
from server.clinical.vocabulary import CareScope, Relation

_SCOPES = {
    "description": "log: make entries; read_trend: the numbers by day; read_journal: everything that was "
    "reported, without notes and tags",
    "example": ["log", "read_trend"],
}


class CaregiverBody(Body):
    """Somebody to invite."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "name": "Gus",
        "email": "gus@home.example",
        "relation": "partner",
        "scopes": ["log", "read_trend"],
        "word": "green gate",
    }

    name = Text(longest=200, shortest=1, required=True, metadata={"example": "Gus"})
    email = Email(required=True, metadata={"description": "with which they must enrol"})
    relation = Code(Relation, required=True)
    scopes = Codes(CareScope, required=True, metadata=_SCOPES)
    word = Text(longest=LONGEST_WORD, shortest=1, load_only=True, metadata=WORD)


class ScopesBody(Body):
    """What a caregiver may do from now on."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"scopes": ["read_trend"]}

    scopes = Codes(CareScope, required=True, metadata=_SCOPES)


class CaregiverAnswer(Answer):
    """One caregiver. `accepted_at` null: they have not come in yet."""

    id = Id(required=True)
    name = fields.String(required=True, metadata={"example": "Gus"})
    email = fields.String(required=True, metadata={"example": "gus@home.example"})
    relation = Code(Relation, required=True)
    scopes = fields.List(Code(CareScope), required=True, validate=validate.Length(max=len(CareScope)))
    invited_at = Moment(required=True)
    accepted_at = Moment(required=True, allow_none=True)
    seen_at = Moment(required=True, allow_none=True, metadata={"description": "when they last did something"})
    ended_at = Moment(required=True, allow_none=True)


class InvitedCaregiverAnswer(CaregiverAnswer):
    """The word is shown here once; pass it on. The code goes to that address; good once, for 72 hours."""

    word = fields.String(required=True, metadata={"example": "green gate"})
    expires_at = Moment(required=True)


class CaregiverList(Answer):
    """Everybody the patient ever invited, the newest first."""

    items = fields.List(fields.Nested(CaregiverAnswer), required=True)


class DeedAnswer(Answer):
    """One thing a caregiver did. `sentence` is meant to be shown as it is."""

    at = Moment(required=True)
    sentence = fields.String(required=True, metadata={"example": "Gus looked at your trend."})


DeedPage = page_of(DeedAnswer, "CaregiverDeedPage")


class JoiningBody(Body):
    """The code and the word of a further patient: from your e-mail, and passed on by them."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"code": "the code of the invitation", "proof": "green gate"}

    code = Text(longest=128, shortest=1, required=True, load_only=True)
    proof = Text(longest=LONGEST_WORD, shortest=1, required=True, load_only=True)


class CaredForAnswer(Answer):
    """Somebody whom you look after."""

    patient_id = Id(required=True)
    name = fields.String(required=True, metadata={"example": "Ana"})
    scopes = fields.List(Code(CareScope), required=True, validate=validate.Length(max=len(CareScope)))
    since = Moment(required=True)


class CaredForList(Answer):
    """Everybody whom you look after."""

    items = fields.List(fields.Nested(CaredForAnswer), required=True)


class CaredForReceipt(Answer):
    """An entry was taken. `notice`: show it at once."""

    outcome = fields.String(required=True, validate=validate.OneOf(["created", "duplicate"]))
    entry_id = Id(required=True)
    notice = fields.Nested(NoticeAnswer, required=True, allow_none=True)
    who_reads_this = fields.String(required=True)


class CaredForEntryAnswer(EntryAnswer):
    """One entry, without what the patient wrote in own words."""

    class Meta:
        """marshmallow's settings."""

        exclude = ("note", "tags", "side_effect_details")


class CaredForScaleAnswer(TimelineScaleAnswer):
    """One filled scale with its total in plain words."""

    class Meta:
        """marshmallow's settings."""

        exclude = ("seen_by_team_at",)


class CaredForDayAnswer(Answer):
    """One day of somebody whom you look after."""

    day = Day(required=True)
    entries = fields.List(fields.Nested(CaredForEntryAnswer), required=True)
    questionnaire_responses = fields.List(fields.Nested(CaredForScaleAnswer), required=True)
    treatment_sessions = fields.List(fields.Nested(TrendSession), required=True)


CaredForTimeline = page_of(CaredForDayAnswer, "CaredForTimeline")
