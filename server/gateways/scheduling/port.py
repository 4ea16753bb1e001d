"""The seam to a clinic's scheduling system: what every adapter can be asked, whatever is behind it.

Every call may happen twice, and its answer may be lost: `suggest` of the same proposal never makes a
second visit. A failure is a `SendError`, as with every channel; ``in_doubt`` says that it may have arrived.
`tests/gateways/scheduling/contract.py` is what an adapter has to pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from server.clinical.visit import Capabilities, Proposed, RawEvent, SchedulingEvent, Seen, Slot
from server.gateways.egress import Egress
from server.gateways.exchange import Limits
from server.gateways.message import Gateway

# A system's answers are read, so they may be longer than a webhook's; its own wait is bounded all the same.
PEER_LIMITS = Limits(connect=3.0, total=20.0, reply_bytes=4_194_304)


@dataclass(frozen=True, slots=True)
class Outside:
    """What an adapter may use of the outside world.

    ``egress`` is the only door to addresses a clinic gave; ``mail`` the house's own mail gateway, None
    where none is armed; ``mail_from`` the address our mail comes from.
    """

    egress: Egress
    mail: Gateway | None = None
    mail_from: str = ""


class SchedulingPort(Protocol):
    """One clinic's connection to its scheduling system."""

    capabilities: Capabilities

    def lane(self) -> str:
        """Name the far end, without a secret in it: what waits for one never delays another."""
        ...

    def suggest(self, proposed: Proposed, now: datetime) -> Seen:
        """Make the visit's proposal there, or bring it up to date; return how it stands there now."""
        ...

    def fetch(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Return how the visit stands there; None where the system does not know it (any more)."""
        ...

    def withdraw(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Take the proposal back, unless it is booked or over there; return how it stands there then."""
        ...

    def find_slots(self, proposed: Proposed, now: datetime) -> Sequence[Slot]:
        """Return free times inside the window, earliest first, at most `MOST_SLOTS`."""
        ...

    def parse_event(self, event: RawEvent) -> Sequence[SchedulingEvent]:
        """Return what a message of the system, already verified, points at; ValueError for nonsense."""
        ...


Config = Mapping[str, Any]
"""A connection's settings as the clinic's admin gave them; each adapter says which it reads."""
