"""Private addresses under which calendar programs read a clinic's visits.

Whoever knows the token in one reads the visits: no name, no reason, but when the clinic expects somebody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from server.clinical.visit import Proposed
from server.clinical.vocabulary import SuggestionState
from server.models import BookingSuggestion, CalendarFeed, Patient
from server.services.errors import Conflict, NotFound
from server.services.people.secrets import fingerprint, new_secret
from server.services.visits.proposed import proposed
from server.services.work import Work, system

# What a feed shows: so far back, and so far ahead.
PAST, AHEAD = timedelta(days=30), timedelta(days=180)
MOST_FEEDS = 50  # of one clinic, in use
# Programs look again every few minutes; that somebody reads is worth knowing by the hour.
_NOTED_EVERY = timedelta(hours=1)
_S = SuggestionState
_SUGGESTED = (_S.SUGGESTED, _S.SENT, _S.ACKNOWLEDGED, _S.NEEDS_ATTENTION)
_BOOKED = (_S.BOOKED, _S.ARRIVED, _S.FULFILLED, _S.NOSHOW)


@dataclass(frozen=True, slots=True)
class Opened:
    """A feed and the token of its address, which is shown this once and never stored."""

    feed: CalendarFeed
    token: str


def create(work: Work, name: str) -> Opened:
    """Make an address. ``name``: for whom it is. Raises Conflict where there are too many."""
    if len(listed(work)) >= MOST_FEEDS:
        raise Conflict("too-many-feeds", f"There are {MOST_FEEDS} feeds in use. Take one away first.")
    token = new_secret()
    feed = CalendarFeed(
        clinic_id=work.clinic_id,
        id=uuid7(),
        name=name,
        digest=fingerprint(token),
        created_by=work.actor.account_id,
        created_at=work.now,
    )
    work.session.add(feed)
    work.session.flush()
    work.audit("calendar-feed.create", object_id=feed.id)
    return Opened(feed, token)


def listed(work: Work) -> Sequence[CalendarFeed]:
    """Return the feeds in use, oldest first."""
    return work.session.scalars(_in_use(work).order_by(CalendarFeed.id)).all()


def revoke(work: Work, feed_id: UUID) -> None:
    """Take an address away: from now on it is one that never was. Raises NotFound."""
    feed = work.session.scalar(_in_use(work).where(CalendarFeed.id == feed_id).with_for_update())
    if feed is None:
        raise NotFound("calendar feed")
    feed.revoked_at = work.now
    work.session.flush()
    work.audit("calendar-feed.revoke", object_id=feed.id)


def behind(session: Session, token: str, now: datetime) -> tuple[Work, CalendarFeed]:
    """Return whose visits ``token`` lets read; NotFound, in the same words, for any other text."""
    found = select(CalendarFeed).where(
        CalendarFeed.digest == fingerprint(token), CalendarFeed.revoked_at.is_(None)
    )
    feed = session.scalar(found)
    if feed is None:
        raise NotFound("calendar feed")
    return Work(session, now, system(feed.clinic_id)), feed


def is_to_be_noted(feed: CalendarFeed, now: datetime) -> bool:
    """Return whether it is time to write down that the feed is read."""
    return feed.read_at is None or feed.read_at <= now - _NOTED_EVERY


def note_read(work: Work, feed: CalendarFeed) -> None:
    """Write down that the feed was read: for its admin, and in the audit log."""
    if is_to_be_noted(feed, work.now):
        feed.read_at = work.now
        work.audit("calendar-feed.read", object_id=feed.id)


def visits(work: Work) -> Sequence[Proposed]:
    """Return the approved suggestions whose days, and the booked visits whose time, lie in what is shown."""
    first, last = work.now - PAST, work.now + AHEAD
    at = BookingSuggestion.starts_at
    shown = or_(
        and_(
            BookingSuggestion.state.in_(_SUGGESTED),
            BookingSuggestion.latest >= first.date(),
            BookingSuggestion.earliest <= last.date(),
        ),
        and_(BookingSuggestion.state.in_(_BOOKED), at >= first, at <= last),
    )
    query = (
        select(BookingSuggestion, Patient.zone)
        .join(
            Patient,
            and_(
                Patient.clinic_id == BookingSuggestion.clinic_id, Patient.id == BookingSuggestion.patient_id
            ),
        )
        .where(BookingSuggestion.clinic_id == work.clinic_id, shown)
        .order_by(BookingSuggestion.id)
    )
    return [proposed(suggestion, zone) for suggestion, zone in work.session.execute(query)]


def _in_use(work: Work) -> Select[CalendarFeed]:
    return select(CalendarFeed).where(
        CalendarFeed.clinic_id == work.clinic_id, CalendarFeed.revoked_at.is_(None)
    )
