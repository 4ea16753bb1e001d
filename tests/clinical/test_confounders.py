"""What else was reported is shown, with its days, and reaches no judgement."""

from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from server.clinical.confounders import Confounder, DaySaid, confounders, first_day, plain, sentence
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.vocabulary import Adherence, Circumstance

SINCE, TODAY = date(2026, 5, 10), date(2026, 5, 14)


def on(day: int, **parts: object) -> DaySaid:
    """Return what an entry of a day in May says."""
    return DaySaid(date(2026, 5, day), **parts)  # type: ignore[arg-type]


def found(*said: DaySaid, zones: tuple[date, ...] = ()) -> tuple[Confounder, ...]:
    """Return what stands beside a signal that began on 10 May, seen on 14 May."""
    return confounders(said, zones, SINCE, TODAY, DEFAULT_POLICY)


def test_each_thing_is_named_with_its_days() -> None:
    told = found(
        on(3, circumstances=[Circumstance.MEDICATION_CHANGED]),
        on(4, adherence=Adherence.NO),
        on(5, adherence=Adherence.PARTLY, opioid_changed=True, rescue_doses=2),
        on(6, sleep_hours=4, side_effects={"nausea": 2, "headache": 1}),
        on(7, circumstances=[Circumstance.BEREAVEMENT, Circumstance.INFECTION]),
        zones=(date(2026, 5, 8),),
    )
    assert sentence(told) == (
        "Also reported: medication changed on 3 May; medication not taken on 4 May; "
        "medication taken only partly on 5 May; opioid changed on 5 May; rescue medication taken on 5 May; "
        "nausea on 6 May; short nights on 6 May; bereavement on 7 May; infection on 7 May; "
        "another time zone on 8 May."
    )
    assert plain(told)[0] == {
        "what": "medication_changed",
        "days": ["2026-05-03"],
        "text": "medication changed on 3 May",
    }


def test_what_is_usual_is_not_named() -> None:
    calm = on(5, adherence=Adherence.YES, sleep_hours=5, side_effects={"nausea": 1})
    assert found(calm) == ()
    assert sentence(()) == ""


def test_only_the_days_from_two_weeks_before_the_signal_to_today_count() -> None:
    assert first_day(SINCE, DEFAULT_POLICY) == date(2026, 4, 26)
    for day, counts in ((SINCE - timedelta(15), False), (SINCE - timedelta(14), True), (TODAY, True)):
        assert bool(found(DaySaid(day, rescue_doses=1))) is counts
    assert found(DaySaid(TODAY + timedelta(1), rescue_doses=1)) == ()


def test_a_few_days_are_listed_and_many_are_counted() -> None:
    (few,) = found(*(on(day, rescue_doses=1) for day in (3, 4, 6)))
    assert few.text == "rescue medication taken on 3 May, 4 May and 6 May"
    (many,) = found(*(on(day, rescue_doses=1) for day in (3, 4, 6, 9)))
    assert many.text == "rescue medication taken on 4 days from 3 May to 9 May"


def test_several_entries_of_a_day_are_one_day() -> None:
    (once,) = found(on(3, rescue_doses=1), on(3, rescue_doses=2))
    assert once.days == (date(2026, 5, 3),)


@given(st.integers())
def test_nothing_depends_on_the_order_in_which_it_was_reported(seed: int) -> None:
    said = [on(day, circumstances=[what]) for day, what in zip(range(1, 8), Circumstance, strict=True)]
    mixed = Random(seed).sample(said, len(said))
    assert found(*mixed) == found(*said)
