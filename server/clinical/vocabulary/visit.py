"""The life of a suggested visit, and of what goes between us and the clinic's scheduling system."""

from enum import StrEnum


class SuggestionState(StrEnum):
    """Life of a booking suggestion (docs/scheduling.md)."""

    DRAFT = "draft"
    SUGGESTED = "suggested"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    NOSHOW = "noshow"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    NEEDS_ATTENTION = "needs_attention"


# Approved, and nobody who makes appointments has looked at it yet.
UNSEEN_STATES = frozenset({SuggestionState.SUGGESTED, SuggestionState.SENT, SuggestionState.NEEDS_ATTENTION})


class DeclineCode(StrEnum):
    """Why the clinic does not book a suggested visit. A code, so that no diagnosis needs to be written."""

    NO_CAPACITY = "no_capacity"
    PATIENT_REFUSED = "patient_refused"
    PATIENT_UNREACHABLE = "patient_unreachable"
    ALREADY_BOOKED = "already_booked"
    NOT_INDICATED = "not_indicated"
    OTHER = "other"


class PeerStatus(StrEnum):
    """Where a visit stands in the clinic's own system, whatever words that system has for it.

    pending: somebody has seen it, or it waits for one side. cancelled: ended after it was booked;
    declined: ended before it ever was. failed: an asynchronous system says that it could not make it.
    """

    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    NOSHOW = "noshow"
    CANCELLED = "cancelled"
    DECLINED = "declined"
    FAILED = "failed"


class ConnectionKind(StrEnum):
    """The kinds of scheduling systems there is an adapter for."""

    INBOX = "inbox"
    FHIR = "fhir"
    GNUHEALTH = "gnuhealth"
    CALENDAR = "calendar"
    HTTP = "http"


class MappingKind(StrEnum):
    """What of ours the clinic's system knows under another name."""

    PATIENT = "patient"
    APPOINTMENT_TYPE = "appointment_type"
    PROVIDER = "provider"
    ROOM = "room"


class ProofScheme(StrEnum):
    """How a scheduling system signs what it sends us."""

    STANDARD = "standard"
    HMAC_HEX = "hmac_hex"
    HMAC_BASE64 = "hmac_base64"


class CopyState(StrEnum):
    """Where a suggestion's copy in the clinic's system stands.

    waiting: to be pushed or asked when it is due. claimed: a worker has it. held: we stopped trying, a
    person has to look. settled: over, nothing is asked any more.
    """

    WAITING = "waiting"
    CLAIMED = "claimed"
    HELD = "held"
    SETTLED = "settled"


class EventState(StrEnum):
    """Where a message of a scheduling system stands."""

    QUEUED = "queued"
    APPLIED = "applied"
    IGNORED = "ignored"
    REVIEW = "review"


class ReviewCode(StrEnum):
    """Why a person has to look at a visit, or at something between us and a scheduling system."""

    ILLEGAL_MOVE = "illegal_move"
    UNKNOWN_ID = "unknown_id"
    GONE_THERE = "gone_there"
    BOOKED_OTHERWISE = "booked_otherwise"
    NOT_TAKEN = "not_taken"
    NOT_FOLLOWED = "not_followed"
    OUT_OF_ORDER = "out_of_order"
    SAFETY_FIRST = "safety_first"
    UNREADABLE = "unreadable"
    NO_ANSWER = "no_answer"
    SESSION_TAKEN_OFF = "session_taken_off"


class PrecautionCode(StrEnum):
    """What the care team knows of a patient that speaks against a visit (docs/clinical.md, "Guards")."""

    PSYCHOTIC_DISORDER = "psychotic_disorder"
    BLOOD_PRESSURE = "blood_pressure"
    VASCULAR = "vascular"
    HYPERSENSITIVITY = "hypersensitivity"
    PREGNANCY = "pregnancy"
    MISUSE = "misuse"
    LIVER = "liver"
    COGNITION = "cognition"
    INTERACTION = "interaction"
    CONSENT_EXPIRED = "consent_expired"
    NOT_ENROLLED = "not_enrolled"
    UROLOGICAL = "urological"


class PatientAnswer(StrEnum):
    """What the patient said to an offered visit."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


class OfferedVisitState(StrEnum):
    """How a visit stands for its patient. ended: it will not take place; over: it took place, or its time
    has passed.
    """

    OFFERED = "offered"
    TIME_PROPOSED = "time_proposed"
    BOOKED = "booked"
    OVER = "over"
    ENDED = "ended"


class MessagesBy(StrEnum):
    """Who writes to the patient about a visit: this service, or the clinic's own system."""

    US = "us"
    CLINIC = "clinic"
