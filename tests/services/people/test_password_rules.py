"""What may be a password (800-63B): long, and not among the first that are tried."""

import pytest

from server.clinical.vocabulary import Role
from server.services.errors import Invalid
from server.services.people.password_rules import Chooser, check, chooser, common, is_easy

NAMES = ("seaside", "Seaside Clinic", "margaret.holloway@mail.example", "Margaret Holloway")
EASY = """
password1234567|P@ssw0rd!2024xx|passwordpassword|iloveyouiloveyou1|aaaaaaaaaaaaaaaa|123456789012345
098765432109876|qwertyuiopasdfgh|abcdefghijklmnop|abcabcabcabcabc|Summer2024Summer2024|sunshine dragon 99
trustno1trustno1|p a s s w o r d 1 2 3|afterglow-2026-04|seaside-clinic-2026|margaret.holloway1
HOLLOWAY holloway
ooooo ooooo ooooo|Ich liebe Dich 2024|000000000000000000
"""
GOOD = """
four words are fine|correct horse battery|9081726354463728|lilla tåget går snart|x7#kQ!9zP@4mW-vv
пароль из трёх слов|the clinic by the sea is open|🦊🦊🐙🐢🦉🐝🦋🐌🐞🦀🐡🐠🐳🐘🦏
"""


def listed(table: str) -> list[str]:
    return [one for line in table.strip().splitlines() for one in line.split("|")]


@pytest.mark.parametrize("password", listed(EASY))
def test_what_is_tried_first_is_refused_however_long(password: str) -> None:
    assert is_easy(password, NAMES)


@pytest.mark.parametrize("password", listed(GOOD))
def test_anything_else_that_is_long_is_taken_without_rules_about_its_characters(password: str) -> None:
    check(password, Chooser(NAMES, alone=True))
    check(password * 3, Chooser(NAMES, alone=True))


def test_a_password_alone_is_longer_than_one_beside_a_second_factor() -> None:
    with_factor = chooser(Role.CLINICIAN, NAMES, factor_required=True)
    check("vt8 mkqz", with_factor)
    with pytest.raises(Invalid):
        check("vt8 mkq", with_factor)
    for alone in (
        chooser(Role.CLINICIAN, NAMES, factor_required=False),
        chooser(Role.PATIENT, NAMES, factor_required=True),
        chooser(Role.INTEGRATION, NAMES, factor_required=True),
    ):
        check("vt8 mkqz wpl xj", alone)
        with pytest.raises(Invalid):
            check("vt8 mkqz wpl x", alone)


def test_the_list_holds_what_people_choose_in_every_language_of_ours() -> None:
    assert len(common()) > 1500
    assert {"password", "passwort", "contraseña", "motdepasse", "hemmelig"} <= common()
