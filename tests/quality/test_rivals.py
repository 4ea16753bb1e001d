"""The detectors beside the watch, on diaries made by hand."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import fold
from server.clinical.vocabulary import Arm
from server.quality.cases import WATCH
from server.quality.replay import Diary
from server.quality.rivals import (
    RIVALS,
    USUAL_CARE,
    Usual,
    alarms,
    baseline_window,
    cusum,
    naive_ewma,
    rival_replays,
    seven_day_rule,
    shewhart,
    usual_care,
    usual_level,
)
from server.quality.scale_rules import SCALE_RULES, one_a_day, scale_replays, well_again

DAY = date(2025, 1, 1)
USUAL = Usual(mean=3.0, sd=1.0)


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def points(*values: float | None) -> tuple[tuple[date, float], ...]:
    """Values of days 0, 1, ...; None is a day without an entry."""
    return tuple((day(n), value) for n, value in enumerate(values) if value is not None)


def numbers(days: Sequence[date]) -> list[int]:
    return [(one - DAY).days for one in days]


def quiet() -> float:
    return 0.0


def diary(levels: Sequence[float | None]) -> Diary:
    said = [(day(n), {"pain_average": level}) for n, level in enumerate(levels) if level is not None]
    return Diary("Ana", fold(said), (Treatment(DAY),), DAY, day(len(levels) - 1))


def test_shewhart_speaks_of_one_bad_day_and_forgets_it_on_the_next() -> None:
    assert numbers(list(shewhart(points(3, 5.9, 6, 3), USUAL))) == [2]


def test_the_moving_average_needs_a_few_worse_days() -> None:
    # 2 SD above, 0.2 a day: 0.4, 0.72, 0.976 pass 2.7 x 1/3 = 0.9 on the third.
    assert numbers(list(naive_ewma(points(5, 5, 5, 3), USUAL))) == [2]


def test_the_sum_starts_again_after_it_spoke() -> None:
    # 1.5 a day beyond the slack: 1.5, 3, 4.5, 6.
    assert numbers(list(cusum(points(*[5.0] * 8), USUAL))) == [3, 7]
    assert list(cusum(points(*[3.4] * 100), USUAL)) == []


def test_the_seven_day_rule_wants_four_days_within_a_week() -> None:
    assert numbers(list(seven_day_rule(points(5, 5, 5, 5), USUAL))) == [3]
    assert list(seven_day_rule(points(5, None, None, 5, None, None, 5, None, None, 5), USUAL)) == []
    assert list(seven_day_rule(points(4.9, 4.9, 4.9, 4.9, 4.9), USUAL)) == []


def test_usual_care_sees_a_relapse_at_the_next_visit_only() -> None:
    worse_from_day_20 = points(*[3.0] * 20, *[7.0] * 30)
    # 6.6 at the baseline; 13.2 + 0.5 after eight of fourteen days at 7; then 15.4.
    assert numbers(list(usual_care(worse_from_day_20, day(13), quiet))) == [27, 41]


def test_usual_care_wants_both_ten_points_and_five_more_than_before() -> None:
    assert list(usual_care(points(*[1.0] * 14, *[4.0] * 14), day(13), quiet)) == []
    assert list(usual_care(points(*[5.0] * 14, *[6.0] * 14), day(13), quiet)) == []
    assert list(usual_care((), day(13), quiet)) == []


def test_a_visit_after_two_weeks_without_an_entry_has_no_score() -> None:
    gap = points(*[3.0] * 14, *[None] * 20, *[8.0] * 10)
    assert numbers(list(usual_care(gap, day(13), quiet))) == [41]


def test_answers_that_never_moved_still_have_a_spread() -> None:
    assert usual_level(points(3, 3, 3)) == Usual(3.0, 0.5)
    assert usual_level(points(3)) == Usual(3.0, 0.5)


def test_the_baseline_waits_for_ten_entries() -> None:
    assert baseline_window(diary([2.0] * 40), Arm.PAIN, DEFAULT_POLICY) == (day(3), day(16))
    every_other = [2.0 if n % 2 else None for n in range(40)]
    assert baseline_window(diary(every_other), Arm.PAIN, DEFAULT_POLICY) == (day(3), day(21))
    assert baseline_window(diary([2.0] * 10), Arm.PAIN, DEFAULT_POLICY) is None


def test_after_an_alarm_fourteen_days_are_quiet() -> None:
    assert [a.day for a in alarms([day(0), day(14), day(15), day(16)], "Bo's", DEFAULT_POLICY)] == [
        day(0),
        day(15),
    ]


def test_every_rival_sees_a_plain_relapse_after_its_onset_and_none_in_calm_weeks() -> None:
    onset = 40
    found = rival_replays(diary([2.0, 3.0] * 20 + [8.0, 9.0] * 15), Arm.PAIN, DEFAULT_POLICY, quiet)
    assert tuple(found) == RIVALS
    for name, said in found.items():
        assert said.alarms, name
        assert day(onset) <= said.alarms[0].day <= day(onset + 20), name
    assert found[USUAL_CARE].judged == 69 - 16


def test_without_a_baseline_no_rival_speaks() -> None:
    found = rival_replays(diary([9.0] * 5), Arm.PAIN, DEFAULT_POLICY, quiet)
    assert all(said.alarms == () and said.judged == 0 for said in found.values())


def weekly(*scores: float) -> list[tuple[date, float]]:
    return [(day(7 * n), score) for n, score in enumerate(scores)]


def test_somebody_is_watched_from_when_two_scores_were_well_until_two_are_ill() -> None:
    person = well_again(weekly(20, 8, 12, 9, 7, 8, 15, 8, 16, 17))
    assert person is not None
    assert person.level == 8
    assert person.truth.judged_from == day(35)
    assert (person.truth.onset, person.truth.full) == (day(56), day(63))
    assert well_again(weekly(20, 8, 20, 8)) is None
    assert well_again(weekly(8, 8)) is None


@pytest.mark.parametrize(
    ("rule", "expected"), [("one score + 5", [2]), ("two in a row + 5", [5]), ("EWMA 0.4, + 5", [5])]
)
def test_one_bad_score_is_not_two(rule: str, expected: list[int]) -> None:
    person = well_again(weekly(6, 6, 12, 6, 12, 14, 14))
    assert person is not None
    assert numbers(list(SCALE_RULES[rule](person.scores, person.level)))[:1] == [7 * n for n in expected]
    assert scale_replays(person, DEFAULT_POLICY)[rule].alarms[0].day == day(7 * expected[0])


def test_the_watch_has_its_own_row_and_wants_two_raised_scores_at_its_cut() -> None:
    person = well_again(weekly(6, 6, 15, 6, 12, 14, 14))
    assert person is not None
    said = scale_replays(person, DEFAULT_POLICY)
    assert numbers([alarm.day for alarm in said[WATCH].alarms]) == [42]
    assert numbers([alarm.day for alarm in said["the watch, were the cut 12"].alarms]) == [35]


def test_a_row_that_the_file_repeats_is_one_score() -> None:
    twice = [(day(0), 8.0), (day(7), 14.0), (day(7), 14.0)]
    assert one_a_day(twice) == [(day(0), 8.0), (day(7), 14.0)]
