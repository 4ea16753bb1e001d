"""SQLAlchemy tables, one file a noun: columns, keys and indexes, no rules."""

from server.models.account import STAFF, Account
from server.models.activation import Activation
from server.models.alert import UNRESOLVED, Alert, AlertEvent, AlertFeedback
from server.models.assessment import Assessment
from server.models.audit_event import AuditEvent
from server.models.audit_seal import AuditSeal
from server.models.base import Base
from server.models.blood_pressure import BloodPressure
from server.models.booking_suggestion import BookingSuggestion, BookingSuggestionEvent
from server.models.break_glass import BreakGlass
from server.models.calendar_feed import CalendarFeed
from server.models.candidate_slot import CandidateSlot
from server.models.caregiver import Caregiver
from server.models.check_in_plan import CheckInPlan
from server.models.clinic import Clinic
from server.models.clinic_digest_key import ClinicDigestKey
from server.models.clinic_key import ClinicKey
from server.models.consent import Consent
from server.models.consent_text import ConsentText
from server.models.contact_point import ContactPoint
from server.models.course import Course
from server.models.delivery import Delivery
from server.models.entry import Entry, EntryRevision
from server.models.erasure import Erasure
from server.models.export_link import ExportLink
from server.models.factor import Factor, RecoveryCode, Ticket
from server.models.invitation import Invitation
from server.models.job_run import JobRun
from server.models.kept_answer import KeptAnswer
from server.models.legal_hold import LegalHold
from server.models.patient import Patient
from server.models.patient_policy import PatientPolicy
from server.models.policy import PolicyActivation, PolicyVersion
from server.models.policy_replay import PolicyReplay, PolicyReplayPatient
from server.models.precaution import Precaution
from server.models.questionnaire_response import QuestionnaireResponse, QuestionnaireResponseRevision
from server.models.recovery import Recovery
from server.models.reminder import Reminder
from server.models.review_task import ReviewTask
from server.models.rota import Rota
from server.models.scale import ScaleText
from server.models.scale_request import ScaleRequest
from server.models.scheduling_connection import SchedulingConnection, SchedulingMapping
from server.models.scheduling_copy import SchedulingCopy
from server.models.scheduling_event import SchedulingEvent
from server.models.shift import Shift
from server.models.sign_in import RefreshToken, SignIn
from server.models.tally import Tally
from server.models.treatment_session import TreatmentSession
from server.models.watch_move import WatchMove
from server.models.zone_change import ZoneChange

__all__ = [
    "STAFF",
    "UNRESOLVED",
    "Account",
    "Activation",
    "Alert",
    "AlertEvent",
    "AlertFeedback",
    "Assessment",
    "AuditEvent",
    "AuditSeal",
    "Base",
    "BloodPressure",
    "BookingSuggestion",
    "BookingSuggestionEvent",
    "BreakGlass",
    "CalendarFeed",
    "CandidateSlot",
    "Caregiver",
    "CheckInPlan",
    "Clinic",
    "ClinicDigestKey",
    "ClinicKey",
    "Consent",
    "ConsentText",
    "ContactPoint",
    "Course",
    "Delivery",
    "Entry",
    "EntryRevision",
    "Erasure",
    "ExportLink",
    "Factor",
    "Invitation",
    "JobRun",
    "KeptAnswer",
    "LegalHold",
    "Patient",
    "PatientPolicy",
    "PolicyActivation",
    "PolicyReplay",
    "PolicyReplayPatient",
    "PolicyVersion",
    "Precaution",
    "QuestionnaireResponse",
    "QuestionnaireResponseRevision",
    "Recovery",
    "RecoveryCode",
    "RefreshToken",
    "Reminder",
    "ReviewTask",
    "Rota",
    "ScaleRequest",
    "ScaleText",
    "SchedulingConnection",
    "SchedulingCopy",
    "SchedulingEvent",
    "SchedulingMapping",
    "Shift",
    "SignIn",
    "Tally",
    "Ticket",
    "TreatmentSession",
    "WatchMove",
    "ZoneChange",
]
