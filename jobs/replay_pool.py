"""Work shared out over the machine's processors, and what each of them does of a replay."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from server.clinical.policy import PolicyError
from server.parent import end_with
from server.quality.past import Compared, Past, Question, compare
from server.services.journal.past import RecordedPast

T = TypeVar("T")
R = TypeVar("R")
# Patients that travel to another process together: few enough that all processors end at the same time.
CHUNK = 25
# Tasks under way for each process: enough that none waits, few enough that a clinic's diaries fit.
_AHEAD = 4
# Small tasks that travel to another process together.
_SMALL = 8


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some patients' pasts and what is asked of them."""

    question: Question
    pasts: Sequence[RecordedPast]


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out. ``set_aside``: patients whose own values contradict one of the policies."""

    found: list[Compared] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)


class Pool:
    """As many processes as ``count`` (at least 1), started at the first task; one does it all by itself."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._workers: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Yield ``function`` of each of ``tasks``, in their order; they are asked for as work gets done."""
        if self._count == 1:
            yield from map(function, tasks)
            return
        workers, waiting = self._started(), deque[Future[R]]()
        for task in tasks:
            waiting.append(workers.submit(function, task))
            if len(waiting) >= _AHEAD * self._count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def map_small(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Do the same for tasks that each take less than their way to another process: some go together."""
        rest = iter(tasks)
        for found in self.map(partial(_each, function), iter(lambda: list(islice(rest, _SMALL)), [])):
            yield from found

    def close(self) -> None:
        """End the processes; what they have not begun is not done."""
        if self._workers is not None:
            self._workers.shutdown(cancel_futures=True)

    def _started(self) -> ProcessPoolExecutor:
        if self._workers is None:
            context, parent = get_context("spawn"), (os.getpid(), signal.SIGTERM)
            self._workers = ProcessPoolExecutor(self._count, context, initializer=_begin, initargs=parent)
        return self._workers


@contextmanager
def pool(count: int | None = None) -> Iterator[Pool]:
    """Give a pool of ``count`` processes (None: one for each processor) and end it."""
    made = Pool(count or os.cpu_count() or 1)
    try:
        yield made
    finally:
        made.close()


def chunks(question: Question, pasts: Iterable[RecordedPast]) -> Iterator[Chunk]:
    """Yield ``pasts`` in chunks."""
    taken: list[RecordedPast] = []
    for past in pasts:
        taken.append(past)
        if len(taken) == CHUNK:
            yield Chunk(question, taken)
            taken = []
    if taken:
        yield Chunk(question, taken)


def judge(chunk: Chunk) -> Judged:
    """Judge a chunk under both policies."""
    judged = Judged()
    for past in chunk.pasts:
        try:
            judged.found.append(compare(Past(*past), chunk.question))
        except PolicyError:
            # Their own values were changed after the replay was asked for: there is nothing to compare.
            judged.set_aside.append(past.patient_id)
    return judged


def _each(function: Callable[[T], R], tasks: Sequence[T]) -> list[R]:
    return [function(task) for task in tasks]


def _begin(parent: int, number: signal.Signals) -> None:
    # Ctrl-C reaches every process of a terminal; the one that shares out the work ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent, number)
