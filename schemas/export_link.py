"""Leave to take a journal away by a link."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate

from schemas.base import Answer, Body
from schemas.fields import Code, Id, Moment, Reason, Text
from schemas.query import QueryWhole
from server.clinical.vocabulary import ExportFormat

_KINDS = list(ExportFormat)


def _each_once(found: Sequence[ExportFormat]) -> None:
    if len(set(found)) < len(found):
        raise ValidationError("Name each once.")


class ExportLinkBody(Body):
    """As which files: each has all that was reported (the CSV no check-in plan) and can be imported."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"formats": ["json", "csv"]}

    formats = fields.List(
        Code(ExportFormat),
        required=True,
        validate=[validate.Length(min=1, max=len(_KINDS)), _each_once],
        metadata={"uniqueItems": True},
    )


class PatientExportBody(ExportLinkBody):
    """The same by the care team, which says why."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "formats": ["fhir"],
        "reason": "She moves to another clinic and asked us to hand it over.",
    }

    reason = Reason(longest=500, required=True)


class ExportAddress(Answer):
    """Where one file can be read, without signing in, until it runs out."""

    format = Code(ExportFormat, required=True)
    href = fields.String(required=True)


class ExportLinkAnswer(Answer):
    """A leave. `reason` is null where the patient asked; `taken` counts how often a link was followed."""

    id = Id(required=True)
    patient_id = Id(required=True)
    asked_by = Id(required=True)
    reason = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    expires_at = Moment(required=True)
    taken = fields.Integer(required=True)
    taken_at = Moment(required=True, allow_none=True)
    links = fields.List(fields.Nested(ExportAddress), required=True)


class ExportLinkList(Answer):
    """The open ones, newest first."""

    items = fields.List(fields.Nested(ExportLinkAnswer), required=True)


class TakingQuery(Body):
    """What stands in an address that we made."""

    clinic = Id(required=True)
    format = fields.String(required=True, validate=validate.OneOf([kind.value for kind in _KINDS]))
    expires = QueryWhole(low=0, high=2**40, required=True)
    proof = Text(longest=64, shortest=1, required=True)
