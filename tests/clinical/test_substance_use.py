"""What a row about substance use is, wherever in an entry it stands."""

from typing import Any

import pytest

from server.clinical.substance_use import names_it, speaks_of_it, without


@pytest.mark.parametrize(
    ("said", "speaks"),
    [
        ({"items": {"craving": 3, "mood": 5}}, True),
        ({"side_effects": {"non_prescribed_use": 1}}, True),
        ({"side_effect_onset": {"non_prescribed_use": {"days": 1}}}, True),
        ({"items": {"craving": 0}}, True),
        ({"items": {"mood": 5}, "side_effects": {"nausea": 1}, "side_effect_onset": {"nausea": {}}}, False),
        ({"items": None, "side_effects": None}, False),
        ({"note": "craving"}, False),
        ({}, False),
    ],
)
def test_an_entry_speaks_of_it_in_any_of_three_places(said: dict[str, Any], speaks: bool) -> None:
    assert speaks_of_it(said) is speaks
    assert not speaks_of_it(without(said))


def test_what_is_left_is_all_the_rest() -> None:
    said = {
        "items": {"craving": 3, "mood": 5},
        "side_effects": None,
        "side_effect_onset": {"non_prescribed_use": {"days": 1}},
        "note": "craving",
    }
    assert without(said) == {
        "items": {"mood": 5},
        "side_effects": None,
        "side_effect_onset": {},
        "note": "craving",
    }
    assert said["items"] == {"craving": 3, "mood": 5}


def test_an_alert_names_it_by_item_or_by_effect() -> None:
    assert [names_it(codes) for codes in (["craving"], ["mood", "non_prescribed_use"], ["nausea"], [])] == [
        *(True, True, False, False)
    ]
