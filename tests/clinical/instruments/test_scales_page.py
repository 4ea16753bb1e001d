"""docs/scales.md says what the files say."""

from server.clinical.instruments.catalog import INSTRUMENTS
from tests.clinical.instruments.scales_page import PAGE, page


def test_the_page_is_the_one_that_the_files_make() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_names_every_scale_with_its_source_and_its_doubts() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for made in INSTRUMENTS.values():
        assert f"`{made.key}`" in text
        assert made.source in text
        assert made.review in text
