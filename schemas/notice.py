"""What the app must show at once."""

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code
from server.clinical.redflags import Notice


class NoticeAnswer(Answer):
    """What the app must show at once."""

    kind = Code(Notice, required=True)
    text = fields.String(
        required=True,
        metadata={"description": "in the language of `Accept-Language`, else of the clinic"},
    )
    emergency_number = fields.String(required=True, metadata={"example": "112"})
    crisis_lines = fields.List(fields.String(), required=True, metadata={"example": ["116 123"]})
