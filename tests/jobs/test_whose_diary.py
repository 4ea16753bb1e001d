"""A diary goes into no other patient's by a wrong id."""

import pytest
from flask import Flask

from jobs import import_diary, whose_diary
from jobs.problem import Problem
from server.database import Database
from tests.cast import Cast, Person, new_patient
from tests.conftest import Clock

MAP = """
date: {column: day}
items: {mood: {column: mood, low: 0, high: 10, direction: high_good}}
note: {column: note}
"""
MOODS = (3, 4, 4, 6, 7, 2)


def csv(*moods: int, note: str = "") -> bytes:
    """Return a diary of as many days, one after another, without times of day."""
    days = (f"2026-01-{day:02},{mood},{note}" for day, mood in enumerate(moods, 1))
    return "\n".join(("day,mood,note", *days)).encode()


def plan(database: Database, clock: Clock, who: Person, data: bytes, slug: str = "demo") -> import_diary.Plan:
    """Return what would be done with ``data`` for ``who``."""
    assert who.patient_id is not None
    return import_diary.prepare(database, (slug, who.patient_id), (MAP, data), clock.now)


@pytest.fixture
def mia(cast: Cast, app: Flask) -> Person:
    """Another patient of Ana's clinic."""
    return new_patient(app, cast.ana.clinic_id, "Mia", None)


@pytest.fixture
def brought(database: Database, cast: Cast, clock: Clock) -> None:
    """Ana's diary was brought in."""
    import_diary.write(database, plan(database, clock, cast.ana, csv(*MOODS)))


@pytest.mark.usefixtures("brought")
def test_what_stands_in_another_diary_of_the_clinic_is_refused(
    database: Database, clock: Clock, mia: Person
) -> None:
    for data in (csv(*MOODS), csv(*MOODS[:5], note="Longer now."), csv(*MOODS, 5, 5)):
        with pytest.raises(Problem, match="another patient of this clinic"):
            whose_diary.check(database, plan(database, clock, mia, data))


@pytest.mark.usefixtures("brought")
def test_ones_own_is_taken_again_and_so_are_days_that_are_alike_by_chance(
    database: Database, cast: Cast, clock: Clock, mia: Person
) -> None:
    whose_diary.check(database, plan(database, clock, cast.ana, csv(*MOODS, 9)))
    for data in (csv(*MOODS[:4]), csv(*MOODS[:5], 9), csv(9, 9, 9, 9, 9, 9), csv()):
        whose_diary.check(database, plan(database, clock, mia, data))


def test_who_always_says_the_same_is_no_other_person_who_does(
    database: Database, cast: Cast, clock: Clock, mia: Person
) -> None:
    import_diary.write(database, plan(database, clock, cast.ana, csv(*[2] * 9)))
    whose_diary.check(database, plan(database, clock, mia, csv(*[2] * 9)))
    import_diary.write(database, plan(database, clock, cast.ana, csv(*[2] * 9, 3)))
    with pytest.raises(Problem, match="another patient of this clinic"):
        whose_diary.check(database, plan(database, clock, mia, csv(*[2] * 9, 3)))
