"""Every block of an old log has its turn within a round, whatever grows or is missed meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from server.services.audit.turn import Pace, Turn, day_of, stretches, turn_of
from tests.conftest import NOON
from tests.services.audit.ledger import A_DAY


@given(days=st.integers(1, 40), since=st.integers(0, 50_000), number=st.integers(0, 10**6))
def test_every_block_has_its_turn_once_in_a_round(days: int, since: int, number: int) -> None:
    turns = [Turn(days, today - 1, today).has(number) for today in range(since + 1, since + days + 1)]
    assert turns.count(True) == 1


@given(days=st.integers(1, 40), missed=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_what_was_missed_is_made_up_for_and_nothing_comes_twice(days: int, missed: list[int]) -> None:
    since, number, walked = 20_000, 7, 0
    for gap in missed:
        if gap <= days:
            walked += Turn(days, since, since + gap).has(number)
            since += gap
    each_day = [Turn(days, day, day + 1).has(number) for day in range(20_000, since)]
    assert walked == sum(each_day)


def test_a_second_run_of_a_day_walks_what_that_day_has_to() -> None:
    today = turn_of(Pace(days=5), NOON, NOON)
    assert today == Turn(5, day_of(NOON), day_of(NOON))
    assert [number for number in range(10) if today.has(number)] == [day_of(NOON) % 5, day_of(NOON) % 5 + 5]


@given(until=st.integers(0, 5_000), block=st.integers(1, 700), days=st.integers(1, 9))
def test_the_stretches_of_a_round_are_the_whole_without_gap_or_overlap(
    until: int, block: int, days: int
) -> None:
    found = [
        one
        for today in range(100, 100 + days)
        for one in stretches(Pace(days, block), Turn(days, today - 1, today), until)
    ]
    ends = [0, *(end for _, end in sorted(found))]
    assert [after for after, _ in sorted(found)] == ends[:-1]
    assert ends[-1] == until


def test_a_day_walks_a_thirtieth_and_a_day_is_that_of_utc() -> None:
    pace = Pace()
    walked = sum(
        end - after for after, end in stretches(pace, turn_of(pace, NOON, NOON + A_DAY), 100_000_000)
    )
    assert abs(walked - 100_000_000 / pace.days) <= pace.block
