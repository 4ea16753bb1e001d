"""Accounts of a clinic's staff and systems, as its administrator and its staff see them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields, validate

from schemas.base import Answer, Body
from schemas.fields import Code, Id, Moment
from server.clinical.vocabulary import Role, Scope


class AccountAnswer(Answer):
    """One account."""

    id = Id(required=True)
    role = Code(Role, required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    has_second_factor = fields.Boolean(required=True)
    scopes = fields.List(
        Code(Scope),
        required=True,
        allow_none=True,
        metadata={"description": "of a system: what it may do; null: what systems always could"},
    )
    created_at = Moment(required=True)
    disabled_at = Moment(required=True, allow_none=True)


class AccountsAnswer(Answer):
    """The accounts of staff and systems, closed ones too, oldest first."""

    items = fields.List(fields.Nested(AccountAnswer), required=True)


class ColleagueAnswer(Answer):
    """Somebody of the staff."""

    id = Id(required=True)
    role = Code(Role, required=True)
    name = fields.String(required=True)


class ColleaguesAnswer(Answer):
    """Whoever works at the clinic, oldest account first; no closed account and no system."""

    items = fields.List(fields.Nested(ColleagueAnswer), required=True)


class SystemScopesBody(Body):
    """All that a system may do; an empty list: nothing but read who it is."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"scopes": ["visits"]}

    scopes = fields.List(Code(Scope), required=True, validate=validate.Length(max=len(Scope)))
