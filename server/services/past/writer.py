"""Write a past of one patient, in the order it happened, inside one transaction.

Leaves what one service call after another would leave, each at its own moment. What can't be told from
memory (a day that others have written of, filled scales, a sign of activation) goes that way.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from server.clinical.redflags import ACTIVATION_TERMS
from server.models import Patient
from server.services import local_day as local_days
from server.services.errors import ServiceError
from server.services.journal.incoming import OLDEST, Incoming
from server.services.journal.journal import Journal, Receipt, open_journal
from server.services.past import known as knowns
from server.services.past.chapter import Items
from server.services.past.judging import Ahead, Judging, open_judging
from server.services.past.known import Known
from server.services.past.ledger import Ledger
from server.services.people import patient as patients
from server.services.visits import treatment_session as treatment_sessions
from server.services.watch import assessment as assessments
from server.services.watch import material as materials
from server.services.watch import policy as policies
from server.services.watch import silence as silences
from server.services.work import Work

# How far ahead of their own time a patient's day may lie: the other side of the date line.
AHEAD, ONE = timedelta(days=2), timedelta(days=1)
# Days that are judged in one go: enough to share what they rest on, few enough to lay out quickly.
CHAPTER = 100


class Step(NamedTuple):
    """What came at a moment (UTC): an entry, or a session (None)."""

    at: datetime
    said: Incoming | None


@dataclass(slots=True)
class Writer:
    """One patient's past on its way in: `put`, `deliver` and `close_days` in the order it happened.

    ``ahead``: the steps still to come; ``until``: up to when days will be closed after them; ``bound``: the
    last day that any of it can be of.
    """

    work: Work
    journal: Journal
    ledger: Ledger
    ahead: deque[Step]
    until: datetime
    known: Known
    bound: date
    judging: Judging | None = None
    # Whether all that a silence is weighed by is written: the days without an entry are not part of it.
    silence_is_written: bool = False
    is_stale: bool = False

    @property
    def patient(self) -> Patient:
        """The patient, under lock."""
        return self.journal.patient

    def put(self) -> Receipt:
        """Take the next step, an entry, and judge its day. Raises as `Journal.store` does."""
        self._look_again()
        step = self.ahead.popleft()
        assert step.said is not None, "the next step is a session"
        self.silence_is_written = False
        journal = replace(self.journal, work=self._at(step.at))
        if step.said.id in journal.known:
            self._step_aside()  # it may be refused, corrected, and heeded either way
        try:
            receipt = journal.store(step.said)
        except ServiceError:
            self._step_aside()
            raise
        self.ledger.take(journal)
        journal.known[step.said.id] = receipt.entry
        if receipt.flags and self.judging is not None:
            self.judging.episodes.touched()
        if receipt.touched:
            self._judge(journal.work, receipt)
        return receipt

    def deliver(self, values: dict[str, Any] | None) -> None:
        """Take the next step, a session; None where it is recorded already."""
        self._look_again()
        then = self._at(self.ahead.popleft().at)
        if values is None:
            return
        given = treatment_sessions.create(then, self.patient.id, values)
        moments = treatment_sessions.delivered_moments(then, self.patient.id)
        self.journal = replace(self.journal, sessions=moments)
        if self.judging is not None:
            self.judging.treated(then)
        self._judge_treated(then, given.local_day)

    def close_days(self, at: datetime, logged: Collection[date]) -> None:
        """Close every day that has ended by ``at``, each at its own end, as the nightly job does.

        Days of ``logged`` were judged when their entries came in, and nothing has changed since.
        """
        next_at, day = self.patient.next_close_at, None
        while next_at <= at:
            day = local_days.of(self.work, next_at, self.patient.zone) - ONE
            ended = self._at(next_at)
            if day not in logged:
                self._judge_end(ended, day)
            self._weigh_silence(ended, day)
            next_at = local_days.end(self.work, day + ONE, self.patient.zone)
        if day is not None:  # said once: nobody asks in between, and each change of the row is a statement
            patients.close_day(self.work, self.patient, day)

    def give_way(self) -> None:
        """Write what is kept aside, and let somebody else write for a while: what they do is read anew."""
        self._step_aside()
        self.is_stale = True

    def skip(self) -> None:
        """Leave the next step to somebody else (`give_way`)."""
        self.ahead.popleft()

    def write(self) -> None:
        """Write what is kept aside."""
        self.ledger.write()

    def _at(self, at: datetime) -> Work:
        return Work(self.work.session, at, self.work.actor)

    def _judge(self, work: Work, receipt: Receipt) -> None:
        entry = receipt.entry
        day, latest = entry.local_day, materials.latest_day(work, self.patient)
        has_come = latest - OLDEST <= day <= latest
        is_new = receipt.outcome == "created" and entry.day_reliable and has_come
        if is_new and not self._speaks_apart(entry.side_effects, day, latest) and self._is_free(day):
            judging = self._open(work, day)
            judging.say(day, entry.items)
            judging.judge_entry(work, day)
        else:
            self._step_aside(day)
            assessments.reassess(work, self.patient, receipt.touched)
        if entry.day_reliable:
            self.known = replace(self.known, entry_day=max(day, self.known.entry_day or day))

    def _judge_treated(self, work: Work, day: date) -> None:
        """Judge the day of a session: what was logged that morning was judged without it."""
        if self._is_free(day):
            self._open(work, day).judge_entry(work, day)
        else:
            self._step_aside(day)
            assessments.reassess(work, self.patient, [day])

    def _judge_end(self, work: Work, day: date) -> None:
        if self._is_free(day):
            self._open(work, day).judge_end(work, day)
        else:
            self._step_aside(day)
            assessments.judge(work, self.patient, day)

    def _weigh_silence(self, work: Work, day: date) -> None:
        enrolled_at = self.patient.enrolled_at
        if enrolled_at is None or day == self.known.entry_day or self._is_short(enrolled_at, day):
            return
        if not self.silence_is_written:
            self.write()
            self.silence_is_written = True
        if silences.check(work, self.patient, day) is not None and self.judging is not None:
            self.judging.episodes.touched()

    def _is_short(self, enrolled_at: datetime, day: date) -> bool:
        """Return whether no silence can be long enough by ``day``; a pause would make it shorter still."""
        last = self.known.entry_day
        if last is not None and last > day:
            return False
        watched_from = local_days.of(self.work, enrolled_at, self.patient.zone)
        since = watched_from if last is None else max(watched_from, last + ONE)
        policy = policies.of_patient(self.work, self.patient)
        return (day - since).days + 1 < min(policy["silence.short_days"], policy["silence.usual_days"])

    def _is_free(self, day: date) -> bool:
        """Return whether nobody else has written of ``day`` or a later one, and no scale has a say."""
        known, judging = self.known, self.judging
        return not known.has_scales and day > known.last_day and (judging is None or day >= judging.last_day)

    def _speaks_apart(self, effects: Collection[str], day: date, latest: date) -> bool:
        """Return whether an entry shows what memory has no place for: a sign, or a session of tomorrow."""
        sessions = treatment_sessions.delivered_days(self.work, self.patient.id, day)
        return bool(ACTIVATION_TERMS & {*effects}) or any(day < session <= latest for session in sessions)

    def _step_aside(self, day: date | None = None) -> None:
        """Write everything and forget it: somebody else goes on, perhaps with ``day``."""
        self.write()
        days = [] if day is None else [day]
        if self.judging is not None:
            days.append(self.judging.last_day)
        self.known = replace(self.known, last_day=max([self.known.last_day, *days]))
        self.judging = None

    def _look_again(self) -> None:
        if self.is_stale:
            self.known = knowns.read(self.work, self.patient.id, self.bound)
            moments = treatment_sessions.delivered_moments(self.work, self.patient.id)
            self.journal, self.is_stale = replace(self.journal, sessions=moments), False

    def _open(self, work: Work, day: date) -> Judging:
        if self.judging is None:
            self.write()
            self.ledger.work = work
            last = max([day, *(local_days.of(work, at, self.patient.zone) for at in self._moments())])
            self.judging = open_judging(self.ledger, self.patient, (day, last), self._ahead)
        return self.judging

    def _moments(self) -> Iterator[datetime]:
        yield self.until
        if self.ahead:
            yield self.ahead[-1].at

    def _ahead(self, day: date) -> Ahead:
        """Return what comes before the next session, or a part of it: whole days."""
        said: dict[date, list[Items]] = defaultdict(list)
        seen, end = {*self.journal.known}, max(self._moments())
        for step in self.ahead:
            spoken = None if step.said is None else self._day_of(step.said)
            if step.said is None or spoken is None or not self._goes_on(said, day, spoken):
                end = step.at
                break
            if step.said.id not in seen:
                seen.add(step.said.id)
                said[spoken].append(step.said.content["items"])
        return Ahead(said, {day, *said, *self._days_closed(day, end)})

    def _goes_on(self, said: Mapping[date, object], day: date, spoken: date) -> bool:
        """Return whether an entry of ``spoken`` is in the chapter: not after it, not of a day before."""
        newest = max(said, default=day)
        return spoken == newest or (spoken > newest and len(said) < CHAPTER)

    def _day_of(self, said: Incoming) -> date:
        return local_days.of(self.work, said.content["occurred_at"], said.content["zone"])

    def _days_closed(self, day: date, end: datetime) -> Iterator[date]:
        """Yield the days, from ``day`` on, that will have been closed by ``end``."""
        first = max(day, local_days.ended(self.work, self.patient))
        last = min(local_days.of(self.work, end, self.patient.zone), day + timedelta(days=CHAPTER))
        yield from (first + timedelta(days=number) for number in range((last - first).days))


def open_writer(work: Work, patient_id: UUID, steps: Sequence[Step], until: datetime | None = None) -> Writer:
    """Lock the patient and read what writing ``steps``, in the order they happened, needs."""
    ids = [step.said.id for step in steps if step.said is not None]
    journal = open_journal(work, patient_id, ids)
    end = max([work.now, *([until] if until else []), *(step.at for step in steps[-1:])])
    last_day = local_days.of(work, end, journal.patient.zone) + AHEAD
    known = knowns.read(work, patient_id, last_day)
    return Writer(work, journal, Ledger(work), deque(steps), until or work.now, known, last_day)
