"""The stage of one arm, day by day. Day 0 is Ana's session; she writes every day unless said."""

from collections.abc import Mapping, Sequence
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from server.clinical.policy import DEFAULT_POLICY
from server.clinical.scale_watch import ScaleRule, ScoredDay
from server.clinical.stages import DiaryDay, Facts, Ground, Memory, follow, unconfirmed
from server.clinical.vocabulary import Arm, Stage, Verdict, WatchState
from server.clinical.yardstick import Yardstick
from tests.clinical.diaries import day

PHQ9 = Yardstick("phq-9", Arm.MOOD, 10, 5)
R4, R5 = ScaleRule.R4, ScaleRule.R5
CALM = DiaryDay(WatchState.RESPONDING, False, False)
RULE = DiaryDay(WatchState.RESPONDING, True, False)
SIGNAL = DiaryDay(WatchState.FADING, True, True)
PAUSE = DiaryDay(WatchState.FADING, False, False)
CALMED, WATCH, PROBABLE = Stage.CALM, Stage.WATCH, Stage.PROBABLE


def scored(n: int, *rules: ScaleRule) -> Sequence[ScoredDay]:
    return (ScoredDay(PHQ9, day(n), 14, 5, 5, 9, rules),)


def facts(
    diary: Mapping[int, DiaryDay] | None = None,
    scales: Mapping[int, Sequence[ScaleRule]] | None = None,
    sessions: Sequence[int] = (),
    verdicts: Mapping[int, Verdict] | None = None,
) -> Facts:
    return Facts(
        {day(n): said for n, said in (diary or {}).items()},
        {day(n): scored(n, *rules) for n, rules in (scales or {}).items()},
        frozenset(day(n) for n in sessions),
        {day(n): said for n, said in (verdicts or {}).items()},
    )


def moves(known: Facts) -> list[tuple[int, Stage, Ground]]:
    return [((m.day - day(0)).days, m.after, m.ground) for m in follow(known, DEFAULT_POLICY).moves]


def alarms(known: Facts) -> list[int]:
    return [(alarm.day - day(0)).days for alarm in follow(known, DEFAULT_POLICY).alarms]


def test_a_rule_that_holds_once_is_watched_and_raises_nothing() -> None:
    known = facts({20: CALM, 21: RULE, 22: CALM})
    assert moves(known) == [(21, WATCH, Ground.DIARY_RULE)]
    assert alarms(known) == []


def test_a_signal_that_comes_again_within_five_days_is_probable_and_left_to_the_diary_to_raise() -> None:
    known = facts({21: SIGNAL, 25: SIGNAL})
    assert moves(known) == [(21, WATCH, Ground.DIARY_RULE), (25, PROBABLE, Ground.DIARY_SIGNAL)]
    assert alarms(known) == []
    assert moves(facts({21: SIGNAL, 26: SIGNAL})) == [(21, WATCH, Ground.DIARY_RULE)]


def test_diary_and_scale_within_a_week_are_probable_whichever_came_first() -> None:
    assert moves(facts({21: RULE}, {28: [R4]}))[-1] == (28, PROBABLE, Ground.BOTH)
    assert moves(facts({28: RULE}, {21: [R4]}))[-1] == (28, PROBABLE, Ground.BOTH)
    assert moves(facts({21: RULE}, {29: [R4]}))[-1] == (21, WATCH, Ground.DIARY_RULE)
    assert alarms(facts({21: RULE}, {28: [R4]})) == [28]


def test_one_score_alone_is_watched_and_two_in_a_row_are_probable_without_any_diary() -> None:
    known = facts(scales={21: [R4], 28: [R4, R5]})
    assert moves(known) == [(21, WATCH, Ground.SCALE_RULE), (28, PROBABLE, Ground.SCALE_SIGNAL)]
    assert alarms(known) == [28]


def test_a_scale_on_the_day_of_a_signal_adds_its_evidence() -> None:
    known = facts({21: SIGNAL}, {21: [R4]})
    assert (moves(known), alarms(known)) == ([(21, PROBABLE, Ground.BOTH)], [21])


def test_two_weeks_in_which_nothing_held_end_a_stage() -> None:
    assert moves(facts({21: RULE, 34: CALM}))[-1][1] is WATCH
    assert moves(facts({21: RULE, 35: CALM}))[-1] == (35, CALMED, Ground.NOTHING_HELD)
    assert moves(facts({21: SIGNAL}, {35: []}))[-1] == (35, CALMED, Ground.NOTHING_HELD)


def test_a_signal_that_pauses_has_not_ended() -> None:
    assert moves(facts({20: SIGNAL, 21: SIGNAL, 30: PAUSE, 43: CALM}))[-1][1] is PROBABLE
    assert moves(facts({20: SIGNAL, 21: SIGNAL, 30: PAUSE, 44: CALM}))[-1] == (
        44,
        CALMED,
        Ground.NOTHING_HELD,
    )


def test_silence_never_calms() -> None:
    known = facts({21: RULE}, sessions=(), verdicts={})
    later = Facts(known.diary, known.scales, frozenset(), {day(60): Verdict.CONFIRMED})
    (only,) = follow(later, DEFAULT_POLICY).moves
    assert only.after is WATCH


def test_probable_falls_back_to_nothing_less_while_rules_hold() -> None:
    known = facts({20: SIGNAL, 21: SIGNAL, 30: RULE, 40: RULE})
    assert moves(known)[1:] == [(21, PROBABLE, Ground.DIARY_SIGNAL)]


def test_a_session_answers_what_was_found() -> None:
    known = facts({21: SIGNAL, 26: CALM}, sessions=(25,))
    assert moves(known)[-1] == (25, CALMED, Ground.SESSION)


def test_a_scale_looks_back_to_before_the_session_that_answered_a_relapse() -> None:
    known = facts({20: SIGNAL}, {30: [R4, R5], 46: [R5]}, sessions=(25,))
    assert moves(known)[2:] == [(46, PROBABLE, Ground.SCALE_SIGNAL)]
    assert alarms(known) == [46]


def test_a_session_in_calm_times_keeps_no_scale_quiet() -> None:
    assert alarms(facts(scales={30: [R5]}, sessions=(25,))) == [30]


def test_confirmed_stays_until_the_next_session_and_data_do_not_undo_it() -> None:
    known = facts({20: SIGNAL, 21: SIGNAL, 60: CALM, 70: RULE}, {}, (65,), {22: Verdict.CONFIRMED})
    assert moves(known)[1:] == [
        (21, PROBABLE, Ground.DIARY_SIGNAL),
        (65, CALMED, Ground.SESSION),
        (70, WATCH, Ground.DIARY_RULE),
    ]
    assert (
        follow(facts({21: SIGNAL}, verdicts={22: Verdict.CONFIRMED}), DEFAULT_POLICY).stage is Stage.CONFIRMED
    )


def test_a_scale_still_raises_what_was_confirmed_once() -> None:
    assert alarms(facts({21: SIGNAL}, {50: [R5]}, verdicts={22: Verdict.CONFIRMED})) == [50]


def test_dismissed_is_quiet_for_two_weeks_and_then_starts_anew() -> None:
    quiet = facts({21: SIGNAL, 30: SIGNAL, 35: SIGNAL}, {33: [R5]}, (31,), {22: Verdict.DISMISSED})
    assert (moves(quiet), alarms(quiet)) == ([(21, WATCH, Ground.DIARY_RULE)], [])
    assert follow(quiet, DEFAULT_POLICY).stage is Stage.DISMISSED
    again = facts({21: SIGNAL, 36: RULE}, {37: [R5]}, verdicts={22: Verdict.DISMISSED})
    assert moves(again)[1:] == [(36, WATCH, Ground.DIARY_RULE), (37, PROBABLE, Ground.SCALE_SIGNAL)]
    assert alarms(again) == [37]


def test_the_end_of_the_lock_out_is_a_move_of_its_own() -> None:
    known = facts({21: SIGNAL, 36: CALM}, verdicts={22: Verdict.DISMISSED})
    assert moves(known)[-1] == (36, CALMED, Ground.LOCKOUT_OVER)


def test_a_rule_before_the_verdict_does_not_join_with_a_scale_after_it() -> None:
    known = facts({35: RULE}, {36: [R4]}, verdicts={22: Verdict.DISMISSED})
    assert moves(known) == [(36, WATCH, Ground.SCALE_RULE)]


def test_a_bounded_reading_goes_on_from_what_it_is_told() -> None:
    known = facts({40: CALM})
    assert follow(known, DEFAULT_POLICY, Memory(Stage.WATCH, held_on=day(30))).moves == ()
    assert follow(known, DEFAULT_POLICY, Memory(Stage.WATCH)).stage is CALMED


def test_a_score_that_spoke_alone_is_asked_for_again_a_week_or_two_later() -> None:
    known = facts(scales={14: [R4], 21: [R4]})
    asked = [n for n in range(40) if unconfirmed(known, day(n), DEFAULT_POLICY)]
    assert asked == [*range(19, 21), *range(26, 37)]
    assert unconfirmed(facts(scales={21: [R4, R5]}), day(27), DEFAULT_POLICY) == []
    assert unconfirmed(facts(scales={21: []}), day(27), DEFAULT_POLICY) == []


_DAYS = st.integers(0, 120)
_DIARY = st.dictionaries(_DAYS, st.sampled_from([CALM, RULE, SIGNAL, PAUSE]), max_size=40)
_SCALES = st.dictionaries(_DAYS, st.sampled_from([(), (R4,), (R4, R5)]), max_size=15)


@given(
    _DIARY, _SCALES, st.lists(_DAYS, max_size=3), st.dictionaries(_DAYS, st.sampled_from(Verdict), max_size=3)
)
def test_moves_join_up_and_a_signal_outside_a_lock_out_is_never_called_calm(
    diary: dict[int, DiaryDay],
    scales: dict[int, tuple[ScaleRule, ...]],
    sessions: list[int],
    verdicts: dict[int, Verdict],
) -> None:
    known = facts(diary, scales, sessions, verdicts)
    stage, by_day = CALMED, {move.day: move for move in follow(known, DEFAULT_POLICY).moves}
    dismissed: date | None = None
    for one in known.days():
        if one in by_day:
            assert by_day[one].before is stage
            stage = by_day[one].after
        locked = dismissed is not None and (one - dismissed).days < 14
        if known.diary.get(one, CALM).signal and not locked:
            assert stage in (WATCH, PROBABLE, Stage.CONFIRMED)
        if one in known.verdicts:
            stage = Stage(known.verdicts[one])
            dismissed = one if stage is Stage.DISMISSED else None


def test_a_signal_days_after_one_that_passed_is_no_second_of_a_row() -> None:
    assert moves(facts({21: SIGNAL, 24: CALM, 26: SIGNAL})) == [(21, WATCH, Ground.DIARY_RULE)]


def test_a_calm_day_soon_after_diary_and_scale_agreed_holds_nothing() -> None:
    known = facts({21: RULE, 30: CALM, 36: CALM}, {22: [R4]})
    assert moves(known)[-1] == (36, CALMED, Ground.NOTHING_HELD)


def test_a_session_answers_a_relapse_that_the_scales_alone_told_of() -> None:
    known = facts(scales={21: [R4], 28: [R4, R5], 35: [R4, R5]}, sessions=(30,))
    assert moves(known)[1:] == [
        (28, PROBABLE, Ground.SCALE_SIGNAL),
        (30, CALMED, Ground.SESSION),
    ]
    assert alarms(known) == [28]


def test_a_relapse_that_was_confirmed_keeps_no_later_scale_quiet() -> None:
    known = facts({20: SIGNAL, 21: SIGNAL}, {25: [R4, R5]}, verdicts={22: Verdict.CONFIRMED})
    assert alarms(known) == [25]
    dismissed = facts({20: SIGNAL, 21: SIGNAL}, {25: [R4, R5]}, verdicts={22: Verdict.DISMISSED})
    assert alarms(dismissed) == []
