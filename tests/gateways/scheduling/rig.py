"""One adapter with a real system behind it, and a way to act as the clinic there."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from server.clinical.visit import Mapped, Proposed, RawEvent, Seen
from server.clinical.vocabulary import AlertClass, PeerStatus, SuggestionState
from server.gateways.scheduling.port import SchedulingPort

# What we know of a visit once the system has said this of it.
_STATES = {
    PeerStatus.PROPOSED: SuggestionState.SENT,
    PeerStatus.PENDING: SuggestionState.ACKNOWLEDGED,
    PeerStatus.BOOKED: SuggestionState.BOOKED,
    PeerStatus.ARRIVED: SuggestionState.ARRIVED,
}


class Rig:
    """What the contract needs of a system. A method that is not overridden says that it can't be done there.

    ``port`` is the adapter; ``mapped`` what its proposals carry; ``secrets`` what may stand in no lane and
    no error.
    """

    port: SchedulingPort
    mapped: Mapped = Mapped()
    secrets: tuple[str, ...] = ()

    def visits(self, visit: Proposed) -> int:
        """Count the visits that stand at the system for our id, those that are cancelled there left out."""
        raise NotImplementedError

    def confirm(self, visit: Proposed, starts_at: datetime) -> None:
        """Act as the clinic: book it at this time, or move it there."""
        raise NotImplementedError

    def cancel(self, visit: Proposed) -> None:
        """Act as the clinic: cancel it, booked or not."""
        raise NotImplementedError

    def complete(self, visit: Proposed) -> None:
        """Act as the clinic: the visit took place."""
        raise NotImplementedError

    def forget(self, visit: Proposed) -> None:
        """Act as the clinic: remove it, as if it had never been there."""
        raise NotImplementedError

    def open_times(self, starts: list[datetime]) -> None:
        """Act as the clinic: these times are free, and no others. Only where the adapter tells slots."""
        raise NotImplementedError

    def event(self, visit: Proposed) -> RawEvent:
        """Return the message the system sends when this visit has changed. Only where it sends any."""
        raise NotImplementedError

    def lose_answer(self, number: int) -> None:
        """Lose the ``number``-th answer from now on (1 is the next), after the system did what was asked."""
        raise NotImplementedError

    def has_lost(self) -> bool:
        """Return whether that answer was lost, and stop losing."""
        raise NotImplementedError

    def away(self) -> SchedulingPort:
        """Return the adapter for the same system where nobody listens. Inside nothing: pytest.skip."""
        raise NotImplementedError

    def sent(self) -> bytes:
        """Return every byte that has left for the system so far: addresses, headers, bodies."""
        raise NotImplementedError

    def proposal(self, **changes: Any) -> Proposed:
        """Return a new approved suggestion, for a week that begins in a week."""
        now = moment()
        day = now.date() + timedelta(days=7)
        return Proposed(
            id=new_id(),
            clinic_id=new_id(),
            patient_id=new_id(),
            version=changes.pop("version", 2),
            state=changes.pop("state", SuggestionState.SUGGESTED),
            urgency=changes.pop("urgency", AlertClass.P2),
            earliest=changes.pop("earliest", day),
            latest=changes.pop("latest", day + timedelta(days=7)),
            zone=changes.pop("zone", "Europe/Oslo"),
            minutes=90,
            created_at=now,
            changed_at=now,
            mapped=self.mapped,
            **changes,
        )

    def suggested(self) -> Proposed:
        """Return a new suggestion that the system has."""
        visit = self.proposal()
        return known(visit, self.port.suggest(visit, moment()))

    def fetched(self, visit: Proposed) -> Seen:
        """Return how a visit the system must know stands there."""
        seen = self.port.fetch(visit, moment())
        assert seen is not None, "the system does not know it"
        return seen


def known(visit: Proposed, seen: Seen) -> Proposed:
    """Return ``visit`` as we have it once we have learned what was ``seen``."""
    return replace(
        visit,
        state=_STATES.get(seen.status, visit.state),
        external_id=seen.external_id,
        etag=seen.version,
        starts_at=seen.starts_at if seen.status in (PeerStatus.BOOKED, PeerStatus.ARRIVED) else None,
        ends_at=seen.ends_at if seen.status in (PeerStatus.BOOKED, PeerStatus.ARRIVED) else None,
    )


def moment() -> datetime:
    """Return the time: a real system goes by the real clock."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """Return an id as ours are."""
    return UUID(int=uuid7().int)


def ten_oclock(visit: Proposed, days: int = 2) -> datetime:
    """Return a time inside the window of ``visit``, this many days after its first."""
    day = visit.earliest + timedelta(days=days)
    return datetime(day.year, day.month, day.day, 10, 0, tzinfo=UTC)
