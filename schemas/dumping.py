"""A quicker way to dump, made from the schema's own fields: what is as it goes over the wire is taken.

marshmallow asks every field anew how to find and write its value: for a page of entries that cost more than
reading it. Fields with ways of their own are asked as ever.
"""

from collections.abc import Callable, Set
from datetime import date, datetime
from typing import Any, NamedTuple

from marshmallow import Schema, fields, missing, utils
from marshmallow.decorators import POST_DUMP, PRE_DUMP

# From value, name and the whole object to what goes over the wire, as a field's `_serialize`.
Write = Callable[[Any, str | None, Any], Any]
_NONE = type(None)


class Way(NamedTuple):
    """How a field's value is written: one of exactly these ``kinds`` is taken as it is."""

    kinds: Set[type[Any]]
    write: Write


class _Step(NamedTuple):
    """One member of what is dumped. ``way`` is None where marshmallow is asked for all of it."""

    name: str
    key: str
    kinds: Set[type[Any]]
    way: Way | None
    field: fields.Field[Any]


class Dumped(Schema):
    """A schema that dumps by a plan, made at its first dump; loading is marshmallow's."""

    _plan: list[_Step] | None = None

    def _serialize(self, obj: Any, *, many: bool = False) -> Any:
        if many and obj is not None:
            return [self._serialize(one) for one in obj]
        get, found = _getter(obj), {}
        for name, key, kinds, way, field in self._plan or self._planned():
            if way is None:
                value = field.serialize(name, obj, accessor=self.get_attribute)
            else:
                value = get(obj, name, missing)
                if type(value) not in kinds:
                    value = _absent(field, name, obj) if value is missing else way.write(value, name, obj)
            if value is not missing:
                found[key] = value
        return found

    def _planned(self) -> list[_Step]:
        plain = type(self).get_attribute is Schema.get_attribute
        ways = {name: way_of(field) for name, field in self.dump_fields.items() if plain and _is_plain(field)}
        self._plan = [
            _Step(
                name,
                field.data_key or name,
                ways[name].kinds if name in ways else frozenset(),
                ways.get(name),
                field,
            )
            for name, field in self.dump_fields.items()
        ]
        return self._plan


def _getter(obj: Any) -> Callable[[Any, str, Any], Any]:
    """Return what finds a value by its name, as marshmallow does."""
    if type(obj) is dict:
        return _of_dict
    return utils.get_value if hasattr(obj, "__getitem__") else getattr


def _of_dict(obj: dict[str, Any], name: str, default: Any) -> Any:
    return obj[name] if name in obj else getattr(obj, name, default)


def _is_plain(field: fields.Field[Any]) -> bool:
    """Return whether a field's value is found under its own name, as any field's."""
    ways, usual = (
        (type(field).serialize, type(field).get_value),
        (fields.Field.serialize, fields.Field.get_value),
    )
    return field._CHECK_ATTRIBUTE and field.attribute is None and ways == usual


def _absent(field: fields.Field[Any], name: str, obj: Any) -> Any:
    default = field.dump_default() if callable(field.dump_default) else field.dump_default
    return missing if default is missing else field._serialize(default, name, obj)


def way_of(field: fields.Field[Any]) -> Way:
    """Return how ``field`` writes a value: its own way, but where that is a known one."""
    made = _KNOWN.get(type(field)._serialize)
    return (made and made(field)) or _asking(field)


def _asking(field: fields.Field[Any], *kinds: type[Any]) -> Way:
    return Way(frozenset(kinds), field._serialize)


def _number(field: Any) -> Way | None:
    """Take a number of exactly the field's kind; a whole one may stand for one with decimals."""
    if field.as_string:
        return None
    kind, ask = field.num_type, field._serialize

    def write(value: Any, name: str | None, obj: Any) -> Any:
        return kind(value) if type(value) is int else ask(value, name, obj)

    return Way(frozenset({kind, _NONE}), write)


def _moment(field: Any) -> Way | None:
    """Write a moment or a day in its usual form; without its kind, or in another form, ask."""
    kind, ask = (date if isinstance(field, fields.Date) else datetime), field._serialize
    if field.format not in {None, "iso"} or isinstance(field, fields.Time):
        return None

    def write(value: Any, name: str | None, obj: Any) -> Any:
        return value.isoformat() if type(value) is kind else ask(value, name, obj)

    return Way(frozenset({_NONE}), write)


def _list(field: Any) -> Way:
    inner = way_of(field.inner)

    def write(value: Any, name: str | None, obj: Any) -> Any:
        return [one if type(one) in inner.kinds else inner.write(one, name, obj) for one in value]

    return Way(frozenset({_NONE}), write)


def _dict(field: Any) -> Way | None:
    if field.mapping_type is not dict or field.key_field is None or field.value_field is None:
        return None
    key, member = way_of(field.key_field), way_of(field.value_field)

    def write(value: Any, _name: str | None, _obj: Any) -> Any:
        return {
            name if type(name) in key.kinds else key.write(name, None, None): (
                one if type(one) in member.kinds else member.write(one, None, None)
            )
            for name, one in value.items()
        }

    return Way(frozenset({_NONE}), write)


def _nested(field: Any) -> Way | None:
    schema = field.schema
    if not isinstance(schema, Dumped) or schema._hooks[PRE_DUMP] or schema._hooks[POST_DUMP]:
        return None
    many = schema.many or field.many

    def write(value: Any, _name: str | None, _obj: Any) -> Any:
        return schema._serialize(value, many=many)

    return Way(frozenset({_NONE}), write)


# By the way a kind of field writes: a field with a way of its own is none of these.
_KNOWN: dict[Any, Callable[[Any], Way | None]] = {
    fields.Field._serialize: lambda field: _asking(field, bool, str, _NONE),
    fields.String._serialize: lambda field: _asking(field, str, _NONE),
    fields.UUID._serialize: lambda _field: Way(frozenset({_NONE}), lambda value, _name, _obj: str(value)),
    fields.Integer._serialize: _number,
    fields.DateTime._serialize: _moment,
    fields.List._serialize: _list,
    fields.Dict._serialize: _dict,
    fields.Nested._serialize: _nested,
}
