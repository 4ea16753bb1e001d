"""What several threads write is written by one of them, and everybody hears what became of their own."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from server.group_commit import GroupCommit


@dataclass
class Book:
    """What is written in, a group a line. ``gate``: each write waits until it may go on."""

    lines: list[list[str]] = field(default_factory=list)
    begun: list[int] = field(default_factory=list)
    gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def write(self, group: Sequence[str]) -> None:
        """Write all of ``group``; ValueError where one of them is bad."""
        self.begun.append(len(group))
        assert self.gate.acquire(timeout=5)
        if "bad" in group:
            raise ValueError("bad")
        self.lines.append([*group])


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """One for each who writes."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def until(so: Callable[[], bool]) -> None:
    """Wait until it is ``so``."""
    end = time.monotonic() + 5
    while not so():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_who_comes_while_one_commits_goes_with_the_next(threads: ThreadPoolExecutor) -> None:
    group, book = GroupCommit[str](), Book()
    first = threads.submit(group.add, "a", book.write)
    until(lambda: book.begun == [1])
    others = [threads.submit(group.add, one, book.write) for one in "bcd"]
    until(lambda: len(group._waiting) == 3)
    book.gate.release()
    first.result(5)
    until(lambda: book.begun == [1, 3])
    assert not any(one.done() for one in others), "nobody goes on before it is written"
    book.gate.release()
    for one in others:
        one.result(5)
    assert [sorted(line) for line in book.lines] == [["a"], ["b", "c", "d"]]


def test_one_alone_waits_for_nobody(threads: ThreadPoolExecutor) -> None:
    group, book = GroupCommit[str](), Book()
    book.gate.release(2)
    for one in ("a", "b"):
        threads.submit(group.add, one, book.write).result(5)
    assert book.lines == [["a"], ["b"]]


def test_what_is_wrong_with_one_is_told_to_that_one_alone(threads: ThreadPoolExecutor) -> None:
    group, book = GroupCommit[str](), Book()
    first = threads.submit(group.add, "a", book.write)
    until(lambda: book.begun == [1])
    good, bad, other = (threads.submit(group.add, one, book.write) for one in ("b", "bad", "c"))
    until(lambda: len(group._waiting) == 3)
    book.gate.release(9)
    for one in (first, good, other):
        one.result(5)
    with pytest.raises(ValueError, match="bad"):
        bad.result(5)
    assert sorted(one for line in book.lines for one in line) == ["a", "b", "c"]
    book.gate.release()
    group.add("d", book.write)
    assert book.lines[-1] == ["d"], "it goes on after a failure"
