"""Diary entries on the wire."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas.base import Answer, Body, PageQuery, page_of
from schemas.codes import Codes
from schemas.diary_number import WholeOrStored
from schemas.fields import Choice, Code, Day, Flag, Id, Moment, Text, Whole, Zone
from schemas.note import Note
from schemas.notice import NoticeAnswer
from schemas.phone_clock import PhoneClock
from schemas.side_effect import Detailed
from server.clinical.side_effect_terms import SEVERITY_HIGH, SEVERITY_LOW, SIDE_EFFECTS
from server.clinical.side_effects import ONSET_LONGEST, onset_problems
from server.clinical.vocabulary import ITEMS, Adherence, Circumstance, EnteredBy, SafetyAnswer

NOTE_LONGEST, TAGS_MOST, TAG_LONGEST = 10_000, 20, 40

WITHIN = "at most 30 days before and 2 days after it is written down (recorded_at, else the clock at sending)"

ENTRY = {
    "occurred_at": "2026-05-02T20:15:00+02:00",
    "zone": "Europe/Oslo",
    "items": {"mood": 6, "interest": 5, "anxiety": 3, "restlessness": 2, "sleep_quality": 7},
    "side_effects": {"nausea": 1},
    "side_effect_onset": {"nausea": "2026-05-02T17:30:00+02:00"},
    "safety": "no",
    "tags": ["walk"],
    "note": "Slept better.",
}


class Medication(Body):
    """What was taken today."""

    adherence = Code(Adherence, metadata={"description": "regular medication taken"})
    rescue_doses = Whole(low=0, high=50)
    opioid_changed = Flag()


class EntryBody(Body):
    """What the patient reported at one moment. The token says whose it is; the body never does."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = ENTRY

    occurred_at = Moment(required=True, metadata={"description": f"when it was felt, with offset: {WITHIN}"})
    zone = Zone(required=True, metadata={"description": "where the patient was"})
    recorded_at = PhoneClock(
        allow_none=True, metadata={"description": "the phone's clock at logging; kept as it is"}
    )
    items = Choice(
        {item.key: WholeOrStored(low=int(item.low), high=int(item.high)) for item in ITEMS.values()},
        load_default=dict,
        metadata={
            "description": "whole numbers, 0-10 (sleep_hours 0-24); of what was imported, a correction may"
            " repeat a fraction as it is stored",
            "example": ENTRY["items"],
        },
    )
    side_effects = Choice(
        {term: Whole(low=SEVERITY_LOW, high=SEVERITY_HIGH) for term in SIDE_EFFECTS},
        load_default=dict,
        metadata={
            "description": "severity 0 none, 1 mild, 2 moderate, 3 severe, 4 emergency",
            "example": ENTRY["side_effects"],
        },
    )
    side_effect_onset = Choice(
        {term: Moment() for term in SIDE_EFFECTS},
        load_default=dict,
        metadata={
            "description": "when an effect of `side_effects` began, where the patient can say it: with"
            f" offset, at `occurred_at` or up to {ONSET_LONGEST.days} days before it",
            "additionalProperties": {"type": "string", "format": "date-time"},
            "example": ENTRY["side_effect_onset"],
        },
    )
    safety = Code(SafetyAnswer, allow_none=True, metadata={"description": "answer to the safety question"})
    medication = fields.Nested(Medication, load_default=dict)
    circumstances = Codes(
        Circumstance,
        load_default=list,
        metadata={
            "description": "what else happened; shown beside an alert, never used to hold it back",
            "example": ["infection"],
        },
    )
    entered_by = Code(
        EnteredBy,
        load_default=EnteredBy.PATIENT,
        metadata={"description": "whose hand made the entry; it is always about the patient"},
    )
    tags = fields.List(
        Text(longest=TAG_LONGEST, shortest=1),
        load_default=list,
        validate=validate.Length(max=TAGS_MOST),
        metadata={"description": f"at most {TAGS_MOST}, each of 1-{TAG_LONGEST} characters"},
    )
    note = Note(
        longest=NOTE_LONGEST,
        allow_none=True,
        metadata={"description": f"at most {NOTE_LONGEST:,} characters; not read in real time"},
    )

    @validates_schema
    def says_something(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse an entry that reports nothing at all: it would look like a logged day."""
        said = ("items", "side_effects", "safety", "medication", "circumstances", "note")
        if not any(data.get(part) for part in said):
            raise ValidationError("Report at least one thing.")

    @validates_schema
    def began_before_it_was_felt(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse an onset of what was not there, after the report, or too long before it."""
        onsets, side_effects = data["side_effect_onset"], data["side_effects"]
        problems = {t: [why] for t, why in onset_problems(onsets, side_effects, data["occurred_at"])}
        if problems:
            raise ValidationError({"side_effect_onset": problems})


class EntryAnswer(Answer):
    """One entry, its current version."""

    id = Id(required=True)
    version = fields.Integer(required=True)
    occurred_at = Moment(required=True)
    zone = Zone(required=True)
    local_day = Day(
        required=True,
        metadata={"description": "the patient's civil day, starting at the clinic's hour"},
    )
    recorded_at = Moment(required=True, allow_none=True)
    received_at = Moment(required=True)
    source = fields.String(required=True)
    entered_by = Code(EnteredBy, required=True)
    clock_skew_seconds = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "how far the phone's clock was behind; null where it did not say"},
    )
    clock_suspect = fields.Boolean(
        required=True, metadata={"description": "more than 10 minutes off: its times may be wrong"}
    )
    # As it was said: a whole number stays one.
    items = fields.Dict(keys=fields.String(), values=fields.Raw(metadata={"type": "number"}), required=True)
    side_effects = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    side_effect_onset = fields.Dict(
        keys=fields.String(),
        values=fields.String(metadata={"format": "date-time"}),
        required=True,
        metadata={"description": "when effects began, where the patient said it"},
    )
    side_effect_details: fields.List[Any] = Detailed(
        required=True,
        metadata={"description": "the effects that were there, the most urgent first; the server's own"},
    )
    hours_since_session = fields.Float(required=True, allow_none=True)
    safety = Code(SafetyAnswer, required=True, allow_none=True)
    medication = fields.Nested(Medication, required=True)
    circumstances = fields.List(fields.String(), required=True)
    tags = fields.List(fields.String(), required=True)
    note = fields.String(required=True, allow_none=True)


class OwnEntryAnswer(EntryAnswer):
    """One entry as its patient reads it."""

    seen_by_team_at = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "when your care team first opened your diary after this version came in"},
    )


class EntryReceipt(Answer):
    """The stored entry, what the patient must see, and who reads this and when."""

    outcome = fields.String(
        required=True,
        validate=validate.OneOf(["created", "duplicate", "updated"]),
        metadata={"example": "created"},
    )
    entry = fields.Nested(EntryAnswer, required=True)
    notice = fields.Nested(NoticeAnswer, required=True, allow_none=True)
    who_reads_this = fields.String(required=True)


class EntryQuery(PageQuery):
    """A range of the patient's days, both included."""

    first = Day(metadata={"description": "first day"})
    last = Day(metadata={"description": "last day"})


class EntryRevisionAnswer(Answer):
    """One version of an entry; `content` is null where it was deleted."""

    version = fields.Integer(required=True)
    received_at = Moment(required=True)
    content = fields.Dict(required=True, allow_none=True)


EntryPage = page_of(EntryAnswer, "EntryPage")
OwnEntryPage = page_of(OwnEntryAnswer, "OwnEntryPage")
EntryRevisionPage = page_of(EntryRevisionAnswer, "EntryRevisionPage")
