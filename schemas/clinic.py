"""The clinic and invitations to its staff."""

from marshmallow import fields, validate

from schemas.base import Answer, Body
from schemas.fields import Code, Flag, Id, Moment, Text, Zone
from server.clinical.vocabulary import Role

COUNTRY = validate.Regexp(r"[A-Z]{2}\Z", error="Must be an ISO 3166 country code of two capital letters.")
STAFF = (Role.CLINICIAN, Role.COORDINATOR, Role.CLINIC_ADMIN, Role.INTEGRATION)


class ClinicAnswer(Answer):
    """One clinic."""

    id = Id(required=True)
    slug = fields.String(required=True, metadata={"example": "demo"})
    name = fields.String(required=True, metadata={"example": "Demo Clinic"})
    zone = Zone(required=True)
    country = fields.String(required=True, metadata={"example": "NO"})
    asks_safety_question = fields.Boolean(required=True)
    policy_version = fields.Integer(required=True)


class ClinicChanges(Body):
    """What an admin may change."""

    name = Text(longest=200, shortest=1)
    zone = Zone()
    country = fields.String(validate=COUNTRY)
    asks_safety_question = Flag()


class StaffInvitationBody(Body):
    """A colleague or an integration client to invite."""

    role = Code(Role, required=True)
    name = Text(longest=200, shortest=1, required=True)


class InvitationAnswer(Answer):
    """The code is shown here once; the invited person sends it to `POST /v1/enrolments` within 72 hours."""

    id = Id(required=True)
    code = fields.String(required=True)
    expires_at = Moment(required=True)
