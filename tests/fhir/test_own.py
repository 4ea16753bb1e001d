"""What only a patient's own export says in FHIR, without a database: to the letter, and valid."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.clinical.vocabulary import Condition, Phase, Route, SessionStatus
from server.diary_import import fhir_form, fhir_parts
from server.fhir.own import forms, rest, treatment
from tests.fhir.definitions import Resource
from tests.fhir.test_reported import ANA, FULL
from tests.fhir.validators import Validators

# What an app may send: neither control characters (but ends of lines) nor half of a character.
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\t"), min_size=1)
COURSE = {
    "route": "intravenous",
    "condition": "depression",
    "phase": "induction",
    "started_on": "2026-02-01",
    "ended_on": None,
    "min_interval_days": 7,
    "max_interval_days": 7,
}
SCALE = {
    "instrument": "phq-9",
    "anchor": "session",
    "offsets": [-1, 0, 5],
    "every_days": None,
    "first_day": "2026-03-20",
    "open_days": 3,
}
PLAN: dict[str, Any] = {
    "reminders": False,
    "every_days": 2,
    "remind_at": "00:00",
    "quiet_from": "22:30",
    "quiet_until": "06:05",
    "pause": {"first": "2026-03-10", "last": "2026-03-12"},
    "scales": [SCALE, SCALE | {"every_days": 14, "offsets": [], "first_day": None}],
}


def form(note: str, *tags: str) -> Resource:
    return forms.of_entry(FULL, {"note": note, "tags": list(tags)})


@given(WORDS, st.lists(WORDS, max_size=3))
@example("Ça va\u00a0?\u2028\u0085\ufeff", [" ", "a  b", "\u3000"])
def test_what_was_written_comes_back_to_the_letter(note: str, tags: list[str]) -> None:
    said = fhir_form.entry_said(form(note, *tags))
    assert (said["note"], said["tags"]) == (note, tags)


@pytest.mark.parametrize("text", [" ", "\n", "Ça va\u00a0?", "\u2028", "\ufeff", "\u3000x", " both ", "👩‍⚕️"])
def test_whatever_was_written_is_fhir(text: str, validators: Validators) -> None:
    assert validators.problems(form(text, text)) == []


def test_a_note_with_a_blank_of_its_own_can_be_read_by_everybody() -> None:
    (answer,) = form("Ça va\u00a0?")["item"][-1]["answer"]
    assert answer["valueString"] == "Ça va ?"


@pytest.mark.parametrize("route", Route)
@pytest.mark.parametrize("status", [SessionStatus.PLANNED, SessionStatus.DELIVERED])
def test_a_session_is_fhir_and_comes_back(
    route: Route, status: SessionStatus, validators: Validators
) -> None:
    session = {
        "course": 1,
        "at": "2026-03-02T12:00:00.123456+00:00",
        "status": status.value,
        "route": route.value,
    }
    plan = treatment.care_plan(ANA, 1, COURSE)
    made = treatment.procedure(ANA, 0, session)
    assert validators.problems(made) == []
    assert fhir_parts.session_of(made, {plan["id"]: 1}) == session


def test_every_course_is_fhir_and_comes_back(validators: Validators) -> None:
    courses = [
        *(COURSE | {"condition": one.value} for one in Condition),
        *(COURSE | {"phase": one.value, "max_interval_days": 28} for one in Phase),
        COURSE | {"ended_on": "2026-02-01"},
    ]
    for course in courses:
        made = treatment.care_plan(ANA, 0, course)
        assert validators.problems(made) == []
        assert fhir_parts.course_of(made) == course


@pytest.mark.parametrize("changes", [{}, {"pause": None}, {"scales": []}, {"reminders": True}])
def test_a_check_in_plan_is_fhir_and_comes_back(changes: dict[str, Any], validators: Validators) -> None:
    made = rest.check_in_plan(ANA, PLAN | changes)
    assert validators.problems(made) == []
    assert fhir_parts.plan_of(made) == PLAN | changes


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Africa/Monrovia"])
def test_a_change_of_zone_and_the_end_of_the_file_are_fhir_and_come_back(
    zone: str, validators: Validators
) -> None:
    change = {"zone": zone, "since": "2026-03-02T12:00:00+00:00", "recorded_at": "2026-03-02T13:00:00Z"}
    moved, end = rest.zone_change(ANA, 0, change), rest.end(ANA, "2026-03-02T13:00:00+00:00", 7)
    assert [*validators.problems(moved), *validators.problems(end)] == []
    assert fhir_parts.zone_change_of(moved) == change
    assert fhir_parts.resources_of(end) == 7
