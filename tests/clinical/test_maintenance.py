"""When a visit is worth suggesting to Bo, in which window, and what he must look at first."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.facts import Screen
from server.clinical.guards import GUARDS, BlockCode
from server.clinical.holding_time import ExpectedLoss, HoldingTime
from server.clinical.maintenance import (
    FEWEST_GIVEN,
    Chance,
    Facts,
    Plan,
    Proposal,
    Prospect,
    Reason,
    Trouble,
    chance,
    review,
)
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import AlertClass, AlertFamily
from tests.clinical.diaries import day

TODAY = 40
# Ana, well kept: a plan, a session 30 days ago, a full diary, symptoms returning since four days.
ANA = Facts(
    plan=Plan(min_days=14, max_days=42),
    sessions=(day(10), day(3)),
    signal_since=day(36),
    responded=True,
    age=34,
    days_logged_last_week=6,
)


def proposal(today: int = TODAY, **changes: object) -> Proposal:
    found = review(replace(ANA, **changes), DEFAULT_POLICY, day(today))  # type: ignore[arg-type]
    assert found is not None
    return found


def nothing(today: int = TODAY, **changes: object) -> bool:
    return review(replace(ANA, **changes), DEFAULT_POLICY, day(today)) is None  # type: ignore[arg-type]


def codes(**changes: object) -> list[str]:
    return [block.code for block in proposal(**changes).blocks]


def trouble(term: str, grade: int, *days: int) -> tuple[Trouble, ...]:
    return tuple(Trouble(term, grade, day(n)) for n in days)


def seen_after(*hours: float | None) -> tuple[Trouble, ...]:
    """A hallucination two days ago, so many hours after the last session before it, and since when."""
    return (Trouble("hallucination", 1, day(38), hours),)


def test_returning_symptoms_ask_for_a_visit_within_a_week() -> None:
    found = proposal()
    assert (found.earliest, found.latest) == (day(40), day(47))
    assert (found.reason, found.urgency, found.blocks) == (Reason.RELAPSE_SIGNAL, AlertClass.P2, ())
    assert found.text == (
        f"symptoms returning since {day(36)}, last session 30 days ago, window {day(40)} to {day(47)}"
    )


def test_a_return_before_the_plan_allows_a_visit_waits_for_it_and_goes_to_a_clinician() -> None:
    found = proposal(sessions=(day(35),))
    assert (found.earliest, found.latest) == (day(49), day(56)), "a week, as at any other time"
    assert [b.code for b in found.blocks] == [BlockCode.INTERVAL]
    assert found.blocks[0].detail == "last session 5 days ago, plan minimum 14"


def test_a_visit_is_due_a_week_before_the_longest_interval_ends() -> None:
    assert nothing(today=44, signal_since=None)
    found = proposal(today=45, signal_since=None)
    assert (found.earliest, found.latest) == (day(45), day(52))
    assert (found.reason, found.urgency) == (Reason.MAINTENANCE_DUE, AlertClass.P3)
    assert found.text.startswith("planned interval due, last session 35 days ago")


def test_an_overdue_visit_still_gets_a_window_that_lies_ahead() -> None:
    found = proposal(today=90, signal_since=None)
    assert (found.earliest, found.latest) == (day(90), day(97))


def lost_about(days: float, own: int = 1) -> ExpectedLoss:
    """Ana's benefit is usually half lost after about so many days, as ``own`` losses of hers say."""
    return ExpectedLoss(day(10), HoldingTime(days / 2, days, days * 2, own, 0), "McInnes 2022")


def test_a_benefit_that_is_usually_lost_sooner_than_planned_brings_the_visit_forward() -> None:
    # The session was on day 10, and half of the benefit is expected to be lost about day 31.
    assert nothing(today=23, signal_since=None, usual_loss=lost_about(21.6))
    found = proposal(today=24, signal_since=None, usual_loss=lost_about(21.6))
    assert (found.earliest, found.latest, found.reason) == (day(24), day(31), Reason.LOSS_EXPECTED)
    assert found.text == (
        f"Half of the benefit is expected to be lost about {day(32)} (80 %: {day(21)} to {day(54)}), "
        f"from 1 own time lost and the cohort of McInnes 2022, last session 14 days ago, "
        f"window {day(24)} to {day(31)}"
    )
    assert nothing(today=24, signal_since=None, usual_loss=lost_about(90))
    assert proposal(today=45, signal_since=None, usual_loss=lost_about(90)).reason == Reason.MAINTENANCE_DUE


def test_a_visit_is_never_brought_forward_beyond_the_plan_or_by_other_people() -> None:
    early = proposal(today=24, signal_since=None, usual_loss=lost_about(3))
    assert (early.earliest, early.latest) == (day(24), day(31))
    assert nothing(today=16, signal_since=None, usual_loss=lost_about(3))
    assert nothing(today=24, signal_since=None, usual_loss=lost_about(21, own=0))
    assert proposal(usual_loss=lost_about(21)).reason == Reason.RELAPSE_SIGNAL


def test_without_a_plan_the_clinic_defaults_give_the_window_and_a_clinician_looks() -> None:
    found = proposal(today=32, signal_since=None, plan=None)
    assert found.latest == day(39)
    assert [b.code for b in found.blocks] == [BlockCode.PLAN]


def test_nothing_is_due_where_there_never_was_a_session() -> None:
    assert nothing(signal_since=None, sessions=())
    assert "no session known" in proposal(sessions=()).text


def test_a_visit_already_planned_in_the_window_is_enough() -> None:
    assert nothing(planned=(day(44),))
    assert proposal(planned=(day(60), day(39))).earliest == day(40)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("SI_ACUTE", {"open_alerts": ((AlertClass.P1, AlertFamily.SAFETY),)}),
        ("MANIA", {"troubles": trouble("mania", 1, 38)}),
        ("MANIA", {"open_alerts": [(AlertClass.P1, AlertFamily.ACTIVATION)]}),
        ("MANIA", {"asrm": [Screen(day(13), 6)]}),
        ("MANIA", {"asrm": [Screen(day(40), 6)]}),
        ("MANIA", {"asrm": [Screen(day(40), 1, is_whole=False), Screen(day(39), 6)]}),
        ("MANIA", {"asrm": [Screen(day(40), 6, is_whole=False), Screen(day(39), 1)]}),
        ("MANIA", {"troubles": trouble("mania", 1, 13)}),
        ("MANIA", {"troubles": trouble("mania", 1, 40)}),
        ("PSYCHOSIS", {"troubles": trouble("psychosis", 1, 38)}),
        ("PSYCHOSIS", {"troubles": seen_after(700.0)}),
        ("PSYCHOSIS", {"troubles": seen_after(24.1)}),
        ("PSYCHOSIS", {"troubles": seen_after(None), "sessions": ()}),
        # It was there already before the session: a stated onset can make an effect late.
        ("PSYCHOSIS", {"troubles": seen_after(3.0, 650.0)}),
        ("PSYCHOSIS", {"troubles": seen_after(3.0, None)}),
        ("URO", {"troubles": trouble("blood_in_urine", 1, 20)}),
        ("URO", {"troubles": trouble("pelvic_pain", 3, 20)}),
        ("URO", {"troubles": trouble("urinary_urgency", 2, 20, 27, 34)}),
        ("MISUSE", {"craving": 7}),
        ("MISUSE", {"troubles": trouble("non_prescribed_use", 1, 20)}),
        ("COG", {"troubles": trouble("memory", 3, 20)}),
        ("COG", {"troubles": trouble("memory", 2, 8, 22, 36)}),
        ("COG", {"troubles": trouble("memory", 2, 12, 40)}),
        ("COG", {"troubles": trouble("memory", 2, -19, 36)}),
        ("AE_OPEN", {"troubles": trouble("headache", 3, 38)}),
        ("AE_OPEN", {"troubles": trouble("headache", 3, 34)}),
        ("AE_OPEN", {"open_alerts": ((AlertClass.P1, AlertFamily.SIDE_EFFECT),)}),
        ("AE_OPEN", {"open_alerts": ((AlertClass.P0, AlertFamily.MOOD_RELAPSE),)}),
        ("AE_OPEN", {"emergency": day(34)}),
        ("INTERVAL", {"sessions": (day(38),)}),
        ("INTERVAL", {"sessions": (day(27), day(3))}),
        ("INTERVAL", {"sessions": (day(40),)}),
        ("NORESP", {"responded": False}),
        ("NORESP", {"early_returns": 2}),
        ("AGE", {"age": 17}),
        ("PLAN", {"plan": None}),
        ("DATA", {"days_logged_last_week": 3}),
    ],
)
def test_a_guard_turns_the_suggestion_into_a_review(code: str, changes: dict[str, object]) -> None:
    assert codes(**changes) == [code]


def test_too_many_sessions_in_a_week_or_month_go_to_a_clinician() -> None:
    dense = Plan(min_days=1, max_days=7)
    week = proposal(plan=dense, sessions=(day(35), day(38)))
    assert week.blocks[0].detail == "2 sessions in the last 7 days"
    assert proposal(plan=dense, sessions=(day(33), day(38))).blocks == ()
    month = proposal(plan=dense, sessions=tuple(day(n) for n in range(14, 38, 3)))
    assert [b.detail for b in month.blocks] == ["8 sessions in the last 28 days"]
    older = tuple(day(n) for n in (12, *range(17, 38, 3)))
    assert proposal(plan=dense, sessions=older).blocks == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"open_alerts": ((AlertClass.P2, AlertFamily.MOOD_RELAPSE), (AlertClass.P2, AlertFamily.SAFETY))},
        {"troubles": seen_after(24.0)},
        {"troubles": seen_after(24.0, 1.0)},
        {"troubles": trouble("urinary_urgency", 2, 27, 34)},
        {"troubles": trouble("urinary_urgency", 1, 20, 36)},
        {"troubles": trouble("memory", 2, 20, 36)},
        {"troubles": trouble("memory", 2, 9, 36)},
        {"troubles": trouble("memory", 2, -20, 12)},
        # What was there long ago and has come back now has not lasted.
        {"troubles": trouble("memory", 2, -20, 36)},
        {"troubles": trouble("urinary_urgency", 2, 23, 36)},
        {"troubles": trouble("memory", 2, 0, 5)},
        {"troubles": trouble("headache", 3, 33)},
        {"troubles": trouble("mania", 1, 12)},
        {"open_alerts": [(AlertClass.P2, AlertFamily.ACTIVATION)]},
        {"asrm": [Screen(day(12), 20)]},
        {"asrm": [Screen(day(40), 5)]},
        {"asrm": [Screen(day(40), 5, is_whole=False), Screen(day(12), 20)]},
        {"troubles": trouble("mania", 1, 41)},
        {"emergency": day(33)},
        {"sessions": (day(26),)},
        {"craving": 6},
        {"age": None},
        {"age": 18},
        {"early_returns": 1},
        {"responded": None},
        {"days_logged_last_week": 0, "questionnaire_day": day(26)},
        {"days_logged_last_week": 4},
    ],
)
def test_what_is_mild_old_or_answered_does_not_stop_a_suggestion(changes: dict[str, object]) -> None:
    assert codes(**changes) == []


def test_an_old_questionnaire_does_not_replace_the_diary() -> None:
    assert codes(days_logged_last_week=3, questionnaire_day=day(25)) == ["DATA"]


def test_a_block_says_what_was_reported_last() -> None:
    found = proposal(troubles=trouble("mania", 1, 30) + trouble("mania", 2, 38))
    assert found.blocks[0].detail == f"mania grade 2 on {day(38)}"


def test_a_block_of_the_interval_says_how_long_ago_the_newest_session_was() -> None:
    detail = proposal(sessions=(day(3), day(27), day(10))).blocks[0].detail
    assert detail == "last session 13 days ago, plan minimum 14"
    today = proposal(sessions=(day(10), day(40)))
    assert (today.earliest, today.blocks[0].detail) == (day(54), "last session 0 days ago, plan minimum 14")


def test_blocks_come_gravest_first_and_every_code_has_its_guard() -> None:
    assert list(GUARDS) == list(BlockCode)
    many = proposal(plan=None, responded=False, age=16, open_alerts=((AlertClass.P0, AlertFamily.SAFETY),))
    assert [b.code for b in many.blocks] == ["SI_ACUTE", "AE_OPEN", "NORESP", "AGE", "PLAN"]


@given(
    st.lists(st.dates(day(-30), day(80)), max_size=8),
    st.none() | st.dates(day(0), day(40)),
    st.integers(1, 20),
    st.integers(0, 60),
    st.none() | st.integers(1, 120),
)
def test_a_window_lies_ahead_and_never_before_the_shortest_interval(
    given_on: list[date], since: date | None, shortest: int, extra: int, holding: int | None
) -> None:
    plan, loss = Plan(shortest, shortest + extra), lost_about(holding) if holding else None
    facts = replace(ANA, sessions=tuple(given_on), signal_since=since, plan=plan, usual_loss=loss)
    found = review(facts, DEFAULT_POLICY, day(TODAY))
    if found is None:
        return
    assert day(TODAY) <= found.earliest <= found.latest
    past = [d for d in given_on if d <= day(TODAY)]
    assert not past or (found.earliest - max(past)).days >= shortest


# Every four to eight weeks: a week before the eighth is over a visit falls due.
CALM = Prospect(Plan(min_days=28, max_days=56), day(0), given=3, planned=None)


def chance_on(today: int, **changes: object) -> Chance:
    return chance(replace(CALM, **changes), DEFAULT_POLICY, day(today))  # type: ignore[arg-type]


def test_nobody_is_looked_at_before_the_shortest_interval_is_nearly_over() -> None:
    assert [chance_on(today) for today in (1, 20, 21)] == [Chance.NONE, Chance.NONE, Chance.EARLY]
    assert chance_on(400, last=None) is Chance.NONE


def test_a_visit_is_due_by_plan_a_week_before_the_longest_interval_is_over() -> None:
    assert [chance_on(today) for today in (48, 49, 400)] == [Chance.EARLY, Chance.BY_PLAN, Chance.BY_PLAN]


def test_after_one_session_only_the_plan_can_say_so() -> None:
    assert [chance_on(today, given=1) for today in (48, 49)] == [Chance.NONE, Chance.BY_PLAN]


def test_who_has_a_session_planned_in_any_window_there_could_be_is_not_looked_at() -> None:
    by_plan = [chance_on(49, planned=day(n)) for n in (48, 49, 56, 57)]
    assert by_plan == [Chance.BY_PLAN, Chance.NONE, Chance.NONE, Chance.BY_PLAN]
    # The earliest day of a window is the shortest interval, and none ends within a week of it.
    early = [chance_on(22, planned=day(n)) for n in (22, 35, 36)]
    assert early == [Chance.NONE, Chance.NONE, Chance.EARLY]


@given(
    st.integers(0, 60),
    st.lists(st.integers(-90, 0), max_size=4),
    st.lists(st.integers(0, 60), max_size=2),
    st.none() | st.integers(1, 90),
    st.tuples(st.integers(1, 40), st.integers(0, 40)),
)
def test_whoever_a_visit_would_be_suggested_for_is_looked_at(
    today: int, given_on: list[int], planned_on: list[int], holding: int | None, widths: tuple[int, int]
) -> None:
    plan, planned = Plan(widths[0], sum(widths)), [day(n) for n in planned_on if n >= today]
    usual = lost_about(holding) if holding and len(given_on) > 1 else None
    facts = Facts(plan, [day(n) for n in given_on], planned, usual_loss=usual)
    last, next_one = max(facts.sessions, default=None), min(planned, default=None)
    found, said = (
        review(facts, DEFAULT_POLICY, day(today)),
        chance(Prospect(plan, last, len(given_on), next_one), DEFAULT_POLICY, day(today)),
    )
    if found is not None:
        assert said is not Chance.NONE
        assert said is Chance.BY_PLAN or found.reason is Reason.LOSS_EXPECTED


def test_an_open_alert_of_a_side_effect_that_can_wait_does_not_stop_a_suggestion() -> None:
    def stopped(urgency: AlertClass, family: AlertFamily) -> bool:
        return "AE_OPEN" in codes(open_alerts=((urgency, family),))

    assert [stopped(one, AlertFamily.SIDE_EFFECT) for one in AlertClass] == [True, True, False, False]
    assert [stopped(one, AlertFamily.MOOD_RELAPSE) for one in AlertClass] == [True, False, False, False]


def test_a_session_that_is_still_to_come_is_no_last_session() -> None:
    found = proposal(sessions=(day(60), day(10), day(3)))
    assert BlockCode.INTERVAL not in [block.code for block in found.blocks]
    assert "last session 30 days ago" in found.text


@pytest.mark.parametrize(("planned", "enough"), [(39, False), (40, True), (47, True), (48, False)])
def test_a_visit_planned_on_the_first_or_last_day_of_the_window_is_in_it(planned: int, enough: bool) -> None:
    assert nothing(planned=(day(planned),)) is enough


def test_a_benefit_lost_on_the_day_the_plan_ends_is_no_reason_of_its_own() -> None:
    assert proposal(today=45, signal_since=None, usual_loss=lost_about(42)).reason == Reason.MAINTENANCE_DUE
    assert proposal(today=44, signal_since=None, usual_loss=lost_about(41)).reason == Reason.LOSS_EXPECTED


def test_a_visit_that_is_due_by_plan_is_not_told_as_one_for_a_loss() -> None:
    found = proposal(today=45, signal_since=None, usual_loss=lost_about(90))
    assert found.text.startswith("planned interval due, last session 35 days ago")


@pytest.mark.parametrize(
    ("given", "looked_at"), [(FEWEST_GIVEN, Chance.EARLY), (FEWEST_GIVEN - 1, Chance.NONE)]
)
def test_so_many_sessions_must_have_been_given_for_own_times_to_be_known(
    given: int, looked_at: Chance
) -> None:
    assert chance_on(21, given=given) is looked_at
