"""What a webhook is sent: the bodies of its events, as whoever listens gets them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate

from schemas.base import Answer
from schemas.fields import Code, Id, Moment
from server.clinical.visit_event import EVENT_TYPES, TEST
from server.clinical.vocabulary import SuggestionState

_ID = "019caae3-5000-7000-8000-000000000001"
_CLINIC = "019caae3-5000-7000-8000-000000000002"
_AT = "2026-03-02T12:00:00Z"
_HOST = "https://journal.example.org"


class Event(Answer):
    """The base of every event. `EXAMPLE` is shown in the contract."""

    EXAMPLE: ClassVar[Mapping[str, Any]]
    SUMMARY: ClassVar[str]


class VisitEventData(Answer):
    """Ids, state and version of a suggested visit by the move it tells of. No words."""

    id = Id(required=True)
    clinic_id = Id(required=True)
    state = Code(SuggestionState, required=True)
    version = fields.Integer(required=True, validate=validate.Range(min=1))
    link = fields.String(required=True, metadata={"format": "uri", "description": "where the visit is read"})


class VisitEvent(Event):
    """A move of an approved visit: a hint, the inbox is the truth."""

    SUMMARY: ClassVar[str] = "An approved visit has moved: pull it."
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "visit_suggestion.created",
        "timestamp": _AT,
        "data": {
            "id": _ID,
            "clinic_id": _CLINIC,
            "state": "suggested",
            "version": 2,
            "link": f"{_HOST}/v1/inbox/booking-suggestions/{_ID}",
        },
    }

    type = fields.String(required=True, validate=validate.OneOf(sorted(EVENT_TYPES - {TEST})))
    timestamp = Moment(required=True, metadata={"description": "when it moved, however late it is sent"})
    data = fields.Nested(VisitEventData, required=True)


class TestEventData(Answer):
    """The webhook that is tested, and its clinic."""

    __test__ = False  # no test of ours, whatever its name

    id = Id(required=True)
    clinic_id = Id(required=True)


class TestEvent(Event):
    """Somebody tests the way."""

    __test__ = False

    SUMMARY: ClassVar[str] = "Somebody tests the way: nothing is to be done."
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": TEST,
        "timestamp": _AT,
        "data": {"id": _ID, "clinic_id": _CLINIC},
    }

    type = fields.String(required=True, validate=validate.OneOf([TEST]))
    timestamp = Moment(required=True)
    data = fields.Nested(TestEventData, required=True)


class NoticeEventData(Answer):
    """The message, and where to look."""

    id = Id(required=True, metadata={"description": "that of the header `webhook-id`"})
    link = fields.String(required=True, metadata={"format": "uri"})


class NoticeEvent(Event):
    """A message to one of the staff, where they listen to `alerts`: its text's name, and a link."""

    SUMMARY: ClassVar[str] = "One of the staff is told something: sign in and look."
    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "type": "notice.patient_needs_review",
        "timestamp": _AT,
        "data": {"id": _ID, "link": f"{_HOST}/v1/alerts/{_ID}"},
    }

    type = fields.String(required=True, metadata={"pattern": r"^notice\.[a-z_]+$"})
    timestamp = Moment(required=True, metadata={"description": "of this try"})
    data = fields.Nested(NoticeEventData, required=True)


EVENTS: Mapping[str, type[Event]] = {
    "visit_suggestion": VisitEvent,
    "webhook.test": TestEvent,
    "notice": NoticeEvent,
}
"""The events by what their types begin with."""
