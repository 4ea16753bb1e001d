"""The base of every schema, and the shapes that many routes share."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, fields

from schemas.fields import Id, QueryWhole


class Body(Schema):
    """A request body: what it does not know is refused by name.

    A body's `EXAMPLE` is shown in the contract, and a test loads it.
    """

    EXAMPLE: ClassVar[Mapping[str, Any] | None] = None

    class Meta:
        """marshmallow's settings."""

        unknown = RAISE
        ordered = True


class Answer(Schema):
    """A response. Dump only."""

    class Meta:
        """marshmallow's settings."""

        unknown = RAISE


class ProblemDetail(Answer):
    """One thing wrong with a request: where (JSON pointer or parameter) and what."""

    pointer = fields.String(metadata={"description": "JSON pointer into the body", "example": "/items/mood"})
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
    current = fields.Dict(metadata={"description": "what is stored now, on 412 and 428"})


class PageQuery(Body):
    """Paging by cursor: pass the answer's `next_cursor` back."""

    cursor = Id(metadata={"description": "where the page before ended"})
    limit = QueryWhole(low=1, high=200, load_default=50, metadata={"description": "rows at the most"})


def page_of(item: type[Schema], name: str) -> type[Schema]:
    """Return the schema of a page of ``item``, named ``name`` in the contract."""
    members: dict[str, Any] = {
        "items": fields.List(fields.Nested(item), required=True),
        "next_cursor": fields.String(
            required=True, allow_none=True, metadata={"description": "null on the last page"}
        ),
    }
    return Answer.from_dict(members, name=name)


class ServiceStatus(Answer):
    """Whether the service can work."""

    status = fields.String(required=True, metadata={"example": "ok"})
