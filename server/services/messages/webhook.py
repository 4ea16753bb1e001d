"""The clinic's webhooks: contact points that a system of the clinic, or a person's tool, listens at."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, or_, select

from server.clinical.vocabulary import Channel
from server.models import ContactPoint
from server.services import vault
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


def register(work: Work, account_id: UUID, url: str) -> Signed:
    """Let messages for ``account_id`` go to ``url`` too. Raises Invalid; Conflict where they do already."""
    clinics.lock(work)
    if not accounts.is_working_staff(work, account_id):
        raise Invalid("/account_id", accounts.NOT_STAFF)
    in_use = [one for one in listed(work) if one.retired_at is None and one.account_id == account_id]
    if url in (WebhookAddress.read(one.address).url for one in in_use):
        raise Conflict("webhook-known", "This account has a webhook at this address already.")
    secret = new_secret()
    address = WebhookAddress(url, (secret,)).text()
    return Signed(contact_points.add(work, account_id, Channel.WEBHOOK, address), secret)


def rotate(work: Work, contact_id: UUID) -> Signed:
    """Give a webhook a new secret; the ones before sign too for a day. Raises NotFound."""
    row = _in_use(work, contact_id)
    secret = new_secret()
    known = WebhookAddress.read(row.address).at(row.rotated_at, work.now)
    vault.put(work, row, "address", known.rotated(secret).text())
    row.rotated_at = work.now
    work.session.flush()
    work.audit("webhook.rotate", object_id=row.id)
    return Signed(row, secret)


def remove(work: Work, contact_id: UUID) -> None:
    """Take a webhook away, in use or switched off; its address is forgotten. Raises NotFound."""
    row = _get(work, contact_id)
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


def _in_use(work: Work, contact_id: UUID) -> ContactPoint:
    row = _get(work, contact_id)
    if row.retired_at is not None:
        raise NotFound("webhook")
    return row


def _get(work: Work, contact_id: UUID) -> ContactPoint:
    row = work.session.scalar(_webhooks(work).where(ContactPoint.id == contact_id).with_for_update())
    if row is None:
        raise NotFound("webhook")
    return vault.opened(work, [row])[0]


def _webhooks(work: Work) -> Select[ContactPoint]:
    kept = or_(ContactPoint.retired_why.is_(None), ContactPoint.retired_why != contact_points.REMOVED)
    return select(ContactPoint).where(
        ContactPoint.clinic_id == work.clinic_id, ContactPoint.channel == Channel.WEBHOOK, kept
    )
