"""Days that are counted without a look at the calm ones come to what the watch says of each."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.baseline import Treatment
from server.clinical.columns import logged
from server.clinical.policy import DEFAULT_POLICY, Policy, policy_from
from server.clinical.readings import History, fold
from server.clinical.relapse import watch_days
from server.clinical.tally import GROUNDED, Ground, ground, tallies
from server.clinical.vocabulary import Arm, WatchState
from tests.clinical.diaries import ONE_SESSION, day, diary, mood_day, pain_day, sessions, steps

S = WatchState
DAYS = 65
# Two gaps, a level of its own for each fortnight, and items that are there on some days only.
LEVELS = st.lists(st.integers(0, 9), min_size=5, max_size=5)
GAPS = st.sets(st.integers(0, DAYS), max_size=30)
POLICIES = st.sampled_from(
    [
        {},
        {"relapse.enter_hits": 2, "relapse.enter_days": 3, "relapse.items_needed": 1},
        {"data.min_days": 7, "relapse.retreated_days": 7, "relapse.leave_days": 2},
        {"baseline.response_mood": 0.8, "composite.min_share": 1, "relapse.mean_min_days": 2},
    ]
)


def on(history: History, treatments: Sequence[Treatment], policy: Policy, arm: Arm = Arm.MOOD) -> Ground:
    return ground(logged(history, (t.day for t in treatments), policy), arm, policy, day(DAYS))


@given(LEVELS, GAPS, POLICIES, st.sets(st.integers(1, 59), max_size=3), st.integers(-5, DAYS + 2))
def test_a_past_counted_at_once_is_what_the_watch_says_day_by_day(
    levels: list[int], gaps: set[int], values: dict[str, float], boosters: set[int], first: int
) -> None:
    policy, given_on = policy_from(1, values), (*ONE_SESSION, *sessions(*boosters))
    said = (n for n in range(-14, DAYS) if n not in gaps)
    history = fold(
        (day(n), {**mood_day(8 if n < 0 else levels[n // 14]), "worry": n % 7, **_some(n)}) for n in said
    )
    found = tallies(on(history, given_on, policy), policy, day(first))
    days = [day(n) for n in range(first, DAYS + 1)]
    alone = [a for a in watch_days(history, Arm.MOOD, given_on, policy, days) if _is_judged(a.state)]
    assert sum(one.judged for one in found) == len(alone)
    assert sum(one.insufficient for one in found) == sum(a.state is S.INSUFFICIENT_DATA for a in alone)
    signals = [(one.walked.last(on_day), on_day) for one in found for on_day in one.signals]
    assert [(on_day, seen.hits) for seen, on_day in signals if seen] == [
        (a.day, a.rules) for a in alone if a.signal
    ]


def _some(n: int) -> dict[str, float]:
    return {"irritability": n % 5, "agitation": n % 3} if n % 4 else {}


def _is_judged(state: WatchState) -> bool:
    return state not in {S.NO_BASELINE, S.BASELINE}


def test_a_week_with_too_few_entries_is_counted_until_there_are_enough_again() -> None:
    history = diary([*range(-14, 40), *range(50, DAYS)], steps((-14, 7), (0, 3)))
    (found,) = tallies(on(history, ONE_SESSION, DEFAULT_POLICY), DEFAULT_POLICY, day(0))
    # Of the last seven days four have entries up to day 42, and again from day 53 on; day 65 has six.
    assert found.insufficient == 10
    (later,) = tallies(on(history, ONE_SESSION, DEFAULT_POLICY), DEFAULT_POLICY, day(50))
    assert (later.insufficient, later.judged) == (3, 16)


def test_who_did_not_respond_has_no_signal_and_no_missing_day() -> None:
    history = diary([*range(-14, 30), 60], lambda n: 6.0 if n < 30 else 9.0)
    (found,) = tallies(on(history, ONE_SESSION, DEFAULT_POLICY), DEFAULT_POLICY, day(0))
    assert (found.insufficient, list(found.signals)) == (0, [])
    assert found.judged > 30


def test_an_arm_without_a_session_or_an_entry_has_nothing_to_count() -> None:
    history = diary(range(60), lambda n: 3.0, pain_day)
    assert not tallies(on(history, (), DEFAULT_POLICY, Arm.PAIN), DEFAULT_POLICY, day(0))
    assert not tallies(on(history, ONE_SESSION, DEFAULT_POLICY), DEFAULT_POLICY, day(0))


def test_an_era_that_was_over_before_the_days_asked_for_is_not_looked_at() -> None:
    history, twice = diary(range(DAYS), lambda n: 3.0), (*ONE_SESSION, *sessions(30))
    under = on(history, twice, DEFAULT_POLICY)
    assert len(under.eras) == 2
    assert len(tallies(under, DEFAULT_POLICY, date.max)) == 0
    assert len(tallies(under, DEFAULT_POLICY, day(60))) == 1


def test_what_is_made_with_some_families_can_not_rest_on_another() -> None:
    own = DEFAULT_POLICY.only(*GROUNDED)
    assert own["baseline.min_days"] == DEFAULT_POLICY["baseline.min_days"]
    with pytest.raises(KeyError):
        own["relapse.ewma_limit"]
    assert own == policy_from(1, {"relapse.ewma_limit": 3}).only(*GROUNDED)
    assert own != policy_from(1, {"composite.min_share": 0.6}).only(*GROUNDED)
