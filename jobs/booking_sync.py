"""Suggestions and the clinic's scheduling system: claim → talk outside any transaction → record.

What a system sends us is followed by a question there; what changed here is told there; and every open
visit is asked about again and again, so that a lost message costs minutes and nothing else.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.lanes import Lanes
from jobs.stopwatch import Stopwatch
from server.clinical.copy_task import CopyTask, copy_task
from server.clinical.visit import SchedulingEvent as Pointer
from server.clinical.vocabulary import Channel
from server.gateways.egress import Egress
from server.gateways.message import SendError
from server.gateways.scheduling.adapters import adapter
from server.gateways.scheduling.port import PEER_LIMITS, Outside, SchedulingPort
from server.isolation import Extent
from server.services.visits import copy_outcome, scheduling_connection, scheduling_copy, scheduling_event
from server.services.visits.copy_outcome import Heard, Unheard
from server.services.visits.scheduling_copy import ClaimedCopy
from server.services.visits.scheduling_event import QueuedEvent
from server.services.work import Work, system

log = logging.getLogger(__name__)

# Longer than the few exchanges of one task (20 s each at the most) in a full lane.
LEASE = timedelta(minutes=5)
LONGEST_RUN = timedelta(minutes=1)
MOST_LANES, LONGEST_LANE, EVENTS = 8, 4, 100
# How often everything is compared, and for how long what is over still is.
COMPARED_EVERY, LOOKED_BACK = timedelta(days=1), timedelta(days=30)
_WAIT = 0.3


def run(around: Around, now: datetime) -> int:
    """Follow every message and every copy that is due, systems side by side; return how many.

    A system that is away is asked once a run. Raises `Incomplete` where an outcome could not be recorded.
    """
    compared, events = _compare_each(around, now), _follow_events(around, now)
    round_ = _Round(around, now)
    round_.go()
    if passed_over := round_.unrecorded + [*compared, *events].count(None):
        raise Incomplete(f"{passed_over} messages, outcomes or systems had to be passed over")
    return len(events) + round_.done


def outside(around: Around) -> Outside:
    """Return what an adapter may use of the outside world."""
    loopback = around.settings.allow_loopback_egress == "yes"
    mail = around.gateways.get(Channel.EMAIL)
    return Outside(Egress(loopback, PEER_LIMITS), mail, around.settings.mail_from)


def _compare_each(around: Around, now: datetime) -> list[int | None]:
    """Once a day, and when somebody asks: every visit here against what is there, what is over included.

    Return how many copies are asked again of each system, None for each over which something failed.
    """
    with around.database.read(Extent.ALL) as session:
        due = scheduling_connection.due_for_check(session, now, COMPARED_EVERY)
    return [
        careful(
            log, f"scheduling connection {one[1]} could not be compared", partial(_compare, around, now, *one)
        )
        for one in due
    ]


def _compare(around: Around, now: datetime, clinic_id: UUID, connection_id: UUID) -> int:
    with around.database.write() as session:
        work = Work(session, now, system(clinic_id))
        # The connection before its copies, as everybody locks them.
        scheduling_connection.compared(work, connection_id)
        taken_up = scheduling_copy.take_up(work)
        return taken_up + scheduling_copy.ask_again(work, connection_id, now - LOOKED_BACK)


def _follow_events(around: Around, now: datetime) -> list[int | None]:
    """Return 1 for each message that was followed, None for each over which something failed."""
    with around.database.read(Extent.ALL) as session:
        found = scheduling_event.queued(session, now, EVENTS)
    ways = outside(around)
    return [
        careful(
            log,
            f"a message of scheduling connection {event.connection_id} could not be followed",
            partial(_follow_event, around, now, event, ways),
        )
        for event in found
    ]


def _follow_event(around: Around, now: datetime, event: QueuedEvent, ways: Outside) -> int:
    pointers = _pointers(event, ways)
    if not pointers:
        log.warning("a message of scheduling connection %s can't be read", event.connection_id)
    with around.database.write() as session:
        work = Work(session, now, system(event.clinic_id))
        if pointers:
            scheduling_event.follow(work, event, pointers)
        else:
            scheduling_event.unreadable(work, event)
    return 1


def _pointers(event: QueuedEvent, ways: Outside) -> Sequence[Pointer]:
    """Return what a message points at; nothing where it can't be read, or does not open."""
    if event.raw is None:
        return []
    try:
        return adapter(event.kind, event.config, ways).parse_event(event.raw)
    except ValueError:
        return []


class _Round:
    """One run of the job: what it has in hand, and which systems turned out to be away."""

    def __init__(self, around: Around, now: datetime) -> None:
        self.around, self.watch = around, Stopwatch(now)
        self.until = now + LONGEST_RUN
        self.done = self.unrecorded = 0
        self._lanes: Lanes[ClaimedCopy] = Lanes(self._attend, MOST_LANES)
        self._outside = outside(around)
        self._ports: dict[tuple[UUID, int], SchedulingPort] = {}
        self._away: set[UUID] = set()
        self._lock = threading.Lock()

    def go(self) -> None:
        """Claim and hand out until nothing is due, the time is up or somebody wants us to stop."""
        while not self.around.stopping.is_set() and self.watch.moment() < self.until:
            claimed = self._claim()
            for one in claimed:
                self._lanes.add(f"system {one.connection_id}", one)
            if not claimed and not self._lanes.wait(_WAIT):
                break
        self._lanes.finish()

    def _claim(self) -> Sequence[ClaimedCopy]:
        busy, moment = self._busy(), self.watch.moment()
        with self.around.database.read(Extent.ALL) as session:
            if not scheduling_copy.is_any_due(session, moment, busy):
                return []
        with self.around.database.write(Extent.ALL) as session:
            return scheduling_copy.claim(session, moment, LONGEST_LANE, LEASE, busy)

    def _busy(self) -> frozenset[UUID]:
        waiting = self._lanes.waiting().items()
        full = {UUID(lane.split(" ")[1]) for lane, many in waiting if many >= LONGEST_LANE}
        with self._lock:
            return frozenset(full | self._away)

    def _attend(self, _lane: str, claimed: ClaimedCopy) -> None:
        outcome = self._try(claimed)
        # Where it is not recorded the lease runs out, and it is asked again.
        failed = f"copy of suggestion {claimed.suggestion_id} is not recorded"
        recorded = careful(log, failed, partial(self._record, claimed, outcome))
        with self._lock:
            self.done += recorded is True
            self.unrecorded += recorded is None

    def _record(self, claimed: ClaimedCopy, outcome: Heard | Unheard) -> bool:
        with self.around.database.write(claimed.clinic_id) as session:
            return copy_outcome.finish(session, self.watch.moment(), claimed, outcome)

    def _try(self, claimed: ClaimedCopy) -> Heard | Unheard:
        with self._lock:
            if claimed.connection_id in self._away:
                return Unheard("away")
        try:
            return talk(self._port(claimed), claimed, self.watch.moment())
        except SendError as failure:
            return self._refused(claimed, failure)
        except Exception as error:
            # Whatever it is, it is about this one: the others must not wait for it.
            log.error("suggestion %s could not be talked about: %s", claimed.suggestion_id, _kind(error))
            return Unheard(f"defect_{_kind(error)}"[:64])

    def _refused(self, claimed: ClaimedCopy, failure: SendError) -> Unheard:
        log.warning("suggestion %s, try %s: %s", claimed.suggestion_id, claimed.attempt, failure.reason)
        with self._lock:
            self._away |= {claimed.connection_id} if failure.away else set()
        return Unheard(failure.reason, failure.permanent, failure.retry_after)

    def _port(self, claimed: ClaimedCopy) -> SchedulingPort:
        key = (claimed.connection_id, claimed.connection_version)
        with self._lock:
            if key not in self._ports:
                self._ports[key] = adapter(claimed.kind, claimed.config, self._outside)
            return self._ports[key]


def talk(port: SchedulingPort, claimed: ClaimedCopy, now: datetime) -> Heard:
    """Do what is due about one copy and return what the system said; raises SendError."""
    proposed, can = claimed.proposed, port.capabilities
    task = copy_task(proposed.state, claimed.behind, claimed.known, can, claimed.tried)
    if task is CopyTask.FOLLOW and port.fetch(proposed, now) is None:
        # What staff threw away is not put back: a person has to say what that means.
        return Heard(told=True, was_asked=True, asks=can.fetches)
    if task in (CopyTask.SUGGEST, CopyTask.FOLLOW):
        told = Heard(port.suggest(proposed, now), told=True, asks=can.fetches, follows=can.follows)
        return _with_slots(told, port, claimed, now)
    if task is CopyTask.WITHDRAW:
        return Heard(port.withdraw(proposed, now), told=True, asks=can.fetches)
    if task is CopyTask.FETCH:
        # A question is asked of what is up to date there, or of what we have nothing to tell about.
        seen = port.fetch(proposed, now)
        heard = Heard(seen, told=True, was_asked=True, asks=can.fetches, follows=can.follows)
        return _with_slots(heard, port, claimed, now)
    return Heard(told=True, asks=can.fetches)


def _with_slots(heard: Heard, port: SchedulingPort, claimed: ClaimedCopy, now: datetime) -> Heard:
    """Return ``heard`` with free times for a visit that is not booked, where the system tells any.

    They only help to choose, and may come from elsewhere: the visit itself never waits for them.
    """
    if not port.capabilities.slots or not claimed.wants_slots:
        return heard
    try:
        return replace(heard, slots=tuple(port.find_slots(claimed.proposed, now)))
    except Exception as error:
        reason = error.reason if isinstance(error, SendError) else _kind(error)
        log.warning("free times for suggestion %s can't be read: %s", claimed.suggestion_id, reason)
        return replace(heard, no_slots=f"slots_{reason}"[:64])


def _kind(error: Exception) -> str:
    return type(error).__name__
