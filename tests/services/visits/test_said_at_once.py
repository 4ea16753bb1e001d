"""A message that comes twice at the same moment, a finding of two workers: kept once, and nobody fails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from server.clinical.visit import RawEvent
from server.clinical.vocabulary import ReviewCode
from server.services.visits import review_task as review_tasks
from server.services.visits import scheduling_event as scheduling_events
from server.services.visits.review_task import Finding
from tests.services.visits.conftest import Desk

T = TypeVar("T")
AT_ONCE, TIMES = 4, 5


def at_once(verb: Callable[[int], T]) -> list[T]:
    """Return what each of several gave who began together, a few times over."""
    found: list[T] = []
    for time in range(TIMES):
        start = Barrier(AT_ONCE)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found += pool.map(lambda _, go=start, now=time: (go.wait(), verb(now))[1], range(AT_ONCE))
    return found


def test_a_message_that_is_sent_again_before_it_was_answered_is_kept_once(desk: Desk) -> None:
    connection = desk.copy().connection_id

    def receive(time: int) -> bool:
        with desk.database.write() as session:
            raw = RawEvent(b"{}", {"content-type": "application/json"})
            return scheduling_events.receive(desk.work(session), connection, f"message-{time}", raw)

    assert sorted(at_once(receive)) == [False] * (AT_ONCE - 1) * TIMES + [True] * TIMES


def test_a_finding_of_two_workers_is_one_task(desk: Desk) -> None:
    def find(time: int) -> bool:
        with desk.database.write() as session:
            finding = Finding(ReviewCode.NO_ANSWER, f"key-{time}", None, None, {"failure": "timeout"})
            return review_tasks.raise_(desk.work(session), finding) is not None

    assert sorted(at_once(find)) == [False] * (AT_ONCE - 1) * TIMES + [True] * TIMES
    assert desk.tasks() == ["no_answer"] * TIMES
