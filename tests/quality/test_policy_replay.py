"""A draft beside the policy in force: what each would have said, counted as by hand."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.policy import DEFAULT_POLICY, PolicyError, policy_from
from server.clinical.vocabulary import Arm
from server.quality.past import Compared, Past, Question, Told, compare, not_shown, of_plain
from server.quality.policy_replay import Yardstick, comparison

DAY = date(2025, 1, 1)
STRICT = {"relapse.enter_hits": 7, "relapse.enter_days": 7}


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def past(levels: list[float], **parts: object) -> Past:
    """Pain of each day from the session on."""
    said = [[day(n).isoformat(), {"pain_average": level}] for n, level in enumerate(levels)]
    return Past("ana", json.dumps(said), (DAY,), **parts)  # type: ignore[arg-type]


def question(draft: dict[str, float], first: int = 0, last: int = 69) -> Question:
    return Question({}, draft, day(first), day(last))


RELAPSING = [3.0, 3.0, *[2.0, 3.0] * 14, *[8.0] * 40]


def test_a_stricter_draft_alarms_later_on_the_same_days() -> None:
    found = compare(past(RELAPSING), question(STRICT))
    current, draft = found.arms[Arm.PAIN]
    assert found.differs()
    assert day(30) <= current.alarms[0] < draft.alarms[0]
    assert (draft.alarms[0] - current.alarms[0]).days == 6
    assert current.judged == draft.judged > 40


def test_the_patients_own_values_lie_over_both_policies() -> None:
    found = compare(past(RELAPSING, own=STRICT), question({}))
    current, draft = found.arms[Arm.PAIN]
    assert current == draft
    assert current == compare(past(RELAPSING), question(STRICT)).arms[Arm.PAIN][1]
    with pytest.raises(PolicyError, match=r"relapse\.enter_hits: 7 is more than relapse\.enter_days 4"):
        compare(past(RELAPSING, own={"relapse.enter_hits": 7}), question({"relapse.enter_days": 4}))


def test_what_lies_before_the_period_is_the_ground_and_not_judged() -> None:
    found = compare(past(RELAPSING), question({}, first=40))
    assert (found.days, found.arms[Arm.PAIN][0].judged) == (30, 30)
    assert all(alarm >= day(40) for alarm in found.arms[Arm.PAIN][0].alarms)
    nobody = compare(past([]), question({}))
    assert (nobody.days, nobody.arms, nobody.differs()) == (0, {}, False)
    assert compare(past(RELAPSING), Question({}, {}, day(-20), day(-1))).days == 0


def test_sleep_speaks_for_both_arms_and_makes_neither_watched() -> None:
    said = [[day(n).isoformat(), {"pain_average": 2, "sleep_hours": 5}] for n in range(40)]
    assert set(compare(Past("ana", json.dumps(said), (DAY,)), question({})).arms) == {Arm.PAIN}


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "relapse.ewma_limit": st.sampled_from([0.5, 1.5, 3]),
        "relapse.ewma_lambda": st.sampled_from([0.1, 0.4]),
        "relapse.item_lambda": st.sampled_from([0.2, 0.3]),
        "relapse.recent_days": st.integers(8, 20),
        "relapse.mean_days": st.integers(5, 9),
        "relapse.items_needed": st.integers(1, 3),
        "relapse.window_days": st.sampled_from([60, 120]),
        "baseline.settle_days": st.integers(1, 4),
        "baseline.sd_floor": st.sampled_from([0.2, 1]),
        "composite.min_share": st.sampled_from([0.3, 1]),
        "data.min_days": st.integers(2, 5),
        "alert.lockout_days": st.sampled_from([0, 5]),
    },
)
LEVELS = st.lists(st.integers(0, 9), min_size=6, max_size=6)


@given(LEVELS, VALUES, VALUES, st.sets(st.integers(1, 80), max_size=2), st.integers(0, 60))
def test_two_policies_that_share_their_ground_say_what_each_says_alone(
    levels: list[int], one: dict[str, float], other: dict[str, float], boosters: set[int], first: int
) -> None:
    said = [
        [
            day(n).isoformat(),
            {"pain_average": levels[n // 14], "mood": (n * 7 + levels[n // 14]) % 10, **some},
        ]
        for n in range(84)
        for some in ({"pain_worst": 9}, {"anxiety": n % 4})[: 1 + n % 2]
        if n % 9
    ]
    who = Past("ana", json.dumps(said), tuple(map(day, sorted({0, *boosters}))))
    days = day(first), day(83)
    both, under, over = (
        compare(who, Question(*values, *days)).arms for values in ((one, other), (one, one), (other, other))
    )
    assert both == {arm: (under[arm][0], over[arm][0]) for arm in both}


def test_several_entries_on_the_first_day_are_one_day() -> None:
    said = [[day(0).isoformat(), {"pain_average": level}] for level in (4, 2)]
    assert compare(Past("ana", json.dumps(said), (DAY,)), question({})).days == 70


def test_what_is_stored_comes_back_the_same() -> None:
    found = compare(past(RELAPSING, relapses=((Arm.PAIN, day(50)),)), question(STRICT))
    assert of_plain("ana", json.loads(json.dumps(found.plain()))) == found


def test_what_a_replay_can_not_show_is_said() -> None:
    draft = policy_from(2, {"silence.usual_days": 7, "relapse.ewma_limit": 3.0, "maintenance.lead_days": 3})
    assert not_shown(DEFAULT_POLICY, draft) == ("silence.usual_days", "maintenance.lead_days")


def compared(
    current: list[int], draft: list[int], sessions: tuple[int, ...] = (0,), relapses: tuple[int, ...] = ()
) -> Compared:
    told = (Told(tuple(map(day, current)), 80, 8), Told(tuple(map(day, draft)), 80, 0))
    return Compared(
        "ana",
        100,
        tuple(map(day, sessions)),
        tuple((Arm.PAIN, day(n)) for n in relapses),
        {Arm.PAIN: told},
    )


def test_figures_are_what_a_hand_count_says() -> None:
    people = [
        compared([40, 55], [45], relapses=(50,)),  # announced 10 and 5 days before; 55: known by then
        compared([60], [], sessions=(0, 70)),  # re-treated on day 70: announced by the one alone
        compared([20, 90], [20]),  # 20 was false, 90 can't be told yet
        compared([], [], relapses=(10,)),  # too early: its alarm may lie before the period
        compared([], [], sessions=(0, 3, 7)),  # an induction is no re-treatment
    ]
    found = comparison(people, Yardstick(DAY, day(99), DEFAULT_POLICY))
    assert (found.patients, found.patient_days, found.differing) == (5, 500, 3)
    assert (found.relapses, found.retreatments) == (1, 1)
    current, draft = found.current, found.draft
    assert (current.alarms, draft.alarms) == (5, 2)
    assert current.alarms_per_week == pytest.approx(5 / (100 / 7))
    assert draft.alarms_per_patient_month == pytest.approx(2 / (500 / 30))
    assert (current.false_alarms, current.undecided) == (1, 1)
    assert (draft.false_alarms, draft.undecided) == (1, 0)
    assert (current.missed_relapses, current.missed_retreatments) == (0, 0)
    assert (draft.missed_relapses, draft.missed_retreatments) == (0, 1)
    assert (current.lead_relapse_days, draft.lead_relapse_days) == (10, 5)
    assert (current.lead_retreatment_days, draft.lead_retreatment_days) == (10, None)
    assert current.staff_minutes_per_week == pytest.approx(20 * 5 / (100 / 7))
    assert (current.insufficient_share, draft.insufficient_share) == (0.1, 0)


def test_an_alarm_of_one_arm_does_not_announce_a_relapse_of_the_other() -> None:
    one = compared([40], [])
    other = Compared("ana", 100, one.sessions, ((Arm.MOOD, day(50)),), one.arms)
    found = comparison([other], Yardstick(DAY, day(99), DEFAULT_POLICY))
    assert (found.current.missed_relapses, found.current.false_alarms) == (1, 1)


def test_figures_of_nobody_are_none_not_zero() -> None:
    found = comparison([], Yardstick(DAY, day(99), DEFAULT_POLICY))
    assert (found.current.alarms_per_patient_month, found.current.insufficient_share) == (None, None)
    assert found.current.lead_relapse_days is None


def test_the_follow_up_is_a_threshold() -> None:
    short = policy_from(1, {"replay.follow_days": 7, "replay.alert_minutes": 40})
    found = comparison([compared([40], [44], relapses=(50,))], Yardstick(DAY, day(99), short))
    assert (found.current.missed_relapses, found.draft.missed_relapses) == (1, 0)
    assert found.current.staff_minutes_per_week == pytest.approx(40 / (100 / 7))
