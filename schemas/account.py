"""Accounts of a clinic's staff and systems, as its administrator sees them."""

from marshmallow import fields

from schemas.base import Answer
from schemas.fields import Code, Id, Moment
from server.clinical.vocabulary import Role


class AccountAnswer(Answer):
    """One account."""

    id = Id(required=True)
    role = Code(Role, required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    has_second_factor = fields.Boolean(required=True)
    created_at = Moment(required=True)
    disabled_at = Moment(required=True, allow_none=True)


class AccountsAnswer(Answer):
    """The accounts of staff and systems, closed ones too, oldest first."""

    items = fields.List(fields.Nested(AccountAnswer), required=True)
