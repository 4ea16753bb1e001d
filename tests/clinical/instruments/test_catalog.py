"""Finding an instrument: the right version, the right words, and never something else instead."""

import dataclasses

import pytest

from server.clinical.instruments.catalog import EDITIONS, INSTRUMENTS, editions, instrument
from server.clinical.instruments.instrument import Instrument, InstrumentError
from tests.clinical.instruments.files import GOOD


def test_the_newest_version_is_given_unless_another_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = GOOD.replace("version = 2", "version = 1"), GOOD
    found = editions((("mini.1.en.toml", first), ("mini.2.en.toml", second)))
    assert [made.version for made in found.values()] == [1, 2]
    monkeypatch.setattr("server.clinical.instruments.catalog.EDITIONS", found)
    assert instrument("mini").version == 2
    assert instrument("mini", 1).version == 1


@pytest.mark.parametrize(
    ("key", "version", "locale"),
    [("phq-7", None, "en"), ("phq-9", 99, "en"), ("phq-9", None, "de"), ("phq-9", None, "de-AT")],
)
def test_what_is_not_there_is_not_replaced_by_something_else(
    key: str, version: int | None, locale: str
) -> None:
    with pytest.raises(LookupError, match=key):
        instrument(key, version, locale)


def test_a_region_gets_the_text_of_its_language() -> None:
    assert instrument("phq-9", locale="en-GB") is instrument("phq-9")


def test_a_translation_changes_words_and_never_numbers() -> None:
    german = GOOD.replace('locale = "en"', 'locale = "de"').replace("First", "Erstens")
    assert len(editions((("mini.2.en.toml", GOOD), ("mini.2.de.toml", german)))) == 2
    other = german.replace("remission_at = 2", "remission_at = 1")
    with pytest.raises(InstrumentError, match=r"mini.2.de: scoring: differs from mini.2.en"):
        editions((("mini.2.en.toml", GOOD), ("mini.2.de.toml", other)))


def test_the_catalog_cannot_be_changed() -> None:
    made: Instrument = INSTRUMENTS["phq-9"]
    with pytest.raises(TypeError):
        EDITIONS["phq-9", 1, "en"] = made  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.title = "Other"  # type: ignore[misc]


def test_every_urgent_safety_item_is_kept_from_being_made_up() -> None:
    for made in INSTRUMENTS.values():
        urgent = {rule.item for rule in made.safety if rule.flag.urgency <= "P1"} - {"total"}
        assert not made.scoring.allowed_missing or urgent <= set(made.scoring.never_impute)
