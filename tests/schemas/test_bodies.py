"""What every request body refuses: unknown members, missing ones, and values out of bounds."""

from typing import Any

import pytest
from marshmallow import RAISE, ValidationError

import server.api  # noqa: F401 - loads every body that a route takes
from schemas.base import Answer, Body
from schemas.entry import EntryBody
from schemas.patient import PatientBody, PatientChanges


def all_below(kind: type) -> list[type[Any]]:
    return [found for below in kind.__subclasses__() for found in (below, *all_below(below))]


# Of a FHIR resource what is not needed is not looked at; its own tests say what it must hold.
BODIES = [body for body in all_below(Body) if not body.__module__.startswith("schemas.fhir.visit")]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_a_member_it_does_not_know_is_refused_by_name(body: type[Body]) -> None:
    with pytest.raises(ValidationError) as refused:
        body().load({**(body.EXAMPLE or {}), "surprise": 1})
    assert refused.value.messages_dict["surprise"] == ["Unknown field."]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_what_is_required_is_missed_by_name(body: type[Body]) -> None:
    schema = body()
    required = {name for name, field in schema.load_fields.items() if field.required}
    if required:
        with pytest.raises(ValidationError) as refused:
            schema.load({})
        assert required <= refused.value.messages_dict.keys()


def test_no_shape_takes_more_than_it_says() -> None:
    shapes = [*BODIES, *all_below(Answer)]
    assert [shape.__name__ for shape in shapes if shape().unknown != RAISE] == []


@pytest.mark.parametrize(
    "said", [{}, {"items": {}}, {"tags": ["walk"]}, {"medication": {}}, {"side_effects": {}, "note": ""}]
)
def test_an_entry_that_says_nothing_is_no_entry(said: dict[str, Any]) -> None:
    felt = {"occurred_at": "2026-05-02T20:15:00+02:00", "zone": "Europe/Oslo"}
    with pytest.raises(ValidationError, match="at least one thing"):
        EntryBody().load({**felt, **said})


@pytest.mark.parametrize(("year", "fits"), [(1899, False), (1900, True), (2200, True), (2201, False)])
def test_a_birth_year_stays_in_its_bounds(year: int, fits: bool) -> None:
    for body, rest in ((PatientBody, {"name": "Ana", "zone": "Europe/Oslo"}), (PatientChanges, {})):
        problems = body().validate({**rest, "birth_year": year})
        assert ("birth_year" not in problems) is fits
