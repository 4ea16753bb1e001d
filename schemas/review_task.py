"""What a person has to look at: a visit, or something between us and a scheduling system."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, PageQuery, page_of
from schemas.fields import Code, Id, Moment, Reason
from schemas.query import QueryFlag
from server.clinical.vocabulary import ReviewCode


class ReviewTaskQuery(PageQuery):
    """Which tasks: those that wait, unless `settled` is true."""

    settled = QueryFlag(load_default=False)


class SettlingBody(Body):
    """What was done about it."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"note": "Called the front desk: the visit stands."}

    note = Reason(required=True, metadata={"example": "Called the front desk: the visit stands."})


class ReviewTaskAnswer(Answer):
    """One finding. `detail` holds ids, states and times."""

    id = Id(required=True)
    code = Code(ReviewCode, required=True)
    suggestion_id = Id(required=True, allow_none=True)
    connection_id = Id(required=True, allow_none=True)
    detail = fields.Dict(required=True)
    created_at = Moment(required=True)
    settled_at = Moment(required=True, allow_none=True)
    settled_by = Id(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)


ReviewTaskPage = page_of(ReviewTaskAnswer, "ReviewTaskPage")
