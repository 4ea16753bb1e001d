"""What a clinic's SMS may cost in a month, counted in SMS. An emergency is sent whatever was spent.

A quarter of it is for patients and their caregivers, the rest for the staff: whatever patients do, their
messages never take one that tells the staff of an alert.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from server.clinical.vocabulary import AlertClass, Role
from server.services import tally
from server.services.cap import Cap

SPENT = "sms_budget"
_MONTH = timedelta(days=32)
_SMS = Cap("sms", 0, _MONTH, "SMS to the staff of one clinic in a calendar month")
_PATIENTS = Cap("sms_patients", 0, _MONTH, "SMS to the patients of one clinic in a calendar month")
_PATIENT = Cap("sms_patient", 60, _MONTH, "SMS to one patient in a calendar month")
PRIVATE = (Role.PATIENT, Role.CAREGIVER)
# Of how many SMS one is for patients.
_SHARE = 4


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who an SMS is for. ``private``: the account, where it is a patient's or a caregiver's."""

    clinic_id: UUID
    private: UUID | None = None


def spend(session: Session, now: datetime, to: Recipient, urgency: AlertClass, a_month: int) -> bool:
    """Count one SMS of this calendar month (UTC); False where it must not be sent any more.

    ``a_month``: how many there are for the whole clinic. Emergencies (P0) count and are sent. One more try
    of the same message is not to be counted again.
    """
    month, clinic, for_patients = f"{now:%Y-%m}", str(to.clinic_id), a_month // _SHARE
    for_staff = replace(_SMS, most=a_month - for_patients)
    counted: list[tuple[Cap, tuple[str, ...]]] = [(for_staff, (clinic, month))]
    if to.private is not None:
        of_all = (replace(_PATIENTS, most=for_patients), (clinic, month))
        counted = [of_all, (_PATIENT, (clinic, str(to.private), month))]
    is_spent = any(tally.number(session, now, cap, *who) >= cap.most for cap, who in counted)
    if is_spent and urgency is not AlertClass.P0:
        return False
    for cap, who in counted:
        tally.count(session, now, cap, *who)
    return True
