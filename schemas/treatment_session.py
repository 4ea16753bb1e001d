"""Treatment sessions."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import fields

from schemas.base import Answer, Body, page_of
from schemas.fields import Code, Day, Id, Moment
from server.clinical.vocabulary import Route, SessionStatus


class TreatmentSessionBody(Body):
    """A session to record, planned or delivered."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "course_id": "019caae3-5000-7000-8000-000000000005",
        "status": "delivered",
        "at": "2026-04-17T10:00:00+02:00",
    }

    course_id = Id(required=True)
    status = Code(SessionStatus, only=(SessionStatus.PLANNED, SessionStatus.DELIVERED), required=True)
    at = Moment(required=True, metadata={"description": "when it started or is to start"})
    route = Code(Route, metadata={"description": "the course's by default"})


class TreatmentSessionChanges(Body):
    """Deliver, move or cancel a session."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"status": "delivered"}

    status = Code(SessionStatus)
    at = Moment()


class TreatmentSessionAnswer(Answer):
    """One session."""

    id = Id(required=True)
    patient_id = Id(required=True)
    course_id = Id(required=True)
    route = Code(Route, required=True)
    status = Code(SessionStatus, required=True)
    at = Moment(required=True)
    local_day = Day(required=True, metadata={"description": "the patient's civil day"})
    created_at = Moment(required=True)
    version = fields.Integer(required=True)


TreatmentSessionPage = page_of(TreatmentSessionAnswer, "TreatmentSessionPage")
