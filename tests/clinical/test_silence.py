"""Ana stops logging: when that is a signal."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.clinical.policy import DEFAULT_POLICY
from server.clinical.silence import Silence, SilenceFacts, check
from server.clinical.vocabulary import AlertClass, WatchState
from tests.clinical.diaries import day

USUAL = SilenceFacts(watched_from=day(0))


def after(missed: int, facts: SilenceFacts = USUAL) -> Silence | None:
    return check([day(9), day(10), day(2)], facts, DEFAULT_POLICY, day(10 + missed))


def test_four_missed_days_are_nothing_and_five_are_a_digest_entry() -> None:
    assert after(4) is None
    silence = after(5)
    assert silence == Silence(day(11), 5, AlertClass.P3, f"no entry for 5 days, since {day(11)}")


def test_three_missed_days_after_an_urgent_flag_are_urgent_enough_to_call() -> None:
    flagged = SilenceFacts(watched_from=day(0), days_since_flag=4)
    assert after(2, flagged) is None
    silence = after(3, flagged)
    assert silence is not None
    assert (silence.urgency, silence.missed) == (AlertClass.P2, 3)
    assert "after an urgent flag" in silence.text


def test_a_flag_of_long_ago_no_longer_shortens_patience() -> None:
    assert after(3, SilenceFacts(watched_from=day(0), days_since_flag=14)) is not None
    assert after(3, SilenceFacts(watched_from=day(0), days_since_flag=15)) is None


def test_silence_after_a_decline_weighs_more() -> None:
    for state in (WatchState.FADING, WatchState.RELAPSED):
        silence = after(3, SilenceFacts(watched_from=day(0), last_state=state))
        assert silence is not None
        assert silence.urgency is AlertClass.P2
        assert "after a decline" in silence.text
    assert after(3, SilenceFacts(watched_from=day(0), last_state=WatchState.HOLDING)) is None


def test_a_decline_of_which_too_little_was_said_at_last_weighs_as_much() -> None:
    last = WatchState.INSUFFICIENT_DATA
    assert after(3, SilenceFacts(watched_from=day(0), last_state=last)) is None
    silence = after(3, SilenceFacts(watched_from=day(0), last_state=last, unended=True))
    assert silence is not None
    assert silence.urgency is AlertClass.P2


def test_a_long_silence_is_never_routine() -> None:
    nine, ten = after(9), after(10)
    assert nine is not None
    assert ten is not None
    assert (nine.urgency, ten.urgency) == (AlertClass.P3, AlertClass.P2)


def test_who_paused_is_not_silent() -> None:
    assert after(30, SilenceFacts(watched_from=day(0), paused=True, days_since_flag=1)) is None


def test_who_never_logged_is_silent_from_the_first_expected_day() -> None:
    silence = check([], USUAL, DEFAULT_POLICY, day(4))
    assert silence is not None
    assert (silence.since, silence.missed) == (day(0), 5)
    assert check([], USUAL, DEFAULT_POLICY, day(3)) is None
    assert check([day(-1)], USUAL, DEFAULT_POLICY, day(4)) == silence
    assert check([day(0)], USUAL, DEFAULT_POLICY, day(4)) is None


@given(st.lists(st.dates(day(0), day(60)), max_size=20), st.integers(0, 60), st.randoms())
def test_order_and_the_future_do_not_matter(days: list[date], today: int, rnd: object) -> None:
    shuffled = [*days, day(today) + timedelta(days=1)]
    rnd.shuffle(shuffled)  # type: ignore[attr-defined]
    assert check(shuffled, USUAL, DEFAULT_POLICY, day(today)) == check(
        days, USUAL, DEFAULT_POLICY, day(today)
    )


@given(st.lists(st.dates(day(0), day(60)), max_size=20), st.integers(0, 60))
def test_who_logged_today_is_not_silent(days: list[date], today: int) -> None:
    assert check([*days, day(today)], USUAL, DEFAULT_POLICY, day(today)) is None
