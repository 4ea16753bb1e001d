"""What a patient is told of a filled scale: numbers and parts, never the name of a band."""

import dataclasses

import pytest

from server.clinical.instruments.catalog import EDITIONS, INSTRUMENTS, edition_of
from server.clinical.instruments.scoring import band
from server.clinical.instruments.told import Part, answered, headline, part_of, sentences
from server.clinical.vocabulary import Direction

PHQ9 = INSTRUMENTS["phq-9"]


def test_a_total_is_told_with_its_range_and_its_part() -> None:
    assert sentences(PHQ9, 8, False) == (
        "Patient Health Questionnaire, 9 items: 8 on a scale from 0 to 27, where lower is better.",
        "The scale is read in 5 parts; this total lies in part 2 (5 to 9).",
    )
    assert part_of(PHQ9, 8) == Part(2, 5, 5, 9)
    assert headline(PHQ9) == "Patient Health Questionnaire, 9 items, 0 to 27, where lower is better"


@pytest.mark.parametrize(
    ("key", "total", "said"),
    [
        ("who-5", 60, "WHO-5 Well-Being Index: 60 on a scale from 0 to 100, where higher is better."),
        ("nrs-11", 0, "The scale is read in 4 parts; this total lies in part 1 (0)."),
        (
            "peg",
            17 / 3,
            "PEG scale: pain intensity and interference: 5.7 on a scale from 0 to 10, where lower is",
        ),
    ],
)
def test_totals_are_said_as_people_say_them(key: str, total: float, said: str) -> None:
    assert said in " ".join(sentences(INSTRUMENTS[key], total, False))


def test_a_scale_that_is_neither_good_nor_bad_high_says_no_direction() -> None:
    neutral = dataclasses.replace(PHQ9, direction=Direction.NEUTRAL)
    assert sentences(neutral, 8, False)[0].endswith("8 on a scale from 0 to 27.")


def test_open_questions_are_said() -> None:
    worked_out, too_many = sentences(PHQ9, 9, True), sentences(PHQ9, None, False)
    assert worked_out[1] == "Some questions were left open; the total was worked out from the others."
    assert too_many == (
        "Patient Health Questionnaire, 9 items: filled, with too many questions left open for a total.",
    )
    assert answered(PHQ9, ["q1", "q2"]) == 7


def test_a_scale_without_a_total_was_filled_and_no_more_is_said() -> None:
    assert sentences(INSTRUMENTS["digibp"], None, False) == ("digiBP daily mood items: filled.",)


@pytest.mark.parametrize(("key", "total"), [("c-ssrs-screener", 3), ("audit-c", 12), ("bpi-sf-severity", 5)])
def test_a_rank_of_risk_and_substance_use_and_a_scale_without_bands_have_no_part(
    key: str, total: float
) -> None:
    assert part_of(INSTRUMENTS[key], total) is None
    assert len(sentences(INSTRUMENTS[key], total, False)) == 1


def test_no_sentence_has_the_name_of_a_band() -> None:
    for made in INSTRUMENTS.values():
        for total in (made.scoring.low, made.scoring.high):
            said = " ".join(sentences(made, total, True)).removeprefix(made.title)
            named = band(made, total)
            assert named is None or named.label.lower() not in said.lower(), made.key


def test_the_edition_that_was_answered_is_found_also_in_words_of_a_clinics_own() -> None:
    assert edition_of("phq-9", 1, "en") is EDITIONS["phq-9", 1, "en"]
    assert edition_of("who-5", 1, "nb") is EDITIONS["who-5", 1, "en"]
    with pytest.raises(LookupError):
        edition_of("who-5", 99, "nb")
