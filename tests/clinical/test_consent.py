"""What a last word means: no is no, care goes on until a no, the rest waits for a yes."""

import pytest

from server.clinical.consent import OF_CHANNEL, OPT_IN, Said, Texts, is_stop, standing
from server.clinical.substance_use import SCALES, names_it, speaks_of_it, without
from server.clinical.vocabulary import Channel, ConsentState, Purpose

YES, NO = Said(True, 1), Said(False, 1)


@pytest.mark.parametrize("purpose", Purpose)
def test_without_a_word_only_what_care_rests_on_holds(purpose: Purpose) -> None:
    for texts in (Texts(), Texts(1, 1)):
        found = standing(purpose, None, texts)
        assert (found.state, found.asks) == (ConsentState.NOT_ASKED, texts.newest > 0)
        assert found.holds is (purpose not in OPT_IN)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_no_is_a_no_whatever_text_comes_and_is_not_asked_about_again(purpose: Purpose) -> None:
    for texts in (Texts(), Texts(1, 1), Texts(7, 7)):
        found = standing(purpose, NO, texts)
        assert (found.state, found.holds, found.asks) == (ConsentState.WITHDRAWN, False, False)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_yes_holds_through_small_changes_of_its_text(purpose: Purpose) -> None:
    found = standing(purpose, YES, Texts(newest=3, material=1))
    assert (found.state, found.holds, found.asks) == (ConsentState.GIVEN, True, False)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_material_change_is_asked_about_and_rests_what_goes_beyond_care(purpose: Purpose) -> None:
    found = standing(purpose, YES, Texts(newest=3, material=2))
    assert (found.state, found.holds, found.asks) == (ConsentState.GIVEN, purpose not in OPT_IN, True)


def test_every_way_that_reaches_a_patient_has_its_consent() -> None:
    assert set(OF_CHANNEL) == {*Channel} - {Channel.WEBHOOK}
    assert len({*OF_CHANNEL.values()}) == len(OF_CHANNEL)


@pytest.mark.parametrize("text", ["STOP", " stop. ", "Stop please", "“STOPP”".strip("“”"), "ARRÊT", "Baja!"])
def test_stop_is_understood(text: str) -> None:
    assert is_stop(text)


@pytest.mark.parametrize("text", ["", "  ", "Don't stop", "stopping", "Hello", "1"])
def test_other_messages_are_no_stop(text: str) -> None:
    assert not is_stop(text)


def test_an_entry_without_substance_use_keeps_everything_else() -> None:
    said = {
        "items": {"mood": 3, "craving": 8},
        "side_effects": {"nausea": 1, "non_prescribed_use": 2},
        "side_effect_onset": {"non_prescribed_use": "2026-03-02T10:00:00Z"},
        "note": "n",
    }
    assert speaks_of_it(said)
    left = without(said)
    assert left == {
        "items": {"mood": 3},
        "side_effects": {"nausea": 1},
        "side_effect_onset": {},
        "note": "n",
    }
    assert not speaks_of_it(left)
    assert said["items"] == {"mood": 3, "craving": 8}, "the diary itself stays as it is"


def test_scales_and_rules_about_substance_use_are_known() -> None:
    assert "audit-c" in SCALES
    assert names_it(["chest_pain", "craving"])
    assert not names_it(["chest_pain"])
