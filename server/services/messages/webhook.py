"""The clinic's webhooks: contact points that a system of the clinic, or a person's tool, listens at."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, or_, select

from server.clinical.vocabulary import Channel, EventKind, Role
from server.models import Account, ContactPoint
from server.services import vault
from server.services.cap import MOST_WEBHOOKS
from server.services.errors import Conflict, Invalid, NotFound
from server.services.messages import contact_point as contact_points
from server.services.messages.webhook_address import OLD_SECRETS_LAST, WebhookAddress, new_secret
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.work import Work


@dataclass(frozen=True, slots=True)
class Signed:
    """A webhook and its newest secret, which is shown this once."""

    point: ContactPoint
    secret: str


def listed(work: Work) -> Sequence[ContactPoint]:
    """Return the clinic's webhooks, oldest first, opened; also those switched off because they failed."""
    query = _webhooks(work).order_by(ContactPoint.id)
    return vault.opened(work, work.session.scalars(query).all())


def register(work: Work, account_id: UUID, url: str, events: Collection[EventKind] | None = None) -> Signed:
    """Let ``url`` hear of ``events`` for ``account_id``; None: what suits its role.

    Raises Invalid; Conflict where it is one of the account's webhooks already, or the clinic has too many.
    """
    clinics.lock(work)
    account = accounts.working(work, [account_id]).get(account_id)
    if account is None or account.role in (Role.PATIENT, Role.CAREGIVER):
        raise Invalid("/account_id", accounts.NOT_STAFF)
    wanted = usual_events(account.role) if events is None else events
    _check_events(account.role, wanted)
    known = listed(work)
    if len(known) >= MOST_WEBHOOKS:
        raise Conflict("too-many-webhooks", f"There are {MOST_WEBHOOKS} webhooks. Take one away first.")
    in_use = [one for one in known if one.retired_at is None and one.account_id == account_id]
    if url in (WebhookAddress.read(one.address).url for one in in_use):
        raise Conflict("webhook-known", "This account has a webhook at this address already.")
    secret = new_secret()
    address = WebhookAddress(url, (secret,)).text()
    point = contact_points.add(work, account_id, Channel.WEBHOOK, address)
    _hear(work, point, wanted)
    return Signed(point, secret)


def usual_events(role: Role) -> Collection[EventKind]:
    """Return what the webhook of an account hears unless it is said otherwise."""
    return [EventKind.VISITS if role is Role.INTEGRATION else EventKind.ALERTS]


def listen(work: Work, contact_id: UUID, events: Collection[EventKind]) -> ContactPoint:
    """Let a webhook hear ``events`` from now on. Raises NotFound, Invalid."""
    row = get(work, contact_id)
    account = work.session.get_one(Account, (row.clinic_id, row.account_id))
    _check_events(account.role, events)
    _hear(work, row, events)
    work.audit("webhook.listen", object_id=row.id)
    return row


def enable(work: Work, contact_id: UUID) -> ContactPoint:
    """Use a webhook that was switched off again; one in use stays so. Raises NotFound, Conflict."""
    row = get(work, contact_id)
    if row.retired_at is not None:
        contact_points.bring_back(work, row)
    return row


def in_use(work: Work, contact_id: UUID) -> ContactPoint:
    """Return a webhook, locked and opened. Raises NotFound; Conflict where it is switched off."""
    row = get(work, contact_id)
    if row.retired_at is not None:
        raise Conflict("switched-off", "This webhook is switched off. Enable it first.")
    return row


def rotate(work: Work, contact_id: UUID) -> Signed:
    """Give a webhook a new secret; the ones before sign too for a day. Raises NotFound."""
    row = get(work, contact_id)
    if row.retired_at is not None:
        raise NotFound("webhook")
    secret = new_secret()
    known = WebhookAddress.read(row.address).at(row.rotated_at, work.now)
    vault.put(work, row, "address", known.rotated(secret).text())
    row.rotated_at = work.now
    work.session.flush()
    work.audit("webhook.rotate", object_id=row.id)
    return Signed(row, secret)


def remove(work: Work, contact_id: UUID) -> None:
    """Take a webhook away, in use or switched off; its address is forgotten. Raises NotFound."""
    row = get(work, contact_id)
    row.retired_at, row.retired_why, row.digest = work.now, contact_points.REMOVED, None
    vault.put(work, row, "address", "")
    work.session.flush()
    work.audit("webhook.delete", object_id=row.id)


def drop_expired_secrets(work: Work) -> int:
    """Forget the secrets that do not sign any more; return of how many webhooks."""
    over = _webhooks(work).where(ContactPoint.rotated_at <= work.now - OLD_SECRETS_LAST)
    rows = vault.opened(work, work.session.scalars(over.with_for_update()).all())
    for row in rows:
        kept = WebhookAddress.read(row.address).at(row.rotated_at, work.now)
        vault.put(work, row, "address", kept.text())
        row.rotated_at = None
    work.session.flush()
    return len(rows)


def check(work: Work, contact_id: UUID) -> None:
    """Raise NotFound where there is no such webhook, in use or switched off."""
    if work.session.scalar(_webhooks(work).where(ContactPoint.id == contact_id)) is None:
        raise NotFound("webhook")


def get(work: Work, contact_id: UUID) -> ContactPoint:
    """Return a webhook, locked and opened, in use or switched off. Raises NotFound."""
    row = work.session.scalar(_webhooks(work).where(ContactPoint.id == contact_id).with_for_update())
    if row is None:
        raise NotFound("webhook")
    return vault.opened(work, [row])[0]


def _check_events(role: Role, events: Collection[EventKind]) -> None:
    if role is Role.INTEGRATION and EventKind.ALERTS in events:
        raise Invalid("/events", "A system can't read alerts: it listens to visits.")


def _hear(work: Work, row: ContactPoint, events: Collection[EventKind]) -> None:
    row.hears_alerts, row.hears_visits = EventKind.ALERTS in events, EventKind.VISITS in events
    work.session.flush()


def _webhooks(work: Work) -> Select[ContactPoint]:
    kept = or_(ContactPoint.retired_why.is_(None), ContactPoint.retired_why != contact_points.REMOVED)
    return select(ContactPoint).where(
        ContactPoint.clinic_id == work.clinic_id, ContactPoint.channel == Channel.WEBHOOK, kept
    )
