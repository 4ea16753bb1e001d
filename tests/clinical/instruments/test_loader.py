"""A data file that contradicts itself is refused whole, by file and field."""

import pytest

from server.clinical.instruments.instrument import InstrumentError
from server.clinical.instruments.loader import parse
from tests.clinical.instruments.files import DOMAINS, GOOD, SCORE_ONLY, TIERS


def refused(text: str) -> str:
    with pytest.raises(InstrumentError) as caught:
        parse("mini.2.en", text)
    assert caught.value.file == "mini.2.en"
    assert str(caught.value).startswith(f"mini.2.en: {caught.value.field}: ")
    return caught.value.field


@pytest.mark.parametrize("text", [GOOD, DOMAINS, TIERS, SCORE_ONLY], ids=["sum", "domains", "tiers", "score"])
def test_the_files_that_the_tests_spoil_are_good_before(text: str) -> None:
    assert parse("mini.2.en", text).name == "mini.2.en"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('key = "mini"', "key = ", "syntax"),
        ('key = "mini"', 'key = "other"', "key"),
        ('title = "Mini"', "", "title"),
        ('title = "Mini"', 'title = ""', "title"),
        ("version = 2", 'version = "2"', "version"),
        ("version = 2", "version = 2.5", "version"),
        ("version = 2", "version = true", "version"),
        ('content = "text"', 'content = "all"', "content"),
        ('content = "text"', 'content = "score"', "content"),
        ('direction = "high_bad"', 'direction = "neutral"', "direction"),
        ('direction = "high_bad"', "direction = 1", "direction"),
        ('instructions = "Please answer."', "", "instructions"),
        ('instructions = "Please answer."', 'colour = "red"', "colour"),
        ('class = "A"', 'class = "C"', "content"),
        ('notice = "Free."', 'notice = "Free."\nterms = "none"', "licence.terms"),
        ('total = "1234-5"', 'total = "LA6568-5"', "loinc.total"),
        ('total = "1234-5"', 'sum = "1234-5"', "loinc.sum"),
        ('1 = "Sometimes"', 'one = "Sometimes"', "options.often.one"),
        ('1 = "Sometimes"\n', "", None),
        ('1 = "Sometimes"', '5 = "Always"', "items.q1.options"),
        ('0 = "Never"', '3 = "Never"', "items.q1.options"),
        ('id = "q2"', 'id = "q1"', "items.q1.id"),
        ('id = "q2"', 'id = "Q 2"', "items.Q 2.id"),
        ('id = "q2"', 'id = "total"', "items.total.id"),
        ('id = "q2"', 'id = "q2"\nlow = 2', "items.q2.low"),
        ('id = "q2"', 'id = "q2"\nhigh = 3', "items.q2.options"),
        ('id = "q2"', 'id = "q2"\nrange = 3', "items.2.range"),
        ('id = "q2"', 'id = "q2"\nscored = 1', "items.2.scored"),
        ('id = "q2"', 'id = "q2"\nloinc = "x"', "items.q2.loinc"),
        ('id = "q2"', 'id = "q2"\nscored = false', "safety"),
        ('text = "Second"', "", "items.q2.text"),
        ('text = "Second"\noptions = "often"', 'text = "Second"\nlow = 0\nhigh = 2', "items.q2.text"),
        ('text = "Second"\noptions = "often"', 'text = "Second"', "items.2.low"),
        ('text = "Second"\noptions = "often"', 'text = "Second"\noptions = "rarely"', "items.2.options"),
        ('method = "sum"', 'method = "guess"', "scoring.method"),
        ('method = "sum"', 'method = "sum"\nfactor = 2', "scoring.high"),
        ('method = "sum"', 'method = "sum"\nfactor = 0', "scoring.factor"),
        ('method = "sum"', 'method = "mean"\nfactor = 2', "scoring.factor"),
        ('method = "sum"', 'method = "mean"', "scoring.high"),
        ('method = "sum"', 'method = "sum"\nwhole = false', "scoring.whole"),
        ('method = "sum"', 'method = "sum"\nallowed_missing = 2', "scoring.allowed_missing"),
        ('method = "sum"', 'method = "sum"\nallowed_missing = -1', "scoring.allowed_missing"),
        ('method = "sum"', 'method = "sum"\nallowed_missing = 1', "safety.mini_often"),
        ('method = "sum"', 'method = "sum"\nnever_impute = ["q3"]', "scoring.never_impute"),
        ('method = "sum"', 'method = "sum"\nnever_impute = ["q1", "q1"]', "scoring.never_impute"),
        ('method = "sum"', 'method = "sum"\nnever_impute = "q1"', "scoring.never_impute"),
        ('method = "sum"', 'method = "sum"\nalternatives = "q1"', "scoring.alternatives"),
        ('method = "sum"', 'method = "sum"\nalternatives = ["q1"]', "scoring.alternatives.1"),
        ('method = "sum"', 'method = "sum"\nalternatives = [[]]', "scoring.alternatives"),
        ('method = "sum"', 'method = "sum"\nalternatives = [["q1", "q2"]]', "scoring.alternatives"),
        ('method = "sum"', 'method = "sum"\nrounding = "up"', "scoring.rounding"),
        ('method = "sum"', 'method = "tier"', "tiers"),
        ('method = "sum"', 'method = "profile"', "subscores"),
        ('method = "sum"', 'method = "domain_max"', "subscores"),
        ('method = "sum"', 'method = "entered"', "items"),
        ("low = 0\nhigh = 4", "low = 0\nhigh = 5", "scoring.high"),
        ("low = 0\nhigh = 4", "low = nan\nhigh = 4", "scoring.low"),
        ("low = 0\nhigh = 4", "high = 4", "scoring.low"),
        ("low = 3\nhigh = 4", "low = 4\nhigh = 4", "bands.many"),
        ("low = 3\nhigh = 4", "low = 2\nhigh = 4", "bands.many"),
        ("low = 3\nhigh = 4", "low = 3\nhigh = 3", "bands"),
        ("low = 0\nhigh = 2", "low = 1\nhigh = 2", "bands"),
        ("low = 0\nhigh = 2", "low = 0\nhigh = -1", "bands.few"),
        ('key = "many"', 'key = "few"', "bands.few"),
        ('label = "Many"', 'label = "Many"\ncolor = "red"', "bands.2.color"),
        ("remission_at = 2", "remission_at = 5", "change.remission_at"),
        ("remission_at = 2", "response_points = 0", "change.response_points"),
        ("remission_at = 2", "reliable_points = 5", "change.reliable_points"),
        ("remission_at = 2", "response_percent = 101", "change.response_percent"),
        ("remission_at = 2", "recovered_at = 2", "change.recovered_at"),
        ("at_least = 2", "at_least = 3", "safety.mini_often"),
        ("at_least = 1", "at_least = 0", "safety.mini_sometimes"),
        ("at_least = 1", 'at_least = 1\nwhile_missing = "q7"', "safety"),
        ("at_least = 1", "at_least = 1\ncount = 2", "safety.2.count"),
        ("at_least = 2\nurgency", "at_least = 1\nurgency", "safety.mini_sometimes"),
        ("at_least = 2\nurgency", 'at_least = 1\nwhile_missing = "q1"\nurgency', None),
        ('at_least = 2\nurgency = "P1"', 'at_least = 2\nurgency = "P2"', "safety.mini_sometimes"),
        ('at_least = 1\nurgency = "P1"', 'at_least = 2\nurgency = "P0"', "safety.mini_sometimes"),
        ('code = "mini_sometimes"', 'code = "mini_often"', "safety.mini_often"),
        ("[change]", '[[skips]]\nitem = "q1"\nequals = 3\nitems = ["q2"]\n[change]', "skips"),
        ("[change]", '[[skips]]\nitem = "q1"\nequals = 0\nitems = ["q9"]\n[change]', "skips"),
        ("[change]", '[[skips]]\nitem = "q1"\nequals = 0\nitems = ["q2"]\nor = 1\n[change]', "skips.1.or"),
        ("[change]", '[[tiers]]\nvalue = 1\nitems = ["q1"]\n[change]', "tiers"),
        ("[change]", '[[subscores]]\nid = "a"\nitems = []\nfold = "sum"\n[change]', "subscores.a"),
        (
            "[change]",
            '[[subscores]]\nid = "a"\nitems = ["q1"]\nfold = "sum"\n' * 2 + "[change]",
            "subscores.a",
        ),
        ("[licence]", 'repeat = "q1"\n[licence]', "repeat"),
        ("[licence]", 'tiers = "q1"\n[licence]', "tiers"),
        ("[licence]", "tiers = [1]\n[licence]", "tiers.1"),
    ],
)
def test_a_bad_file_is_refused_by_file_and_field(old: str, new: str, field: str | None) -> None:
    """None: the variant is allowed (only the ends have words; a missing answer lifts the first rule)."""
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if field is None:
        assert parse("mini.2.en", text)
    else:
        assert refused(text) == field


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('items = ["q1", "q2"]', 'items = ["q1"]', "subscores"),
        ('fold = "max"', 'fold = "sum"', "subscores"),
        ('method = "domain_max"', 'method = "domain_max"\nallowed_missing = 1', "scoring.allowed_missing"),
        ('method = "domain_max"', 'method = "domain_max"\nalternatives = [["q1", "q2"]]', None),
        ('method = "domain_max"', 'method = "profile"', "scoring.whole"),
        ('method = "domain_max"', 'method = "profile"\nwhole = false', None),
        ('fold = "max"', 'fold = "max"\nweight = 2', "subscores.1.weight"),
    ],
)
def test_domains_hold_every_item_once(old: str, new: str, field: str | None) -> None:
    assert old in DOMAINS
    text = DOMAINS.replace(old, new, 1)
    assert (refused(text) if field else None) == field
    assert field or parse("mini.2.en", text)


def test_answers_stand_in_for_each_other_within_one_domain_only() -> None:
    apart = DOMAINS.replace("high = 2", "high = 4").replace('items = ["q1", "q2"]', 'items = ["q1"]')
    apart += '[[subscores]]\nid = "other"\nitems = ["q2"]\nfold = "max"\n'
    assert parse("mini.2.en", apart)
    crossed = apart.replace('"domain_max"', '"domain_max"\nalternatives = [["q1", "q2"]]')
    assert refused(crossed) == "scoring.alternatives"


def test_a_profile_has_no_bands() -> None:
    band = '[[bands]]\nkey = "all"\nlow = 0\nhigh = 2\nlabel = "All"\n'
    text = DOMAINS.replace('"domain_max"', '"profile"\nwhole = false') + band
    assert refused(text) == "bands"


def test_measured_bands_share_their_edge() -> None:
    text = GOOD.replace('"sum"', '"mean"\nwhole = false').replace("high = 4", "high = 2")
    text = text.replace("low = 3\n", "low = 1\n").replace(
        "low = 0\nhigh = 2\nlabel", "low = 0\nhigh = 1\nlabel"
    )
    assert parse("mini.2.en", text)
    assert refused(text.replace("low = 1\n", "low = 1.5\n")) == "bands.many"
    assert (
        refused(text.replace("low = 1\n", "low = 2\n").replace("high = 1\nlabel", "high = 2\nlabel"))
        == "bands.many"
    )


def test_a_skipped_item_must_be_able_to_count_as_0() -> None:
    text = GOOD.replace('0 = "Never"\n', "").replace("low = 0\nhigh = 4", "low = 2\nhigh = 4")
    text = text.replace("low = 0\nhigh = 2", "low = 2\nhigh = 2")
    text = text.replace("at_least = 1", 'at_least = 2\nwhile_missing = "q1"')
    text = text.replace("at_least = 2\nurgency", 'at_least = 2\nwhile_missing = "q1"\nurgency', 1)
    assert parse("mini.2.en", text)
    skip = '[[skips]]\nitem = "q1"\nequals = 1\nitems = ["q2"]\n[change]'
    assert refused(text.replace("[change]", skip)) == "skips"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("value = 2", "value = 2\nname = 3", "tiers.1.name"),
        ('items = ["q1"]', 'items = ["q3"]', "tiers.2"),
        ("value = 2", "value = 3", "scoring.high"),
    ],
)
def test_tiers_name_items_and_reach_the_top(old: str, new: str, field: str) -> None:
    assert old in TIERS
    assert refused(TIERS.replace(old, new, 1)) == field


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('recall = "today"', 'recall = "today"\ninstructions = "Ask."', "instructions"),
        ("[repeat]", '[[items]]\nid = "q3"\nlow = 0\nhigh = 2\ntext = "Words"\n[repeat]', "items.q3.text"),
        ("count = 2", "count = 2\nstep = 2", "repeat.step"),
        ("count = 2", "count = 0", "items"),
        ("low = 0\nhigh = 4", "low = 4\nhigh = 4", "scoring.high"),
        ('method = "sum"', 'method = "entered"', "items"),
    ],
)
def test_words_that_the_licence_forbids_are_refused(old: str, new: str, field: str) -> None:
    assert old in SCORE_ONLY
    assert refused(SCORE_ONLY.replace(old, new, 1)) == field


@pytest.mark.parametrize(
    ("old", "new", "name", "field"),
    [
        ('key = "mini"', 'key = "Mini scale"', "Mini scale.2.en", "key"),
        ("version = 2", "version = 0", "mini.0.en", "version"),
    ],
)
def test_keys_are_plain_and_versions_count_from_1(old: str, new: str, name: str, field: str) -> None:
    with pytest.raises(InstrumentError) as caught:
        parse(name, GOOD.replace(old, new))
    assert (caught.value.file, caught.value.field) == (name, field)


def test_an_entered_total_has_a_range_too() -> None:
    text = SCORE_ONLY.replace('"sum"', '"entered"').replace("[repeat]\ncount = 2\nlow = 0\nhigh = 2\n", "")
    assert parse("mini.2.en", text)
    assert refused(text.replace("high = 4", "high = 0")) == "scoring.low"


def test_percent_is_not_stated_of_a_total_that_starts_above_0() -> None:
    text = SCORE_ONLY.replace('"sum"', '"entered"').replace("[repeat]\ncount = 2\nlow = 0\nhigh = 2\n", "")
    text = text.replace("low = 0", "low = 1") + "[change]\nresponse_percent = 50\n"
    assert refused(text) == "change.response_percent"
