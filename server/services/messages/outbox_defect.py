"""A delivery that can't even be prepared: it is put off, in the end set aside, and no other waits for it."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from server.clinical.lifecycle import DELIVERY_MOVES, DeliveryAction, move
from server.models import Delivery
from server.services import apart
from server.services.apart import Failed
from server.services.messages import delivery_loss, operations, retry
from server.services.messages.delivery_loss import DEFECT, MOST_DEFECTS
from server.services.work import Work, system

log = logging.getLogger(__name__)

R = TypeVar("R")


def together(
    session: Session,
    now: datetime,
    rows: Sequence[Delivery],
    take: Callable[[Sequence[Delivery], list[R]], list[R]],
) -> list[R]:
    """Return what ``take`` makes of ``rows``; where it fails, of each alone, with what fails again put off.

    ``take`` adds to what it is given. Hardly ever does it fail, and a savepoint for each would cost them all.
    """
    taken = apart.tried(session, partial(take, rows, []))
    if not isinstance(taken, Failed):
        return taken
    found: list[R] = []
    for row in rows:
        alone = apart.tried(session, partial(take, [row], found))
        if isinstance(alone, Failed):
            _put_off(session, now, row, alone.kind)
        else:
            found = alone
    return found


def _put_off(session: Session, now: datetime, row: Delivery, kind: str) -> None:
    """Try ``row``, over which an error ``kind`` came up, again later; after some tries page and give it up.

    As one whose sending comes upon a defect of ours. Where not even that can be done it goes on being tried.
    """
    named = f"delivery {row.id} of clinic {row.clinic_id}"
    log.error("%s can't be prepared: %s", named, kind)
    row.state = move(DELIVERY_MOVES, row.state, DeliveryAction.CLAIM)
    row.attempt += 1
    row.failure = f"{DEFECT}_{kind}"[:64]
    tries = row.attempt - row.tries_before
    if tries >= MOST_DEFECTS:
        ended = apart.alone(session, f"{named} can't be ended", partial(_give_up, session, now, row))
        if ended:
            return
    row.state = move(DELIVERY_MOVES, row.state, DeliveryAction.RETRY)
    row.due_at = now + retry.pause(row.channel, tries, row.urgency, row.id)
    row.lease_until = None


def _give_up(session: Session, now: datetime, row: Delivery) -> bool:
    why = row.failure or DEFECT
    operations.poison(session, now, row.channel, why)
    delivery_loss.end(Work(session, now, system(row.clinic_id)), row, why)
    return True
