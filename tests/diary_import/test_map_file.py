"""A map is checked as a whole, and every problem of it is named."""

import pytest

from server.clinical.vocabulary import Direction, SafetyAnswer
from server.diary_import.map_file import LONGEST_MAP, MapError, read_map

SMALLEST = "date: {column: Day}\nitems: {mood: {column: M, low: 1, high: 5, direction: high_good}}\n"


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(MapError) as caught:
        read_map(text)
    return caught.value.problems


def test_a_small_map_takes_the_patients_zone_and_the_evening() -> None:
    found = read_map(SMALLEST)
    assert found.zone is None
    assert found.default_time.isoformat() == "20:00:00"
    assert found.items["mood"].direction is Direction.HIGH_GOOD
    assert found.columns() == ("Day", "M")


@pytest.mark.parametrize("name", ["localtime", "Factory", "posixrules"])
def test_what_means_another_time_on_each_machine_is_no_zone(name: str) -> None:
    assert problems(f"{SMALLEST}zone: {name}\n") == ("zone: Is not an IANA zone.",)


def test_many_diaries_of_one_map_read_it_once() -> None:
    assert read_map(SMALLEST) is read_map(SMALLEST)


def test_formats_that_tell_each_other_apart_are_taken_together() -> None:
    formats = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d %b %Y", "%d %B %Y")
    text = SMALLEST.replace("Day", f"Day, also: {list(formats[1:])}")
    assert read_map(text).day.formats == formats


def test_no_is_an_answer_not_a_falsehood() -> None:
    found = read_map(SMALLEST + "safety: {column: S, answers: {no: no, yes: often}}")
    assert found.safety is not None
    assert found.safety.answers == {"no": SafetyAnswer.NO, "yes": SafetyAnswer.OFTEN}


def test_sessions_are_read_with_and_without_a_time_in_order() -> None:
    found = read_map(SMALLEST + "sessions: [2025-03-04 14:30, 2025-03-01]")
    assert [moment.isoformat() for moment in found.sessions] == ["2025-03-01T10:00:00", "2025-03-04T14:30:00"]


def test_all_problems_are_named_not_only_the_first() -> None:
    found = problems(
        """
        date: {column: Day, format: "%d"}
        zone: Europe/Atlantis
        colour: blue
        items:
          mood: {column: M, low: 5, high: 1, direction: high_good}
          happiness: {column: H, low: 0, high: 1, direction: high_good}
          anxiety: {column: "", low: a, high: 4}
        side_effects: {nausea: {column: N, grades: {bad: 9}}}
        safety: {column: S, answers: {yes: maybe}}
        course: {route: by_pigeon, condition: depression, min_interval_days: 9, max_interval_days: 900}
        require: [sleep]
        sessions: [soon]
        """
    )
    named = {problem.split(":")[0] for problem in found}
    assert named >= {
        "date.format",
        "zone",
        "colour",
        "items.mood",
        "items.happiness.key",
        "items.anxiety.column",
        "items.anxiety.low",
        "side_effects.nausea.grades.bad",
        "safety.answers.yes",
        "course.route",
        "course.max_interval_days",
        "require",
        "sessions",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must be a mapping"),
        ("- a", "must be a mapping"),
        ("a: [", "is not YAML"),
        ("{[a]: b}", "is not YAML"),
        ("a: 1\na: 2", "a is there twice"),
        ("[" * 30_000, "is not YAML"),
        ("a" * (LONGEST_MAP + 1), "is longer than"),
        ("date: {column: Day}", "items: Missing"),
        ("date: {column: Day}\nitems: {}", "Map at least one item"),
        (SMALLEST.replace(", direction: high_good", ""), "Say high_good or high_bad"),
        (SMALLEST.replace("high_good", "neutral"), "Say high_good or high_bad"),
        (SMALLEST.replace("mood", "energy"), "leave it out"),
        (SMALLEST.replace("low: 1", "low: nan"), "items.mood.low"),
        (
            SMALLEST + "course: {route: oral_sublingual, condition: ptsd, min_interval_days: 30}",
            "must not be",
        ),
        (SMALLEST + "decimal: ;", "decimal"),
        (SMALLEST + "default_time: noon", "default_time"),
        (SMALLEST.replace("Day", "Day, format: TT.MM.JJJJ"), "Y-m-d, with a percent sign before each letter"),
        (SMALLEST.replace("Day", "At, format: '%d/%m/%Y %I:%M %p'"), "date: Has a time of day"),
        (SMALLEST.replace("Day", "At, also: ['%Y-%m-%dT%H:%M']"), "date: Has a time of day"),
        (SMALLEST.replace("Day", "D, format: '%d/%m/%Y', also: ['%m/%d/%Y']"), "date: d/m/Y and m/d/Y read"),
        (SMALLEST.replace("Day", "D, also: ['%d.%m.%y', '%y.%m.%d']"), "date: d.m.y and y.m.d read"),
    ],
)
def test_a_map_that_cannot_be_used_says_why(text: str, problem: str) -> None:
    assert any(problem in found for found in problems(text))
