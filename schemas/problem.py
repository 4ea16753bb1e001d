"""The one shape of every error."""

from marshmallow import fields

from schemas.base import Answer
from schemas.notice import NoticeAnswer


class ProblemDetail(Answer):
    """One thing wrong with a request: where (JSON pointer or parameter) and what."""

    pointer = fields.String(
        metadata={"description": "JSON pointer (RFC 6901) into the body", "example": "/items/mood"}
    )
    parameter = fields.String(metadata={"description": "name of a query or path parameter"})
    header = fields.String(metadata={"description": "name of a header"})
    detail = fields.String(required=True)


class ProblemSchema(Answer):
    """RFC 9457 problem details: the one shape of every error."""

    type = fields.String(required=True, metadata={"example": "urn:afterglow:problem:invalid"})
    title = fields.String(required=True, metadata={"example": "Unprocessable Entity"})
    status = fields.Integer(required=True, metadata={"example": 422})
    detail = fields.String(
        required=True, metadata={"example": "The request has 1 field that can't be taken."}
    )
    code = fields.String(required=True, metadata={"description": "stable", "example": "invalid"})
    errors = fields.List(fields.Nested(ProblemDetail))
    purpose = fields.String(metadata={"description": "of `consent-withdrawn`: what was not agreed to"})
    current = fields.Dict(metadata={"description": "what is stored now, on 412 and 428"})
    notice = fields.Nested(
        NoticeAnswer,
        metadata={"description": "show it at once: what was refused held an answer that cannot wait"},
    )
