"""Answers are dumped by a function made from their fields: it writes what marshmallow would."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from marshmallow import Schema, fields

from schemas.base import Answer
from schemas.dumping import Dumped
from server.api.answer_json import written
from server.app import create_app
from server.settings import Settings
from tests.cast import Cast, entry
from tests.conftest import NOON
from tests.schemas.dumpable import Colour, Draw, answers


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


_ENTRY = "0190c9a0-0000-7000-8000-000000000001"
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
def test_what_is_made_of_a_schema_writes_what_marshmallow_would(values: dict[str, Any]) -> None:
    values = {**values, "id": UUID(int=7)}
    for obj in (values, SimpleNamespace(**values)):
        told = Everything().dump(obj)
        assert told == Schema._serialize(Everything(), obj)
        assert [type(one) for one in told.values()] == [
            type(one) for one in Schema._serialize(Everything(), obj).values()
        ]
    assert Everything(many=True).dump([values]) == [Everything().dump(values)]


@pytest.mark.long
@pytest.mark.parametrize("odd", [0.0, 0.15])
def test_every_answer_is_dumped_as_marshmallow_would_whatever_it_is_asked_for(odd: float) -> None:
    kinds = sorted(set(answers()), key=lambda kind: kind.__qualname__)
    assert len(kinds) > 100
    for number, kind in enumerate(kinds):
        plain, native, draw = kind(), kind(), Draw(number, odd)
        assert isinstance(plain, Dumped)
        assert isinstance(native, Dumped)
        native.natively()
        for obj in [draw.object(plain) for _ in range(6)]:
            expected = _outcome(_as_marshmallow, plain, obj)
            assert _outcome(plain.dump, obj) == expected, kind
            assert _outcome(_json, native.dump, obj) == _outcome(_json, _as_marshmallow, plain, obj), kind


def _outcome(do: Callable[..., Any], *args: Any) -> str:
    """Return what ``do`` returns, with the kinds of all in it; or that it raised."""
    try:
        return repr(do(*args))
    except Exception:
        return "raised"


def _json(do: Callable[..., Any], *args: Any) -> bytes:
    return written(do(*args))


def _as_marshmallow(schema: Dumped, obj: Any) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dumped, "_serialize", Schema._serialize)
        return schema.dump(obj)


def test_answers_of_the_api_are_what_marshmallow_would_write(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    made = Dumped._serialize

    def both(self: Dumped, obj: Any, *, many: bool = False) -> Any:
        told = made(self, obj, many=many)
        with monkeypatch.context() as patch:
            patch.setattr(Dumped, "_serialize", Schema._serialize)
            assert written(told) == written(Schema._serialize(self, obj, many=many))
        compared.append(type(self).__name__)
        return told

    monkeypatch.setattr(Dumped, "_serialize", both)
    said = entry(NOON, safety="plan", side_effects={"nausea": 3}, note="hello", tags=["work"])
    assert cast.ana.put(f"/entries/{_ENTRY}", said).status_code == 201
    for who, path in _reads(cast):
        assert who.get(path).status_code == 200, path
    assert {"OwnEntryAnswer", "AlertPage"} <= set(compared)


def _reads(cast: Cast) -> Iterator[tuple[Any, str]]:
    patient = f"/patients/{cast.ana.patient_id}"
    yield from ((cast.ana, path) for path in (f"/entries/{_ENTRY}", "/me", "/me/check-in-plan"))
    for path in (
        "/alerts",
        "/patients",
        f"{patient}/watch",
        f"{patient}/treatment-sessions",
        "/rota",
    ):
        yield cast.bo, path


def test_an_answer_is_one_line_of_sorted_json_in_utf8() -> None:
    answer = create_app(Settings(jwt_key="k" * 32)).json.response({"b": "ø", "a": UUID(int=1)})
    assert answer.get_data() == f'{{"a":"{UUID(int=1)}","b":"ø"}}\n'.encode()
    assert written({Colour.RED: 1, "b": 2}) == b'{"b":2,"red":1}\n'
