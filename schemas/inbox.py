"""Booking suggestions as the clinic's scheduling system sees them: no health data."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, PageQuery, page_of
from schemas.fields import Code, Day, Flag, Id, Moment, Text
from server.clinical.lifecycle import SuggestionAction
from server.clinical.vocabulary import AlertClass, DeclineCode, PatientAnswer, Role, SuggestionState


class InboxQuery(PageQuery):
    """Which suggestions; without `state` those that are open."""

    state = Code(SuggestionState)


class AppointmentBody(Body):
    """The clinic's own appointment. Sending it again changes nothing."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "external_id": "apt-4711",
        "starts_at": "2026-03-05T09:30:00+01:00",
    }

    external_id = Text(longest=200, shortest=1, required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(metadata={"description": "without it, as long after the start as such a visit takes"})
    reschedule = Flag(
        load_default=False, metadata={"description": "true: this appointment replaces another one"}
    )


class TimeBody(Body):
    """A time that the clinic asks the patient about. It books nothing."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"starts_at": "2026-03-05T09:30:00+01:00"}

    starts_at = Moment(required=True)
    ends_at = Moment(metadata={"description": "without it, as long after the start as such a visit takes"})


class DeclineBody(Body):
    """Why the clinic does not book it."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"code": "no_capacity"}

    code = Code(DeclineCode, required=True)
    note = Text(longest=500, lines=True)


class TimeSpanAnswer(Answer):
    """A time, both ends."""

    starts_at = Moment(required=True)
    ends_at = Moment(required=True)


class PreferredTimeAnswer(Answer):
    """A time that would suit the patient, as it was written down: both ends in UTC."""

    starts_at = fields.String(required=True, metadata={"format": "date-time"})
    ends_at = fields.String(required=True, metadata={"format": "date-time"})


class SlotAnswer(TimeSpanAnswer):
    """A time that is free now. `external_id`, `link`: the calendar's own, if it has any."""

    external_id = fields.String(required=True, allow_none=True)
    link = fields.String(required=True, allow_none=True)


class InboxAnswer(Answer):
    """One suggestion of a visit. The window is in the patient's local days, both included."""

    id = Id(required=True)
    patient_id = Id(required=True)
    visit = fields.String(required=True, metadata={"example": "maintenance_visit"})
    earliest = Day(required=True)
    latest = Day(required=True)
    urgency = Code(AlertClass, required=True)
    minutes = fields.Integer(required=True, metadata={"description": "how long the visit takes"})
    state = Code(SuggestionState, required=True)
    external_id = fields.String(required=True, allow_none=True)
    starts_at = Moment(required=True, allow_none=True)
    ends_at = Moment(required=True, allow_none=True)
    proposed_starts_at = Moment(required=True, allow_none=True)
    proposed_ends_at = Moment(required=True, allow_none=True)
    patient_answer = Code(PatientAnswer, required=True, allow_none=True)
    patient_answered_at = Moment(required=True, allow_none=True)
    preferred_times = fields.List(
        fields.Nested(PreferredTimeAnswer),
        required=True,
        metadata={"description": "when the patient would rather"},
    )
    slots = fields.List(
        fields.Nested(SlotAnswer),
        required=True,
        metadata={"description": "free times of the clinic's calendar"},
    )
    version = fields.Integer(required=True)


class InboxMoveAnswer(Answer):
    """One move. `by`: the role of whoever made it; null: the system itself."""

    number = fields.Integer(required=True)
    action = Code(SuggestionAction, required=True)
    state = Code(SuggestionState, required=True)
    at = Moment(required=True)
    by = Code(Role, required=True, allow_none=True)


class InboxHistoryAnswer(Answer):
    """What happened to a suggestion since it was approved, oldest first. Never why."""

    items = fields.List(fields.Nested(InboxMoveAnswer), required=True)


InboxPage = page_of(InboxAnswer, "InboxPage")
