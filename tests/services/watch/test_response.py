"""What a patient is told of their sessions, however long ago they began or ended."""

import pytest

from tests.cast import Cast
from tests.clinical.diaries import mood_day
from tests.conftest import Clock
from tests.visits import Visits


def mood_words(cast: Cast) -> list[str]:
    """Return the sentences about mood that Ana reads."""
    (found,) = (one for one in cast.ana.get("/me/response").json["items"] if one["arm"] == "mood")
    return list(found["sentences"])


@pytest.fixture
def ill(visits: Visits) -> str:
    """Ana, ill for two weeks before the course that begins now; its id."""
    visits.log(14, items=mood_day(8))
    return visits.course()


def test_who_has_sessions_every_fortnight_is_compared_with_the_days_before_all_of_them(
    ill: str, visits: Visits, cast: Cast, clock: Clock
) -> None:
    begun = clock.forward(days=1)
    for number in range(33):
        visits.session(ill, clock.now)
        clock.forward(days=14)
        if number < 6 or number > 30:
            visits.log(10, items=mood_day(2))
    clock.forward(days=10)
    visits.log(10, items=mood_day(2))
    assert (clock.now - begun).days > 400
    (said, lately) = mood_words(cast)
    assert said.startswith(f"After your sessions from {begun.day} March 2026 to ")
    assert "were better on average than in the 14 days before" in said
    assert "about the same" in lately


def test_whose_last_session_is_long_ago_has_had_one(
    ill: str, visits: Visits, cast: Cast, clock: Clock
) -> None:
    visits.session(ill, clock.forward(days=1))
    clock.forward(days=17)
    visits.log(14, items=mood_day(2))
    clock.forward(days=430)
    (said, lately) = mood_words(cast)
    assert "were better on average than in the 14 days before" in said
    assert "too few mood entries" in lately
