"""What stands in the way of a signal, and at which day a quiet time ends: the walk's edges."""

from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import History, Items, fold
from server.clinical.relapse import Assessment, watch
from server.clinical.vocabulary import Arm, WatchState
from tests.clinical.diaries import ONE_SESSION, day, diary, ripple, sessions, steps, without

S = WatchState
# A relapse that is over after ten days.
PASSING = steps((0, 3), (40, 6.5), (50, 3))


def on(history: History, today: int, *booster: int) -> Assessment:
    treatments = (*ONE_SESSION, *sessions(*booster))
    return watch(history, Arm.MOOD, treatments, DEFAULT_POLICY, day(today))


def worried(n: int) -> Items:
    calm = {"mood": 7.0, "interest": 7.0, "sleep_quality": 7.0, "anxiety": 3.0, "worry": 2.0}
    return {**calm, "worry": 5.0} if n >= 40 else calm


def a_little_worse_and_worried(n: int) -> Items:
    """Every item goes up and down by itself, so that their blend stands out before any of them."""
    worse = [3 + (1.5 if n >= 40 else 0) + 2 * ripple(n + item) for item in range(5)]
    return {
        "mood": 10 - worse[0],
        "interest": 10 - worse[1],
        "anxiety": worse[2],
        "restlessness": worse[3],
        "sleep_quality": 10 - worse[4],
        "worry": (7 if n >= 40 else 2) + ripple(n + 3),
    }


def test_one_item_alone_changes_no_state() -> None:
    history = fold((day(n), worried(n)) for n in range(70))
    assert {on(history, n).state for n in range(40, 70)} == {S.HOLDING}


def test_one_item_alone_is_no_evidence_beside_a_composite() -> None:
    found = on(fold((day(n), a_little_worse_and_worried(n)) for n in range(-30, 70)), 60)
    assert found.signal
    assert {hit.series for hit in found.rules} == {"composite"}


def test_a_session_after_a_relapse_that_is_over_changes_nothing() -> None:
    history = diary(range(90), PASSING)
    assert on(history, 69).state is S.HOLDING
    assert {on(history, n, 70).state for n in range(70, 90)} <= {S.HOLDING, S.RESPONDING}


def test_a_quiet_time_is_over_on_its_last_day() -> None:
    history = without(diary(range(90), steps((-30, 7), (0, 3), (40, 6.5))), [*range(53, 63)])
    last = 50 + DEFAULT_POLICY.whole("relapse.retreated_days")
    assert [on(history, n, 50).state for n in (last - 1, last)] == [S.RE_TREATED, S.RELAPSED]
