"""Places for a few requests, a line for some more, and a word to everybody else."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

import pytest

from server.turnstile import ASIDE, LONG, TURNED_AWAY, Turnstile, step_aside


@dataclass
class Slow:
    """An application that answers when it is told to, and notes who came in, in order."""

    came: list[str] = field(default_factory=list)
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __call__(self, environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        """Answer with "in" or "away"."""
        if TURNED_AWAY in environ:
            return [b"away"]
        self.came.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] != "/livez":
            self.go.acquire()
        return [b"in"]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """One a request."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def ask(door: Turnstile, path: str) -> bytes:
    answer = door({"PATH_INFO": path}, None)
    said = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    return said


def waiting(door: Turnstile, many: int) -> bool:
    return len(door._line) == many


def come(
    threads: ThreadPoolExecutor, door: Turnstile, path: str, inside: Callable[[], bool]
) -> Future[bytes]:
    """Let somebody ask and wait until they are where they are to be."""
    asked = threads.submit(ask, door, path)
    until = time.monotonic() + 5
    while not inside() and time.monotonic() < until:
        time.sleep(0.001)
    return asked


def test_whoever_came_first_is_let_in_first(threads: ThreadPoolExecutor) -> None:
    app = Slow()
    door = Turnstile(app, places=1, line=3, seconds=5)
    said = [come(threads, door, "/0", lambda: app.came == ["/0"])]
    for number in range(1, 4):
        said.append(come(threads, door, f"/{number}", partial(waiting, door, number)))
    app.go.release(4)
    assert [one.result(5) for one in said] == [b"in"] * 4
    assert app.came == ["/0", "/1", "/2", "/3"]


def test_where_the_line_is_full_one_is_told_at_once_and_where_it_stands_still_after_a_while(
    threads: ThreadPoolExecutor,
) -> None:
    app, began = Slow(), time.monotonic()
    door = Turnstile(app, places=1, line=1, seconds=0.3)
    inside = come(threads, door, "/0", lambda: app.came == ["/0"])
    waits = come(threads, door, "/1", partial(waiting, door, 1))
    assert ask(door, "/2") == b"away"
    assert time.monotonic() - began < 0.3
    assert waits.result(5) == b"away"
    before = time.monotonic()
    assert ask(door, "/3") == b"away", "nobody got on since, so there is no use in waiting"
    assert time.monotonic() - before < 0.2
    app.go.release(2)
    assert inside.result(5) == b"in"
    assert ask(door, "/4") == b"in"


def test_after_a_quiet_time_nobody_takes_an_empty_line_for_one_that_stands_still(
    threads: ThreadPoolExecutor,
) -> None:
    app = Slow()
    door = Turnstile(app, places=1, line=1, seconds=0.5)
    time.sleep(0.6)
    inside = come(threads, door, "/0", lambda: app.came == ["/0"])
    waits = come(threads, door, "/1", partial(waiting, door, 1))
    app.go.release(2)
    assert [inside.result(5), waits.result(5)] == [b"in", b"in"]


def test_whether_we_are_there_is_answered_whoever_works(threads: ThreadPoolExecutor) -> None:
    app = Slow()
    door = Turnstile(app, places=1, line=0, seconds=5)
    inside = come(threads, door, "/0", lambda: app.came == ["/0"])
    assert ask(door, "/livez") == b"in"
    app.go.release()
    assert inside.result(5) == b"in"


def test_a_place_is_given_back_by_whoever_fails_and_by_an_answer_that_nobody_wanted_to_the_end() -> None:
    def app(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        if TURNED_AWAY in environ:
            return [b"away"]
        if environ["PATH_INFO"] == "/fails":
            raise LookupError
        return [b"a", b"b"]

    door = Turnstile(app, places=1, line=0, seconds=5)
    for _ in range(2):
        with pytest.raises(LookupError):
            ask(door, "/fails")
    answer = door({"PATH_INFO": "/"}, None)
    assert next(iter(answer)) == b"a"
    assert ask(door, "/") == b"away"
    del answer
    assert ask(door, "/") == b"ab"
    answer = door({"PATH_INFO": "/"}, None)
    for _ in range(2):
        answer.close()  # type: ignore[attr-defined]
    del answer
    first, second = door({"PATH_INFO": "/"}, None), ask(door, "/")
    assert (b"".join(first), second) == (b"ab", b"away"), "it was one place all the time"


def test_nobody_comes_in_beside_one_who_works_and_then_beside_one_who_waits(
    threads: ThreadPoolExecutor,
) -> None:
    app, began = Slow(), time.monotonic()
    door = Turnstile(app, places=1, line=9, seconds=5, more=2)
    said = [come(threads, door, "/0", lambda: app.came == ["/0"])]
    said += [come(threads, door, f"/{number}", partial(waiting, door, number)) for number in (1, 2, 3)]
    assert app.came == ["/0"]
    come(threads, door, "/livez", lambda: len(app.came) == 4)
    assert [one for one in app.came if one != "/livez"] == ["/0", "/1", "/2"], "one place, and two more"
    assert time.monotonic() - began >= 2 * LONG
    app.go.release(4)
    assert [one.result(5) for one in said] == [b"in"] * 4


def test_places_come_back_however_long_they_were_held(threads: ThreadPoolExecutor) -> None:
    app = Slow()
    door = Turnstile(app, places=1, line=9, seconds=5, more=1)
    for _ in range(3):
        app.came.clear()
        said = [come(threads, door, "/0", lambda: app.came == ["/0"])]
        said.append(come(threads, door, "/1", lambda: app.came == ["/0", "/1"]))
        app.go.release(2)
        assert [one.result(5) for one in said] == [b"in"] * 2
    assert (door._free, door._more, door._working) == (1, 1, {})


def test_who_steps_aside_lets_the_next_one_in_and_gives_no_second_place_back(
    threads: ThreadPoolExecutor,
) -> None:
    app = Slow()

    def stepping(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        for _ in range(2):
            step_aside(environ)
        return app(environ, start)

    door = Turnstile(stepping, places=1, line=9, seconds=5)
    for _ in range(2):
        app.came.clear()
        said = [come(threads, door, f"/{n}", lambda n=n: len(app.came) == n + 1) for n in range(3)]
        assert app.came == ["/0", "/1", "/2"]
        app.go.release(3)
        assert [one.result(5) for one in said] == [b"in"] * 3
    assert (door._free, door._more, door._working, door._aside) == (1, 0, {}, set())


def test_there_is_an_end_to_stepping_aside() -> None:
    app = Slow()

    def stepping(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        step_aside(environ)
        return app(environ, start)

    door = Turnstile(stepping, places=1, line=0, seconds=5)
    with ThreadPoolExecutor(ASIDE + 1) as many:
        said = [come(many, door, f"/{n}", lambda n=n: len(app.came) == n + 1) for n in range(ASIDE + 1)]
        assert ask(door, "/last") == b"away"
        app.go.release(ASIDE + 1)
        assert [one.result(5) for one in said] == [b"in"] * (ASIDE + 1)
    assert (door._free, door._aside) == (1, set())


def test_without_a_turnstile_nobody_steps_anywhere() -> None:
    step_aside({})


@pytest.mark.long
def test_of_many_short_and_long_requests_everyone_gets_in_and_never_too_many_at_once() -> None:
    inside: list[int] = []
    most, chance = [0], Random(5)

    def app(environ: dict[str, Any], _start: Any) -> Iterable[bytes]:
        inside.append(1)
        most[0] = max(most[0], len(inside))
        time.sleep(float(environ["PATH_INFO"]))
        inside.pop()
        return [b"away" if TURNED_AWAY in environ else b"in"]

    door = Turnstile(app, places=2, line=99, seconds=20, more=2)
    asked = [str(chance.choice((0.0, 0.001, 0.005, LONG * 1.5))) for _ in range(120)]
    with ThreadPoolExecutor(24) as many:
        assert list(many.map(partial(ask, door), asked)) == [b"in"] * 120
    assert 2 < most[0] <= 4
    assert (door._free, door._more, door._working, len(door._line)) == (2, 2, {}, 0)
