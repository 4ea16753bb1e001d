"""Bo's clinic holds the licensed text and puts it into a slot."""

from typing import Any

import pytest

from server.clinical.instruments.catalog import instrument
from server.clinical.instruments.instrument import Content, InstrumentError
from server.clinical.instruments.scoring import score
from server.clinical.instruments.slots import with_text


def clinic_file() -> dict[str, Any]:
    return {
        "locale": "de",
        "notice": "The owner's notice.",
        "instructions": "Wording of the clinic's licensed file.",
        "options": {str(value): f"answer {value}" for value in range(6)},
        "items": {f"q{n}": f"question {n}" for n in range(1, 6)},
    }


def test_a_filled_slot_can_be_asked_and_scores_as_before() -> None:
    slot = instrument("who-5")
    filled = with_text(slot, clinic_file())
    assert (slot.askable, filled.askable, filled.content) == (False, True, Content.TEXT)
    assert (filled.locale, filled.licence.notice) == ("de", "The owner's notice.")
    assert [item.text for item in filled.items] == [f"question {n}" for n in range(1, 6)]
    assert [option.value for option in filled.items[4].options] == [0, 1, 2, 3, 4, 5]
    answers: dict[str, int | None] = {f"q{n}": 3 for n in range(1, 6)}
    assert score(filled, answers) == score(slot, answers)


def test_the_screener_is_filled_the_same_way() -> None:
    slot = instrument("c-ssrs-screener")
    text = clinic_file() | {"options": {"0": "no", "1": "yes"}, "items": {i.id: i.id for i in slot.items}}
    assert with_text(slot, text).askable


@pytest.mark.parametrize("field", ["locale", "notice", "instructions"])
def test_a_file_without_its_notice_or_instructions_is_refused(field: str) -> None:
    text = clinic_file()
    del text[field]
    with pytest.raises(InstrumentError) as caught:
        with_text(instrument("who-5"), text)
    assert (caught.value.file, caught.value.field) == ("who-5.1.en", field)


@pytest.mark.parametrize(
    ("table", "change", "field"),
    [
        ("items", {"q1": None}, "items.q1"),
        ("items", {"q1": "  "}, "items.q1"),
        ("items", {"q1": 7}, "items.q1"),
        ("items", {"q1": "x" * 2001}, "items.q1"),
        ("items", {"q6": "one too many"}, "items.q6"),
        ("options", {"5": None}, "options.5"),
        ("options", {"6": "one too many"}, "options.6"),
    ],
)
def test_every_word_must_be_there_and_none_too_many(table: str, change: dict[str, Any], field: str) -> None:
    text = clinic_file()
    text[table] |= change
    with pytest.raises(InstrumentError) as caught:
        with_text(instrument("who-5"), text)
    assert caught.value.field == field


def test_unknown_fields_and_wrong_shapes_are_refused() -> None:
    for extra, field in (
        ({"color": "red"}, "color"),
        ({"items": "q1"}, "items"),
        ({"options": 3}, "options"),
    ):
        with pytest.raises(InstrumentError) as caught:
            with_text(instrument("who-5"), clinic_file() | extra)
        assert caught.value.field == field


@pytest.mark.parametrize("key", ["phq-9", "asrm"])
def test_only_a_slot_takes_text(key: str) -> None:
    with pytest.raises(InstrumentError, match="takes no text"):
        with_text(instrument(key), clinic_file())
