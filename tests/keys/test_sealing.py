"""Sealed text opens with its key, at its place, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.keys.sealing import Keyring, SealError, key_id_of, master_keyring

OLD, NEW = b"o" * 32, b"n" * 32
PLACE, ELSEWHERE = "entries.note.clinic.ana.1", "entries.note.clinic.ana.2"
BOTH = Keyring({1: OLD, 2: NEW}, 2)


@given(st.text())
def test_what_was_sealed_comes_back_as_it_was(text: str) -> None:
    assert BOTH.open(BOTH.seal(text, PLACE), PLACE) == text


def test_sealing_twice_gives_two_different_values_without_the_text() -> None:
    first, second = BOTH.seal("canary", PLACE), BOTH.seal("canary", PLACE)
    assert first != second
    assert b"canary" not in first + second


def test_a_value_that_was_moved_does_not_open() -> None:
    with pytest.raises(SealError, match="another place"):
        BOTH.open(BOTH.seal("canary", PLACE), ELSEWHERE)


@pytest.mark.parametrize("at", range(5 + 12 + 6 + 16))
def test_a_value_with_one_byte_changed_does_not_open(at: int) -> None:
    sealed = bytearray(BOTH.seal("canary", PLACE))
    assert len(sealed) == 5 + 12 + 6 + 16
    sealed[at] ^= 1
    with pytest.raises(SealError):
        BOTH.open(bytes(sealed), PLACE)


@pytest.mark.parametrize("junk", [b"", b"\x01", b"Slept better.", b"\x02" + b"0" * 60])
def test_what_was_never_sealed_is_refused_not_passed_on(junk: bytes) -> None:
    with pytest.raises(SealError, match="not a sealed value"):
        BOTH.open(junk, PLACE)


def test_a_newer_key_seals_while_the_older_still_opens() -> None:
    before = Keyring({1: OLD}, 1).seal("canary", PLACE)
    assert (key_id_of(before), key_id_of(BOTH.seal("canary", PLACE))) == (1, 2)
    assert BOTH.open(before, PLACE) == "canary"


def test_a_key_that_is_not_there_is_named_by_its_id() -> None:
    with pytest.raises(SealError, match="key 1, which is not here"):
        Keyring({2: NEW}, 2).open(Keyring({1: OLD}, 1).seal("canary", PLACE), PLACE)


def test_another_key_under_the_same_id_does_not_open() -> None:
    with pytest.raises(SealError, match="another key"):
        Keyring({1: NEW}, 1).open(Keyring({1: OLD}, 1).seal("canary", PLACE), PLACE)


def test_a_master_key_is_known_by_itself_so_that_a_wrong_one_is_told_from_damage() -> None:
    sealed = master_keyring((OLD,)).seal("canary", PLACE)
    assert master_keyring((NEW, OLD)).open(sealed, PLACE) == "canary"
    with pytest.raises(SealError, match="which is not here"):
        master_keyring((NEW,)).open(sealed, PLACE)


def test_a_digest_is_one_of_its_key_its_place_and_its_text() -> None:
    one = BOTH.digest("canary", PLACE)
    assert one == BOTH.digest("canary", PLACE) == Keyring({1: OLD}, 1).digest("canary", PLACE)
    assert one != BOTH.digest("canarz", PLACE)
    assert one != BOTH.digest("canary", ELSEWHERE)
    assert one != Keyring({1: NEW}, 1).digest("canary", PLACE)


@pytest.mark.parametrize("keys", [{}, {1: b"short"}, {2: OLD}])
def test_a_keyring_without_its_current_key_or_with_a_short_one_is_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring(keys, 1)


def test_a_keyring_shows_no_key() -> None:
    assert repr(BOTH) == "Keyring(ids=[1, 2], current=2)"
