"""Many entries, one reading a day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from server.clinical.readings import History, arms_of, fold
from server.clinical.vocabulary import ITEMS, Arm

MONDAY, TUESDAY = date(2026, 5, 4), date(2026, 5, 5)


def test_a_day_is_the_mean_of_its_entries() -> None:
    history = fold([(MONDAY, {"mood": 4}), (MONDAY, {"mood": 7, "anxiety": 2})])
    assert history.readings[0].items == {"mood": 5.5, "anxiety": 2}


def test_the_worst_pain_of_a_day_is_the_highest_and_the_least_the_lowest() -> None:
    history = fold(
        [(MONDAY, {"pain_worst": 4, "pain_least": 3}), (MONDAY, {"pain_worst": 8, "pain_least": 1})]
    )
    assert history.readings[0].items == {"pain_worst": 8, "pain_least": 1}


def test_good_mood_is_a_low_symptom_and_an_unanswered_item_is_none() -> None:
    reading = fold([(MONDAY, {"mood": 8, "anxiety": 3})]).readings[0]
    assert (reading.symptom("mood"), reading.symptom("anxiety"), reading.symptom("interest")) == (2, 3, None)


def test_a_stretch_keeps_its_gaps() -> None:
    history = fold([(TUESDAY, {"mood": 4}), (date(2026, 5, 9), {"mood": 4})])
    assert history.between(MONDAY, TUESDAY).days() == (TUESDAY,)
    assert history.between(date(2026, 5, 6), date(2026, 5, 8)) == History()


ENTRIES = st.lists(
    st.tuples(
        st.dates(MONDAY, date(2026, 5, 10)),
        st.dictionaries(st.sampled_from(sorted(ITEMS)), st.integers(0, 10).map(float), max_size=4),
    ),
    max_size=12,
)


@given(ENTRIES, st.randoms())
def test_the_order_of_arrival_does_not_matter(
    entries: list[tuple[date, dict[str, float]]], rnd: object
) -> None:
    shuffled = list(entries)
    rnd.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(shuffled) == fold(entries)


def test_an_arm_is_reported_on_through_its_own_items_alone() -> None:
    day = date(2026, 5, 2)
    assert arms_of(fold([(day, {"sleep_hours": 7.0, "function": 5.0})])) == ()
    assert arms_of(fold([(day, {"pain_average": 3.0}), (day, {"mood": 5.0})])) == (Arm.MOOD, Arm.PAIN)
    assert arms_of(fold([(day, {"pain_average": 3.0})])) == (Arm.PAIN,)
