"""The closed list of texts."""

import re
from uuid import UUID

import pytest

from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import ITEMS
from server.gateways.templates import TEMPLATES, UnknownTemplate, render

SOME_ID = UUID(int=7)


def test_the_notice_names_nobody_and_links_to_the_alert() -> None:
    subject, text = render("patient_needs_review", "https://journal.example", SOME_ID)
    assert subject == "A patient needs review"
    assert f"https://journal.example/v1/alerts/{SOME_ID}" in text


def test_a_text_outside_the_list_is_refused() -> None:
    with pytest.raises(UnknownTemplate):
        render("anything", "https://journal.example", SOME_ID)


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_text_has_a_word_of_health_data_or_room_for_one(name: str) -> None:
    template = TEMPLATES[name]
    words = set(re.findall(r"[a-z]+", f"{template.subject} {template.text}".lower()))
    clinical = {word for key in (*ITEMS, *SIDE_EFFECTS) for word in key.split("_")}
    assert not words & {word for word in clinical if len(word) > 3}
    assert set(re.findall(r"{(\w*)}", template.subject + template.text)) <= {"link"}
    assert set(re.findall(r"{(\w*)}", template.path)) <= {"id"}
