"""A quicker way to dump, made from the schema's own fields: what is as it goes over the wire is taken.

marshmallow asks every field anew how to find and write its value: for a page of entries that cost more than
reading it. Fields with ways of their own are asked as ever.
"""

from collections.abc import Callable
from typing import Any

from marshmallow import Schema, fields, missing, utils

# From value, name and the whole object to what goes over the wire, as a field's `_serialize`.
Write = Callable[[Any, str | None, Any], Any]


class Dumped(Schema):
    """A schema that dumps by a plan, made at its first dump; loading is marshmallow's."""

    _plan: list[tuple[str, str, Write | None, fields.Field[Any]]] | None = None

    def _serialize(self, obj: Any, *, many: bool = False) -> Any:
        if many and obj is not None:
            return [self._serialize(one) for one in obj]
        get, found = _getter(obj), {}
        for name, key, write, field in self._plan or self._planned():
            if write is None:
                value = field.serialize(name, obj, accessor=self.get_attribute)
            else:
                value = get(obj, name, missing)
                value = _absent(field, name, obj) if value is missing else write(value, name, obj)
            if value is not missing:
                found[key] = value
        return found

    def _planned(self) -> list[tuple[str, str, Write | None, fields.Field[Any]]]:
        plain = type(self).get_attribute is Schema.get_attribute
        self._plan = [
            (name, field.data_key or name, _write(field) if plain and _is_plain(field) else None, field)
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


def _write(field: fields.Field[Any]) -> Write:
    """Return what writes a value as ``field`` does: its own way, but where that is a known one."""
    way: Any = type(field)._serialize
    if way is fields.String._serialize:
        return _taken(field, str)
    if way is fields.Integer._serialize and isinstance(field, fields.Integer | fields.Float):
        return field._serialize if field.as_string else _number(field, field.num_type)
    if way is fields.Dict._serialize and isinstance(field, fields.Dict) and field.mapping_type is dict:
        return _dict(field)
    if way is fields.List._serialize and isinstance(field, fields.List):
        inner = _write(field.inner)
        return lambda value, name, obj: None if value is None else [inner(one, name, obj) for one in value]
    return field._serialize


def _taken(field: fields.Field[Any], kind: type[Any]) -> Write:
    """Take a value of exactly ``kind`` as it is."""
    ask = field._serialize
    return lambda value, name, obj: value if type(value) is kind else ask(value, name, obj)


def _number(field: fields.Field[Any], kind: type[Any]) -> Write:
    """Take a number of exactly ``kind`` as it is; a whole one may stand for one with decimals."""
    ask = field._serialize

    def write(value: Any, name: str | None, obj: Any) -> Any:
        if type(value) is kind:
            return value
        return kind(value) if type(value) is int else ask(value, name, obj)

    return write


def _dict(field: fields.Dict) -> Write:
    if field.key_field is None or field.value_field is None:
        return field._serialize
    key, member = _write(field.key_field), _write(field.value_field)

    def write(value: Any, _name: str | None, _obj: Any) -> Any:
        return (
            None if value is None else {key(k, None, None): member(v, None, None) for k, v in value.items()}
        )

    return write
