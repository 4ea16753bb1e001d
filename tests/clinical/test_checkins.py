"""What falls due on which day."""

from datetime import date, timedelta

import pytest

from server.clinical.checkins import DIARY, Anchor, ScalePlan, SessionDays, due, misfit, still_open

SESSION = date(2026, 5, 10)
AROUND = ScalePlan("phq-9", Anchor.SESSION, offsets=(-1, 0, 1), every_days=14)
DELIVERED, PLANNED = SessionDays(delivered=(SESSION,)), SessionDays(planned=(SESSION,))


def days_due(scale: ScalePlan, sessions: SessionDays, days: int = 60) -> list[int]:
    """Return on which days from the session the scale falls due."""
    span = range(-15, days)
    return [k for k in span if len(due([scale], sessions, SESSION + timedelta(days=k))) == 2]


def test_the_diary_is_due_every_day_and_its_key_is_made_of_the_day() -> None:
    (diary,) = due([], SessionDays(), SESSION)
    assert (diary.key, diary.instrument) == ("diary:2026-05-10", None)


def test_a_scale_follows_the_session_and_then_comes_every_fortnight() -> None:
    assert days_due(AROUND, DELIVERED) == [-1, 0, 1, 14, 28, 42, 56]


def test_a_planned_session_asks_before_it_and_never_after_it_unless_it_took_place() -> None:
    assert days_due(AROUND, PLANNED) == [-1, 0]


def test_the_next_session_starts_the_count_anew() -> None:
    second = SESSION + timedelta(days=20)
    sessions = SessionDays(delivered=(SESSION, second))
    assert days_due(AROUND, sessions) == [-1, 0, 1, 14, 19, 20, 21, 34, 48]


def test_without_a_session_nothing_is_asked() -> None:
    assert days_due(AROUND, SessionDays()) == []


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (ScalePlan("gad-7", Anchor.CALENDAR, every_days=7, first_day=SESSION), [0, 7, 14, 21]),
        (ScalePlan("gad-7", Anchor.ONCE, first_day=SESSION), [0]),
        (ScalePlan("gad-7", Anchor.SESSION, every_days=10), [10, 20]),
        (ScalePlan("gad-7", Anchor.SESSION, offsets=(0, 3)), [0, 3]),
        # The repeats begin after the last of the days that were named.
        (ScalePlan("gad-7", Anchor.SESSION, offsets=(-1, 10), every_days=5), [-1, 10, 15, 20]),
    ],
)
def test_each_anchor_has_its_days(scale: ScalePlan, expected: list[int]) -> None:
    assert days_due(scale, DELIVERED, 22) == expected


def test_an_occurrence_stays_open_for_its_days_under_its_first_key() -> None:
    scale = ScalePlan("phq-9", Anchor.ONCE, first_day=SESSION, open_days=3)
    keys = [still_open([scale], SessionDays(), SESSION + timedelta(days=k))[1:] for k in range(-1, 4)]
    assert [[o.key for o in found] for found in keys] == [[], *[["phq-9:2026-05-10"]] * 3, []]


def test_yesterdays_diary_is_over_today() -> None:
    assert [o.key for o in still_open([], SessionDays(), SESSION)] == ["diary:2026-05-10"]


def test_the_next_occurrence_ends_the_one_before() -> None:
    scale = ScalePlan("phq-2", Anchor.CALENDAR, every_days=2, first_day=SESSION, open_days=7)
    found = still_open([scale], SessionDays(), SESSION + timedelta(days=3))
    assert [o.key for o in found if o.what != DIARY] == ["phq-2:2026-05-12"]


def test_two_rules_that_meet_ask_once_for_the_longer_time() -> None:
    long = ScalePlan("phq-9", Anchor.ONCE, first_day=SESSION, open_days=5)
    for scales in ([AROUND, long], [long, AROUND]):
        _, scale = due(scales, DELIVERED, SESSION)
        assert (scale.key, scale.last_day) == ("phq-9:2026-05-10", SESSION + timedelta(days=4))


@pytest.mark.parametrize(
    ("scale", "member"),
    [
        (AROUND, None),
        (ScalePlan("phq-9", Anchor.SESSION), "offsets"),
        (ScalePlan("phq-9", Anchor.SESSION, offsets=(1,), first_day=SESSION), "first_day"),
        (ScalePlan("phq-9", Anchor.CALENDAR, every_days=7), "first_day"),
        (ScalePlan("phq-9", Anchor.CALENDAR, offsets=(1,), every_days=7, first_day=SESSION), "offsets"),
        (ScalePlan("phq-9", Anchor.CALENDAR, first_day=SESSION), "every_days"),
        (ScalePlan("phq-9", Anchor.ONCE, every_days=7, first_day=SESSION), "every_days"),
        (ScalePlan("phq-9", Anchor.ONCE, first_day=SESSION), None),
        (ScalePlan("phq-9", Anchor.WATCH), None),
        (ScalePlan("phq-9", Anchor.WATCH, first_day=SESSION), "first_day"),
        (ScalePlan("phq-9", Anchor.WATCH, every_days=7), "every_days"),
    ],
)
def test_a_scale_has_what_its_anchor_needs_and_nothing_else(scale: ScalePlan, member: str | None) -> None:
    found = misfit(scale)
    assert (found and found[0]) == member


def test_a_scale_that_the_watch_asks_for_falls_on_no_day_of_its_own() -> None:
    assert days_due(ScalePlan("phq-9", Anchor.WATCH), DELIVERED) == []


def test_a_scale_may_come_every_so_many_days_after_a_session_without_any_day_named() -> None:
    assert misfit(ScalePlan("phq-9", Anchor.SESSION, every_days=10)) is None
    assert days_due(ScalePlan("phq-9", Anchor.SESSION, every_days=1), DELIVERED, 4) == [1, 2, 3]


def test_a_session_on_the_day_of_a_repeat_starts_the_count_anew_at_once() -> None:
    sessions = SessionDays(delivered=(SESSION, SESSION + timedelta(days=14)))
    assert days_due(ScalePlan("phq-9", Anchor.SESSION, every_days=14), sessions, 43) == [28, 42]
