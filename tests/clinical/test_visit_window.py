"""When the window of a visit may lie that Bo changes by hand."""

from datetime import date

import pytest

from server.clinical.facts import Plan
from server.clinical.guards import BlockCode
from server.clinical.visit_window import Window, problem, too_soon
from tests.clinical.diaries import day

TODAY = day(40)
BEFORE = Window(day(38), day(47))


@pytest.mark.parametrize(
    ("window", "member"),
    [
        (Window(day(40), day(40)), None),
        (Window(day(39), day(47)), "earliest"),
        (Window(day(38), day(50)), None),
        (Window(day(38), day(40)), None),
        (Window(day(38), day(39)), "latest"),
        (Window(day(50), day(49)), "latest"),
        (Window(day(40), day(220)), None),
        (Window(day(40), day(221)), "latest"),
    ],
)
def test_a_window_lies_ahead_in_its_order_and_within_the_longest_plan(
    window: Window, member: str | None
) -> None:
    found = problem(window, BEFORE, TODAY)
    assert (found and found[0]) == member


@pytest.mark.parametrize(
    ("plan", "sessions", "earliest", "soon"),
    [
        (Plan(14, 42), [day(3), day(30)], day(43), True),
        (Plan(14, 42), [day(3), day(30)], day(44), False),
        (Plan(14, 42), [day(60)], day(41), False),
        (Plan(14, 42), [], day(41), False),
        (None, [day(39)], day(41), False),
    ],
)
def test_a_window_before_the_shortest_interval_of_the_plan_is_a_guard(
    plan: Plan | None, sessions: list[date], earliest: date, soon: bool
) -> None:
    block = too_soon(earliest, plan, sessions, TODAY)
    assert (block is not None) is soon
    if block is not None:
        assert block.code is BlockCode.INTERVAL
        assert block.detail == f"the window begins before {day(44)}, plan minimum 14 days"
