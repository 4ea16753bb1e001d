"""Alerts nobody has answered in time, or taken on and left: another way, then further people.

Other messages to the staff that nobody has taken for too long go another way, too.
And records that were opened in an emergency where nobody else at a clinic looks: operations hear.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import TypeVar
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.each_clinic import each_of
from jobs.stopwatch import Stopwatch
from server.clinical.vocabulary import AlertClass
from server.isolation import Extent
from server.services.alerts import escalation as escalations
from server.services.alerts import left_over
from server.services.alerts.escalation import Due
from server.services.messages import awake, operations, outbox_clock, untaken
from server.services.people import break_glass as break_glasses
from server.services.work import Work, system

T = TypeVar("T")

log = logging.getLogger(__name__)

# What is left goes on at the next tick, after what has become due and is more urgent by then.
LONGEST_RUN = timedelta(seconds=50)
# One that failed only after so long most likely waited for somebody's lock, and its clinic's next one would.
WAITED = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class _Waits:
    """An alert to be attended to; ``place``: how many of its clinic come before it."""

    clinic_id: UUID
    due: Due
    place: int


def run(around: Around, now: datetime) -> int:
    """Attend to every alert that is due, each in its own transaction; return how many needed it.

    Most urgent first, whoever's they are, and of what is as urgent the clinics take turns: a clinic with
    very many keeps no other's waiting. Raises `Incomplete`, at the end, where an alert, a clinic or an
    opened record had to be passed over.
    """
    waits: list[_Waits] = []
    last: list[_Waits] = []
    tried: list[_Waits] = []
    woken = careful(log, "not everybody who is awake by now is told", partial(_let_go_all, around, now))
    looked = careful(log, "not every alert could be looked over", partial(_look_over, around, now, waits))
    watch = Stopwatch(now)
    is_over = partial(_is_over, around, now, watch)
    attend = partial(_attend, around, now, tried)
    done = [
        woken,
        looked,
        *_in_turn(_until(is_over, sorted(waits, key=_turn)), watch, attend, last),
        careful(log, "messages by a clock that was ahead still wait", partial(_put_right, around, now)),
        careful(log, "not everybody could be told another way", partial(_spread_all, around, now, is_over)),
        careful(log, "operations could not be told of an opened record", partial(_page, around, now)),
        *map(attend, _until(is_over, last)),
        careful(log, "what is left could not be noted", partial(_note_left, around, now, waits, tried)),
    ]
    if None in done:
        raise Incomplete("an alert or an opened record could not be attended to")
    return sum(one or 0 for one in done)


def _let_go_all(around: Around, now: datetime) -> int:
    """Let what quiet hours of any clinic hold leave where they end sooner than was thought."""
    with around.database.read(Extent.ALL) as session:
        ids = awake.clinics_concerned(session, now)
    return each_of(ids, "looking who is awake", partial(_let_go, around, now))


def _let_go(around: Around, now: datetime, clinic_id: UUID) -> int:
    """Return 0: it is about no alert."""
    with around.database.read() as session:
        if not awake.is_any_early(Work(session, now, system(clinic_id))):
            return 0
    with around.database.write() as session:
        found = awake.let_go(Work(session, now, system(clinic_id)))
    log.info("%s messages of clinic %s wait for no quiet hours any more", found, clinic_id)
    return 0


def _look_over(around: Around, now: datetime, waits: list[_Waits]) -> int:
    """Add what is due at all clinics to ``waits``."""
    with around.database.read(Extent.ALL) as session:
        ids = escalations.clinics_concerned(session)
    return each_of(ids, "looking over alerts", partial(_look, around, now, waits))


def _look(around: Around, now: datetime, waits: list[_Waits], clinic_id: UUID) -> int:
    """Add what is due at one clinic to ``waits``."""
    look = partial(_due, around, now, clinic_id)
    due = careful(log, f"alerts of clinic {clinic_id} could not be looked over", look)
    # One that stands in the way of the look at all of them must not be in the way of the others: then
    # each is attended to for itself, whether it is due or not.
    found = _unresolved(around, now, clinic_id) if due is None else due
    waits.extend(_Waits(clinic_id, one, place) for place, one in enumerate(found))
    if due is None:
        raise Incomplete("not every alert could be looked over")
    return 0


def _due(around: Around, now: datetime, clinic_id: UUID) -> Sequence[Due]:
    with around.database.read() as session:
        return escalations.due(Work(session, now, system(clinic_id)))


def _unresolved(around: Around, now: datetime, clinic_id: UUID) -> Sequence[Due]:
    with around.database.read() as session:
        return escalations.unresolved(Work(session, now, system(clinic_id)))


def _is_over(around: Around, now: datetime, watch: Stopwatch) -> bool:
    return around.stopping.is_set() or watch.moment() > now + LONGEST_RUN


def _until(is_over: Callable[[], bool], things: Iterable[T]) -> Iterator[T]:
    return takewhile(lambda _: not is_over(), things)


def _in_turn(
    waits: Iterable[_Waits],
    watch: Stopwatch,
    attend: Callable[[_Waits], int | None],
    last: list[_Waits],
) -> Iterator[int | None]:
    """Attend to ``waits``; put into ``last`` what a clinic where somebody keeps us waiting has left.

    Else a handful of its alerts would take up every run, for as long as the lock is held.
    """
    kept: set[UUID] = set()
    for one in waits:
        if one.clinic_id in kept:
            last.append(one)
            continue
        begun = watch.moment()
        done = attend(one)
        if done is None and watch.moment() - begun >= WAITED:
            kept.add(one.clinic_id)
        yield done


def _turn(one: _Waits) -> tuple[AlertClass, int]:
    return one.due.urgency, one.place


def _attend(around: Around, now: datetime, tried: list[_Waits], one: _Waits) -> int | None:
    """Return 1 where something was done, 0 where nothing had to be, None where it could not."""
    tried.append(one)
    clinic_id, alert_id = one.clinic_id, one.due.alert_id

    def attend() -> int:
        # Of a ladder that is exhausted operations are told, who are another clinic.
        with around.database.write(Extent.ALL) as session:
            return int(escalations.attend(Work(session, now, system(clinic_id)), alert_id))

    done = careful(log, f"alert {alert_id} could not be attended to", attend)
    if done:
        log.warning("alert %s was not answered in time: more is told", alert_id)
    return done


def _note_left(around: Around, now: datetime, waits: Sequence[_Waits], tried: Sequence[_Waits]) -> int:
    """Put on record how many of ``waits`` there was no time for, so that it is seen where that lasts."""
    every, done = (Counter(one.due.urgency for one in some) for some in (waits, tried))
    if left := every - done:
        with around.database.write(Extent.NONE) as session:
            left_over.note(session, now, left)
        log.warning("%s alerts are left to the next look", left.total())
    return 0


def _spread_all(around: Around, now: datetime, is_over: Callable[[], bool]) -> int:
    """Tell another way whom another message of any clinic waits for; return how many."""
    with around.database.read(Extent.ALL) as session:
        ids = untaken.clinics_concerned(session)
    return each_of(ids, "telling another way", partial(_spread, around, now, is_over))


def _spread(around: Around, now: datetime, is_over: Callable[[], bool], clinic_id: UUID) -> int:
    """Tell another way whom another message waits for; return how many."""

    def look() -> Sequence[UUID]:
        with around.database.read() as session:
            return untaken.due(Work(session, now, system(clinic_id)))

    def spread(delivery_id: UUID) -> int:
        with around.database.write() as session:
            return int(untaken.spread(Work(session, now, system(clinic_id)), delivery_id))

    failed = f"messages of clinic {clinic_id} that wait could not be told another way"
    found = careful(log, failed, look)
    done = [careful(log, failed, partial(spread, one)) for one in _until(is_over, found or ())]
    if found is None or None in done:
        raise Incomplete("not everybody could be told another way")
    return sum(one or 0 for one in done)


def _put_right(around: Around, now: datetime) -> int:
    """Let messages that a clock wrote which was ahead wait as of now, after the alerts they are about."""
    with around.database.write(Extent.ALL) as session:
        found = outbox_clock.put_right(session, now, around.lease)
    if found:
        log.warning("%s messages were written by a clock that was ahead: they leave now", found)
    return 0


def _page(around: Around, now: datetime) -> int:
    """Tell operations, who are another clinic, of records that were opened with nobody else to look."""
    with around.database.read(Extent.ALL) as session:
        opened = [(one.clinic_id, one.id) for one in break_glasses.lately(session, now)]
    done = [
        careful(log, f"opened record {one[1]} could not be looked at", partial(_page_of, around, now, *one))
        for one in opened
    ]
    if None in done:
        raise Incomplete("not every opened record could be looked at")
    return sum(one or 0 for one in done)


def _page_of(around: Around, now: datetime, clinic_id: UUID, opened_id: UUID) -> int:
    with around.database.read() as session:
        if not break_glasses.is_alone(Work(session, now, system(clinic_id)), opened_id):
            return 0
    with around.database.write(Extent.ALL) as session:
        is_new = operations.page(session, now, "glass_broken_alone", f"glass:{opened_id}")
    if is_new:
        log.warning("at clinic %s a record was opened in an emergency, and nobody else looks", clinic_id)
    return int(is_new)
