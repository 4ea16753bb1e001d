"""What a clinic's webhooks are told of its visits: written with the move, sent by the outbox afterwards.

An event is a delivery like any other, of the least urgency and never held by quiet hours: it goes to a
system. It is told to nobody another way when it is lost, for the inbox is the truth.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, select
from uuid_utils.compat import uuid7

from server.clinical.visit_event import event_type
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState, DeliverySubject
from server.models import Account, BookingSuggestion, ContactPoint, Delivery
from server.services.work import Work

_LISTENING: Select[UUID, UUID] = (
    select(ContactPoint.id, ContactPoint.account_id)
    .join(
        Account,
        (Account.clinic_id == ContactPoint.clinic_id) & (Account.id == ContactPoint.account_id),
    )
    .where(
        ContactPoint.clinic_id == bindparam("clinic"),
        ContactPoint.channel == Channel.WEBHOOK,
        ContactPoint.hears_visits.is_(True),
        ContactPoint.retired_at.is_(None),
        Account.disabled_at.is_(None),
    )
    .order_by(ContactPoint.id)
)


def tell_visit(work: Work, suggestion: BookingSuggestion) -> int:
    """Write an event of the suggestion, as it is now, for every webhook that listens; return how many.

    Once a version: state and version are frozen in the row, whatever comes before it is sent.
    """
    about = {
        "template": event_type(suggestion.state),
        "subject": DeliverySubject.SUGGESTION,
        "subject_id": suggestion.id,
        "event_state": suggestion.state,
        "event_version": suggestion.version,
    }
    key = f"visit:{suggestion.id}:{suggestion.version}"
    rows = [event_row(work, key, contact_id, account_id) | about for contact_id, account_id in _hooks(work)]
    if rows:
        work.session.execute(insert(Delivery), rows)
    return len(rows)


def event_row(work: Work, key: str, contact_id: UUID, account_id: UUID) -> dict[str, Any]:
    """Return what every event has, as the values of a delivery to one webhook."""
    return {
        "clinic_id": work.clinic_id,
        "id": uuid7(),
        "key": f"{key}|{Channel.WEBHOOK}:{contact_id}",
        "account_id": account_id,
        "channel": Channel.WEBHOOK,
        "contact_id": contact_id,
        "urgency": AlertClass.P3,
        "state": DeliveryState.QUEUED,
        "due_at": work.now,
        "attempt": 0,
        "created_at": work.now,
    }


def _hooks(work: Work) -> list[tuple[UUID, UUID]]:
    return [(row[0], row[1]) for row in work.rows(_LISTENING)]
