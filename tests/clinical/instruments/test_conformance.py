"""The table every scale is held to: its extremes, both sides of every band edge, known examples.

The numbers here are written down from the publications, apart from the data files, so that neither
can drift alone.
"""

import pytest

from server.clinical.instruments.catalog import INSTRUMENTS, instrument
from server.clinical.instruments.instrument import AnswersError, Method
from server.clinical.instruments.scoring import Score, score, score_total
from tests.clinical.instruments.answers import all_at, answers_for

SCALES = sorted(INSTRUMENTS)

# key: items, range of one item, range of the total, (lowest total of each band, its name)
WHOLE = {
    "phq-2": (2, (0, 3), (0, 6), ((0, "negative"), (3, "positive"))),
    "phq-8": (
        *(8, (0, 3), (0, 24)),
        ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately_severe"), (20, "severe")),
    ),
    "phq-9": (
        *(9, (0, 3), (0, 27)),
        ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "moderately_severe"), (20, "severe")),
    ),
    "gad-7": (7, (0, 3), (0, 21), ((0, "minimal"), (5, "mild"), (10, "moderate"), (15, "severe"))),
    "pcl-5": (20, (0, 4), (0, 80), ((0, "below_cut"), (31, "cut_range"), (33, "above_cut"))),
    "audit-c": (3, (0, 4), (0, 12), ((0, "below_cut"), (3, "cut_women"), (4, "cut_all"))),
    "nrs-11": (1, (0, 10), (0, 10), ((0, "none"), (1, "mild"), (4, "moderate"), (7, "severe"))),
    "who-5": (5, (0, 5), (0, 100), ((0, "very_low"), (29, "low"), (51, "usual"))),
    "c-ssrs-screener": (7, (0, 1), (0, 3), ((0, "none"), (1, "low"), (2, "moderate"), (3, "high"))),
    "asrm": (5, (0, 4), (0, 20), ((0, "below_cut"), (6, "positive"))),
    "qids-sr16": (
        *(16, (0, 3), (0, 27)),
        ((0, "none"), (6, "mild"), (11, "moderate"), (16, "severe"), (21, "very_severe")),
    ),
    "oci-r": (18, (0, 4), (0, 72), ((0, "below_cut"), (21, "positive"))),
    "isi": (7, (0, 4), (0, 28), ((0, "none"), (8, "subthreshold"), (15, "moderate"), (22, "severe"))),
    "y-bocs": (
        *(10, (0, 4), (0, 40)),
        ((0, "subclinical"), (8, "mild"), (16, "moderate"), (24, "severe"), (32, "extreme")),
    ),
    "madrs": (10, (0, 6), (0, 60), ((0, "none"), (7, "mild"), (20, "moderate"), (35, "severe"))),
    "cadss": (23, (0, 4), (0, 92), ((0, "usual"), (5, "raised"))),
    "cadss-6": (6, (0, 4), (0, 24), ()),
}
MEANS = {"peg": 3, "bpi-sf-severity": 4, "bpi-sf-interference": 7}


def expected(bands: tuple[tuple[int, str], ...], total: float) -> str | None:
    names = [name for low, name in bands if low <= total]
    return names[-1] if names else None


def named(made: Score) -> str | None:
    return made.band.key if made.band else None


def test_every_scale_that_is_shipped_stands_in_a_table() -> None:
    assert {*WHOLE, *MEANS, "digibp", "promis-pain-interference"} == set(SCALES)


@pytest.mark.parametrize("key", WHOLE)
def test_items_and_ranges_are_the_published_ones(key: str) -> None:
    made, (count, item_range, total_range, _) = instrument(key), WHOLE[key]
    assert len(made.scored_items) == count
    assert {(item.low, item.high) for item in made.scored_items} == {item_range}
    assert (made.scoring.low, made.scoring.high) == total_range


@pytest.mark.parametrize("key", WHOLE)
def test_every_total_that_can_be_reached_falls_into_its_published_band(key: str) -> None:
    """All of them, so both sides of every edge and both ends are among them."""
    made, (_, _, (low, high), bands) = instrument(key), WHOLE[key]
    for total in range(low, high + 1, made.scoring.factor):
        result = score(made, answers_for(made, total))
        assert (result.total, named(result), result.complete) == (total, expected(bands, total), True)
        assert named(score_total(made, total)) == expected(bands, total)


@pytest.mark.parametrize("key", WHOLE)
def test_the_lowest_and_the_highest_answers_make_the_ends_of_the_range(key: str) -> None:
    made, (_, (least, most), (low, high), _) = instrument(key), WHOLE[key]
    assert score(made, all_at(made, least)).total == low
    assert score(made, all_at(made, most)).total == high


@pytest.mark.parametrize("key", SCALES)
def test_a_total_outside_the_range_is_refused(key: str) -> None:
    made = instrument(key)
    for total in (made.scoring.low - 1, made.scoring.high + 1, float("nan"), float("inf"), True):
        with pytest.raises(AnswersError) as caught:
            score_total(made, total)
        assert caught.value.field == "total"


@pytest.mark.parametrize("key", MEANS)
def test_a_mean_scale_runs_from_0_to_10(key: str) -> None:
    made = instrument(key)
    assert len(made.scored_items) == MEANS[key]
    for value in range(11):
        assert score(made, all_at(made, value)).total == value


@pytest.mark.parametrize(
    ("answers", "total", "band"),
    [((6, 7, 5), 6, "below_high"), ((7, 7, 6), 20 / 3, "below_high"), ((7, 7, 7), 7, "high")],
)
def test_the_peg_is_the_mean_of_its_three_items(answers: tuple[int, ...], total: float, band: str) -> None:
    result = score(instrument("peg"), dict(zip(("q1", "q2", "q3"), answers, strict=True)))
    assert result.total == pytest.approx(total)
    assert named(result) == band


@pytest.mark.parametrize(
    ("total", "band"),
    [
        *((10, "usual"), (54.9, "usual"), (55, "mild"), (59.9, "mild")),
        *((60, "moderate"), (69.9, "moderate"), (70, "severe"), (90, "severe")),
    ],
)
def test_a_promis_t_score_is_entered_and_put_into_its_band(total: float, band: str) -> None:
    assert named(score_total(instrument("promis-pain-interference"), total)) == band


def test_a_promis_t_score_cannot_be_made_from_answers() -> None:
    with pytest.raises(AnswersError, match="entered total"):
        score(instrument("promis-pain-interference"), {})


def test_the_who_5_multiplies_by_four() -> None:
    answers: dict[str, int | None] = {"q1": 3, "q2": 2, "q3": 3, "q4": 2, "q5": 3}
    result = score(instrument("who-5"), answers)
    assert (result.total, named(result)) == (52, "usual")
    for total in (51, 52.5):
        with pytest.raises(AnswersError, match="multiple of 4"):
            score_total(instrument("who-5"), total)


def test_a_counted_total_is_a_whole_number() -> None:
    with pytest.raises(AnswersError, match="multiple of 1"):
        score_total(instrument("phq-9"), 9.5)


def test_the_qids_takes_the_highest_answer_of_sleep_appetite_and_movement() -> None:
    answers: dict[str, int | None] = {f"q{n}": 0 for n in range(1, 17)}
    answers |= {"q1": 1, "q2": 3, "q3": 2, "q5": 2, "q6": 1, "q8": 2, "q14": 1, "q15": 1, "q16": 3}
    result = score(instrument("qids-sr16"), answers)
    assert (result.total, named(result)) == (11, "moderate")
    parts = {name: value for name, value in result.subscores.items() if value}
    assert parts == {"sleep": 3, "sad_mood": 2, "appetite_weight": 2, "energy": 1, "psychomotor": 3}


def test_the_pcl_5_has_the_four_clusters_of_dsm_5() -> None:
    result = score(instrument("pcl-5"), {f"q{n}": 4 for n in range(1, 21)})
    assert dict(result.subscores) == {"intrusion": 20, "avoidance": 8, "cognition_mood": 28, "arousal": 24}


def test_the_digibp_has_a_depressed_and_an_activated_side_and_no_total() -> None:
    made = instrument("digibp")
    answers: dict[str, int | None] = {"depressed_mood": 2, "fatigue": 1, "fidgeting": 0}
    answers |= {"raised_energy": 3, "rapid_speech": 2, "irritability": 1}
    result = score(made, answers)
    assert (result.total, result.band, dict(result.subscores)) == (None, None, {"depression": 1, "mania": 2})
    with pytest.raises(AnswersError, match="has no total"):
        score_total(made, 1)


def test_the_columbia_triage_goes_by_the_gravest_answer() -> None:
    made = instrument("c-ssrs-screener")
    no: dict[str, int | None] = {item.id: 0 for item in made.items}
    tiers = {"q1": 1, "q2": 1, "q3": 2, "q6": 2, "q4": 3, "q5": 3, "q6_recent": 3}
    assert {name: score(made, no | {name: 1}).total for name in tiers} == tiers
    assert score(made, no).total == 0


@pytest.mark.parametrize("key", ["phq-9", "phq-8"])
def test_how_difficult_it_was_is_asked_but_not_counted(key: str) -> None:
    made = instrument(key)
    assert [item.id for item in made.items if not item.scored] == ["difficulty"]
    assert score(made, all_at(made, 1) | {"difficulty": 3}) == score(made, all_at(made, 1))


def test_the_lowest_option_of_the_gad_7_is_not_at_all() -> None:
    """A widespread variant says "Not at all sure", which is a known error of transcription."""
    assert {item.options[0].text for item in instrument("gad-7").items} == {"Not at all"}


def test_no_score_has_the_code_of_a_panel_and_no_code_is_used_for_two_things() -> None:
    codes = [
        (code, made.key)
        for made in INSTRUMENTS.values()
        for code in (made.loinc.panel, made.loinc.total)
        if code
    ]
    assert len({code for code, _ in codes}) == len(codes)
    assert instrument("gad-7").loinc.total == "70274-6"
    assert instrument("who-5").loinc.total is None


@pytest.mark.parametrize("key", SCALES)
def test_text_is_shipped_only_where_the_licence_allows_it(key: str) -> None:
    made = instrument(key)
    texts = {"phq-2", "phq-8", "phq-9", "gad-7", "pcl-5", "peg", "audit-c", "digibp", "nrs-11"}
    assert made.askable is (key in texts)
    assert (made.scoring.method is Method.ENTERED) is (not made.items)
    assert made.licence.notice
    assert made.source
