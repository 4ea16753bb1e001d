"""A drawn trend: gaps stay gaps, sessions have dates, nothing escapes, nothing grows too large."""

from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from server.rendering.trend_svg import Chart, Line, draw

SVG = "{http://www.w3.org/2000/svg}"
FIRST = date(2025, 9, 1)


def chart(days: int, values: dict[int, float], sessions: tuple[int, ...] = (), title: str = "Trend") -> Chart:
    line = Line("Mood", {FIRST + timedelta(days=k): v for k, v in values.items()})
    marks = [(FIRST + timedelta(days=k), "delivered") for k in sessions]
    return Chart(FIRST, FIRST + timedelta(days=days - 1), title, [line], marks, ("none", "most"))


def paths(drawn: str, color: str = "#2f7ebd") -> list[str]:
    tree = ElementTree.fromstring(drawn)
    return [path.get("d", "") for path in tree.iter(f"{SVG}path") if path.get("stroke") == color]


def test_a_day_without_entries_breaks_the_line_and_a_lone_day_is_a_dot() -> None:
    line, dots = paths(draw(chart(9, {0: 1, 1: 2, 2: 3, 4: 5, 6: 1, 7: 1})))
    # Two runs, and the sample of the legend.
    assert (line.count("M"), line.count("L")) == (3, 3)
    assert dots.count("M") == 1


def test_it_names_and_describes_itself_for_who_does_not_see_it() -> None:
    tree = ElementTree.fromstring(draw(chart(9, {0: 1.25, 3: 7}, sessions=(2,))))
    assert (tree.get("role"), tree.get("aria-labelledby")) == ("img", "title desc")
    assert tree.findtext(f"{SVG}title") == "Trend"
    said = tree.findtext(f"{SVG}desc") or ""
    assert "Mood: 2 of 9 days. Lowest 1.2, highest 7.0, latest 7.0." in said
    assert "Sessions: 3 Sep 2025 (delivered)." in said


def test_sessions_stand_upright_with_their_dates_and_dates_never_overlap() -> None:
    drawn = draw(chart(366, {}, sessions=(10, 11, 12, 200)))
    (marks,) = [path for path in paths(drawn, "#767676") if "V" in path]
    assert marks.count("M") == 4
    assert [text for text in ("11 Sep<", "12 Sep<", "13 Sep<", "20 Mar<") if text in drawn] == [
        "11 Sep<",
        "20 Mar<",
    ]


def test_what_a_person_typed_can_not_become_markup() -> None:
    drawn = draw(chart(3, {0: 1}, title='</title><script>alert("x")</script>&'))
    tree = ElementTree.fromstring(drawn)
    assert tree.find(f".//{SVG}script") is None
    assert tree.findtext(f"{SVG}title") == '</title><script>alert("x")</script>&'


@pytest.mark.parametrize("step", [1, 2])
def test_a_year_is_never_larger_than_fifty_kilobytes(step: int) -> None:
    days = {k: 5.55 + k % 3 for k in range(0, 366, step)}
    one = chart(366, days, sessions=tuple(range(366)))
    both = Chart(one.first, one.last, "t", [*one.lines, *one.lines], one.marks, one.ends)
    assert len(draw(both).encode()) < 50_000


def test_an_empty_day_can_be_drawn() -> None:
    assert "Mood: 0 of 1 days." in draw(chart(1, {}))
