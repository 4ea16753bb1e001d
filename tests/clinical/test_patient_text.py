"""What a patient reads about danger, in every language."""

from dataclasses import asdict

import pytest

from server.clinical.patient_text import TEXTS
from server.clinical.vocabulary import Language


def _plain(language: Language) -> dict[str, str]:
    """Return the texts that nothing is filled in."""
    return {name: said for name, said in asdict(TEXTS[language]).items() if isinstance(said, str)}


@pytest.mark.parametrize("language", Language)
def test_every_text_says_something_and_asks_for_nothing_to_be_filled_in(language: Language) -> None:
    for name, text in _plain(language).items():
        assert text.strip() == text, name
        assert text.endswith("."), name
        assert not set("{}<>_") & set(text), name


@pytest.mark.parametrize("language", sorted(set(Language) - {Language.EN}))
def test_no_text_was_left_in_english(language: Language) -> None:
    own, english = _plain(language), _plain(Language.EN)
    assert not [name for name in english if own[name] == english[name]]
    assert len(set(own.values())) == len(own), "each says its own"


@pytest.mark.parametrize("language", Language)
def test_a_year_has_twelve_months(language: Language) -> None:
    assert len(set(TEXTS[language].dates.months)) == 12


def test_whom_an_answer_still_reaches_is_named_in_spanish() -> None:
    told = TEXTS[Language.ES].team_withdrawn
    assert told.count("equipo") == 2, "'le' alone would be the patient as well"
    assert "que no puede esperar" not in told, "it also says: that you can't expect"
