"""What a clinic's SMS may cost in a month, counted in SMS. An emergency is sent whatever was spent."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from server.clinical.vocabulary import AlertClass
from server.services import tally
from server.services.cap import Cap

SPENT = "sms_budget"
_SMS = Cap("sms", 0, timedelta(days=32), "SMS of one clinic in a calendar month")


def spend(session: Session, now: datetime, clinic_id: UUID, urgency: AlertClass, a_month: int) -> bool:
    """Count one SMS of this calendar month (UTC); False where it must not be sent any more.

    Emergencies (P0) count and are sent. One more try of the same message is not to be counted again.
    """
    cap, who = replace(_SMS, most=a_month), (str(clinic_id), f"{now:%Y-%m}")
    if urgency is not AlertClass.P0 and tally.number(session, now, cap, *who) >= a_month:
        return False
    tally.count(session, now, cap, *who)
    return True
