"""Gaps are found before an alert falls into one, with the reason why, and a fallback is said."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from server.clinical.coverage import Gap, GapReason, Hearing, coverage
from server.clinical.rota import Duty
from tests.conftest import NOON

BO, DEE = UUID(int=1), UUID(int=2)
END = NOON + timedelta(days=7)


def at(hours: float) -> datetime:
    return NOON + timedelta(hours=hours)


def duty(first: float, last: float, who: UUID = BO) -> Duty:
    return Duty(who, at(first), at(last))


def gaps(hearing: Hearing) -> list[tuple[datetime, datetime, str]]:
    return [(gap.starts, gap.ends, gap.why.value) for gap in coverage(hearing, NOON, END)]


def test_somebody_who_always_hears_leaves_no_gap() -> None:
    assert gaps(Hearing(always=True)) == []


def test_a_clinic_where_nobody_can_be_reached_is_one_long_gap() -> None:
    assert gaps(Hearing(always=False)) == [(NOON, END, "nobody_reachable")]


def test_hours_without_anybody_on_call_are_gaps() -> None:
    hearing = Hearing(False, (duty(-5, 10), duty(12, 24), duty(24, 48)))
    assert gaps(hearing) == [
        (at(10), at(12), "nobody_on_call"),
        (at(48), END, "nobody_on_call"),
    ]


def test_shifts_that_overlap_leave_a_gap_only_after_the_last_of_them() -> None:
    assert gaps(Hearing(False, (duty(0, 30), duty(5, 10, DEE), duty(5, 167), duty(160, 200, DEE)))) == []


def test_somebody_on_call_who_can_not_be_reached_is_a_gap_of_its_own_kind() -> None:
    hearing = Hearing(False, (duty(0, 24), duty(48, 168)), (duty(20, 40, DEE),))
    assert gaps(hearing) == [
        (at(24), at(40), "on_call_unreachable"),
        (at(40), at(48), "nobody_on_call"),
    ]


def test_a_fallback_closes_every_gap_but_is_said() -> None:
    hearing = Hearing(False, (duty(0, 24), duty(48, 168)), (duty(20, 40, DEE),), fallback=True)
    found = coverage(hearing, NOON, END)
    assert found == (Gap(at(24), at(48), GapReason.FALLBACK_ONLY),)
    assert not found[0].is_open
    assert coverage(Hearing(False), NOON, END)[0].is_open


def test_a_stretch_that_is_over_before_it_begins_has_no_gaps() -> None:
    assert coverage(Hearing(always=False), NOON, NOON) == ()


DUTIES = st.lists(
    st.tuples(st.integers(-50, 200), st.integers(1, 100)).map(lambda one: duty(one[0], sum(one))), max_size=8
).map(tuple)


@given(DUTIES, DUTIES, st.integers(0, 167))
def test_a_moment_lies_in_a_gap_exactly_where_nobody_reachable_is_on(
    duties: tuple[Duty, ...], unreachable: tuple[Duty, ...], hour: int
) -> None:
    moment = at(hour + 0.5)
    found = coverage(Hearing(False, duties, unreachable), NOON, END)
    inside = [gap.why for gap in found if gap.starts <= moment < gap.ends]
    if any(one.starts <= moment < one.ends for one in duties):
        assert inside == []
    elif any(one.starts <= moment < one.ends for one in unreachable):
        assert inside == [GapReason.ON_CALL_UNREACHABLE]
    else:
        assert inside == [GapReason.NOBODY_ON_CALL]
