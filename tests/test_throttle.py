"""Requests that come too fast wait; nobody waits for somebody else, and the memory stays small."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator

import pytest

from server.throttle import Buckets, Counters, Rate, Shared, Throttle
from tests.ports import free_port

TEN = Rate("device", 10)


class Seconds:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def asked(counters: Counters, times: int, who: str = "ana") -> int:
    """Return how many of ``times`` requests at once were taken."""
    return sum(not counters.take(TEN, who) for _ in range(times))


def test_a_quiet_minute_may_be_made_up_for_at_once_and_no_more() -> None:
    assert asked(Buckets(Seconds()), 25) == 10


def test_whoever_waits_as_long_as_was_said_is_taken() -> None:
    clock = Seconds()
    buckets = Buckets(clock)
    assert asked(buckets, 10) == 10
    wait = buckets.take(TEN, "ana")
    assert wait == pytest.approx(6.0)
    clock.now += wait
    assert asked(buckets, 5) == 1


def test_asking_how_it_stands_costs_nothing() -> None:
    buckets = Buckets(Seconds())
    assert [buckets.wait(TEN, "ana") for _ in range(20)] == [0.0] * 20
    assert asked(buckets, 11) == 10
    assert buckets.wait(TEN, "ana") == pytest.approx(6.0)


def test_nobody_waits_for_somebody_else() -> None:
    buckets = Buckets(Seconds())
    asked(buckets, 50, "noisy")
    assert asked(buckets, 10, "calm") == 10


def test_a_million_strangers_do_not_fill_the_memory() -> None:
    buckets = Buckets(Seconds(), most=100)
    for number in range(1000):
        buckets.take(TEN, str(number))
    assert len(buckets._full_at) <= 101


def test_a_device_is_limited_before_its_account_and_both_before_the_clinic() -> None:
    throttle = Throttle(10, Buckets(Seconds()))
    assert sum(not throttle.signed_in("phone", "ana") for _ in range(50)) == 10
    assert sum(not throttle.signed_in("tablet", "ana") for _ in range(50)) == 10
    assert sum(not throttle.signed_in("third", "ana") for _ in range(50)) == 0
    assert sum(not throttle.clinic("demo") for _ in range(500)) == 200


def test_where_a_proxy_limits_requests_nothing_is_counted() -> None:
    throttle = Throttle(0, Buckets(Seconds()))
    assert all(not throttle.signed_in("phone", "ana") for _ in range(100))
    assert not throttle.wait_of_stranger("192.0.2.1")


def test_where_the_shared_counter_is_away_each_process_counts_for_itself() -> None:
    shared = Shared("redis://127.0.0.1:1/0")  # nobody listens there
    assert asked(shared, 25) == 10
    assert shared.wait(TEN, "ana") > 0


@pytest.fixture
def valkey() -> Iterator[str]:
    """A real server that counts, on a socket of ours."""
    binary = shutil.which("valkey-server") or shutil.which("redis-server")
    if binary is None:
        pytest.skip("no valkey-server or redis-server on the path")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            url = f"redis://127.0.0.1:{port}/0"
            _wait_for(url)
            yield url
        finally:
            server.terminate()
            server.wait(10)


@pytest.mark.peers
def test_two_processes_that_name_the_same_counter_share_a_limit(valkey: str) -> None:
    one, other = Shared(valkey), Shared(valkey)
    assert asked(one, 7) + asked(other, 7) == 10
    assert 0 < other.wait(TEN, "ana") <= 60
    assert asked(other, 3, "bo") == 3


def _wait_for(url: str) -> None:
    for _ in range(50):
        if Shared(url)._storage.check():
            return
        time.sleep(0.1)
    raise AssertionError("the server did not start")
