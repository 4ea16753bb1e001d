"""The audit log as the clinic's admin reads it."""

from typing import Any

from marshmallow import fields, validate

from schemas.base import Answer, Body, PageQuery, page_of
from schemas.fields import Id, Moment
from schemas.query import QueryWhole
from schemas.spelling import Fully

KINDS = ("ndjson", "csv")
_ACTION = Fully("^[a-z0-9_.-]{1,64}$")


class AuditQuery(PageQuery):
    """Which events; without any of these all of them, newest first."""

    patient_id = Id(metadata={"description": "about this patient"})
    account_id = Id(metadata={"description": "by this account"})
    action = fields.String(validate=_ACTION, metadata={"example": "patient.read"})
    since = Moment(data_key="from", metadata={"description": "at this moment or later"})
    until = Moment(data_key="to", metadata={"description": "before this moment"})


class AuditExportQuery(Body):
    """Which kind of file, and after which position of the chain it begins."""

    format = fields.String(load_default="ndjson", validate=validate.OneOf(KINDS))
    after = QueryWhole(
        low=0, high=2**53, load_default=0, metadata={"description": "position the file before ended at"}
    )


class AuditEventAnswer(Answer):
    """One event: ids and verbs only."""

    id = Id(required=True)
    at = Moment(required=True)
    account_id = Id(required=True, allow_none=True, metadata={"description": "null: the service itself"})
    account_name = fields.String(required=True, allow_none=True)
    action = fields.String(required=True, metadata={"example": "patient.read"})
    patient_id = Id(required=True, allow_none=True)
    object_id = fields.String(required=True, allow_none=True)
    position = fields.Integer(
        required=True, allow_none=True, metadata={"description": "in the chain; null: not sealed yet"}
    )
    digest = fields.Method(
        "hexadecimal",
        required=True,
        metadata={"type": ["string", "null"], "description": "over this event and all before it"},
    )

    def hexadecimal(self, row: Any) -> str | None:
        """Write the digest as text."""
        return None if row.digest is None else row.digest.hex()


AuditEventPage = page_of(AuditEventAnswer, "AuditEventPage")
