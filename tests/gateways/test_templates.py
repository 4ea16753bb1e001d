"""The closed list of texts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from string import Formatter
from uuid import UUID

import pytest

from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import ITEMS
from server.gateways.templates import FALLBACK, LANGUAGES, PATHS, Template, UnknownTemplate, render, texts

BASE = "https://journal.example"
SOME_ID = UUID(int=7)
BUNDLES = {"patients_need_review", "emergencies_need_review", "alerts_unanswered"}

# What would tell a stranger who looks at a screen what somebody is treated for, how, or how they are.
FORBIDDEN = {
    "en": "ketamin spravato depress suicid self-harm pain mood anxi relaps psych mental score phq symptom"
    " drug dose medic treatment diagnos session infusion sleep therap",
    "de": "ketamin spravato depress suizid selbstverletz schmerz stimmung angst rückfall psych mental"
    " punktzahl phq symptom medikament dosis behandlung diagnos sitzung infusion schlaf therap",
    "es": "ketamin spravato depresi suicid autoles dolor ánimo ansiedad recaíd psic psiq mental puntuaci phq"
    " síntoma fármaco dosis medica tratamiento diagn infusión sueño terap",
    "fr": "kétamin ketamin spravato dépress suicid douleur humeur anxi rechut psych mental score phq symptôm"
    " médicament dose traitement diagnos séance perfusion sommeil thérap",
    "nb": "ketamin spravato depress selvmord selvskad smerte humør angst tilbakefall psyk mental skår phq"
    " symptom legemid dose medisin diagnos infusjon søvn terapi",
}


def every_text() -> Iterator[tuple[str, str, Template]]:
    """Yield language, name and words of everything on the list."""
    for language in LANGUAGES:
        for name, template in texts(language).items():
            yield language, name, template


def variables(text: str) -> set[str]:
    """Return what ``text`` has room for."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_notice_names_nobody_and_links_to_the_alert() -> None:
    notice = render("patient_needs_review", "en", BASE, SOME_ID)
    assert (notice.subject, notice.link) == ("A patient needs review", f"{BASE}/v1/alerts/{SOME_ID}")
    assert notice.link in notice.text
    assert notice.link not in notice.short


def test_a_text_outside_the_list_is_refused() -> None:
    with pytest.raises(UnknownTemplate):
        render("anything", "en", BASE, SOME_ID)


def test_a_bundle_says_how_many() -> None:
    bundle = render("patients_need_review", "de", BASE, SOME_ID, 12)
    assert all("12 Patient" in words for words in (bundle.subject, bundle.text, bundle.short))
    assert bundle.link == f"{BASE}/v1/alerts"


@pytest.mark.parametrize("language", ["xx", "", "../../secret", "nn"])
def test_who_speaks_another_language_is_told_in_english(language: str) -> None:
    assert render("probe", language, BASE, SOME_ID) == render("probe", FALLBACK, BASE, SOME_ID)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_in_every_language(language: str) -> None:
    assert texts(language).keys() == PATHS.keys()


def test_no_language_is_a_copy_of_english() -> None:
    same = [(language, name) for language, name, words in every_text() if words == texts("en")[name]]
    assert {language for language, _ in same} == {"en"}


def test_the_only_variables_are_a_link_the_number_of_patients_and_one_code() -> None:
    for language, name, words in every_text():
        count = {"count"} if name in BUNDLES else set()
        if name == "number_code":
            assert variables(words.short) == {"code"}, language
            words = replace(words, short="")
        found = [variables(part) for part in (words.subject, words.short, words.text)]
        assert found == [count, count, count | {"link"}], (language, name)
    assert all(variables(path) <= {"id"} for path in PATHS.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_has_a_word_of_health_data(language: str) -> None:
    words = " ".join(f"{t.subject} {t.text} {t.short}" for t in texts(language).values()).casefold()
    assert [stem for stem in FORBIDDEN[language].split() if stem in words] == []


def test_no_english_text_names_an_item_or_a_side_effect() -> None:
    words = {
        word
        for t in texts("en").values()
        for word in re.findall(r"[a-z]+", f"{t.subject} {t.text} {t.short}".lower())
    }
    clinical = {word for key in (*ITEMS, *SIDE_EFFECTS) for word in key.split("_")}
    assert not words & {word for word in clinical if len(word) > 3}


def test_subject_and_short_form_are_one_line_each() -> None:
    for language, name, words in every_text():
        assert not re.search(r"[\r\n]|https?:", words.subject + words.short), (language, name)


@pytest.mark.parametrize(
    ("language", "number"), [("en", "emergency"), ("de", "Notruf"), ("es", "emergencias"), ("fr", "urgence")]
)
def test_a_patient_is_always_told_that_nobody_reads_along(language: str, number: str) -> None:
    reminder = render("reminder", language, BASE, SOME_ID)
    assert number in reminder.text
    assert reminder.link == f"{BASE}/v1/me/today"


def test_what_cannot_wait_says_so_in_the_first_word() -> None:
    loud = {"en": "URGENT", "de": "DRINGEND", "es": "URGENTE", "fr": "URGENT", "nb": "HASTER"}
    for language, name, words in every_text():
        is_loud = [part.startswith(loud[language]) for part in (words.subject, words.short)]
        assert is_loud == [name.startswith("emergenc")] * 2, (language, name)
