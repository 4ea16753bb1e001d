"""Fault 24: texts that break where somebody counts bytes or takes a letter for a code point.

What must be refused is sent everywhere by `tests/test_input_guard.py`; here is what must not be.
"""

import json
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from tests.cast import Cast, entry
from tests.conftest import Clock

TEXTS = {
    "a family joined by ZWJ": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "a flag and a skin tone": "\U0001f1f3\U0001f1f4 \U0001f44d\U0001f3fd",
    "marks that no single letter has": "x\u0323\u0302",
    "Arabic and Hebrew": "\u0627\u0644\u064a\u0648\u0645 \u05d4\u05d9\u05d5\u05dd",
    "Thai without blanks": "\u0e27\u0e31\u0e19\u0e19\u0e35\u0e49\u0e14\u0e35",
    "Chinese beyond the first plane": "\U00020bb7\u91ce\u5bb6",
    "quotes, semicolons and what SQL comments with": "'); -- \" \\ % _ {} $1 :name",
    "markup": "<script>alert(1)</script> &amp; {{ 7 * 7 }}",
    "lines": "first\nsecond\n\nfourth\ttab",
}


def note_of(cast: Cast, clock: Clock, note: str) -> Any:
    """Store ``note`` with an entry and return it as it is read again."""
    path = f"/entries/{uuid7()}"
    answer = cast.ana.put(path, entry(clock.now, note=note))
    assert answer.status_code == 201, answer.text
    return cast.ana.get(path).json["note"]


@pytest.mark.parametrize("name", TEXTS)
def test_what_people_write_comes_back_letter_by_letter(name: str, cast: Cast, clock: Clock) -> None:
    assert note_of(cast, clock, TEXTS[name]) == TEXTS[name]


def test_what_two_keyboards_write_differently_is_one_text(cast: Cast, clock: Clock) -> None:
    assert note_of(cast, clock, "cafe\u0301") == note_of(cast, clock, "caf\u00e9") == "caf\u00e9"


def test_a_text_of_wide_letters_may_be_as_long_as_any(cast: Cast, clock: Clock) -> None:
    """A limit counts letters, whatever they weigh; and one more is one too many on both databases."""
    limit = _longest(cast)
    assert note_of(cast, clock, "\U0001f642" * limit) == "\U0001f642" * limit
    answer = cast.ana.put(f"/entries/{uuid7()}", entry(clock.now, note="\U0001f642" * (limit + 1)))
    assert answer.status_code == 422


def test_a_mark_of_bytes_in_front_is_no_json(cast: Cast) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"items": []}).encode()
    headers = {"Authorization": f"Bearer {cast.ana.token}", "Content-Type": "application/json"}
    assert cast.ana.client.post("/v1/sync", data=body, headers=headers).status_code == 400


def _longest(cast: Cast) -> int:
    document = cast.ana.client.get("/v1/openapi.json").get_json()
    text, _null = document["components"]["schemas"]["EntryBody"]["properties"]["note"]["anyOf"]
    found: int = text["maxLength"]
    return found
