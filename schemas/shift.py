"""Shifts of the people on call."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from schemas import spelling
from schemas.base import Answer, Body, page_of
from schemas.fields import Day, Id
from schemas.spelling import refusal
from server.clinical.rota import LONGEST_ONCE, LONGEST_WEEKLY

_WHAT = "a date and time without an offset, YYYY-MM-DDTHH:MM"


class CivilTime(fields.Field[datetime]):
    """A civil date and time of the clinic's zone, to the minute and without an offset."""

    spelled = spelling.CIVIL_TIME

    def __init__(self, **kwargs: Any) -> None:
        # `date-time` would promise an offset.
        known = {"format": spelling.CIVIL_TIME.format, "example": spelling.CIVIL_TIME.example}
        metadata = {"type": "string", **known}
        super().__init__(metadata={**metadata, **kwargs.pop("metadata", {})}, **kwargs)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.isoformat("T", "minutes")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not self.spelled.fits(value):
            raise ValidationError(refusal(self.spelled, value, _WHAT))
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise ValidationError("There is no such day.") from None


class ShiftBody(Body):
    """Somebody of the staff is on call, once or every week. Times are of the clinic's zone."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "account_id": "019caae3-5000-7000-8000-000000000001",
        "starts": "2026-05-08T18:00",
        "ends": "2026-05-11T08:00",
        "weekly_until": "2026-12-31",
    }

    account_id = Id(required=True)
    starts = CivilTime(required=True)
    ends = CivilTime(required=True, metadata={"description": "at the most 31 days later; weekly ones 7"})
    weekly_until = Day(
        load_default=None,
        allow_none=True,
        metadata={"description": "it comes again every week, last on this day; null: once"},
    )

    @validates_schema
    def fits(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a shift that runs backward, is too long or would never come again."""
        length, until = data["ends"] - data["starts"], data["weekly_until"]
        longest = LONGEST_ONCE if until is None else LONGEST_WEEKLY
        if data["ends"] <= data["starts"]:
            raise ValidationError("Lies before the start.", "ends")
        if length > longest:
            raise ValidationError(f"Is more than {longest.days} days after the start.", "ends")
        if until is not None and until < data["starts"].date():
            raise ValidationError("Lies before the start.", "weekly_until")


class ShiftAnswer(Answer):
    """A shift."""

    id = Id(required=True)
    account_id = Id(required=True)
    starts = CivilTime(required=True)
    ends = CivilTime(required=True)
    weekly_until = Day(required=True, allow_none=True)


ShiftPage = page_of(ShiftAnswer, "ShiftPage")
