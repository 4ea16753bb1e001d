"""Who takes part, who says what, and what is known of a patient at enrolment."""

from enum import StrEnum


class Role(StrEnum):
    """What a signed-in account is, and so what it may do."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    COORDINATOR = "coordinator"
    CLINIC_ADMIN = "clinic_admin"
    INTEGRATION = "integration"
    CAREGIVER = "caregiver"


class Language(StrEnum):
    """In which outgoing messages are written (ISO 639-1)."""

    EN = "en"
    DE = "de"
    ES = "es"
    FR = "fr"
    NB = "nb"


class BipolarRisk(StrEnum):
    """What is known at enrolment that makes activation likelier."""

    BIPOLAR_SPECTRUM = "bipolar_spectrum"
    FAMILY_HISTORY = "family_history"
    MDQ_POSITIVE = "mdq_positive"


class Source(StrEnum):
    """The way an entry came in. Every way passes the same safety check."""

    APP = "app"
    CLINIC = "clinic"
    IMPORT = "import"
    SIMULATOR = "simulator"


class EnteredBy(StrEnum):
    """Whose hand made an entry; what it says is always about the patient."""

    PATIENT = "patient"
    CAREGIVER = "caregiver"
