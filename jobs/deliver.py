"""The outbox: claim → send outside any transaction → record. A crash between repeats the same message."""

import logging
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from jobs.around import LEASE as LEASE
from jobs.around import Around, Incomplete
from jobs.lanes import Lanes
from jobs.messages import message
from jobs.stopwatch import Stopwatch
from server.clinical.vocabulary import Channel
from server.gateways.message import Handed, Receipt, SendError
from server.isolation import Extent
from server.postgresql.rerun import insist
from server.services.messages import outbox, outbox_due, outbox_outcome, sms_budget
from server.services.messages.delivery_loss import DEFECT, MOST_ENDED
from server.services.messages.outbox import Claimed
from server.services.messages.outbox_due import Destination, Skipped
from server.services.messages.outbox_outcome import Outcome, Refused, Returned, Taken
from server.services.messages.sms_budget import Recipient

log = logging.getLogger(__name__)

# A long queue goes on at the next tick; a run that never ended would look like a job that hangs.
LONGEST_RUN = timedelta(minutes=1)
# An urgent message that waits longer means that people are not reached, whatever the reason.
URGENT_LIMIT = timedelta(minutes=10)
# How many far ends are talked to at once, and how many messages one of them may have in hand.
MOST_LANES, LONGEST_LANE = 16, 4
# How often a worker with messages in hand looks for more, in seconds.
LOOK_AGAIN = 0.3
# Between two transactions in which much ends, in seconds: whoever waits to write to an embedded database from
# another process looks every two milliseconds whether it is free.
BREATH = 0.01
NOT_ARMED = "not_armed"
# Events to the clinics' systems have lanes of their own: however slow those are, no alert stands behind one.
EVENTS = "events"


def run(around: Around, now: datetime) -> int:
    """Send what is due, most urgent first, far ends side by side; return how many were taken.

    A far end that is away is asked once a run: what else waits for it stays in its place. With
    ``around.linger`` the run goes on looking for so long. Raises `Incomplete` where an urgent message has
    been waiting for too long.
    """
    round_ = _Round(around, now)
    round_.go()
    if round_.unrecorded:
        raise Incomplete(f"{round_.unrecorded} outcomes could not be recorded")
    _check_urgent(around, round_.watch.moment())
    return round_.sent


def _check_urgent(around: Around, moment: datetime) -> None:
    with around.database.read(Extent.ALL) as session:
        stuck = outbox_due.urgent_since(session, moment - URGENT_LIMIT)
    if stuck:
        raise Incomplete(f"{stuck} urgent messages wait too long")


class _Round:
    """One run of the job: what it has in hand, and which far ends turned out to be away."""

    def __init__(self, around: Around, now: datetime) -> None:
        self.around, self.now, self.watch = around, now, Stopwatch(now)
        self.sent = self.unrecorded = 0
        self._lanes: Lanes[Claimed] = Lanes(self._deliver, MOST_LANES, self._width)
        self._away: dict[str, str] = {}
        self._lane_of: dict[Channel | UUID, str] = {}
        self._event_lane_of: dict[UUID, str] = {}
        # Whether something was left alone only because its lane was full, whether something was found, and
        # whether the lane of something turned out to have no room, when we last looked.
        self._held = self._found = self._passed = False
        # Whether there may be more of what ended than one transaction should hold.
        self._stopped, self._unreported = False, True
        self._lock = threading.Lock()

    def _width(self, kind: str) -> int:
        # What serves everybody takes several at once; a person's own far end gets one after the other.
        return self.around.hands if kind in (Channel.EMAIL, Channel.SMS) else 1

    def _room(self, kind: str) -> int:
        """Return how many messages a lane may have in hand: while some are sent, the next are there."""
        width = self._width(kind)
        return LONGEST_LANE if width == 1 else 2 * width

    def go(self) -> None:
        """Claim and hand out until nothing is due, the time is up or somebody wants us to stop."""
        while self._goes_on():
            # What ends while we look may have written the next message: only a look at rest is the last one.
            rested = not self._lanes.waiting()
            claimed = self._claim()
            self._hand_out_all(claimed)
            ended = self._miss_reports() or self._stopped
            if ended:
                self.around.stopping.wait(BREATH)
            if ended or claimed or self._passed or self._lanes.wait(LOOK_AGAIN) or self._held or not rested:
                continue
            if not self._lingers():
                break
        self._lanes.finish()

    def _goes_on(self) -> bool:
        return not self.around.stopping.is_set() and self.watch.moment() < self.now + LONGEST_RUN

    def _lingers(self) -> bool:
        if self.watch.moment() >= self.now + self.around.linger:
            return False
        self.around.bell.wait(self.around.stopping)
        return True

    def _miss_reports(self) -> bool:
        """End some of what was reported on too late, once a run all of it; return whether there was any.

        A few between claims: what is urgent must not stand behind a storm that reached no telephone.
        """
        if not self._unreported:
            return False
        with self.around.database.write(Extent.ALL) as session:
            found = outbox_outcome.missed_reports(session, self.watch.moment())
        self._unreported = found >= MOST_ENDED
        return found > 0

    def _claim(self) -> list[Claimed]:
        skipped, moment = self._skipped(), self.watch.moment()
        self._passed = self._stopped = False
        if not self._found and not self._is_any_due(moment, skipped):
            return []  # looking costs no writing transaction
        with self.around.database.write(Extent.ALL) as session:
            claimed = outbox.claim(session, moment, self._room(Channel.EMAIL), self.around.lease, skipped)
        self._found = bool(claimed) or self._passed or self._stopped
        return claimed

    def _is_any_due(self, moment: datetime, skipped: Skipped) -> bool:
        with self.around.database.read(Extent.ALL) as session:
            return outbox_due.is_any_due(session, moment, skipped)

    def _skipped(self) -> Skipped:
        waiting = self._lanes.waiting().items()
        full = {lane for lane, many in waiting if many >= self._room(lane.partition(" ")[0])}
        shut = full | self._away.keys()
        with self._lock:
            keys = [key for key, lane in self._lane_of.items() if lane in shut]
            events = frozenset(key for key, lane in self._event_lane_of.items() if lane in shut)
        # What would only wait for a thread stays free for another worker, and its lease does not run out.
        full_kinds = self._lanes.full()
        self._held = bool(full or full_kinds)
        return Skipped(
            frozenset(key for key in keys if isinstance(key, Channel))
            | {Channel(kind) for kind in full_kinds - {EVENTS}},
            frozenset(key for key in keys if isinstance(key, UUID)),
            events,
            EVENTS in full_kinds,
            partial(self._has_room, shut, Counter()),
            stopped=self._stop,
        )

    def _stop(self) -> None:
        self._stopped = True

    def _has_room(self, shut: Collection[str], taken: Counter[str], where: Destination) -> bool:
        """Say whether the lane of ``where`` takes one more beside those ``taken`` a moment ago.

        No row tells which service stands behind a push, which very many people share, only its address:
        without this all of theirs would be taken at once, and what is urgent would stand behind them.
        """
        try:
            lane = self._lane(where, self.around.gateways[where.channel].lane(where.to))
        except Exception:
            return True  # whatever is wrong with it is said when it is handed out
        has_room = lane not in shut and taken[lane] < self._room(where.channel)
        self._passed = self._passed or not has_room
        taken[lane] += has_room
        return has_room

    def _hand_out_all(self, claimed: Sequence[Claimed]) -> None:
        alone = any(one.suspect for one in claimed)
        if alone:
            self._lanes.finish()
        for one in claimed:
            self._hand_out(one)
        if alone:
            self._lanes.finish()

    def _hand_out(self, claimed: Claimed) -> None:
        gateway = self.around.gateways.get(claimed.channel)
        if gateway is None:
            self._record(claimed, Refused(NOT_ARMED, permanent=True))
            return
        if claimed.channel is Channel.SMS and claimed.is_new and not self._affords(claimed):
            log.warning("delivery %s: the clinic's SMS of this month are spent", claimed.id)
            self._record(claimed, Refused(sms_budget.SPENT, permanent=True))
            return
        try:
            far_end = gateway.lane(claimed.to)
        except Exception as error:
            self._record(claimed, _defect(claimed, error))
            return
        self._lanes.add(self._lane(_goal(claimed), far_end), claimed)

    def _affords(self, claimed: Claimed) -> bool:
        moment, most = self.watch.moment(), self.around.settings.sms_a_month
        with self.around.database.write(Extent.NONE) as session:
            to = Recipient(claimed.clinic_id, claimed.private)
            return sms_budget.spend(session, moment, to, claimed.urgency, most)

    def _lane(self, where: Destination, far_end: str) -> str:
        """Return the lane of ``where``, by which its contact point is known from now on."""
        lane = f"{EVENTS if where.is_event else where.channel} {far_end}"
        with self._lock:
            if where.is_event and where.contact_id is not None:
                self._event_lane_of[where.contact_id] = lane
            else:
                self._lane_of[where.contact_id or where.channel] = lane
        return lane

    def _deliver(self, lane: str, claimed: Claimed) -> None:
        self._record(claimed, self._try(lane, claimed))

    def _record(self, claimed: Claimed, outcome: Outcome) -> None:
        try:
            # Where the database is away for a moment, what was sent is better noted late than sent again.
            insist(partial(self._note, claimed, outcome), self.around.lease.total_seconds() / 2)
        except Exception as error:
            # The lease runs out, and it is sent again under the same id.
            log.error("delivery %s: its outcome is not recorded: %s", claimed.id, type(error).__name__)
            with self._lock:
                self.unrecorded += 1
            return
        with self._lock:
            self.sent += isinstance(outcome, Taken)

    def _note(self, claimed: Claimed, outcome: Outcome) -> None:
        with self.around.database.write(Extent.ALL) as session:
            outbox_outcome.finish(session, self.watch.moment(), claimed, outcome)

    def _waited_too_long(self, claimed: Claimed) -> bool:
        # Begun now, it could outlast its lease, and another worker would send it as well.
        until = claimed.leased_until
        return until is not None and self.watch.moment() > until - self.around.lease / 2

    def _try(self, lane: str, claimed: Claimed) -> Outcome:
        if not self._goes_on() or self._waited_too_long(claimed):
            return Returned()  # another worker sends it at once, or the next run
        if lane in self._away:
            return Refused(self._away[lane])
        try:
            text = message(self.around.settings, claimed, self.watch.moment())
            receipt = self.around.gateways[claimed.channel].send(text)
        except SendError as failure:
            log.warning("delivery %s, try %s: %s", claimed.id, claimed.attempt, failure.reason)
            if failure.away:
                self._away[lane] = failure.reason
            return _refused(failure)
        except Exception as error:
            return _defect(claimed, error)
        return _taken(receipt)


def _goal(claimed: Claimed) -> Destination:
    return Destination(claimed.channel, claimed.contact_id, claimed.event is not None, claimed.to)


def _defect(claimed: Claimed, error: Exception) -> Refused:
    """Whatever it is, it is about this message: the others must not wait for it."""
    log.error("delivery %s could not be sent: %s", claimed.id, type(error).__name__)
    return Refused(f"{DEFECT}_{type(error).__name__}"[:64])


def _taken(receipt: Receipt) -> Taken:
    return Taken(receipt.state is Handed.DELIVERED, receipt.reference, receipt.reports)


def _refused(failure: SendError) -> Refused:
    return Refused(failure.reason, failure.permanent, failure.retry_after, failure.gone, failure.in_doubt)
