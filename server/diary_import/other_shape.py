"""The shape into which the other formats of an export are read."""

from marshmallow import fields, validate

from server.diary_import.export_shapes import (
    SKEW_MOST,
    FirstFile,
    Plan,
    ReportedEntry,
    ReportedResponse,
    SecondFile,
    ZoneChange,
)
from server.diary_import.shape_parts import Part


class _SeldomClocked(Part):
    clock_skew_seconds = fields.Integer(strict=True, validate=validate.Range(-SKEW_MOST, SKEW_MOST))


class _Entry(_SeldomClocked, ReportedEntry):
    pass


class _Response(_SeldomClocked, ReportedResponse):
    pass


class OtherFile(FirstFile):
    """What was read of another format. Not all have the plan and the phone's clock."""

    lists = SecondFile.lists
    entries = fields.List(fields.Nested(_Entry), required=True)
    questionnaire_responses = fields.List(fields.Nested(_Response), required=True)
    zone_changes = fields.List(fields.Nested(ZoneChange), required=True)
    check_in_plan = fields.Nested(Plan)
