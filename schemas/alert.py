"""Alerts for the care team."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validates_schema

from schemas.base import Answer, Body, page_of
from schemas.fields import Code, Day, Id, Moment
from schemas.query import QueryFlag, QueryWhole
from server.clinical.vocabulary import (
    AlertClass,
    AlertFamily,
    AlertState,
    Channel,
    DeliveryState,
    Outcome,
    Usefulness,
)

PlaceParts = tuple[AlertClass, datetime, UUID]


class AlertCursor(fields.String):
    """An opaque place in the list of alerts; loads its urgency, its moment and its id."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {
            "format": "alert-place",
            "pattern": "^[A-Za-z0-9_-]+={0,2}$",  # base64 for addresses
            "description": "`next_cursor` of the page before",
        }
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return _parts(base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True))
        except (ValueError, OverflowError, binascii.Error):
            raise ValidationError("Must be the next_cursor of a page.") from None


def cursor_of(urgency: AlertClass, opened_at: datetime, alert_id: UUID) -> str:
    """Return the cursor of an alert's place. It carries no health data beside the urgency."""
    text = f"{urgency} {opened_at.isoformat()} {alert_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _parts(data: bytes) -> PlaceParts:
    urgency, moment, alert_id = data.decode("ascii").split(" ")
    opened_at = datetime.fromisoformat(moment)
    if opened_at.tzinfo is None:
        raise ValueError("no zone")
    return AlertClass(urgency), opened_at.astimezone(UTC), UUID(alert_id)


class AlertQuery(Body):
    """Which alerts; without `state` those that are not resolved."""

    state = Code(AlertState)
    urgency = Code(AlertClass)
    family = Code(AlertFamily, metadata={"description": "not together with `patient_id`"})
    patient_id = Id(metadata={"description": "whose; which kind of alert they have stands in no address"})
    assigned_to = Id(metadata={"description": "in whose hands they were put"})
    snoozed = QueryFlag()
    exhausted = QueryFlag(metadata={"description": "everybody was told and nobody answered"})
    cursor = AlertCursor()
    limit = QueryWhole(low=1, high=200, load_default=50, metadata={"description": "rows at the most"})

    @validates_schema
    def says_of_nobody_what_they_have(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a kind of alert beside a patient's id: addresses are kept by every proxy on the way."""
        if "family" in data and "patient_id" in data:
            raise ValidationError("Is not asked for together with patient_id.", "family")


class FeedbackAnswer(Answer):
    """What was said of a rule."""

    code = fields.String(required=True)
    usefulness = Code(Usefulness, required=True)
    account_id = Id(required=True)
    at = Moment(required=True)


class OpenCounts(Answer):
    """Alerts nobody has taken on, by urgency."""

    P0 = fields.Integer(required=True)
    P1 = fields.Integer(required=True)
    P2 = fields.Integer(required=True)
    P3 = fields.Integer(required=True)


class AlertCounts(Answer):
    """What a badge shows of the alerts that are not resolved."""

    open = fields.Nested(OpenCounts, required=True)
    acknowledged = fields.Integer(required=True, metadata={"description": "snoozed ones among them"})
    snoozed = fields.Integer(required=True)
    exhausted = fields.Integer(required=True)
    mine = fields.Integer(required=True, metadata={"description": "in your hands"})


class AlertAnswer(Answer):
    """One alert episode."""

    id = Id(required=True)
    patient_id = Id(required=True)
    family = Code(AlertFamily, required=True)
    urgency = Code(AlertClass, required=True)
    state = Code(AlertState, required=True)
    level = fields.Integer(required=True, metadata={"description": "how far it was escalated"})
    day = Day(required=True, metadata={"description": "newest local day of its findings"})
    codes = fields.List(fields.String(), required=True)
    summary = fields.String(required=True)
    opened_at = Moment(required=True)
    worsened_at = Moment(required=True)
    acknowledged_at = Moment(required=True, allow_none=True)
    acknowledged_by = Id(required=True, allow_none=True)
    acknowledged_until = Moment(
        required=True, allow_none=True, metadata={"description": "then it is open again, and told anew"}
    )
    snoozed = fields.Boolean(required=True)
    assigned_to = Id(required=True, allow_none=True)
    waiting_since = Moment(required=True, metadata={"description": "from when escalation counts"})
    exhausted_at = Moment(
        required=True, allow_none=True, metadata={"description": "everybody was told, nobody answered"}
    )
    resolved_at = Moment(required=True, allow_none=True)
    resolved_by = Id(required=True, allow_none=True)
    outcome = Code(Outcome, required=True, allow_none=True)
    resolution_note = fields.String(required=True, allow_none=True)
    version = fields.Integer(required=True)


class AlertEventAnswer(Answer):
    """One line of an episode's log; `account` null: the system itself."""

    number = fields.Integer(required=True)
    kind = fields.String(required=True, metadata={"example": "opened"})
    at = Moment(required=True)
    account_id = Id(required=True, allow_none=True)
    account = fields.String(required=True, allow_none=True, metadata={"example": "Bo"})
    detail = fields.Dict(required=True)


class AlertDeliveryAnswer(Answer):
    """Who was told, how and when. No text: messages carry no health data."""

    account_id = Id(required=True)
    account = fields.String(required=True, metadata={"example": "Bo"})
    channel = Code(Channel, required=True)
    template = fields.String(required=True)
    urgency = Code(AlertClass, required=True)
    level = fields.Integer(required=True)
    state = Code(DeliveryState, required=True)
    held = fields.Boolean(required=True, metadata={"description": "quiet hours held it until due_at"})
    due_at = Moment(required=True)
    attempt = fields.Integer(required=True)
    failure = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    finished_at = Moment(required=True, allow_none=True)


class AlertDetail(AlertAnswer):
    """One episode with everything needed to check it."""

    evidence = fields.Dict(required=True, metadata={"description": "which entries, rules, levels and limits"})
    events = fields.List(fields.Nested(AlertEventAnswer), required=True)
    deliveries = fields.List(fields.Nested(AlertDeliveryAnswer), required=True)
    feedback = fields.List(fields.Nested(FeedbackAnswer), required=True)


AlertPage = page_of(AlertAnswer, "AlertPage")
