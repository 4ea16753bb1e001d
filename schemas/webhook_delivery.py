"""What went to a webhook, and what became of it."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, page_of
from schemas.fields import Code, Flag, Id, Moment
from server.clinical.vocabulary import EVENT_SUBJECTS, DeliveryState, DeliverySubject, SuggestionState


class EventType(fields.Field[str]):
    """The `type` that the body of a message has."""

    def __init__(self) -> None:
        metadata = {"type": "string", "example": "visit_suggestion.created"}
        super().__init__(required=True, dump_only=True, attribute="template", metadata=metadata)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return str(value) if obj.subject in EVENT_SUBJECTS else f"notice.{value}"


class OfVisit(fields.Field[str]):
    """The suggestion that an event is about; null for every other message."""

    def __init__(self) -> None:
        metadata = {"type": ["string", "null"], "format": "uuid"}
        super().__init__(required=True, dump_only=True, attribute="subject_id", metadata=metadata)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return str(value) if obj.subject is DeliverySubject.SUGGESTION else None


class WebhookDeliveryAnswer(Answer):
    """One message to a webhook. What the far end answered is never shown, but for the code of a failure."""

    id = Id(required=True, metadata={"description": "the header `webhook-id`, the same at every try"})
    type = EventType()
    suggestion_id = OfVisit()
    state = Code(
        SuggestionState,
        required=True,
        allow_none=True,
        attribute="event_state",
        metadata={"description": "of the visit, by the move it tells of"},
    )
    version = fields.Integer(
        required=True,
        allow_none=True,
        attribute="event_version",
        metadata={"description": "of the visit, by then"},
    )
    status = Code(
        DeliveryState,
        required=True,
        attribute="state",
        metadata={"description": "what became of the message"},
    )
    tries = fields.Integer(required=True, attribute="attempt")
    failure = fields.String(
        required=True, allow_none=True, metadata={"description": "why the last try failed, as a code"}
    )
    created_at = Moment(required=True)
    due_at = Moment(required=True, metadata={"description": "of the next try, while it waits"})
    finished_at = Moment(required=True, allow_none=True)


WebhookDeliveryPage = page_of(WebhookDeliveryAnswer, "WebhookDeliveryPage")


class LostEventsBody(Body):
    """Since when events that were given up are to be sent once more."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"since": "2026-05-01T00:00:00Z"}

    since = Moment(required=True)


class SentAgainAnswer(Answer):
    """How many are sent once more; `more`: ask again for the rest."""

    replayed = fields.Integer(required=True)
    more = Flag(required=True)
