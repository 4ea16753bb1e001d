"""The clinic."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body
from schemas.fields import Code, Country, Flag, Id, Text, Whole, Zone
from server.clinical.visit_window import LONGEST_MINUTES, SHORTEST_MINUTES
from server.clinical.vocabulary import Language, MessagesBy
from server.clinical.wall_clock import EARLIEST_START, LATEST_START

LANGUAGE = {"description": "in which messages to its staff and patients are written", "example": "en"}
DAY_STARTS = {"description": "the hour at which a patient's day starts where they are", "example": 4}

MESSAGES_BY = {
    "description": "who writes to patients about their visits: this service, or the clinic's own system",
    "example": "clinic",
}
VISIT_MINUTES = {"description": "how long a suggested visit takes, for those to come", "example": 90}


class ClinicAnswer(Answer):
    """One clinic."""

    id = Id(required=True)
    slug = fields.String(required=True, metadata={"example": "demo"})
    name = fields.String(required=True, metadata={"example": "Demo Clinic"})
    zone = Zone(required=True)
    country = fields.String(required=True, metadata={"example": "NO"})
    language = Code(Language, required=True, metadata=LANGUAGE)
    day_start = fields.Integer(required=True, metadata=DAY_STARTS)
    asks_safety_question = fields.Boolean(required=True)
    patient_messages_by = Code(MessagesBy, required=True, metadata=MESSAGES_BY)
    visit_minutes = fields.Integer(required=True, metadata=VISIT_MINUTES)
    policy_version = fields.Integer(required=True)


class ClinicChanges(Body):
    """What an admin may change."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"name": "Demo Clinic", "zone": "Europe/Oslo"}

    name = Text(longest=200, shortest=1)
    zone = Zone()
    country = Country()
    language = Code(Language, metadata=LANGUAGE)
    day_start = Whole(low=EARLIEST_START, high=LATEST_START, metadata=DAY_STARTS)
    asks_safety_question = Flag()
    patient_messages_by = Code(MessagesBy, metadata=MESSAGES_BY)
    visit_minutes = Whole(low=SHORTEST_MINUTES, high=LONGEST_MINUTES, metadata=VISIT_MINUTES)
