"""What patients report as FHIR, without a database: ids that are read back, every code, every scale."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clinical.instruments.catalog import EDITIONS, INSTRUMENTS
from server.clinical.instruments.instrument import Instrument, Method
from server.clinical.instruments.scoring import score, score_total
from server.clinical.side_effect_terms import SIDE_EFFECTS
from server.clinical.vocabulary import (
    ITEMS,
    Circumstance,
    EnteredBy,
    SafetyAnswer,
    Source,
)
from server.fhir import ids, observation, provenance, questionnaire_response
from server.fhir.ids import Kind, Place
from server.fhir.numbers import FIRST_ITEM, ITEM_NUMBERS, SCORES, SIDE_EFFECT_NUMBERS
from server.fhir.reported import Entry, Filled, Reported, felt
from tests.fhir.definitions import Resource
from tests.fhir.validators import Validators

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANA, ONE = UUID(int=7), UUID(int=8)
FULL = Entry(
    patient_id=ANA,
    id=ONE,
    version=1,
    occurred_at=NOON,
    zone="Asia/Kathmandu",
    clock_suspect=False,
    recorded_at=NOON,
    received_at=NOON + timedelta(seconds=2),
    source=Source.APP,
    deleted_at=None,
    entered_by=EnteredBy.PATIENT,
    items=dict.fromkeys(ITEMS, 4.5),
    side_effects=dict.fromkeys(SIDE_EFFECTS, 1),
    side_effect_onset=dict.fromkeys(SIDE_EFFECTS, NOON.isoformat()),
    safety=SafetyAnswer.NO,
    medication={"adherence": "no", "rescue_doses": 2, "opioid_changed": True},
    circumstances=list(Circumstance),
)


def resources(said: Reported) -> list[Resource]:
    """Return everything that is made of ``said``."""
    if isinstance(said, Entry):
        form, numbers = questionnaire_response.of_entry(said), list(observation.of_entry(said))
    else:
        assert isinstance(said, Filled)
        form, numbers = questionnaire_response.of_filled(said), list(observation.of_filled(said))
    return [form, *numbers, provenance.of(said, numbers)]


@given(
    st.sampled_from(Kind),
    st.uuids(),
    st.uuids(),
    st.integers(0, 9999),
)
def test_an_id_is_read_back_as_it_was_written(kind: Kind, patient: UUID, source: UUID, number: int) -> None:
    place = Place(kind, patient, source, number)
    text = ids.written(place)
    assert ids.read(text) == place
    assert len(text) <= 64
    assert set(text) <= {*"0123456789.-", *"abcdefghijklmnopqrstuvwxyz", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


@given(st.text())
def test_no_other_text_is_an_id(text: str) -> None:
    found = ids.read(text)
    assert found is None or ids.written(found) == text


@pytest.mark.parametrize(
    "text", ["e" + "z" * 43, "x" + "0" * 43, "e" + "0" * 42, f"e{'0' * 43}.0", "e" * 44 + "."]
)
def test_what_only_looks_like_an_id_is_none(text: str) -> None:
    assert ids.read(text) is None


def test_every_number_of_an_entry_has_its_own_place_for_ever() -> None:
    assert ITEM_NUMBERS.keys() == ITEMS.keys(), "give a new item the next number"
    assert SIDE_EFFECT_NUMBERS.keys() == SIDE_EFFECTS.keys(), "give a new term the next number"
    numbers = [*ITEM_NUMBERS.values(), *SIDE_EFFECT_NUMBERS.values()]
    assert len(set(numbers)) == len(numbers)
    # Ids stand in other systems: a number that changes makes a patient's pain her mood.
    assert (ITEM_NUMBERS["mood"], ITEM_NUMBERS["craving"], SIDE_EFFECT_NUMBERS["jaundice"]) == (1, 17, 138)
    assert (SCORES, FIRST_ITEM) == (1, 101)


@pytest.mark.parametrize("changes", [{}, {"version": 3}, {"entered_by": EnteredBy.CAREGIVER}])
def test_an_entry_with_every_answer_is_fhir(validators: Validators, changes: dict[str, Any]) -> None:
    said = replace(FULL, **changes)
    found = resources(said)
    assert len(found) == 2 + len(ITEMS) + len(SIDE_EFFECTS)
    assert {str(one) for made in found for one in validators.problems(made)} == set()


@pytest.mark.parametrize("source", Source)
def test_whatever_an_entry_came_with_is_fhir(validators: Validators, source: Source) -> None:
    made = provenance.of(replace(FULL, source=source, recorded_at=None), [])
    assert validators.problems(made) == []


def test_an_empty_entry_exports_no_number(validators: Validators) -> None:
    empty = replace(FULL, items={}, side_effects={}, safety=None, medication={}, circumstances=())
    found = resources(empty)
    assert [one["resourceType"] for one in found] == ["QuestionnaireResponse", "Provenance"]
    assert [fault for one in found for fault in validators.problems(one)] == []


def test_a_moment_of_a_clock_that_was_off_says_so_wherever_it_stands(validators: Validators) -> None:
    mark = {"url": "urn:afterglow:clock-suspect", "valueBoolean": True}
    moments = {
        "QuestionnaireResponse": "_authored",
        "Observation": "_effectiveDateTime",
        "Provenance": "_occurredDateTime",
    }
    for said in (FULL, filled(INSTRUMENTS["phq-9"])):
        for one in resources(replace(said, clock_suspect=True)):
            assert mark in one[moments[one["resourceType"]]]["extension"]
            assert validators.problems(one) == []
        assert mark["url"] not in str(resources(said))


def test_an_offset_that_fhir_can_not_write_is_told_in_utc() -> None:
    monrovia = replace(FULL, zone="Africa/Monrovia", occurred_at=datetime(1971, 6, 1, 12, tzinfo=UTC))
    assert felt(monrovia) == "1971-06-01T12:00:00+00:00"
    assert felt(FULL) == "2026-03-02T17:45:00+05:45"


def filled(made: Instrument) -> Filled:
    """Return ``made`` filled: the highest answer everywhere, or only a total where it takes no answers."""
    entered = made.scoring.method is Method.ENTERED
    answers = {} if entered else {item.id: item.high for item in made.items}
    found = score_total(made, made.scoring.high) if entered else score(made, answers)
    return Filled(
        patient_id=ANA,
        id=ONE,
        version=2,
        occurred_at=NOON,
        zone="Europe/Oslo",
        clock_suspect=False,
        recorded_at=None,
        received_at=NOON,
        source=Source.APP,
        deleted_at=None,
        instrument=made.key,
        instrument_version=made.version,
        locale=made.locale,
        sensitivity=made.sensitivity,
        answers=answers,
        total=found.total,
        subscores=found.subscores,
        prorated=False,
    )


def test_every_scale_is_fhir_with_the_codes_its_file_names(validators: Validators) -> None:
    for made in EDITIONS.values():
        found = resources(filled(made))
        faults = {str(fault) for one in found for fault in validators.problems(one)}
        assert faults == set(), made.name
        codes = {c["code"] for one in found if "code" in one for c in one["code"]["coding"]}
        urgent = {item.loinc for item in made.items if item.id in made.safety_from and item.loinc}
        total = {made.loinc.total} - {None} if made.scoring.method is not Method.PROFILE else set()
        assert urgent | total <= codes, made.name
        assert made.loinc.panel not in codes, "a panel's code is no code of a score"


def test_a_scale_with_too_much_missing_has_answers_and_no_score(validators: Validators) -> None:
    whole = filled(INSTRUMENTS["phq-9"])
    partly = replace(whole, answers={"q1": 2, "q9": None}, total=None)
    found = resources(partly)
    assert [one["resourceType"] for one in found] == ["QuestionnaireResponse", "Provenance"]
    assert found[0]["item"] == [{"linkId": "q1", "answer": [{"valueInteger": 2}]}]
    prorated = resources(replace(whole, prorated=True))[1]
    assert "method" in prorated
    assert validators.problems(prorated) == []


def test_what_was_taken_back_keeps_only_that_it_was_there(validators: Validators) -> None:
    later = NOON + timedelta(hours=1)
    gone = replace(
        filled(INSTRUMENTS["phq-9"]), deleted_at=later, answers={}, total=None, subscores={}, version=3
    )
    form, origin = resources(gone)
    assert (form["status"], form["meta"]["lastUpdated"]) == ("entered-in-error", "2026-03-02T13:00:00Z")
    assert origin["recorded"] == "2026-03-02T13:00:00Z"
    assert [*validators.problems(form), *validators.problems(origin)] == []
