"""What the page about privacy says of each purpose is what the rules do."""

import re

from server.clinical.consent import OPT_IN, STOP_WORDS
from server.clinical.substance_use import ITEMS, REDISCLOSURE, SCALES, SIDE_EFFECTS
from server.clinical.vocabulary import CareScope, Purpose
from server.services.people import erasure_plan
from tests.source import ROOT

PAGE = (ROOT / "docs" / "privacy.md").read_text("utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_the_table_of_purposes_says_what_holds_without_a_word() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (\w+) \|", PAGE, re.MULTILINE)
    assert rows == [(purpose.value, "refused" if purpose in OPT_IN else "holds") for purpose in Purpose]


def test_the_page_names_every_scope_of_a_caregiver_and_every_row_about_substance_use() -> None:
    for word in (*CareScope, *ITEMS, *SIDE_EFFECTS):
        assert f"`{word}`" in PAGE, word
    assert [scale for scale in SCALES if scale.upper() not in PAGE] == []
    assert f"> {REDISCLOSURE}" in PAGE


def test_the_page_says_of_every_table_with_rows_of_a_patient_whether_their_copy_holds_it() -> None:
    """Who answers a request for access by the copy alone would hand over half of what there is."""
    (table,) = re.findall(r"^\| what \| tables \|.+\n\|[-|]+\n((?:\|.+\n)+)", PAGE, re.MULTILINE)
    said = [name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[2])]
    assert sorted(said) == sorted([*(one.name for one in erasure_plan.tables()), "audit_events"])


def test_the_gateways_settings_pass_on_every_word_that_stops() -> None:
    services = re.findall(r"^group = sms-service\n((?:.+\n)+)", OPERATIONS, re.MULTILINE)
    settings = [dict(re.findall(r'^([\w-]+) = "?([^"\n]+)"?$', one, re.MULTILINE)) for one in services]
    words = [
        word for one in settings if "get-url" in one for word in (one["keyword"], *one["aliases"].split(";"))
    ]
    assert len(words) == len(set(words))
    assert set(words) == STOP_WORDS - {"arrêt"}, "a keyword there is plain ASCII"
