"""Answers are dumped by a plan made from their fields: it writes what marshmallow would."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from marshmallow import Schema, fields

from schemas.base import Answer
from schemas.dumping import Dumped
from server.app import create_app
from server.settings import Settings
from tests.cast import Cast, entry
from tests.conftest import NOON


class Colour(StrEnum):
    RED = "red"


class Small(Answer):
    number = fields.Integer()


class Shouted(fields.String):
    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str:
        return f"{value} of {obj['id'] if isinstance(obj, dict) else obj.id}"


class Everything(Answer):
    id = fields.UUID()
    at = fields.AwareDateTime()
    day = fields.Date()
    text = fields.String()
    shouted = Shouted(attribute="said")
    own = Shouted()
    whole = fields.Integer()
    spelled = fields.Integer(as_string=True)
    share = fields.Float()
    is_so = fields.Boolean()
    shares = fields.Dict(keys=fields.String(), values=fields.Float())
    loose = fields.Dict()
    codes = fields.List(fields.String())
    nested = fields.Nested(Small)
    many = fields.List(fields.Nested(Small))
    renamed = fields.String(data_key="anders")
    usual = fields.String(dump_default="usual")
    made = fields.Function(lambda _obj: "made")
    constant = fields.Constant(7)


VALUES = {
    "id": UUID(int=7),
    "at": datetime(2026, 5, 1, 12, tzinfo=UTC),
    "day": date(2026, 5, 1),
    "text": Colour.RED,
    "own": "x",
    "said": "y",
    "whole": 2.0,
    "spelled": 3,
    "share": 1,
    "is_so": True,
    "shares": {Colour.RED: 1, "b": 2.5},
    "loose": {"a": [1]},
    "codes": ("a", Colour.RED),
    "nested": {"number": 1},
    "many": [SimpleNamespace(number=True), {"number": None}],
    "renamed": "r",
}


@pytest.mark.parametrize("values", [VALUES, dict.fromkeys(VALUES, None), {"id": UUID(int=7)}])
def test_a_plan_writes_what_marshmallow_would(values: dict[str, Any]) -> None:
    values = {**values, "id": UUID(int=7)}
    for obj in (values, SimpleNamespace(**values)):
        told = Everything().dump(obj)
        assert told == Schema._serialize(Everything(), obj)
        assert [type(one) for one in told.values()] == [
            type(one) for one in Schema._serialize(Everything(), obj).values()
        ]
    assert Everything(many=True).dump([values]) == [Everything().dump(values)]


def test_answers_of_the_api_are_what_marshmallow_would_write(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    planned = Dumped._serialize

    def both(self: Dumped, obj: Any, *, many: bool = False) -> Any:
        told = planned(self, obj, many=many)
        assert told == Schema._serialize(self, obj, many=many)
        compared.append(type(self).__name__)
        return told

    monkeypatch.setattr(Dumped, "_serialize", both)
    said = entry(NOON, safety="plan", side_effects={"nausea": 3}, note="hello", tags=["work"])
    assert cast.ana.put("/entries/0190c9a0-0000-7000-8000-000000000001", said).status_code == 201
    for who, path in _reads(cast):
        assert who.get(path).status_code == 200, path
    assert {"EntryAnswer", "OwnEntryAnswer", "EntryPage", "AlertPage"} <= set(compared)


def _reads(cast: Cast) -> Iterator[tuple[Any, str]]:
    patient = f"/patients/{cast.ana.patient_id}"
    yield from ((cast.ana, path) for path in ("/entries", "/me", "/me/check-in-plan"))
    for path in (
        "/alerts",
        "/patients",
        f"{patient}/entries",
        f"{patient}/watch",
        f"{patient}/treatment-sessions",
        "/rota",
    ):
        yield cast.bo, path


def test_an_answer_is_one_line_of_sorted_json_in_utf8() -> None:
    answer = create_app(Settings(jwt_key="k" * 32)).json.response({"b": "ø", "a": UUID(int=1)})
    assert answer.get_data() == f'{{"a":"{UUID(int=1)}","b":"ø"}}\n'.encode()
