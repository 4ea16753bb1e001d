"""Rows become what entries say; what can't be taken is named by line and column, never by content."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.vocabulary import ITEMS, Direction
from server.diary_import.diary_map import Scale
from server.diary_import.map_file import read_map
from server.diary_import.mapping import Mapped, map_table, rescaled
from server.diary_import.table import TableError, read_table

MAP = """
date: {column: day}
time: {column: at}
zone: Europe/Oslo
items:
  mood: {column: low_spirits, low: 1, high: 5, direction: high_bad}
  sleep_hours: {column: hours, low: 0, high: 24}
require: [mood]
side_effects:
  nausea: {column: sick}
  headache: {column: head, grades: {light: 1, strong: 3}}
safety: {column: dark, answers: {never: no, sometimes: passing}}
note: {column: remark}
"""
HEADER = "day,at,low_spirits,hours,sick,head,dark,remark"
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)


def mapped(*rows: str, more: str = "") -> Mapped:
    table = read_table("\n".join((HEADER, *rows)).encode())
    return map_table(table, read_map(MAP + more), "Europe/Oslo", NOW)


def reasons(row: str, more: str = "") -> tuple[str, ...]:
    found = mapped(row, more=more)
    assert not found.rows
    assert found.refusals[0].line == 2
    return found.refusals[0].reasons


def test_a_row_is_turned_round_and_rescaled_with_its_fractions() -> None:
    row = mapped("2025-05-30,21:15,1.5,7.25,2,light,sometimes,Fine.").rows[0]
    assert row.at.isoformat() == "2025-05-30T21:15:00+02:00"
    assert row.content["items"] == {"mood": 8.75, "sleep_hours": 7.25}
    assert row.content["side_effects"] == {"nausea": 2, "headache": 1}
    assert (row.content["safety"], row.content["note"]) == ("passing", "Fine.")


def test_day_and_time_may_stand_in_one_column() -> None:
    both = """
date: {column: day, format: "%d/%m/%Y %H:%M:%S"}
time: {column: day, format: "%d/%m/%Y %H:%M:%S"}
items: {mood: {column: mood, low: 0, high: 10, direction: high_good}}
"""
    midnight = both.replace("%H:%M:%S", "00:00:00").replace("time:", "# time:")
    for diary_map, written, at in (
        (both, "01/05/2025 09:15:03", "09:15:03"),
        (midnight, "01/05/2025 00:00:00", "20:00:00"),
    ):
        table = read_table(f"day,mood\n{written},3\n".encode())
        (row,) = map_table(table, read_map(diary_map), "Europe/Oslo", NOW).rows
        assert row.at.isoformat() == f"2025-05-01T{at}+02:00"


def test_what_is_missing_is_left_out_not_zero() -> None:
    row = mapped("2025-05-30,NA,3,,-,,null,").rows[0]
    assert row.at.hour == 20
    assert (row.content["items"], row.content["side_effects"]) == ({"mood": 5.0}, {})
    assert (row.content["safety"], row.content["note"]) == (None, None)


def test_rows_come_in_the_order_they_happened_and_two_of_a_day_are_two() -> None:
    found = mapped("2025-05-30,21:00,3,,,,,", "2025-05-29,08:00,3,,,,,", "2025-05-29,08:00,4,,,,,")
    assert [row.line for row in found.rows] == [3, 4, 2]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("30.05.2025,,3,,,,,", "column day is not a date like %Y-%m-%d"),
        ("2025-02-30,,3,,,,,", "column day is not a date like %Y-%m-%d"),
        ("2025-05-30,late,3,,,,,", "column at is not a time like %H:%M"),
        ("2025-06-02,,3,,,,,", "lies in the future"),
        ("1969-06-02,,3,,,,,", "lies before 1971 or at the end of time"),
        ("9999-12-31,,3,,,,,", "lies before 1971 or at the end of time"),
        ("2025-05-30,,6,,,,,", "column low_spirits is outside its scale 1 to 5"),
        ("2025-05-30,,0.99,,,,,", "column low_spirits is outside its scale 1 to 5"),
        ("2025-05-30,,much,,,,,", "column low_spirits is not a number"),
        ("2025-05-30,,inf,,,,,", "column low_spirits is not a number"),
        ("2025-05-30,,1_0,,,,,", "column low_spirits is not a number"),
        ("2025-05-30,,٣,,,,,", "column low_spirits is not a number"),
        ("2025-05-30,,3,25,,,,", "column hours is outside its scale 0 to 24"),
        ("2025-05-30,,3,,5,,,", "column sick is not a whole number 0 to 4"),
        ("2025-05-30,,3,,1.5,,,", "column sick is not a whole number 0 to 4"),
        ("2025-05-30,,3,,,awful,,", "column head has a text that the map's grades don't translate"),
        ("2025-05-30,,3,,,,always,", "column dark has a text that the map's answers don't translate"),
        ("2025-05-30,,3,,,,," + "x" * 10_001, "column remark is too long for a note"),
        ("2025-05-30,,,7,,,,", "says nothing of mood"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why(row: str, reason: str) -> None:
    assert reasons(row) == (reason,)


def test_a_character_that_nobody_sees_keeps_no_day_out_as_from_a_phone() -> None:
    found = mapped("2025-05-30,,3,,,,,be\x07ll\x0bringing")
    assert [row.content["note"] for row in found.rows] == ["bell\nringing"]


def test_every_reason_against_a_row_is_named() -> None:
    assert len(reasons("2025-05-30,late,9,99,9,x,y,")) == 6


def test_an_empty_row_says_so() -> None:
    table = read_table(b"day,m\n2025-05-30,NA\n")
    wanted = read_map(
        "date: {column: day}\nitems: {pain_now: {column: m, low: 0, high: 9, direction: high_bad}}"
    )
    refusal = map_table(table, wanted, "UTC", NOW).refusals[0]
    assert refusal.reasons == ("says nothing in any column of the map",)


def test_a_decimal_comma_is_read_where_the_map_says_so() -> None:
    row = mapped('2025-05-30,,"2,5",,,,,', more="decimal: ','").rows[0]
    assert row.content["items"]["mood"] == 6.25
    other = ("column low_spirits has another decimal mark than the map's `decimal`",)
    assert reasons("2025-05-30,,2.5,,,,,", more="decimal: ','") == other
    assert reasons('2025-05-30,,"2,5",,,,,') == other


def test_a_column_that_is_not_there_stops_everything() -> None:
    with pytest.raises(TableError, match="has no column low_spirits, hours, at, sick, head, dark, remark"):
        map_table(read_table(b"day\n2025-01-01\n"), read_map(MAP), "UTC", NOW)


@given(st.sampled_from(sorted(ITEMS)), st.floats(0, 1), st.floats(-100, 100), st.floats(0.1, 100))
def test_a_mapped_value_never_leaves_the_items_range(
    key: str, share: float, low: float, width: float
) -> None:
    high = low + width
    for direction in (Direction.HIGH_GOOD, Direction.HIGH_BAD):
        value = rescaled(key, min(low + share * width, high), Scale("c", low, high, direction))
        assert ITEMS[key].low <= value <= ITEMS[key].high


def test_columns_without_a_name_are_told_as_such_once() -> None:
    table = read_table(f"{HEADER},,more,\n2025-01-01,,3,,,,,,x,y,z\n".encode())
    assert map_table(table, read_map(MAP), "Europe/Oslo", NOW).unused == ("(without a name)", "more")
