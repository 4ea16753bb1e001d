"""Sync on the wire: a batch of changes up, a page of changes down."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, validate

from schemas import spelling
from schemas.base import Answer, Body
from schemas.entry import ENTRY, EntryAnswer, EntryBody
from schemas.fields import Id, Text, Whole
from schemas.notice import NoticeAnswer
from schemas.phone_clock import PhoneClock
from schemas.problem import ProblemDetail
from schemas.questionnaire_response import QuestionnaireResponseAnswer, QuestionnaireResponseBody

ITEMS_MOST, PULL_USUAL, PULL_MOST = 200, 200, 500
ON_THE_TRAIN = {**ENTRY, "occurred_at": "2026-05-02T19:30:00+02:00", "note": "On the train."}


class Id7(Id):
    """A UUIDv7 in lower case: the id a phone makes."""

    spelled = spelling.ID7

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, attr, data, **kwargs)
        if not self.spelled.fits(str(found)):
            raise ValidationError("Must be a UUIDv7.")
        return found


class SyncItem(Body):
    """One change made on the phone."""

    id = Id7(required=True)
    kind = fields.String(
        validate=validate.OneOf(["entry", "questionnaire_response"]),
        load_default="entry",
        metadata={
            "description": "what the item is; its content is in the member of that name, and in no other"
        },
    )
    action = fields.String(required=True, validate=validate.OneOf(["put", "delete"]))
    base_version = Whole(
        low=1, high=1_000_000, allow_none=True, metadata={"description": "the version this changes"}
    )
    entry = fields.Nested(
        EntryBody,
        allow_none=True,
        metadata={"description": "with action put and kind entry; null is as good as left out"},
    )
    questionnaire_response = fields.Nested(
        QuestionnaireResponseBody,
        allow_none=True,
        metadata={
            "description": "with action put and kind questionnaire_response; null is as good as left out"
        },
    )


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
        "items": [{"id": "01a1e8a0-5c00-7000-8000-000000000003", "action": "put", "entry": ON_THE_TRAIN}],
    }

    cursor = Text(longest=500, allow_none=True, load_default=None)
    limit = Whole(
        low=1, high=PULL_MOST, load_default=PULL_USUAL, metadata={"description": "changes at the most"}
    )
    sent_at = PhoneClock(metadata={"description": "the phone's clock; see `clock_suspect`"})
    items = Unchecked(
        fields.Nested(SyncItem),
        load_default=list,
        validate=validate.Length(max=ITEMS_MOST),
        metadata={"description": f"at most {ITEMS_MOST}; the whole body at most 1 MiB"},
    )


class ByKind(fields.Field[Any]):
    """Dumps a row of one of several kinds: `kind` of the value names its shape, `row` is dumped with it."""

    def __init__(self, shapes: Mapping[str, type[Schema]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shapes = {kind: shape() for kind, shape in shapes.items()}

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else self.shapes[value.kind].dump(value.row)


class SyncedEntry(EntryAnswer):
    """An entry, or the tombstone of a deleted one (its content is empty)."""

    kind = fields.Constant("entry", required=True, metadata={"type": "string", "enum": ["entry"]})
    deleted = Present(attribute="deleted_at", required=True)


class SyncedQuestionnaireResponse(QuestionnaireResponseAnswer):
    """A questionnaire response, or the tombstone of a deleted one (its answers are empty)."""

    kind = fields.Constant(
        "questionnaire_response",
        required=True,
        metadata={"type": "string", "enum": ["questionnaire_response"]},
    )
    deleted = Present(attribute="deleted_at", required=True)


_SYNCED = {"entry": SyncedEntry, "questionnaire_response": SyncedQuestionnaireResponse}


class SyncResult(Answer):
    """The verdict on one pushed item, in the order they were pushed."""

    id = Id(required=True, allow_none=True)
    verdict = fields.String(
        required=True,
        validate=validate.OneOf(
            ["created", "duplicate", "updated", "conflict", "invalid", "forbidden", "retry"]
        ),
    )
    version = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "the version this item made or repeats; on a conflict that of `current`"},
    )
    current = ByKind(
        _SYNCED,
        required=True,
        allow_none=True,
        metadata={"description": "on a conflict: what is stored, an entry or a questionnaire response"},
    )
    errors = fields.List(fields.Nested(ProblemDetail), required=True)
    notice = fields.Nested(NoticeAnswer, required=True, allow_none=True)


class SyncAnswer(Answer):
    """Verdicts, then what changed since the cursor. Ask again with `next_cursor` while `has_more`."""

    results = fields.List(fields.Nested(SyncResult), required=True)
    changes = fields.List(ByKind(_SYNCED), required=True)
    next_cursor = fields.String(required=True)
    has_more = fields.Boolean(required=True)
    clock_suspect = fields.Boolean(
        required=True,
        metadata={"description": "`sent_at` is more than 10 minutes off; nothing was corrected"},
    )
    who_reads_this = fields.String(required=True)
