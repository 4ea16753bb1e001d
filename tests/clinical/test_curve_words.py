"""The response curve in words: every case is said, also where nothing can be."""

from dataclasses import replace
from datetime import date

import pytest

from server.clinical.benefit import Retained
from server.clinical.curve_words import tell_arm, tell_loss, tell_session
from server.clinical.durability import Onset, ResponseCurve, SessionCurve
from server.clinical.holding_time import ExpectedLoss, Held, HoldingTime
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import Arm
from tests.clinical.diaries import SESSION, day

HELD = SessionCurve(
    SESSION,
    day(30),
    retreated=False,
    best_level=2.04,
    responded=True,
    onset=Onset(0, 4.4),
    retained=Retained(62.4, 41, 83.2),
    held=Held(30),
    fade_per_week=0.4,
)
LOSS = ExpectedLoss(SESSION, HoldingTime(33.5, 60, 120, 2, 1), "McInnes 2022")


def told(session: SessionCurve, pre_level: float | None = 8.0) -> str:
    curve = ResponseCurve(Arm.MOOD, pre_level, (session,), SESSION)
    return tell_session(curve, session, DEFAULT_POLICY)


def test_a_response_is_told_with_its_onset_what_is_left_and_how_long_it_held() -> None:
    assert told(HELD) == (
        "responded (best week 2.0 against 8.0 before the course), first seen after 4 hours, "
        "62 % of the benefit left on 2026-06-01 (80 %: 41 to 83), last seen to hold on day 30"
    )
    assert "first seen after 1 day," in told(replace(HELD, onset=Onset(1)))
    assert "first seen after 5 days," in told(replace(HELD, onset=Onset(5)))
    assert "no single day shows when it began" in told(replace(HELD, onset=None))
    assert "too few entries to say what was left of it on 2026-06-01" in told(replace(HELD, retained=None))


def test_a_loss_and_a_cut_off_are_told_apart() -> None:
    assert told(replace(HELD, held=Held(20, 24))).endswith("half of it lost between day 20 and day 24")
    assert told(replace(HELD, retreated=True)).endswith("last seen to hold on day 30, then treated again")


def test_no_response_is_told_plainly() -> None:
    none = SessionCurve(SESSION, day(30), retreated=False, best_level=6.0, responded=False)
    assert told(none) == (
        "did not respond (best week 6.0 against 8.0 before the course): "
        "there is nothing to lose, relapse detection is off"
    )


@pytest.mark.parametrize(
    ("pre_level", "best_level", "why"),
    [
        (None, None, "too few entries in the 14 days before 2026-05-02"),
        (8.0, None, "too few entries from 2026-05-02 to 2026-06-01"),
        (0.0, 0.0, "no symptoms before the course"),
        (2.3, 2.0, "well already before the course (2.3)"),
    ],
)
def test_what_is_not_known_is_told_with_the_reason(
    pre_level: float | None, best_level: float | None, why: str
) -> None:
    unknown = SessionCurve(SESSION, day(30), retreated=False, best_level=best_level)
    assert told(unknown, pre_level) == f"{why}: whether it helped can't be said"


def test_the_range_is_told_with_what_it_rests_on() -> None:
    assert tell_loss(LOSS) == (
        "Half of the benefit is expected to be lost about 2026-07-01 (80 %: 2026-06-05 to 2026-08-30), "
        "from 2 own times lost and 1 own time cut off and the cohort of McInnes 2022"
    )
    alone = replace(LOSS, time=replace(LOSS.time, lost=0, censored=0))
    assert tell_loss(alone).endswith(", from the cohort of McInnes 2022")
    assert (LOSS.low, LOSS.median, LOSS.high) == (date(2026, 6, 5), date(2026, 7, 1), date(2026, 8, 30))


def test_an_arm_is_told_by_its_newest_session() -> None:
    older = replace(HELD, session=day(-60))
    curve = ResponseCurve(Arm.PAIN, 8.0, (older, HELD), day(-60))
    first = f"pain, session of 2026-05-02: {told(HELD)}"
    assert tell_arm(curve, None, DEFAULT_POLICY) == first
    assert tell_arm(curve, LOSS, DEFAULT_POLICY) == f"{first}. {tell_loss(LOSS)}"


def test_the_words_of_an_arm_are_those_of_its_newest_session() -> None:
    three = tuple(replace(HELD, session=day(n), until=day(n + 29)) for n in (0, 30, 60))
    for count in (1, 2, 3):
        curve = ResponseCurve(Arm.MOOD, 8.0, three[:count], SESSION)
        assert tell_arm(curve, None, DEFAULT_POLICY).startswith(
            f"mood, session of {three[count - 1].session}: "
        )


def test_nearly_no_symptoms_are_not_none() -> None:
    well = replace(HELD, responded=None)
    assert "well already before the course (0.5)" in told(well, 0.5)
    assert "no symptoms before the course" in told(well, 0.0)
