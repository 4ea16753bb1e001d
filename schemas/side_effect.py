"""Side effects on the wire: the vocabulary, and what was reported in words."""

from dataclasses import asdict
from typing import Any

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code
from server.clinical.side_effects import OnsetSource, Window, worded
from server.clinical.vocabulary import AlertClass


class SideEffectAnswer(Answer):
    """One term of the vocabulary."""

    term = fields.String(required=True, attribute="key", metadata={"example": "nausea"})
    label = fields.String(required=True, metadata={"example": "Nausea"})
    emergency_from = fields.Integer(
        required=True,
        metadata={"description": "show emergency help from this grade on, offline too", "example": 4},
    )


class GradeAnswer(Answer):
    """One severity in words."""

    grade = fields.Integer(required=True, metadata={"example": 2})
    label = fields.String(required=True, metadata={"example": "moderate"})
    text = fields.String(required=True)


class SideEffectVocabulary(Answer):
    """What can be reported, and how bad it can be."""

    side_effects = fields.List(fields.Nested(SideEffectAnswer), required=True)
    grades = fields.List(fields.Nested(GradeAnswer), required=True)


class SideEffectDetail(Answer):
    """A reported effect in words, when it came, and how urgent it is for the care team."""

    term = fields.String(required=True, metadata={"example": "nausea"})
    label = fields.String(required=True, metadata={"example": "Nausea"})
    grade = fields.Integer(required=True, metadata={"example": 2})
    grade_label = fields.String(required=True, metadata={"example": "moderate"})
    grade_text = fields.String(required=True)
    onset_hours = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "from the last session before the onset; null: no session", "example": 3.5},
    )
    onset_days = fields.Integer(
        required=True, allow_none=True, metadata={"description": "the same in ended days", "example": 0}
    )
    onset_source = Code(
        OnsetSource,
        required=True,
        metadata={"description": "stated: the patient said when it began; report: the time of the entry"},
    )
    window = Code(
        Window,
        required=True,
        metadata={
            "description": "whether it began in the hours it is expected in; no_window: the term has none;"
            " unknown: no session"
        },
    )
    outlasts_window = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "it was felt when those hours were over; null where nobody can say"},
    )
    triage = Code(AlertClass, required=True, metadata={"description": "P3: no red flag"})


class Detailed(fields.List[Any]):
    """Dumps the stored facts of reported effects with their words, each as a `SideEffectDetail`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.Nested(SideEffectDetail), **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[Any] | None:
        if not value and value is not None:
            return []  # as most days are
        found = [asdict(worded(fact["term"], fact["grade"])) | fact for fact in value]
        return super()._serialize(found, attr, obj, **kwargs)
