"""Replays and figures: what the watch would have said, and how good that is."""

from datetime import date, timedelta
from statistics import median

import pytest

from jobs.watch_report import of_simulator
from server.clinical.baseline import Treatment
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import fold
from server.clinical.vocabulary import Arm
from server.quality.figures import Truth, figures
from server.quality.replay import Alarm, Diary, Replay, replay

DAY = date(2025, 1, 1)


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def diary(levels: list[float | None]) -> Diary:
    """Pain of each day from the session on; None is a day without an entry."""
    said = [(day(n), {"pain_average": level}) for n, level in enumerate(levels) if level is not None]
    return Diary("Ana", fold(said), (Treatment(DAY),), DAY, day(len(levels) - 1))


def replayed(*alarms: int, judged: int = 60, insufficient: int = 0) -> Replay:
    return Replay(Arm.PAIN, None, tuple(Alarm(day(n), (), "") for n in alarms), judged, insufficient)


def truth(onset: int | None, full: int | None = None, last: int = 76) -> Truth:
    return Truth(
        day(17), day(last), None if onset is None else day(onset), None if full is None else day(full)
    )


def test_a_lasting_return_alarms_again_only_after_the_quiet_days() -> None:
    found = replay(diary([3.0, 3.0, *[2.0, 3.0] * 14, *[8.0] * 40]), Arm.PAIN, DEFAULT_POLICY)
    first = found.alarms[0]
    assert day(30) <= first.day <= day(34)
    assert [(alarm.day - first.day).days for alarm in found.alarms] == [0, 15, 30]
    assert first.rules
    assert found.baseline is not None
    assert found.baseline.last_day < first.day


def test_a_steady_diary_never_alarms_and_gaps_are_told() -> None:
    found = replay(diary([2.0, 3.0] * 15 + [None] * 10), Arm.PAIN, DEFAULT_POLICY)
    assert found.alarms == ()
    assert 0 < found.insufficient <= 10
    assert found.judged > 10


def test_a_diary_is_watched_for_the_arms_it_speaks_of() -> None:
    assert diary([1.0]).arms() == (Arm.PAIN,)


def test_figures_are_what_a_hand_count_says() -> None:
    found = figures(
        [
            (truth(None), replayed()),
            (truth(None), replayed(20, 40)),
            (truth(40, 45), replayed(46)),
            (truth(40, 45), replayed(30, 59)),
            (truth(40, 45), replayed(60, insufficient=6)),
            (truth(40), replayed()),
        ]
    )
    assert (found.stable, found.relapsing) == (2, 4)
    assert found.sensitivity == 2 / 4
    assert found.false_alarmed == 1 / 2
    assert found.median_delay == median([6, 19])
    assert found.per_month == pytest.approx(3 / ((2 * 60 + 4 * 23) / 30))
    assert found.insufficient == 6 / 360


def test_figures_without_patients_are_none_not_zero() -> None:
    found = figures([])
    shares = (found.sensitivity, found.false_alarmed, found.per_month, found.median_delay, found.insufficient)
    assert shares == (None,) * 5


@pytest.mark.long
def test_the_report_on_the_simulator_is_the_same_however_many_processes_share_it() -> None:
    alone = list(of_simulator(2, 5, processes=1))
    assert alone == list(of_simulator(2, 5, processes=2))
    assert [known.onset is None for known, _ in alone] == [True, True, False, False]
