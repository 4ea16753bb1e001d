"""What the patient is told about a session: three averages in words, or that there is too little."""

from datetime import date, timedelta

import pytest

from server.clinical.policy import DEFAULT_POLICY
from server.clinical.readings import History, Reading, fold
from server.clinical.response import Response, Span, compared, describe, latest_run
from server.clinical.vocabulary import Arm

SESSION = date(2026, 5, 2)
TODAY = date(2026, 6, 10)


def history(*spans: tuple[int, int, float]) -> History:
    """Average pain by days from the session: (first, last, value)."""
    return History(
        tuple(
            Reading(SESSION + timedelta(days=k), {"pain_average": value, "pain_interference": value})
            for first, last, value in spans
            for k in range(first, last + 1)
        )
    )


def told(*spans: tuple[int, int, float], today: date = TODAY) -> Response:
    return describe(history(*spans), Arm.PAIN, [SESSION], DEFAULT_POLICY, today)


@pytest.mark.parametrize(
    ("after", "word"),
    [(4.0, "better on average than"), (6.4, "about the same on average as"), (8.0, "worse")],
)
def test_the_days_after_are_compared_with_the_days_before(after: float, word: str) -> None:
    said = told((-14, -1, 6.0), (3, 16, after)).sentences[0]
    assert said.startswith(
        "After your session on 2 May 2026, from 5 May 2026 to 18 May 2026, your pain entries"
    )
    assert word in said
    assert said.endswith("in the 14 days before.")


def test_a_point_day_for_day_is_a_difference_whatever_the_days_are_made_of() -> None:
    # Fifths are not exact in binary, and what rounding leaves of them must not make it less than a point.
    kinds = [(4, 4, 4, 4, 6), (4, 4, 4, 6, 5)]
    for kind in kinds:
        before = [(n - 14, kind[n % 5], kind[(n + 1) % 5]) for n in range(14)]
        days = [*before, *((day + 17, at - 1, of - 1) for day, at, of in before)]
        said = fold(
            (SESSION + timedelta(days=day), {"pain_average": at, "pain_interference": of})
            for day, at, of in days
        )
        found = describe(said, Arm.PAIN, [SESSION], DEFAULT_POLICY, SESSION + timedelta(days=17))
        assert "better on average than" in found.sentences[0]


def test_the_session_day_and_the_days_right_after_say_nothing() -> None:
    assert told((-14, -1, 6.0), (0, 2, 0.0), (3, 16, 6.0)).after == told((-14, -1, 6.0), (3, 16, 6.0)).after


def test_too_few_days_are_said_as_such() -> None:
    assert "too few pain entries after" in told((-14, -1, 6.0), (3, 5, 1.0)).sentences[0]
    assert "better on average" in told((-14, -1, 6.0), (3, 6, 1.0)).sentences[0]
    assert "too few pain entries before" in told((-3, -1, 6.0), (3, 16, 1.0)).sentences[0]
    assert "In the last 7 days there are too few" in told((-14, -1, 6.0), (3, 16, 1.0)).sentences[1]
    assert "too few pain entries before" in told(today=TODAY).sentences[0]


def test_the_last_days_are_compared_with_what_there_is() -> None:
    assert told((-14, -1, 6), (3, 16, 2), (33, 39, 5)).sentences[1] == (
        "In the last 7 days they were worse on average than in those days."
    )
    assert told((-14, -1, 6), (33, 39, 2)).sentences[1] == (
        "In the last 7 days they were better on average than in the days before."
    )
    assert len(told((33, 39, 2)).sentences) == 1


def test_the_last_days_wait_until_the_days_after_are_over() -> None:
    found = told((-14, -1, 6), (3, 16, 2), today=SESSION + timedelta(days=20))
    assert (found.lately, len(found.sentences)) == (None, 1)


def test_a_run_of_sessions_is_one() -> None:
    days = [SESSION - timedelta(days=k) for k in (0, 3, 7, 21, 40)]
    assert latest_run(days, 14) == (SESSION - timedelta(days=21), SESSION)
    said = describe(History(), Arm.MOOD, days, DEFAULT_POLICY, TODAY).sentences[0]
    assert "your sessions from 11 April 2026 to 2 May 2026" in said


def test_the_days_that_are_compared_are_known_before_they_are_read() -> None:
    said = told((-14, -1, 6), (3, 16, 2), (33, 39, 5))
    assert (said.before, said.after, said.lately) == tuple(
        Span(first, last, days, mean)
        for (first, last), days, mean in zip(
            compared([SESSION], DEFAULT_POLICY, TODAY), (14, 14, 7), (6, 2, 5), strict=True
        )
    )
    assert compared([], DEFAULT_POLICY, TODAY) == ()


def test_without_a_session_there_is_nothing_to_compare() -> None:
    found = describe(history((-14, 30, 3.0)), Arm.PAIN, [], DEFAULT_POLICY, TODAY)
    assert (found.sessions, found.before, len(found.sentences)) == (None, None, 1)
