"""Today, and the patient's zone."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Day, Id, Moment, Zone
from schemas.phone_clock import PhoneClock


class OccurrenceAnswer(Answer):
    """One thing to do today, and whether it is done."""

    key = fields.String(required=True, metadata={"example": "diary:2026-05-02"})
    instrument = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "the scale that is asked; null for the diary", "example": "phq-9"},
    )
    day = Day(required=True, metadata={"description": "the local day it fell due"})
    until = Moment(required=True, metadata={"description": "it can be done before this moment"})
    done = fields.Boolean(required=True)


class WatchHoursAnswer(Answer):
    """Who reads the diary and when: show it beside the form."""

    text = fields.String(required=True)
    armed = fields.Boolean(
        required=True,
        metadata={"description": "the clinic has armed its monitoring; else nobody may be reading"},
    )
    reads_now = fields.Boolean(
        required=True, metadata={"description": "the clinic is in its hours, and monitoring is armed"}
    )
    next_read_at = Moment(required=True)
    next_read_local = fields.NaiveDateTime(
        required=True,
        metadata={
            "format": "local-date-time",  # `date-time` would promise an offset
            "description": "the same on the patient's own clock",
            "example": "2026-05-04T08:00:00",
        },
    )


class CrisisLineAnswer(Answer):
    """People to talk to, and when they answer."""

    number = fields.String(
        required=True, metadata={"description": "as one dials or types it", "example": "116 123"}
    )
    name = fields.String(required=True, metadata={"example": "Samaritans"})
    hours = fields.String(required=True, metadata={"example": "always"})


class CrisisAnswer(Answer):
    """Whom to call in the patient's country. Keep a copy on the phone."""

    text = fields.String(required=True)
    emergency_number = fields.String(required=True, metadata={"example": "112"})
    crisis_lines = fields.List(fields.String(), required=True, metadata={"example": ["116 123"]})
    lines = fields.List(
        fields.Nested(CrisisLineAnswer),
        required=True,
        metadata={"description": "the same in parts, the one to try first on top"},
    )
    reviewed_on = Day(
        required=True, metadata={"description": "when somebody last made sure of this country's lines"}
    )


class NextVisitAnswer(Answer):
    """The booked visit that comes next."""

    id = Id(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)


class TodayAnswer(Answer):
    """What is due now, and who reads it."""

    local_day = Day(
        required=True,
        metadata={"description": "the patient's civil day, starting at the clinic's hour"},
    )
    zone = Zone(required=True)
    day_ends_at = Moment(required=True)
    occurrences = fields.List(fields.Nested(OccurrenceAnswer), required=True)
    asks_safety_question = fields.Boolean(
        required=True,
        metadata={"description": "whether to show the safety question; an answer is heeded either way"},
    )
    next_reminder_at = Moment(
        required=True,
        allow_none=True,
        metadata={"description": "when the next reminder comes if nothing changes; null where none will"},
    )
    watch = fields.Nested(WatchHoursAnswer, required=True)
    crisis = fields.Nested(CrisisAnswer, required=True)
    next_visit = fields.Nested(
        NextVisitAnswer, required=True, allow_none=True, metadata={"description": "null where none is booked"}
    )


class ZoneBody(Body):
    """The patient came into another time zone."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "zone": "America/New_York",
        "since": "2026-05-02T15:10:00Z",
        "sent_at": "2026-05-02T15:10:03Z",
    }

    zone = Zone(required=True)
    since = PhoneClock(metadata={"description": "when the phone noticed; now by default, never later"})
    sent_at = PhoneClock(
        metadata={"description": "the phone's clock at sending; where it is off, `since` is put right by it"}
    )


class ZoneAnswer(Answer):
    """The zone the patient is in as far as is known: that of the latest report."""

    patient_id = Id(required=True)
    zone = Zone(required=True)
