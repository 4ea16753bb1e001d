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


class FactorKind(StrEnum):
    """What proves, beside a password, that it is the same person."""

    TOTP = "totp"
    PASSKEY = "passkey"


class InvitationProof(StrEnum):
    """What an invited person is asked for beside the code."""

    BIRTH_YEAR = "birth_year"
    WORD = "word"


class Scope(StrEnum):
    """What one of the clinic's systems may do: nothing but what is named."""

    VISITS = "visits"


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


class ErasureState(StrEnum):
    """How far the erasure of a patient is."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    DONE = "done"
    CANCELLED = "cancelled"


class ErasureReason(StrEnum):
    """Why a patient is erased."""

    PATIENT_ASKED = "patient_asked"
    RETENTION = "retention"
    MISTAKE = "mistake"
    RESTORED = "restored"


# The others are the service's own: nobody may say that a record has run out, or a restore brought it back.
ASKED_REASONS = (ErasureReason.PATIENT_ASKED, ErasureReason.MISTAKE)


class ExportFormat(StrEnum):
    """As which file an export is taken away."""

    JSON = "json"
    FHIR = "fhir"
    CSV = "csv"
