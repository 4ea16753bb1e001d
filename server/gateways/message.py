"""What every channel shares: one message to one destination, what became of it, and why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

# A far end that asks for more patience is asked again all the same: somebody waits for the message.
LONGEST_WAIT = timedelta(hours=1)


class Handed(StrEnum):
    """How sure we are once `send` has returned."""

    ACCEPTED = "accepted"  # the provider took responsibility; nothing more will be known, or a report follows
    DELIVERED = "delivered"  # the destination itself confirmed (a webhook's 2xx)


@dataclass(frozen=True, slots=True)
class Happened:
    """What a webhook says where it tells of an event, not of a text: when it was, and its members."""

    at: datetime
    data: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """The calendar object of a mail (iMIP), and what it asks for: the METHOD in it."""

    method: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One notice to one destination. No member but ``to`` tells whom it is for.

    ``to``: e-mail the address; SMS `+` and digits (E.164); push the JSON text of the browser's
    PushSubscription; webhook JSON `{"url": …, "secrets": ["whsec_…", …]}`, where every secret signs.
    ``text`` holds the link (e-mail); ``short`` is one line without it (SMS, lock screens).
    ``id`` is the same at every repeat, so that a receiver can drop one. ``kind`` is the event's type
    (`alert.needs_review`), ``at`` the moment of this try (aware), ``urgent`` that it can't wait (P0, P1).
    ``happened``: an event, which goes to webhooks alone and has no words.
    ``calendar``: what a calendar program reads in place of the text (e-mail). ``expires_at``: from then on it
    would come too late, also where somebody on the way keeps it for a telephone that is off (SMS, push).
    """

    to: str
    subject: str
    text: str
    short: str
    link: str
    id: UUID
    kind: str
    at: datetime
    urgent: bool
    happened: Happened | None = None
    calendar: CalendarPart | None = None
    expires_at: datetime | None = None

    def keeps(self, longest: timedelta) -> timedelta:
        """Return for how long whoever takes it may keep it: ``longest``, or as long as it is of use."""
        if self.expires_at is None:
            return longest
        return min(longest, max(self.expires_at - self.at, timedelta()))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known after sending. ``reference`` is the provider's own id of it, which reports name.

    ``reports``: a delivery report is promised; silence then means that nobody knows.
    """

    state: Handed
    reference: str | None = None
    reports: bool = False


@dataclass(eq=False)
class SendError(Exception):
    """The message was not taken, or nobody knows. ``reason`` is a short code, never an address or their text.

    ``permanent``: trying again can't help. ``away``: the far end, not this message, is the trouble; others
    to it need not be tried now. ``retry_after``: what the far end asked for, at most `LONGEST_WAIT`.
    ``gone``: the destination is dead for ever. ``in_doubt``: all was handed over and the answer was lost.
    """

    permanent: bool
    reason: str
    away: bool = False
    retry_after: timedelta | None = None
    gone: bool = False
    in_doubt: bool = False

    def __post_init__(self) -> None:
        """Keep a wait within bounds, whatever was asked for."""
        if self.retry_after is not None:
            self.retry_after = min(max(self.retry_after, timedelta()), LONGEST_WAIT)

    def __str__(self) -> str:
        """Show the code alone."""
        return self.reason


class Gateway(Protocol):
    """One channel out of the house: `email`, `sms`, `push` or `webhook`."""

    channel: str

    def lane(self, to: str) -> str:
        """Name the far end behind ``to``, without secret or address: lanes never delay each other."""

    def send(self, message: Message) -> Receipt:
        """Return once the far end has it; else raise `SendError`."""


@dataclass
class RecordingGateway:
    """The twin of tests, for any channel: keeps what it was given and answers as it was told to."""

    channel: str = "email"
    sent: list[Message] = field(default_factory=list)
    refusals: dict[str, SendError] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    tried: list[str] = field(default_factory=list)

    def lane(self, to: str) -> str:
        """Give a server that serves everybody one lane, and every other destination one of its own."""
        return self.channel if self.channel in ("email", "sms") else to

    def send(self, message: Message) -> Receipt:
        """Keep ``message``, or raise the refusal set for its destination."""
        self.tried.append(message.to)
        if message.to in self.refusals:
            raise self.refusals[message.to]
        self.sent.append(message)
        return self.receipts.get(message.to, Receipt(Handed.ACCEPTED))
