"""Suggested visits over FHIR: what is searched for, and what a scheduling system may send."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import INCLUDE, fields, validate

from schemas.base import Body
from schemas.fhir.search import Moments, OneOf, PatientReference, Search, Tokens
from schemas.fields import Moment

REQUEST_STATUSES = ("draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown")
INTENTS = (
    *("proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order"),
    *("instance-order", "option"),
)
APPOINTMENT_STATUSES = (
    *("proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow"),
    *("entered-in-error", "checked-in", "waitlist"),
)


PARTICIPATIONS = ("accepted", "declined", "tentative", "needs-action")


class VisitQuery(Search):
    """Which visits."""

    identifier = Tokens(metadata={"example": "urn:afterglow:suggestion|{id}"})
    patient = PatientReference()


class ServiceRequestQuery(VisitQuery):
    """Which proposals; `authored`: when one was made."""

    authored = fields.List(Moments())
    status = OneOf(REQUEST_STATUSES)
    intent = OneOf(INTENTS)


class AppointmentQuery(VisitQuery):
    """Which appointments; `date`: when a booked one begins."""

    date = fields.List(Moments())
    status = OneOf(APPOINTMENT_STATUSES)


class _Resource(Body):
    class Meta(Body.Meta):
        """A whole resource comes in; what is not needed of it is not looked at."""

        unknown = INCLUDE


class FhirAppointmentResponseBody(_Resource):
    """The clinic's answer to a proposed appointment."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": "Appointment/01a1e8a0-5c00-7000-8000-000000000009"},
        "actor": {"display": "The clinic"},
        "participantStatus": "accepted",
        "start": "2026-03-05T09:30:00+01:00",
        "end": "2026-03-05T11:00:00+01:00",
    }

    resource_type = fields.String(
        data_key="resourceType", required=True, validate=validate.OneOf(["AppointmentResponse"])
    )
    appointment = fields.Dict(required=True)
    status = fields.String(
        data_key="participantStatus", required=True, validate=validate.OneOf(PARTICIPATIONS)
    )
    starts_at = Moment(data_key="start")
    ends_at = Moment(data_key="end")


class FhirAppointmentBody(_Resource):
    """The appointment as it stands in the clinic's system."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "resourceType": "Appointment",
        "id": "01a1e8a0-5c00-7000-8000-000000000009",
        "status": "booked",
        "identifier": [{"system": "https://clinic.example/appointments", "value": "4711"}],
        "start": "2026-03-05T09:30:00+01:00",
        "end": "2026-03-05T11:00:00+01:00",
        "participant": [{"actor": {"display": "The patient"}, "status": "accepted"}],
    }

    resource_type = fields.String(
        data_key="resourceType", required=True, validate=validate.OneOf(["Appointment"])
    )
    status = fields.String(required=True, validate=validate.OneOf(APPOINTMENT_STATUSES))
    starts_at = Moment(data_key="start")
    ends_at = Moment(data_key="end")
