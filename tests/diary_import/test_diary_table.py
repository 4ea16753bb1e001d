"""CSV files as people's software writes them."""

import pytest

from server.diary_import.table import LARGEST_BYTES, Refusal, TableError, read_table


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"day,mood\n2025-01-01,3\n", "utf-8"),
        (b"\xef\xbb\xbfday;mood\r\n2025-01-01;3\r\n", "utf-8"),
        (b"day\tmood\n2025-01-01\t3", "utf-8"),
        (b'"day"|"mood"\n"2025-01-01"|"3"\n\n', "latin-1"),
        ("day,mood\n2025-01-01,3\n".encode("utf-16"), "utf-16"),
        (b"day;mood\r2025-01-01;3\r", "utf-8"),
    ],
)
def test_separator_and_encoding_are_taken_as_they_come(data: bytes, encoding: str) -> None:
    found = read_table(data, encoding)
    assert found.header == ("day", "mood")
    assert [record.cells for record in found.records] == [{"day": "2025-01-01", "mood": "3"}]
    assert found.records[0].line == 2


def test_a_note_of_several_lines_keeps_the_line_numbers_right() -> None:
    found = read_table(b'day,note\n1,"one\ntwo"\n2,three\n')
    assert [record.line for record in found.records] == [3, 4]


def test_a_name_of_several_lines_is_read() -> None:
    assert read_table(b'"day";"mood\n(1, 2, 3)";note\n1;2;a\n').header == ("day", "mood\n(1, 2, 3)", "note")


def test_columns_and_rows_in_which_nothing_stands_are_passed_over() -> None:
    found = read_table(b"day;mood;;\n1;3;;\n;;;\n ; ;\n2;4;;x\n")
    assert [(record.line, record.cells["mood"]) for record in found.records] == [(2, "3"), (5, "4")]
    assert found.refusals == ()


def test_a_row_with_too_few_fields_is_refused_by_its_line() -> None:
    found = read_table(b"day,mood\n1,3\n2\n3,4,5\n")
    assert found.refusals == (
        Refusal(3, ("has 1 fields, the header has 2",), cells={"day": "2", "mood": ""}),
        Refusal(4, ("has 3 fields, the header has 2",), cells={"day": "3", "mood": "4"}),
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"day,day\n1,2\n", "has a column twice: day"),
        (b"day,mood\n1,\x00\n", "NUL"),
        (b"PK\x03\x04\x14\x00\x08\x00\xc3\xa9", "is a workbook or an archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "is a workbook or an archive"),
        (b"day,mood\n1,\xff\xfe\n", "is not utf-8 text"),
        (b'day,mood\n1,"open\n', "line 2"),
        (b"day,mood\n1," + b"x" * 200_000 + b"\n", "line 2"),
        (b"x" * (LARGEST_BYTES + 1), "is larger than 20 MB"),
        (b"a,b\n" + b"1,2\n" * 200_001, "more than 200000 rows"),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_its_reason(data: bytes, problem: str) -> None:
    with pytest.raises(TableError, match=problem):
        read_table(data)


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_a_note_is_not_garbled_by_a_map_of_another_encoding(encoding: str) -> None:
    said = "day,note\n1,grüße von Jürgen\n"
    assert read_table(said.encode(encoding), encoding).records[0].cells["note"] == "grüße von Jürgen"
    assert read_table(b"day,note\n1,plain\n", encoding).records[0].cells["note"] == "plain"
    for other in ("utf-8", "utf-8-sig"):
        with pytest.raises(TableError, match=f"is utf-8 text, and would be read as {encoding}"):
            read_table(said.encode(other), encoding)
