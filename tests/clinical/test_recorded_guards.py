"""The guards that rest on what Bo recorded: one of them a code, both sides of every limit."""

from datetime import timedelta

import pytest

from server.clinical.facts import Facts, Known, Pressure, Screen
from server.clinical.guards import GUARDS, BlockCode
from server.clinical.policy import DEFAULT_POLICY
from server.clinical.recorded_guards import pressure_at_once
from server.clinical.vocabulary import PrecautionCode
from tests.clinical.diaries import day

TODAY = day(100)
C, P = BlockCode, PrecautionCode
GUARD_OF = {
    P.PSYCHOTIC_DISORDER: C.PSYCHOSIS,
    P.BLOOD_PRESSURE: C.BP,
    P.VASCULAR: C.VASC,
    P.HYPERSENSITIVITY: C.ALLERGY,
    P.PREGNANCY: C.PREG,
    P.UROLOGICAL: C.URO,
    P.MISUSE: C.MISUSE,
    P.LIVER: C.LIVER,
    P.COGNITION: C.COG,
    P.INTERACTION: C.INTERACT,
    P.CONSENT_EXPIRED: C.CONSENT,
    P.NOT_ENROLLED: C.CONSENT,
}


def told(code: BlockCode, **facts: object) -> str | None:
    return GUARDS[code](Facts(plan=None, **facts), DEFAULT_POLICY, TODAY)  # type: ignore[arg-type]


def holding(**facts: object) -> set[BlockCode]:
    nothing = {C.PLAN, C.DATA}
    return {code for code in BlockCode if told(code, **facts)} - nothing


@pytest.mark.parametrize("code", [*PrecautionCode])
def test_every_precaution_speaks_for_one_guard_and_for_no_other(code: PrecautionCode) -> None:
    known = Known(code, day(90))
    assert holding(precautions=[known]) == {GUARD_OF[code]}
    assert told(GUARD_OF[code], precautions=[known]) == (
        f"{code.value.replace('_', ' ')} recorded, since {day(90)}"
    )


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [(100, None, True), (101, None, False), (0, 100, True), (0, 99, False), (100, 100, True)],
)
def test_a_precaution_holds_from_its_first_day_to_its_last(
    since: int, until: int | None, holds: bool
) -> None:
    known = Known(P.VASCULAR, day(since), None if until is None else day(until))
    assert (told(C.VASC, precautions=[known]) is not None) is holds


def test_of_several_the_one_that_is_known_longest_is_told() -> None:
    found = told(C.CONSENT, precautions=[Known(P.CONSENT_EXPIRED, day(80)), Known(P.NOT_ENROLLED, day(9))])
    assert found == f"not enrolled recorded, since {day(9)}"


@pytest.mark.parametrize(
    ("systolic", "diastolic", "said"),
    [
        (139, 89, None),
        (140, 89, "not controlled"),
        (139, 90, "not controlled"),
        (159, 99, "not controlled"),
        (160, 89, "too high for a session"),
        (139, 100, "too high for a session"),
        (179, 119, "too high for a session"),
        (180, 89, "needs care at once"),
        (139, 120, "needs care at once"),
    ],
)
def test_a_blood_pressure_speaks_from_the_highest_limit_that_it_reaches(
    systolic: int, diastolic: int, said: str | None
) -> None:
    found = told(C.BP, pressure=Pressure(systolic, diastolic, day(95)))
    assert found == (said and f"blood pressure {systolic}/{diastolic} on {day(95)}: {said}")


@pytest.mark.parametrize(("measured", "counts"), [(11, True), (10, False)])
def test_an_old_blood_pressure_says_nothing_any_more(measured: int, counts: bool) -> None:
    assert (told(C.BP, pressure=Pressure(170, 100, day(measured))) is not None) is counts


def test_uncontrolled_hypertension_is_heeded_also_where_the_newest_pressure_is_good() -> None:
    known = [Known(P.BLOOD_PRESSURE, day(90))]
    assert told(C.BP, pressure=Pressure(120, 80, TODAY), precautions=known) is not None


@pytest.mark.parametrize(("changed", "counts"), [(100, True), (73, True), (72, False), (101, False)])
def test_a_changed_opioid_speaks_against_a_visit_for_four_weeks(changed: int, counts: bool) -> None:
    found = told(C.INTERACT, opioid_changed=day(changed))
    assert found == (f"opioid changed on {day(changed)}" if counts else None)


@pytest.mark.parametrize(
    ("answered", "total", "counts"), [(100, 4, True), (100, 3, False), (73, 12, True), (72, 12, False)]
)
def test_a_positive_screen_for_alcohol_speaks_against_a_visit(
    answered: int, total: int, counts: bool
) -> None:
    found = told(C.MISUSE, audit_c=[Screen(day(answered), total)])
    assert found == (f"AUDIT-C {total} on {day(answered)}" if counts else None)
    found = told(C.MISUSE, audit_c=[Screen(day(answered), total, is_whole=False), Screen(day(answered), 0)])
    assert found == (f"AUDIT-C {total} or more on {day(answered)}" if counts else None)


@pytest.mark.parametrize(
    ("systolic", "diastolic", "days_old", "is_told"),
    [
        (180, 90, 0, True),
        (150, 120, 89, True),
        (180, 90, 90, False),  # it counts no more
        (179, 119, 0, False),
    ],
)
def test_one_that_needs_care_at_once_is_told_of_as_long_as_it_counts(
    systolic: int, diastolic: int, days_old: int, is_told: bool
) -> None:
    measured = Pressure(systolic, diastolic, TODAY - timedelta(days=days_old))
    found = pressure_at_once(measured, DEFAULT_POLICY, TODAY)
    said = f"blood pressure {systolic}/{diastolic} on {measured.day}: needs care at once"
    assert found == (said if is_told else None)
