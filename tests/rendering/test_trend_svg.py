"""A drawn trend: gaps stay gaps, sessions have dates, nothing escapes, nothing grows too large."""

from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from server.rendering.trend_svg import PANELS_MOST, Chart, Line, Panel, draw

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
    filled = [(one.first + timedelta(days=k), k % 27) for k in range(366)]
    panels = [Panel("Scale of some length, 0 to 27", filled, 0, 27)] * PANELS_MOST
    both = Chart(one.first, one.last, "t", [*one.lines, *one.lines], one.marks, one.ends, panels=panels)
    assert len(draw(both).encode()) < 50_000


def test_an_empty_day_can_be_drawn() -> None:
    assert "Mood: 0 of 1 days." in draw(chart(1, {}))


def with_scale(*values: tuple[int, float], sessions: tuple[int, ...] = ()) -> str:
    one = chart(9, {0: 1}, sessions)
    filled = [(FIRST + timedelta(days=k), value) for k, value in values]
    scale = Panel("PHQ-9 <of 27>", filled, 0, 27)
    return draw(Chart(one.first, one.last, one.title, one.lines, one.marks, one.ends, panels=[scale]))


def test_a_scale_has_a_panel_with_a_dot_for_each_filling_and_the_sessions() -> None:
    drawn = with_scale((0, 0), (4, 27), (8, 13.5), sessions=(2,))
    tree = ElementTree.fromstring(drawn)
    assert tree.get("viewBox") == "0 0 760 386"
    (line,) = paths(drawn, "#8a63c9")
    heights = [float(point.split(" ")[1]) for point in line.removeprefix("M").split("L")]
    assert heights == [374.0, 326.0, 350.0]
    assert [path for path in paths(drawn, "#767676") if path.endswith(" 326v48")]
    said = tree.findtext(f"{SVG}desc") or ""
    assert "PHQ-9 <of 27>: 3 times. Lowest 0, highest 27, latest 13.5, on 9 Sep 2025." in said


def test_a_scale_filled_once_is_a_dot() -> None:
    (dot,) = paths(with_scale((4, 9)), "#8a63c9")
    assert dot.endswith("h.01")
