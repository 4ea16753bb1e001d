"""The base of every schema, and the shapes that many routes share."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, fields

from schemas.combining import Rule
from schemas.dumping import Dumped
from schemas.fields import Id
from schemas.lasting import Lasting
from schemas.loading import Loaded
from schemas.query import QueryWhole


class Body(Loaded, Dumped, Lasting):
    """A request body: what it does not know is refused by name.

    A body's `EXAMPLE` is shown in the contract, and a test loads it. `TOGETHER` is a rule between members
    that the contract can say.
    """

    EXAMPLE: ClassVar[Mapping[str, Any] | None] = None
    TOGETHER: ClassVar[Rule | None] = None

    class Meta:
        """marshmallow's settings."""

        unknown = RAISE
        ordered = True


class Answer(Dumped, Lasting):
    """A response. Dump only."""

    class Meta:
        """marshmallow's settings."""

        unknown = RAISE


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
