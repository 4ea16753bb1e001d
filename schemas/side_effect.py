"""Side effects on the wire: the vocabulary, and what was reported in words."""

from typing import Any

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code
from server.clinical.side_effects import wordings
from server.clinical.vocabulary import AlertClass


class SideEffectAnswer(Answer):
    """One term of the vocabulary."""

    term = fields.String(required=True, attribute="key", metadata={"example": "nausea"})
    label = fields.String(required=True, metadata={"example": "Nausea"})


class GradeAnswer(Answer):
    """One severity in words."""

    grade = fields.Integer(required=True, metadata={"example": 2})
    label = fields.String(required=True, metadata={"example": "moderate"})
    text = fields.String(required=True)


class SideEffectVocabulary(Answer):
    """What can be reported, and how bad it can be."""

    side_effects = fields.List(fields.Nested(SideEffectAnswer), required=True)
    grades = fields.List(fields.Nested(GradeAnswer), required=True)


class SideEffectWording(Answer):
    """A reported effect in words; nothing is concluded from it."""

    term = fields.String(required=True, metadata={"example": "nausea"})
    label = fields.String(required=True, metadata={"example": "Nausea"})
    grade = fields.Integer(required=True, metadata={"example": 2})
    grade_label = fields.String(required=True, metadata={"example": "moderate"})
    grade_text = fields.String(required=True)


class Worded(fields.List[Any]):
    """Dumps the severities of an object's `side_effects` as a list of `SideEffectWording`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.Nested(SideEffectWording), **kwargs)

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        """Return the wordings of ``obj.side_effects``."""
        return wordings(obj.side_effects)


class SideEffectDetail(Answer):
    """A reported effect as a clinician reads it."""

    term = fields.String(required=True, attribute="words.term")
    label = fields.String(required=True, attribute="words.label")
    grade = fields.Integer(required=True, attribute="words.grade")
    grade_label = fields.String(required=True, attribute="words.grade_label")
    grade_text = fields.String(required=True, attribute="words.grade_text")
    onset_hours = fields.Float(
        required=True, allow_none=True, metadata={"description": "from the last session to the report"}
    )
    onset_days = fields.Integer(
        required=True, allow_none=True, metadata={"description": "the same in ended days"}
    )
    in_window = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "inside the hours it is expected in; null where nobody can say"},
    )
    triage = Code(AlertClass, required=True, metadata={"description": "P3: no red flag"})
