"""Search parameters of what patients reported and the rules found."""

from marshmallow import fields

from schemas.fhir.search import (
    FORMATS,
    LINES,
    PLACE,
    Answer,
    Moments,
    OneOf,
    PatientReference,
    Search,
    Tokens,
    format_of,
)
from schemas.fields import Text

TYPES = ("Patient", "QuestionnaireResponse", "Observation", "Provenance", "DetectedIssue")
VISIT_TYPES = ("ServiceRequest", "Appointment")


class PatientQuery(Search):
    """Which patients: all of the clinic, or one."""

    id = PatientReference(data_key="_id")
    identifier = Tokens(metadata={"description": "our id of the patient"})

    class Meta(Search.Meta):
        """Patients have no time of their last change."""

        exclude = ("last_updated",)


class JournalQuery(Search):
    """Whose, and of when. A patient who asks gets their own."""

    patient = PatientReference()
    date = fields.List(Moments())
    cursor = Text(longest=1000, data_key="_cursor", metadata={"description": PLACE})


class ObservationQuery(JournalQuery):
    """Which numbers."""

    code = Tokens()


class QuestionnaireResponseQuery(JournalQuery):
    """Which forms; `authored` is R4's name of what `date` is for all of the journal."""

    authored = fields.List(Moments())


class ProvenanceQuery(JournalQuery):
    """Where which forms come from; `when` is R4's name of `date`."""

    when = fields.List(Moments())


class DetectedIssueQuery(JournalQuery):
    """Which alerts; `identified` is R4's name of `date`."""

    identified = fields.List(Moments())


class EverythingQuery(Answer):
    """Of which kinds, and changed since when."""

    format = format_of(*FORMATS, *LINES)
    type = OneOf((*TYPES, *VISIT_TYPES), data_key="_type")
    since = Moments(data_key="_since")
