"""Bodies are loaded by a plan made from their fields: it takes and refuses what marshmallow would."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields

from schemas.base import Body
from schemas.fields import Moment, Zone
from schemas.loading import Loaded

# In place of a member: of every kind of JSON, and what only looks like another kind.
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 7, 7.0, 3.9, 10**30, float("inf"), "", " ", "7", "x" * 11_000, "Europe/Oslo"),
    *("2026-02-30T10:00:00Z", "2026-05-02t20:15:00.5z", "2026-05-02T20:15:00+02:00", "2026-05-02", "7:5"),
    *([], ["a", "a"], [None], {}, {"mood": 3}, {"mood": "3"}, {"odd": 1}, {"mood": None, "pain": 11}),
)


def bodies(kind: type[Schema] = Body) -> Iterator[type[Schema]]:
    """Yield every schema of a body that has an example."""
    for one in kind.__subclasses__():
        if getattr(one, "EXAMPLE", None):
            yield one
        yield from bodies(one)


def variants(example: Mapping[str, Any], names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield ``example``, with each member (of ``names`` too) left out or replaced, and with a strange one."""
    yield dict(example)
    yield {**example, "strange": 1}
    for name in {*example, *names}:
        yield {key: value for key, value in example.items() if key != name}
        yield from ({**example, name: odd} for odd in ODD)


def test_every_body_is_taken_or_refused_as_marshmallow_would(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds, tried = set(bodies()), 0
    for kind in kinds:
        schema = kind()
        names = [field.data_key or name for name, field in schema.load_fields.items()]
        for body in variants(kind.EXAMPLE, names):
            told = _read(schema.load, body)
            with monkeypatch.context() as patch:
                patch.setattr(Loaded, "_deserialize", Schema._deserialize)
                assert told == _read(schema.load, body), (kind, body)
            tried += 1
    assert (len(kinds) > 20, tried > 1000) == (True, True)


def test_moments_and_zones_that_are_read_at_once_are_what_marshmallow_reads() -> None:
    zone, moment = Zone(), Moment()
    for odd in ODD:
        assert _read(zone.deserialize, odd) == _read(partial(fields.Field.deserialize, zone), odd)
        spelled = isinstance(odd, str) and moment.spelled.fits(odd)
        usual = partial(fields.AwareDateTime._deserialize, moment, attr=None, data=None)
        assert not spelled or _read(moment.deserialize, odd) == _read(usual, odd.upper())


def _read(read: Callable[..., Any], value: Any) -> str:
    try:
        return repr(read(value))
    except ValidationError as error:
        return f"refused: {error.messages!r}"
