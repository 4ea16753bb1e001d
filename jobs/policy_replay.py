"""Draft policies tried on the clinic's past, a slice of patients at a time.

Read a slice, judge it outside any transaction, keep what was found: a worker that dies loses a slice,
and whoever finds its lease run out goes on from there.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from jobs.around import Around, Incomplete
from jobs.careful import careful
from jobs.replay_pool import Judged, Pool, chunks, judge, pool
from jobs.stopwatch import Stopwatch
from server.clinical.policy import PolicyError
from server.isolation import Extent
from server.quality.past import Compared, Question, not_shown, of_plain
from server.quality.policy_replay import Yardstick, comparison
from server.services.journal.past import RecordedPast
from server.services.watch import policy_replay_run as runs
from server.services.watch.policy_replay_run import Outcome, Taken
from server.services.work import Actor, Work

log = logging.getLogger(__name__)

SLICE = 100
# Much longer than a slice takes: two hundred judged half-years, at half a second each on a slow machine.
LEASE = timedelta(minutes=5)
# A large clinic goes on at the next tick; a run that never ended would look like a job that hangs.
LONGEST_RUN = timedelta(minutes=4)
# Below this, starting processes takes longer than the work.
WORTH_PROCESSES = 100


@dataclass(frozen=True, slots=True)
class _Turn:
    """One worker's turn at the replays of one clinic."""

    around: Around
    watch: Stopwatch
    until: datetime
    clinic_id: UUID

    @contextmanager
    def writing(self, taken: Taken | None = None) -> Iterator[Work]:
        """Open a writing transaction, in the name of who asked for the replay."""
        with self.around.database.write() as session:
            account_id = None if taken is None else taken.account_id
            yield Work(session, self.watch.moment(), Actor(self.clinic_id, account_id))

    @contextmanager
    def reading(self) -> Iterator[Work]:
        """Open a reading transaction."""
        with self.around.database.read() as session:
            yield Work(session, self.watch.moment(), Actor(self.clinic_id))

    def goes_on(self) -> bool:
        """Return whether there is time for another slice."""
        return not self.around.stopping.is_set() and self.watch.moment() < self.until


def run(around: Around, now: datetime) -> int:
    """Go on with every replay that waits or lost its worker; return how many patients were judged."""
    with around.database.read(Extent.ALL) as session:
        clinic_ids = runs.waiting(session, now)
    watch = Stopwatch(now)
    turns = [_Turn(around, watch, now + LONGEST_RUN, clinic_id) for clinic_id in clinic_ids]
    done = [
        careful(log, f"replays of clinic {turn.clinic_id} can't go on", partial(_clinic, turn))
        for turn in turns
    ]
    if None in done:
        raise Incomplete("not every replay could go on")
    return sum(one or 0 for one in done)


def _clinic(turn: _Turn) -> int:
    done = 0
    while turn.goes_on():
        with turn.writing() as work:
            taken = runs.take(work, LEASE)
        if taken is None:
            break
        if not _still_possible(turn, taken):
            continue
        with pool(None if taken.total >= WORTH_PROCESSES else 1) as workers:
            done += _replay(turn, taken, workers)
    return done


def _still_possible(turn: _Turn, taken: Taken) -> bool:
    """Return whether the draft is within the bounds of this version; where not, the replay is ended."""
    try:
        taken.tried()
    except PolicyError:
        with turn.writing(taken) as work:
            runs.fail(work, taken, "policy_out_of_bounds")
        return False
    return True


def _replay(turn: _Turn, taken: Taken, workers: Pool) -> int:
    """Work until it is done, cancelled, lost to another worker, or time is up; return how many it judged."""
    done = 0
    while turn.goes_on():
        with turn.writing(taken) as work:
            pasts = runs.next_slice(work, taken, SLICE, LEASE)
        if pasts is None:
            return done
        if not pasts:
            _finish(turn, taken)
            return done
        judged = _judged(turn, taken, pasts, workers)
        if judged is None or not _keep(turn, taken, pasts, judged):
            return done
        done += len(pasts)
    with turn.writing(taken) as work:
        runs.release(work, taken)
    return done


def _judged(
    turn: _Turn, taken: Taken, pasts: Sequence[RecordedPast], workers: Pool
) -> Sequence[Judged] | None:
    """Judge a slice. A failure ends this replay and no other: None."""
    question = Question(taken.current, taken.draft, taken.first, taken.last)
    try:
        return list(workers.map(judge, chunks(question, pasts)))
    except Exception as error:
        # Its text may quote what a patient said; the name of its class says enough to look for it.
        log.error("replay %s failed: %s", taken.id, type(error).__name__)
        with turn.writing(taken) as work:
            runs.fail(work, taken, type(error).__name__)
        return None


def _keep(turn: _Turn, taken: Taken, pasts: Sequence[RecordedPast], judged: Sequence[Judged]) -> bool:
    found = [one for chunk in judged for one in chunk.found]
    outcomes = [Outcome(UUID(one.patient_id), one.differs(), one.plain()) for one in found]
    with turn.writing(taken) as work:
        return runs.keep(work, taken, UUID(pasts[-1].patient_id), outcomes, len(pasts))


def _finish(turn: _Turn, taken: Taken) -> None:
    with turn.reading() as work:
        found = [of_plain(str(patient_id), raw) for patient_id, raw in runs.kept(work, taken)]
    with turn.writing(taken) as work:
        runs.finish(work, taken, figures_of(taken, found))


def figures_of(taken: Taken, found: Sequence[Compared]) -> dict[str, Any]:
    """Return the result of a replay as plain data."""
    current, draft = taken.tried().policies
    figures = comparison(found, Yardstick(taken.first, taken.last, current))
    return {**asdict(figures), "not_shown": list(not_shown(current, draft))}
