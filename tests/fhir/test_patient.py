"""A patient as FHIR, without a database: a name as people write it is a text that R4 takes."""

from uuid import UUID

import pytest

from server.fhir.patient import Person, patient
from tests.fhir.validators import Validators


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("山田\u3000花子", "山田 花子"),
        ("Ana\u00a0Maria", "Ana Maria"),
        ("Zoë\u202fO\ufeffD", "Zoë O D"),
        (" Ana  B. ", " Ana  B. "),
    ],
)
def test_a_name_with_any_blanks_is_fhir(name: str, shown: str, validators: Validators) -> None:
    made = patient(
        Person(id=UUID(int=7), clinic_id=UUID(int=8), version=1, name=name, birth_year=None, country="JP")
    )
    assert made["name"] == [{"text": shown}]
    assert validators.problems(made) == []
