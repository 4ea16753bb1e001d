"""When a visit is worth suggesting to Bo, in which window, and what he must look at first."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.guards import GUARDS, BlockCode
from server.clinical.maintenance import Facts, Plan, Proposal, Reason, Trouble, review
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


def test_returning_symptoms_ask_for_a_visit_within_a_week() -> None:
    found = proposal()
    assert (found.earliest, found.latest) == (day(40), day(47))
    assert (found.reason, found.urgency, found.blocks) == (Reason.RELAPSE_SIGNAL, AlertClass.P2, ())
    assert found.text == (
        f"symptoms returning since {day(36)}, last session 30 days ago, window {day(40)} to {day(47)}"
    )


def test_a_return_before_the_plan_allows_a_visit_waits_for_it_and_goes_to_a_clinician() -> None:
    found = proposal(sessions=(day(35),))
    assert (found.earliest, found.latest) == (day(49), day(49))
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


def test_a_benefit_that_usually_holds_shorter_than_the_plan_brings_the_visit_forward() -> None:
    assert proposal(today=24, signal_since=None, holding_days=21).latest == day(31)
    assert nothing(today=24, signal_since=None, holding_days=90)
    assert proposal(today=24, signal_since=None, holding_days=3).earliest == day(24)


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
        ("MANIA", {"asrm": (day(13), 6)}),
        ("PSYCHOSIS", {"troubles": trouble("psychosis", 1, 38)}),
        ("PSYCHOSIS", {"troubles": trouble("hallucination", 1, 38)}),
        ("PSYCHOSIS", {"troubles": trouble("hallucination", 1, 38), "sessions": ()}),
        ("URO", {"troubles": trouble("blood_in_urine", 1, 20)}),
        ("URO", {"troubles": trouble("pelvic_pain", 3, 20)}),
        ("URO", {"troubles": trouble("urinary_urgency", 2, 20, 27, 34)}),
        ("MISUSE", {"craving": 7}),
        ("MISUSE", {"troubles": trouble("non_prescribed_use", 1, 20)}),
        ("COG", {"troubles": trouble("memory", 3, 20)}),
        ("COG", {"troubles": trouble("memory", 2, 8, 22, 36)}),
        ("AE_OPEN", {"troubles": trouble("headache", 3, 38)}),
        ("AE_OPEN", {"open_alerts": ((AlertClass.P1, AlertFamily.SIDE_EFFECT),)}),
        ("AE_OPEN", {"open_alerts": ((AlertClass.P0, AlertFamily.MOOD_RELAPSE),)}),
        ("INTERVAL", {"sessions": (day(38),)}),
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
    month = proposal(plan=dense, sessions=tuple(day(n) for n in range(14, 38, 3)))
    assert [b.detail for b in month.blocks] == ["8 sessions in the last 28 days"]


@pytest.mark.parametrize(
    "changes",
    [
        {"open_alerts": ((AlertClass.P2, AlertFamily.MOOD_RELAPSE), (AlertClass.P2, AlertFamily.SAFETY))},
        {"troubles": trouble("hallucination", 2, 3, 4, 11)},
        {"troubles": trouble("urinary_urgency", 2, 27, 34)},
        {"troubles": trouble("urinary_urgency", 1, 20, 36)},
        {"troubles": trouble("memory", 2, 20, 36)},
        {"troubles": trouble("memory", 2, 0, 5)},
        {"troubles": trouble("headache", 3, 33)},
        {"troubles": trouble("mania", 1, 12)},
        {"open_alerts": [(AlertClass.P2, AlertFamily.ACTIVATION)]},
        {"asrm": (day(12), 20)},
        {"asrm": (day(40), 5)},
        {"troubles": trouble("mania", 1, 41)},
        {"craving": 6},
        {"age": None},
        {"age": 18},
        {"early_returns": 1},
        {"responded": None},
        {"days_logged_last_week": 0, "questionnaire_day": day(26)},
    ],
)
def test_what_is_mild_old_or_answered_does_not_stop_a_suggestion(changes: dict[str, object]) -> None:
    assert codes(**changes) == []


def test_an_old_questionnaire_does_not_replace_the_diary() -> None:
    assert codes(days_logged_last_week=3, questionnaire_day=day(25)) == ["DATA"]


def test_a_block_says_what_was_reported_last() -> None:
    found = proposal(troubles=trouble("mania", 1, 30) + trouble("mania", 2, 38))
    assert found.blocks[0].detail == f"mania grade 2 on {day(38)}"


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
    plan = Plan(shortest, shortest + extra)
    facts = replace(ANA, sessions=tuple(given_on), signal_since=since, plan=plan, holding_days=holding)
    found = review(facts, DEFAULT_POLICY, day(TODAY))
    if found is None:
        return
    assert day(TODAY) <= found.earliest <= found.latest
    past = [d for d in given_on if d <= day(TODAY)]
    assert not past or (found.earliest - max(past)).days >= shortest
