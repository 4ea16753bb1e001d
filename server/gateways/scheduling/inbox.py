"""The kind of system that pulls: it reads the inbox of our API and reports there. Nothing is pushed."""

from collections.abc import Sequence
from datetime import datetime

from server.clinical.visit import Capabilities, Proposed, RawEvent, SchedulingEvent, Seen, Slot
from server.clinical.vocabulary import PeerStatus, SuggestionState
from server.gateways.scheduling.port import Config, Outside

CAPABILITIES = Capabilities(pending=True, cancel=True, fetches=False, once=True)

# A booked visit is the clinic's, also where the clinic told us of it by itself.
_KEPT = {SuggestionState.BOOKED: PeerStatus.BOOKED, SuggestionState.ARRIVED: PeerStatus.ARRIVED}


def check(config: Config, allow_loopback: bool = False) -> None:
    """Raise ValueError, with a reason to show, for a setting: this kind has none."""
    if config:
        raise ValueError("an inbox has no settings")


class InboxScheduling:
    """Says what the system will find when it pulls. Our own record is the truth: it writes into that."""

    capabilities = CAPABILITIES

    def __init__(self, config: Config, outside: Outside) -> None:
        check(config)

    def lane(self) -> str:
        """Name the one place where all of them pull."""
        return "inbox"

    def suggest(self, proposed: Proposed, now: datetime) -> Seen:
        """It stands in the inbox from its approval on, under our own id until the system has named one."""
        return Seen(proposed.external_id or str(proposed.id), PeerStatus.PROPOSED)

    def fetch(self, proposed: Proposed, now: datetime) -> Seen | None:
        """Nobody can be asked: what became of it is reported to us."""
        return None

    def withdraw(self, proposed: Proposed, now: datetime) -> Seen | None:
        """It is gone from the list at the next pull; one that is booked stays."""
        kept = _KEPT.get(proposed.state)
        if kept is None:
            return None
        return Seen(proposed.external_id or str(proposed.id), kept, proposed.starts_at, proposed.ends_at)

    def find_slots(self, proposed: Proposed, now: datetime) -> Sequence[Slot]:
        """Nobody can be asked."""
        return ()

    def parse_event(self, event: RawEvent) -> Sequence[SchedulingEvent]:
        """Refuse any: reports come through the inbox, signed in."""
        raise ValueError("a system that pulls sends no messages")
