"""What went to a webhook, and what became of it; an event sent once more, and one that only tests the way."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, insert, select
from uuid_utils.compat import uuid7

from server.clinical.lifecycle import DELIVERY_MOVES, DeliveryAction, move
from server.clinical.visit_event import TEST
from server.clinical.vocabulary import EVENT_SUBJECTS, WAITING, DeliveryState, DeliverySubject
from server.models import Delivery
from server.services.errors import Conflict, NotFound
from server.services.messages import webhook as webhooks
from server.services.messages.webhook_event import event_row
from server.services.work import Work

# A large clinic's outage of three days, and still one short transaction.
MOST_REPLAYED = 1000
# Whoever tests looks on: what has not arrived by then says so, and does not count against the webhook.
TEST_LASTS = timedelta(hours=1)
_LOST = (DeliveryState.GIVEN_UP, DeliveryState.FAILED)


def page(work: Work, webhook_id: UUID, before: UUID | None, size: int) -> Sequence[Delivery]:
    """Return what went to a webhook, newest first, made before the delivery ``before``. Raises NotFound."""
    webhooks.check(work, webhook_id)
    query = _of_webhook(work, webhook_id)
    if before is not None:
        query = query.where(Delivery.id < before)
    return list(work.session.scalars(query.order_by(Delivery.id.desc()).limit(size)))


def replay(work: Work, webhook_id: UUID, delivery_id: UUID) -> Delivery:
    """Have an event sent once more under its own id, by the schedule of a new one; again is harmless.

    Raises NotFound; Conflict for a webhook that is switched off, and for a text.
    """
    webhooks.in_use(work, webhook_id)
    found = _of_webhook(work, webhook_id).where(Delivery.id == delivery_id).with_for_update()
    row = work.session.scalar(found)
    if row is None:
        raise NotFound("delivery")
    if row.subject not in EVENT_SUBJECTS:
        raise Conflict("not-an-event", "Only events are sent once more. An alert is told anew by itself.")
    _again(work, row)
    work.audit("webhook.replay", object_id=row.id)
    return row


def replay_lost(work: Work, webhook_id: UUID, since: datetime) -> tuple[int, bool]:
    """Have every event since ``since`` that was given up sent once more, oldest first.

    Return how many, at most `MOST_REPLAYED`, and whether there are more. Raises NotFound, Conflict.
    """
    webhooks.in_use(work, webhook_id)
    lost = _of_webhook(work, webhook_id).where(
        Delivery.subject == DeliverySubject.SUGGESTION,
        Delivery.state.in_(_LOST),
        Delivery.created_at >= since,
    )
    rows = list(work.session.scalars(lost.order_by(Delivery.id).limit(MOST_REPLAYED + 1).with_for_update()))
    for row in rows[:MOST_REPLAYED]:
        _again(work, row)
    work.session.flush()
    work.audit("webhook.replay-lost", object_id=webhook_id)
    return len(rows[:MOST_REPLAYED]), len(rows) > MOST_REPLAYED


def test(work: Work, webhook_id: UUID) -> Delivery:
    """Have a test event sent; one that is under way is hurried instead. Raises NotFound, Conflict."""
    hook = webhooks.in_use(work, webhook_id)
    of_tests = _of_webhook(work, webhook_id).where(Delivery.template == TEST)
    under_way = of_tests.where(Delivery.state.in_(WAITING)).limit(1).with_for_update()
    waiting = work.session.scalar(under_way)
    if waiting is not None:
        _again(work, waiting)
        return waiting
    row = event_row(work, f"test:{uuid7()}", hook.id, hook.account_id)
    row |= {"template": TEST, "subject": DeliverySubject.WEBHOOK, "subject_id": hook.id}
    work.session.execute(insert(Delivery), [row | {"expires_at": work.now + TEST_LASTS}])
    work.audit("webhook.test", object_id=hook.id)
    return work.session.get_one(Delivery, (work.clinic_id, row["id"]))


def _again(work: Work, row: Delivery) -> None:
    before = row.state
    row.state = move(DELIVERY_MOVES, before, DeliveryAction.REPLAY)
    if before is DeliveryState.CLAIMED:
        return  # it is being sent this very moment
    row.due_at, row.finished_at = work.now, None
    row.tried_since, row.tries_before = work.now, row.attempt
    if row.expires_at is not None:
        row.expires_at = work.now + TEST_LASTS


def _of_webhook(work: Work, webhook_id: UUID) -> Select[Delivery]:
    return select(Delivery).where(Delivery.clinic_id == work.clinic_id, Delivery.contact_id == webhook_id)
