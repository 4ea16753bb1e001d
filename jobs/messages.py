"""What a claimed delivery says: a text of the closed list, in the clinic's language."""

from datetime import datetime

from server.clinical.vocabulary import AlertClass
from server.gateways.message import Message, SendError
from server.gateways.templates import UnknownTemplate, render
from server.services.messages.outbox import Claimed
from server.services.messages.outbox_outcome import UNKNOWN_TEXT
from server.settings import Settings

URGENT = (AlertClass.P0, AlertClass.P1)
# What is said of many in place of what is said of one.
PLURAL = {
    "patient_needs_review": "patients_need_review",
    "emergency_needs_review": "emergencies_need_review",
    "still_waiting": "patients_need_review",
}


def message(settings: Settings, claimed: Claimed, at: datetime) -> Message:
    """Return the message for ``claimed`` as tried at ``at``; raises SendError for a text there is not."""
    many = claimed.count > 1
    name = PLURAL.get(claimed.template, claimed.template) if many else claimed.template
    try:
        text = render(name, claimed.language, settings.base_url, claimed.subject_id, claimed.count)
    except UnknownTemplate:
        raise SendError(True, UNKNOWN_TEXT) from None
    return Message(
        to=claimed.to,
        subject=text.subject,
        text=text.text,
        short=text.short,
        link=text.link,
        id=claimed.id,
        kind=f"notice.{claimed.template}",
        at=at,
        urgent=claimed.urgency in URGENT,
    )
