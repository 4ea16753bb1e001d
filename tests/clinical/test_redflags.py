"""What Ana says in one entry, and what cannot wait."""

from collections.abc import Mapping
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.policy import DEFAULT_POLICY, policy_from
from server.clinical.redflags import Answers, Notice, RedFlag, check, emergency_from, families
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import AlertClass, AlertFamily, SafetyAnswer

P0, P1, P2 = AlertClass.P0, AlertClass.P1, AlertClass.P2


def flags(
    effects: Mapping[str, int] | None = None,
    safety: SafetyAnswer | None = None,
    hours: float | None = 3,
    craving: float | None = None,
) -> tuple[RedFlag, ...]:
    items = {} if craving is None else {"craving": craving}
    return check(Answers(safety, effects or {}, items, hours), DEFAULT_POLICY)


def seen(*args: object, **more: object) -> list[tuple[str, AlertClass, Notice]]:
    return [(f.code, f.urgency, f.notice) for f in flags(*args, **more)]  # type: ignore[arg-type]


def test_an_ordinary_day_raises_nothing() -> None:
    assert flags({"nausea": 1, "headache": 2, "dissociation": 2}, SafetyAnswer.NO, craving=3) == ()


def test_a_skipped_safety_question_raises_nothing_by_itself() -> None:
    assert flags() == ()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (SafetyAnswer.PLAN, ("safety_plan", P0, Notice.EMERGENCY)),
        (SafetyAnswer.OFTEN, ("safety_often", P1, Notice.CRISIS_LINES)),
        (SafetyAnswer.PASSING, ("safety_passing", P1, Notice.CRISIS_LINES)),
    ],
)
def test_a_safety_answer_reaches_a_person_and_shows_help(
    answer: SafetyAnswer, expected: tuple[str, AlertClass, Notice]
) -> None:
    assert seen(safety=answer) == [expected]
    assert flags(safety=answer)[0].family is AlertFamily.SAFETY


@pytest.mark.parametrize(
    "term",
    [
        *("breathing_trouble", "chest_pain", "fainting", "seizure"),
        *("stroke_signs", "unrousable", "thunderclap_headache"),
    ],
)
def test_an_emergency_sign_counts_at_its_mildest(term: str) -> None:
    assert seen({term: 1}) == [(term, P0, Notice.EMERGENCY)]
    assert seen({term: 4}) == [(term, P0, Notice.EMERGENCY)]


@pytest.mark.parametrize(
    "term", ["fall", "blood_in_urine", "psychosis", "mania", "jaundice", "non_prescribed_use"]
)
def test_an_urgent_sign_counts_at_its_mildest(term: str) -> None:
    assert seen({term: 1}) == [(term, P1, Notice.CALL_CLINIC)]


@pytest.mark.parametrize("term", ["dissociation", "hallucination", "confusion", "vomiting"])
@pytest.mark.parametrize(("hours", "late"), [(24, False), (24.5, True), (None, True)])
def test_an_acute_effect_counts_once_it_should_be_gone(term: str, hours: float | None, late: bool) -> None:
    assert seen({term: 1}, hours=hours) == ([(term, P1, Notice.CALL_CLINIC)] if late else [])


def test_high_spirits_count_two_days_after_the_session() -> None:
    assert seen({"euphoria": 1}, hours=48) == []
    assert seen({"euphoria": 1}, hours=49) == [("euphoria", P1, Notice.CALL_CLINIC)]


def test_a_severe_effect_is_urgent_and_a_very_severe_one_is_an_emergency() -> None:
    assert seen({"headache": 3}) == [("headache", P1, Notice.CALL_CLINIC)]
    assert seen({"headache": 4}) == [("headache", P0, Notice.EMERGENCY)]


@pytest.mark.parametrize("grade", [0, 1, 2, 3, 4])
def test_the_patient_sees_what_the_class_says(grade: int) -> None:
    shown = {P0: Notice.EMERGENCY, P1: Notice.CALL_CLINIC, P2: Notice.CALL_CLINIC}
    for term, hours in product(SIDE_EFFECTS, (1, 100, None)):
        found = flags({term: grade}, hours=hours)
        assert [(f.code, f.notice) for f in found] == [(term, shown[f.urgency]) for f in found], hours
        if grade == 4:
            assert [f.urgency for f in found] == [P0], (term, hours)
        if grade == 0:
            assert found == (), (term, hours)


def test_severe_confusion_is_an_emergency() -> None:
    assert seen({"confusion": 3}) == [("confusion", P0, Notice.EMERGENCY)]


def test_severe_nausea_can_wait_for_the_next_business_day_but_the_worst_cannot() -> None:
    assert seen({"nausea": 3}) == [("nausea", P2, Notice.CALL_CLINIC)]
    assert seen({"nausea": 4}) == [("nausea", P0, Notice.EMERGENCY)]


@pytest.mark.parametrize(
    "term",
    ["painful_urination", "urinary_frequency", "urinary_urgency", "pelvic_pain", "incontinence"],
)
def test_urinary_trouble_is_noted_early(term: str) -> None:
    assert seen({term: 1}) == [(term, P2, Notice.CALL_CLINIC)]
    assert seen({term: 3}) == [(term, P1, Notice.CALL_CLINIC)]


def test_blurred_vision_and_belly_pain_are_noted() -> None:
    assert seen({"blurred_vision": 1}, hours=30) == [("blurred_vision", P2, Notice.CALL_CLINIC)]
    assert seen({"blurred_vision": 1}, hours=2) == []
    assert seen({"abdominal_pain": 2}) == [("abdominal_pain", P2, Notice.CALL_CLINIC)]
    assert seen({"abdominal_pain": 1}) == []


def test_strong_craving_is_urgent() -> None:
    assert seen(craving=7) == [("craving", P1, Notice.CALL_CLINIC)]
    assert seen(craving=6) == []


def test_a_clinic_can_be_stricter() -> None:
    strict = policy_from(2, {"redflag.craving": 5})
    assert check(Answers(None, {}, {"craving": 5}, None), strict)[0].code == "craving"


def test_the_most_urgent_comes_first_and_safety_before_the_rest() -> None:
    found = flags({"urinary_urgency": 1, "fall": 1, "chest_pain": 1}, SafetyAnswer.PLAN, craving=9)
    assert [f.code for f in found] == ["safety_plan", "chest_pain", "craving", "fall", "urinary_urgency"]


EFFECTS = st.dictionaries(st.sampled_from(sorted(SIDE_EFFECTS)), st.integers(0, 4))
HOURS = st.none() | st.floats(0, 200)
SAFETY = st.none() | st.sampled_from(SafetyAnswer)


@given(EFFECTS, SAFETY, HOURS, st.floats(0, 10))
def test_one_flag_a_finding_in_order_of_urgency_each_with_something_to_see(
    effects: dict[str, int], safety: SafetyAnswer | None, hours: float | None, craving: float
) -> None:
    found = flags(effects, safety, hours, craving)
    assert len({f.code for f in found}) == len(found)
    assert [f.urgency for f in found] == sorted(f.urgency for f in found)
    assert all(f.notice is not Notice.NONE for f in found)


@given(EFFECTS, SAFETY, HOURS, st.sampled_from(sorted(SIDE_EFFECTS)))
def test_feeling_worse_never_lowers_a_flag(
    effects: dict[str, int], safety: SafetyAnswer | None, hours: float | None, term: str
) -> None:
    worse = {**effects, term: min(4, effects.get(term, 0) + 1)}
    before = {f.code: f.urgency for f in flags(effects, safety, hours)}
    after = {f.code: f.urgency for f in flags(worse, safety, hours)}
    assert all(after[code] <= urgency for code, urgency in before.items())


@pytest.mark.parametrize("term", SIDE_EFFECTS)
def test_an_app_without_network_knows_from_which_grade_on_it_is_an_emergency(term: str) -> None:
    def shown(grade: int) -> set[Notice]:
        said = Answers(safety=None, side_effects={term: grade}, items={}, hours_since_session=1.0)
        return {flag.notice for flag in check(said, DEFAULT_POLICY)}

    first = emergency_from(term, DEFAULT_POLICY)
    assert [Notice.EMERGENCY in shown(grade) for grade in range(1, 5)] == [g >= first for g in range(1, 5)]


@pytest.mark.parametrize(
    ("grade", "hours", "expected"),
    [
        (1, 1.0, set()),
        (1, 49.0, {AlertFamily.ACTIVATION}),
        (3, 1.0, {AlertFamily.ACTIVATION, AlertFamily.SIDE_EFFECT}),
        (3, 49.0, {AlertFamily.ACTIVATION, AlertFamily.SIDE_EFFECT}),
    ],
)
def test_severe_high_spirits_hold_as_a_side_effect_and_as_activation_whenever_they_are_felt(
    grade: int, hours: float, expected: set[AlertFamily]
) -> None:
    assert families(Answers(None, {"euphoria": grade}, {}, hours), DEFAULT_POLICY) == expected


@pytest.mark.parametrize("grade", [1, 3, 4])
def test_racing_and_driven_is_activation_alone_however_severe(grade: int) -> None:
    assert families(Answers(None, {"mania": grade}, {}, 1.0), DEFAULT_POLICY) == {AlertFamily.ACTIVATION}
