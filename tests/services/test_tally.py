"""What is tried too often is refused, by whichever process it is tried in."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from server.database import Database
from server.models import Tally
from server.services import tally
from server.services.cap import CAPS, LONGEST_PAUSE, Cap
from server.services.errors import TooMany
from tests.conftest import MASTER_KEY, NOON

THREE = Cap("three", 3, timedelta(hours=1), "a test")
SLOW = Cap("slow", 2, timedelta(days=1), "a test", timedelta(seconds=30))


@pytest.fixture
def tried(database: Database) -> Callable[..., int]:
    """Try once, in a transaction of its own; return 0, or for how many seconds it was refused."""

    def once(cap: Cap, now: datetime = NOON, who: str = "ana") -> int:
        try:
            with database.write() as session:
                tally.take(session, now, cap, who)
        except TooMany as refusal:
            return refusal.seconds
        return 0

    return once


def test_the_fourth_of_three_waits_until_the_first_is_forgotten(tried: Callable[..., int]) -> None:
    assert [tried(THREE, NOON + timedelta(minutes=10 * n)) for n in range(4)] == [0, 0, 0, 1800]
    assert tried(THREE, NOON + timedelta(hours=1)) == 0
    assert tried(THREE, NOON, who="bo") == 0


def test_every_further_try_waits_twice_as_long_up_to_an_hour(tried: Callable[..., int]) -> None:
    now, waits = NOON, []
    for _ in range(12):
        while wait := tried(SLOW, now):
            waits.append(wait)
            now += timedelta(seconds=wait)
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert timedelta(hours=1) == LONGEST_PAUSE


def test_whoever_hammers_waits_no_longer_for_it(tried: Callable[..., int]) -> None:
    for _ in range(3):
        tried(SLOW)
    assert [tried(SLOW) for _ in range(50)] == [30] * 50
    assert tried(SLOW, NOON + timedelta(seconds=30)) == 0


def test_a_day_without_a_try_begins_anew(tried: Callable[..., int]) -> None:
    for _ in range(4):
        tried(SLOW)
    assert [tried(SLOW, NOON + timedelta(days=1, seconds=1)) for _ in range(4)] == [0, 0, 0, 30]


@pytest.mark.parametrize("cap", [THREE, SLOW])
def test_tries_that_a_clock_counted_which_was_ahead_keep_nobody_out_once_it_is_right(
    tried: Callable[..., int], cap: Cap
) -> None:
    ahead = NOON + timedelta(days=30)
    assert [tried(cap, ahead) > 0 for _ in range(4)][-1]
    assert [tried(cap, ahead - timedelta(seconds=5)) > 0 for _ in range(2)] == [True, True], "another machine"
    assert [tried(cap) for _ in range(3)] == [0, 0, 0]
    assert tried(cap) > 0


def test_parallel_tries_are_counted_one_after_the_other(tried: Callable[..., int]) -> None:
    with ThreadPoolExecutor(8) as pool:
        refused = list(pool.map(lambda _: tried(THREE), range(24)))
    assert refused.count(0) == 3


_ANOTHER = """
import base64, sys
from datetime import datetime, timedelta
from server.database import Database
from server.isolation import Extent
from server.keys.sealing import master_keyring
from server.services import tally
from server.services.cap import Cap
from server.services.errors import TooMany
THREE = Cap("three", 3, timedelta(hours=1), "a test")
database = Database(sys.argv[1], master_keyring((base64.b64decode(sys.argv[2]),)))
taken = 0
for _ in range(10):
    try:
        with database.write(Extent.NONE) as session:
            tally.take(session, datetime.fromisoformat(sys.argv[3]), THREE, "ana")
        taken += 1
    except TooMany:
        pass
print(taken)
database.close()
"""


@pytest.mark.long
def test_two_processes_share_a_cap(database: Database, tried: Callable[..., int]) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", _ANOTHER, url, MASTER_KEY, NOON.isoformat()]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    taken = [int(process.communicate(timeout=60)[0]) for process in both]
    assert sum(taken) == 3
    assert tried(THREE) == 3600


def test_nobody_reads_who_it_was_out_of_the_table(database: Database, tried: Callable[..., int]) -> None:
    tried(THREE, who="203.0.113.7")
    with database.read() as session:
        (row,) = session.scalars(select(Tally))
    assert "203" not in row.digest
    assert (row.cap, row.count) == ("three", 1)


def test_what_counts_no_more_is_removed(database: Database, tried: Callable[..., int]) -> None:
    tried(THREE), tried(SLOW)
    with database.write() as session:
        assert tally.tidy(session, NOON + timedelta(hours=2)) == 1
        assert [row.cap for row in session.scalars(select(Tally))] == ["slow"]


def test_each_cap_has_a_name_of_its_own_that_fits() -> None:
    names = [cap.name for cap in CAPS]
    assert len(set(names)) == len(names)
    assert all(len(name) <= 32 for name in names)
