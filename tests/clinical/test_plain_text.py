"""What a text may hold, whether somebody sends it or it is imported."""

from server.clinical.plain_text import as_read, lines, mended_lines


def test_lines_are_kept_composed_with_line_feeds_and_never_turned_around() -> None:
    assert lines("e\u0301\r\nto\u202e day") == "\u00e9\nto day"


def test_a_mended_text_loses_what_no_text_may_hold_and_no_line() -> None:
    assert mended_lines("a\x7fb\x00\rc\r\nd\te\ufdd0") == "ab\nc\nd\te"
    assert mended_lines("a\x0bb\x0cc\x85d\ud83d") == "a\nb\nc\nd"


def test_names_that_look_alike_are_read_as_one_and_others_are_not() -> None:
    alike = ("Zoë Berg", " Zoë  Berg ", "Zoë\u00a0Berg", "Zoe\u0308 Berg", "Zo\u200bë Berg\ufeff")
    assert {as_read(name) for name in alike} == {"Zoë Berg"}
    assert len({as_read(name) for name in ("Zoë Berg", "Zoe Berg", "zoë berg", "ZoëBerg")}) == 4
