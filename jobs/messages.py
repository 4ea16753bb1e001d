"""What a claimed delivery says: a text of the closed list, in the clinic's language, or an event."""

from datetime import datetime

from server.clinical.vocabulary import AlertClass
from server.gateways.events import TestData, VisitData, data_of, visit_link
from server.gateways.message import Happened, Message, SendError
from server.gateways.templates import UnknownTemplate, render
from server.services.messages import number_code
from server.services.messages.outbox import Claimed, Event
from server.services.messages.outbox_outcome import UNKNOWN_TEXT
from server.settings import Settings

URGENT = (AlertClass.P0, AlertClass.P1)
# What is said of many in place of what is said of one.
PLURAL = {
    "patient_needs_review": "patients_need_review",
    "emergency_needs_review": "emergencies_need_review",
    "still_waiting": "patients_need_review",
    "alert_unanswered": "alerts_unanswered",
}


def message(settings: Settings, claimed: Claimed, at: datetime) -> Message:
    """Return the message for ``claimed`` as tried at ``at``; raises SendError for a text there is not."""
    if claimed.event is not None:
        return _told(settings, claimed, claimed.event, at)
    many = claimed.count > 1
    name = PLURAL.get(claimed.template, claimed.template) if many else claimed.template
    try:
        text = render(name, claimed.language, settings.base_url, claimed.subject_id, claimed.count)
    except UnknownTemplate:
        raise SendError(True, UNKNOWN_TEXT) from None
    if claimed.secret is not None:
        tell = text.telling if claimed.template == number_code.TEMPLATE else text.leading_on
        text = tell(claimed.secret)
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
        expires_at=claimed.expires_at,
    )


def _told(settings: Settings, claimed: Claimed, event: Event, at: datetime) -> Message:
    """Return the message that tells of an event: it has no words."""
    link = visit_link(settings.base_url, claimed.subject_id, event.to_system)
    try:
        data = data_of(claimed.template, _data(claimed, event, link))
    except UnknownTemplate:
        raise SendError(True, UNKNOWN_TEXT) from None
    return Message(
        to=claimed.to,
        subject="",
        text="",
        short="",
        link=str(data.get("link", "")),
        id=claimed.id,
        kind=claimed.template,
        at=at,
        urgent=False,
        happened=Happened(event.at, data),
    )


def _data(claimed: Claimed, event: Event, link: str) -> VisitData | TestData:
    about, clinic = str(claimed.subject_id), str(claimed.clinic_id)
    if event.state is None or event.version is None:
        return TestData(about, clinic)
    return VisitData(about, clinic, event.state.value, event.version, link)
