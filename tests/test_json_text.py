"""What is stored as JSON comes back as it was, also what a quick writer refuses."""

from datetime import UTC, datetime

import pytest

from server.clinical.vocabulary import Role
from server.json_text import dumped, loaded


def test_what_goes_in_comes_out() -> None:
    said = {"mood": 7, "worry": 2.5, "note": "Søvn ⛅ \x07", "none": None, "list": [True, False, []], "": {}}
    assert loaded(dumped(said)) == said


def test_what_a_quick_writer_refuses_is_kept_as_it_was() -> None:
    # Not a power of two: that one a fraction would hold as well.
    huge, half = 2**70 + 1, "half of a character: \ud83d"
    assert loaded(dumped({"huge": huge, "half": half})) == {"huge": huge, "half": half}


def test_codes_are_texts_also_as_keys() -> None:
    assert loaded(dumped({Role.PATIENT: Role.CLINICIAN, 7: 1})) == {"patient": "clinician", "7": 1}


def test_a_moment_is_no_json_until_somebody_says_how_it_is_written() -> None:
    with pytest.raises(TypeError):
        dumped({"at": datetime(2026, 3, 2, tzinfo=UTC)})


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError):
        loaded("{")
