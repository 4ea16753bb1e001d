"""Sync on the wire: a batch of changes up, a page of changes down."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate

from schemas.base import Answer, Body, ProblemDetail
from schemas.entry import ENTRY, EntryAnswer, EntryBody, NoticeAnswer
from schemas.fields import Id, Moment, Text, Whole

ITEMS_MOST = 200


class Id7(Id):
    """A UUIDv7 in lower case: the id a phone makes."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, attr, data, **kwargs)
        if found.version != 7:
            raise ValidationError("Must be a UUIDv7.")
        return found


class SyncItem(Body):
    """One change made on the phone."""

    id = Id7(required=True)
    action = fields.String(required=True, validate=validate.OneOf(["put", "delete"]))
    base_version = Whole(
        low=1, high=1_000_000, allow_none=True, metadata={"description": "the version this changes"}
    )
    entry = fields.Nested(EntryBody, metadata={"description": "with action put"})


class Present(fields.Boolean):
    """Dumps whether the attribute holds anything."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> bool:
        return value is not None


class Unchecked(fields.List[Any]):
    """A list of objects that is checked item by item later: one bad item must not refuse the rest."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError("Must be a list.")
        return value


class SyncBody(Body):
    """What the phone has, and where its copy ends."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "cursor": None,
        "items": [{"id": "01a1e8a0-5c00-7000-8000-000000000001", "action": "put", "entry": ENTRY}],
    }

    cursor = Text(longest=500, allow_none=True, load_default=None)
    limit = Whole(low=1, high=500, load_default=200)
    sent_at = Moment(metadata={"description": "the phone's clock; see `clock_suspect`"})
    items = Unchecked(fields.Nested(SyncItem), load_default=list, validate=validate.Length(max=ITEMS_MOST))


class SyncedEntry(EntryAnswer):
    """An entry, or the tombstone of a deleted one (its content is empty)."""

    deleted = Present(attribute="deleted_at", required=True)


class SyncResult(Answer):
    """The verdict on one pushed item, in the order they were pushed."""

    id = Id(required=True, allow_none=True)
    verdict = fields.String(
        required=True,
        validate=validate.OneOf(
            ["created", "duplicate", "updated", "conflict", "invalid", "forbidden", "retry"]
        ),
    )
    version = fields.Integer(required=True, allow_none=True, metadata={"description": "stored now"})
    current = fields.Nested(
        SyncedEntry, required=True, allow_none=True, metadata={"description": "on a conflict: what is stored"}
    )
    errors = fields.List(fields.Nested(ProblemDetail), required=True)
    notice = fields.Nested(NoticeAnswer, required=True, allow_none=True)


class SyncAnswer(Answer):
    """Verdicts, then what changed since the cursor. Ask again with `next_cursor` while `has_more`."""

    results = fields.List(fields.Nested(SyncResult), required=True)
    changes = fields.List(fields.Nested(SyncedEntry), required=True)
    next_cursor = fields.String(required=True)
    has_more = fields.Boolean(required=True)
    clock_suspect = fields.Boolean(
        required=True,
        metadata={"description": "`sent_at` is more than 10 minutes off; nothing was corrected"},
    )
    who_reads_this = fields.String(required=True)
