"""Check-in plans: how a patient is reminded, and which scales are asked."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validate, validates_schema

from schemas.base import Answer, Body
from schemas.fields import Code, Day, Flag, Id, TimeOfDay, Whole
from server.clinical import checkins
from server.clinical.checkins import Anchor, ScalePlan
from server.clinical.instruments.catalog import INSTRUMENTS
from server.clinical.instruments.instrument import Content, Respondent
from server.clinical.reminders import RAREST_EVERY

ASKABLE = sorted(
    key
    for key, found in INSTRUMENTS.items()
    if found.content is not Content.SCORE and found.respondent is Respondent.PATIENT
)


class PauseBody(Body):
    """A holiday from reminders, in local days, both included."""

    first = Day(required=True)
    last = Day(required=True)

    @validates_schema
    def forward(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse a pause that runs backward."""
        if data["first"] > data["last"]:
            raise ValidationError("Lies before the first day.", "last")


class RhythmBody(Body):
    """How the patient wants to be reminded. Times are on the patient's own clock, wherever they are."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "reminders": True,
        "remind_at": "20:00",
        "every_days": 1,
        "quiet_from": "22:00",
        "quiet_until": "07:00",
        "pause": {"first": "2026-07-04", "last": "2026-07-18"},
    }

    reminders = Flag(required=True, metadata={"description": "false: none at all"})
    remind_at = TimeOfDay(required=True, metadata={"description": "outside the quiet hours"})
    every_days = Whole(
        low=1,
        high=RAREST_EVERY,
        required=True,
        metadata={"description": "remind every 1st, 2nd or 3rd day; the diary itself stays daily"},
    )
    quiet_from = TimeOfDay(required=True)
    quiet_until = TimeOfDay(required=True, metadata={"description": "equal to quiet_from: never quiet"})
    pause = fields.Nested(PauseBody, required=True, allow_none=True)


class ScalePlanBody(Body):
    """One scale and the days it is asked on."""

    instrument = fields.String(required=True, validate=validate.OneOf(ASKABLE), metadata={"example": "phq-9"})
    anchor = Code(
        Anchor, required=True, metadata={"description": "watch: when the watch sees symptoms return"}
    )
    offsets = fields.List(
        Whole(low=checkins.EARLIEST_OFFSET, high=checkins.LATEST_OFFSET),
        load_default=list,
        validate=validate.Length(max=checkins.MOST_OFFSETS),
        metadata={
            "description": "days from a session, its own day is 0; session only",
            "example": [-1, 0, 1],
        },
    )
    every_days = Whole(
        low=1,
        high=checkins.LONGEST_EVERY,
        load_default=None,
        allow_none=True,
        metadata={"description": "then every so many days after the last session, or after first_day"},
    )
    first_day = Day(
        load_default=None,
        allow_none=True,
        metadata={"description": "calendar and once: the first or only day"},
    )
    open_days = Whole(
        low=1,
        high=checkins.LONGEST_OPEN,
        load_default=1,
        metadata={"description": "how many days it can be answered"},
    )

    @validates_schema
    def fits_its_anchor(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse members that the anchor has no use for, and miss none that it needs."""
        misfit = checkins.misfit(ScalePlan(**{**data, "offsets": tuple(data["offsets"])}))
        if misfit is not None:
            member, problem = misfit
            raise ValidationError(problem, member)


class ScalesBody(Body):
    """Which scales are asked, and when."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "scales": [
            {"instrument": "phq-9", "anchor": "session", "offsets": [-1, 1], "every_days": 14, "open_days": 3}
        ]
    }

    scales = fields.List(
        fields.Nested(ScalePlanBody), required=True, validate=validate.Length(max=checkins.MOST_SCALES)
    )


class ScalePlanAnswer(Answer):
    """One scale and the days it is asked on."""

    instrument = fields.String(required=True)
    anchor = Code(Anchor, required=True)
    offsets = fields.List(fields.Integer(), required=True)
    every_days = fields.Integer(required=True, allow_none=True)
    first_day = fields.String(required=True, allow_none=True, metadata={"format": "date"})
    open_days = fields.Integer(required=True)


class CheckInPlanAnswer(Answer):
    """A patient's plan."""

    patient_id = Id(required=True)
    reminders = fields.Boolean(required=True)
    remind_at = TimeOfDay(required=True)
    every_days = fields.Integer(required=True)
    quiet_from = TimeOfDay(required=True)
    quiet_until = TimeOfDay(required=True)
    pause = fields.Nested(PauseBody, required=True, allow_none=True)
    scales = fields.List(fields.Nested(ScalePlanAnswer), required=True)
    version = fields.Integer(required=True)
