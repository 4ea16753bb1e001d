"""The ways to reach an account: telephones, devices and webhooks in its own order, then its e-mail.

Addresses are sealed. A device has one owner inside a clinic: who registers it last.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import Channel
from server.models import Account, ContactPoint
from server.services import vault
from server.services.alerts import reach
from server.services.errors import Conflict, Invalid, NotFound
from server.services.messages import number_index
from server.services.messages.webhook_address import WebhookAddress
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people import sign_in as sign_ins
from server.services.work import Work, system

MOST_POINTS = 10
# Why a point is not used any more: its owner took it away, registered the device elsewhere, sent STOP, or
# its account was signed out everywhere.
REMOVED, MOVED, STOPPED, SIGNED_OUT = "removed", "moved", "stopped", "signed-out"
_REACHES = (ContactPoint.hears_alerts.is_(True), ContactPoint.code_made_at.is_(None))


@dataclass(frozen=True, slots=True)
class Way:
    """One way to reach an account. ``contact_id``: None for its e-mail."""

    channel: Channel
    contact_id: UUID | None = None


def ways(work: Work, account: Account) -> list[Way]:
    """Return the ways to reach ``account``: its contact points in its own order, e-mail last.

    A webhook that only listens to visits is no way to reach anybody, nor is a number nobody has proven.
    """
    heard = _in_use(work.clinic_id, account.id).where(*_REACHES)
    query = heard.order_by(ContactPoint.position, ContactPoint.id)
    points = [Way(point.channel, point.id) for point in work.session.scalars(query)]
    return [*points, Way(Channel.EMAIL)]


def reachable(work: Work, accounts: Iterable[Account]) -> set[UUID]:
    """Return which of ``accounts`` can be reached: working, with a way in use.

    E-mail is no such way where the last message was refused for good and none was delivered since.
    """
    working = {account.id for account in accounts if account.disabled_at is None}
    query = select(ContactPoint.account_id).where(
        ContactPoint.clinic_id == work.clinic_id,
        ContactPoint.account_id.in_(working),
        ContactPoint.retired_at.is_(None),
        *_REACHES,
    )
    refused = reach.refused(work, working, [Channel.EMAIL])
    return {*work.session.scalars(query.distinct()), *(working - refused.keys())}


def own(work: Work) -> Sequence[ContactPoint]:
    """Return the actor's contact points in use, in their order, opened."""
    assert work.actor.account_id is not None
    query = _in_use(work.clinic_id, work.actor.account_id)
    rows = work.session.scalars(query.order_by(ContactPoint.position, ContactPoint.id)).all()
    return vault.opened(work, rows)


def add(work: Work, account_id: UUID, channel: Channel, address: str, proven: bool = True) -> ContactPoint:
    """Give an account of the clinic a contact point, last in its order; again only brings it up to date.

    ``address``: SMS an E.164 number, push the JSON text of the browser's subscription, webhook its JSON
    text. Another account's row of the same device is retired. One that is not ``proven`` is not used before
    a code was (`number_code`). Raises Conflict where there are too many, NotFound for a closed account,
    NotSignedIn where the actor's sign-in was ended a moment ago.
    """
    clinics.lock(work)
    if accounts.held(work, account_id) is None:
        raise NotFound("account")
    sign_ins.hold(work)
    digest = vault.digest(work, ContactPoint, (work.clinic_id,), _identity(account_id, channel, address))
    known = _by_digest(work, digest)
    if known is not None and known.account_id == account_id:
        _put(work, known, address)
        return known
    if known is not None:
        _retire(work, known, MOVED)
    row = ContactPoint(
        clinic_id=work.clinic_id,
        id=uuid7(),
        account_id=account_id,
        channel=channel,
        digest=digest,
        position=_next_position(work, account_id),
        created_at=work.now,
        code_made_at=None if proven else work.now,
    )
    _put(work, row, address)
    work.session.add(row)
    work.session.flush()
    work.audit("contact-point.create", object_id=row.id)
    return row


def _put(work: Work, row: ContactPoint, address: str) -> None:
    vault.put(work, row, "address", address)
    number_index.keep(work, row, address)


def remove(work: Work, contact_id: UUID) -> None:
    """Take one of the actor's own points out of use; its address is forgotten.

    Raises NotFound; Conflict for a webhook, which is the clinic's.
    """
    row = locked_own(work, contact_id)
    if row.channel is Channel.WEBHOOK:
        raise Conflict("clinics-webhook", "An administrator of your clinic removes webhooks.")
    _retire(work, row, REMOVED)


def end_devices(work: Work, account_id: UUID) -> None:
    """Take every device of an account out of use; whoever signs in on one registers it again."""
    query = _in_use(work.clinic_id, account_id).where(ContactPoint.channel == Channel.PUSH)
    for row in work.session.scalars(query.order_by(ContactPoint.id).with_for_update()).all():
        _retire(work, row, SIGNED_OUT)


def reorder(work: Work, ids: Sequence[UUID]) -> Sequence[ContactPoint]:
    """Put the actor's points into the order of ``ids``, which names each once; else raises Invalid."""
    clinics.lock(work)
    rows = {row.id: row for row in own(work)}
    if sorted(ids) != sorted(rows):
        raise Invalid("/ids", "Name each of your contact points once.")
    for position, contact_id in enumerate(ids):
        rows[contact_id].position = position
    work.session.flush()
    work.audit("contact-point.reorder")
    return [rows[contact_id] for contact_id in ids]


def retire(session: Session, clinic_id: UUID, contact_id: UUID, now: datetime, why: str) -> bool:
    """Take a point of any account out of use, for whoever delivers and finds it dead. Again is harmless.

    ``why`` is a code. Return whether it was in use.
    """
    work = Work(session, now, system(clinic_id))
    row = _locked(work, contact_id)
    if row is None:
        return False
    _retire(work, row, why)
    return True


def bring_back(work: Work, row: ContactPoint) -> None:
    """Take a retired point, opened, into use again, last in its account's order.

    Raises Conflict where another one leads there, or where there are too many.
    """
    clinics.lock(work)
    identity = _identity(row.account_id, row.channel, row.address)
    digest = vault.digest(work, ContactPoint, (work.clinic_id,), identity)
    if _by_digest(work, digest) is not None:
        raise Conflict("contact-point-known", "Another one leads there already.")
    row.position = _next_position(work, row.account_id)
    row.retired_at, row.retired_why, row.digest = None, None, digest
    work.session.flush()
    work.audit("contact-point.bring-back", object_id=row.id)


def open_address(work: Work, contact_id: UUID) -> str:
    """Return where a point leads, as its gateway takes it; secrets that have run out are left away.

    Raises NotFound where it is not in use any more.
    """
    row = work.session.get(ContactPoint, (work.clinic_id, contact_id))
    if row is None or row.retired_at is not None:
        raise NotFound("contact point")
    (row,) = vault.opened(work, [row])
    if row.channel is not Channel.WEBHOOK:
        return str(row.address)
    return WebhookAddress.read(row.address).at(row.rotated_at, work.now).text()


def _identity(account_id: UUID, channel: Channel, address: str) -> str:
    """Return what tells a point from others: a device is one whoever holds it, the rest is each account's."""
    if channel is Channel.PUSH:
        return f"push {json.loads(address)['endpoint']}"
    leads_to = WebhookAddress.read(address).url if channel is Channel.WEBHOOK else address
    return f"{channel} {account_id} {leads_to}"


def _by_digest(work: Work, digest: str) -> ContactPoint | None:
    query = select(ContactPoint).where(
        ContactPoint.clinic_id == work.clinic_id, ContactPoint.digest == digest
    )
    return work.session.scalar(query.with_for_update())


def _next_position(work: Work, account_id: UUID) -> int:
    used = _in_use(work.clinic_id, account_id).subquery()
    count, last = work.session.execute(select(func.count(), func.max(used.c.position))).one()
    if count >= MOST_POINTS:
        raise Conflict("too-many-contact-points", f"An account has {MOST_POINTS} at the most.")
    return 0 if last is None else last + 1


def locked_own(work: Work, contact_id: UUID) -> ContactPoint:
    """Return one of the actor's own points in use, its row locked. Raises NotFound."""
    row = _locked(work, contact_id)
    if row is None or row.account_id != work.actor.account_id:
        raise NotFound("contact point")
    return row


def _locked(work: Work, contact_id: UUID) -> ContactPoint | None:
    """Return a point in use with its row locked, or None."""
    row = work.session.get(ContactPoint, (work.clinic_id, contact_id), with_for_update=True)
    return None if row is None or row.retired_at is not None else row


def _retire(work: Work, row: ContactPoint, why: str) -> None:
    row.retired_at, row.retired_why = work.now, why
    row.digest = row.address_index = None
    vault.put(work, row, "code", None)
    if why in (REMOVED, MOVED, STOPPED, SIGNED_OUT):
        vault.put(work, row, "address", "")  # nobody needs it any more
    work.session.flush()
    work.audit("contact-point.retire", object_id=row.id)


def _in_use(clinic_id: UUID, account_id: UUID) -> Select[ContactPoint]:
    return select(ContactPoint).where(
        ContactPoint.clinic_id == clinic_id,
        ContactPoint.account_id == account_id,
        ContactPoint.retired_at.is_(None),
    )
