"""A schema's dump as the source of a Python function, made from the schema's own fields.

What is known of a kind of field is an expression of its value; what is not asks the field. ``native`` leaves
ids, days and moments in UTC as they are, for a writer of JSON that spells them as `isoformat` and `str` do.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, missing, utils

# From an object to what is dumped of it.
Dump = Callable[[Any], Any]
# Finds the dump of a nested schema, None where only marshmallow knows it.
Nested = Callable[[Schema], Dump | None]
# From where a value stands in the source, and how its field is asked, to the expression of what is dumped.
Known = Callable[[str, str], str]

_GETS = {
    "of_dict": "o.get({!r}, missing)",
    "of_plain": "o.{}",
    "of_any": "get_value(o, {!r}, missing)",
}
_NAMES = {
    **{kind.__name__: kind for kind in (StrEnum, UUID, datetime, date)},
    "UTC": UTC,
    "missing": missing,
    "get_value": utils.get_value,
    "text": utils.ensure_text_type,
}
_WHOLE = """
def dump(o):
    if o.__class__ is dict:
        return of_dict(o)
    if hasattr(o, "__getitem__"):
        return of_any(o)
    try:
        return of_plain(o)
    except AttributeError:
        return of_any(o)
"""


class Source:
    """The source of one schema's dump, and what its names stand for."""

    def __init__(self, schema: Schema, nested: Nested, native: bool) -> None:
        self._schema, self._nested, self._native = schema, nested, native
        self._names: dict[str, Any] = dict(_NAMES)
        self._depth = 0

    def compiled(self) -> Dump:
        """Return the dump of one object."""
        lines = [line for kind, get in _GETS.items() for line in self._function(kind, get)]
        text = "\n".join([*lines, _WHOLE])
        exec(compile(text, f"<dump of {type(self._schema).__name__}>", "exec"), self._names)
        dump: Dump = self._names["dump"]
        return dump

    def _function(self, kind: str, get: str) -> Iterator[str]:
        yield f"def {kind}(o, missing=missing):"
        yield "    found = {}"
        for name, field in self._fields():
            key = field.data_key if field.data_key is not None else name
            yield from (f"    {line}" for line in self._member(name, field, get))
            yield f"        found[{key!r}] = v"
        yield "    return found"

    def _fields(self) -> Iterable[tuple[str, fields.Field[Any]]]:
        # A writer of JSON sorts members, which is quick where they are.
        members = self._schema.dump_fields.items()
        return sorted(members, key=lambda one: one[1].data_key or one[0]) if self._native else members

    def _member(self, name: str, field: fields.Field[Any], get: str) -> Iterator[str]:
        """Yield the lines up to the one below which ``v`` is dumped."""
        if not self._is_plain(self._schema, name, field):
            asked = self._named(field.serialize)
            accessor = self._named(self._schema.get_attribute)
            yield f"if (v := {asked}({name!r}, o, accessor={accessor})) is not missing:"
            return
        sought = field.attribute or name
        if get == _GETS["of_dict"] and hasattr(dict, sought):
            get = _GETS["of_any"]  # `items` of a dict that has no such member is its method, to marshmallow
        yield f"v = {get.format(sought)}"
        if field.dump_default is not missing:
            yield "if v is missing:"
            yield f"    v = {self._named(field)}.dump_default"
            yield "    v = v() if callable(v) else v"
        yield "if v is not missing:"
        written = self.written(field, "v", f"{name!r}, o")
        if written != "v":
            yield f"    v = {written}"

    @staticmethod
    def _is_plain(schema: Schema, name: str, field: fields.Field[Any]) -> bool:
        """Return whether a field's value is found under one name, as any field's."""
        ways = type(field).serialize, type(field).get_value, type(schema).get_attribute
        usual = fields.Field.serialize, fields.Field.get_value, Schema.get_attribute
        return field._CHECK_ATTRIBUTE and ways == usual and (field.attribute or name).isidentifier()

    def written(self, field: fields.Field[Any], v: str, where: str) -> str:
        """Return the expression of what ``field`` makes of the value ``v``, a name.

        ``where``: the name and the object it is asked with.
        """
        made = _KNOWN.get(type(field)._serialize)
        return (made and made(self, field, v, where)) or self.asking(field, v, where)

    def asking(self, field: fields.Field[Any], v: str, where: str) -> str:
        """Return the expression that asks ``field``."""
        return f"{self._named(field._serialize)}({v}, {where})"

    def number(self, field: Any, v: str, where: str) -> str | None:
        """Take a number of exactly the field's kind; a whole one may stand for one with decimals."""
        if field.as_string or field.num_type not in (int, float):
            return None
        kind, ask = field.num_type.__name__, self.asking(field, v, where)
        # Adding nothing makes the same fraction as `float`, without a call.
        whole = f"{v} + 0.0 if {v}.__class__ is int else " if kind == "float" else ""
        return f"{v} if {v}.__class__ is {kind} or {v} is None else {whole}{ask}"

    def moment(self, field: Any, v: str, where: str) -> str | None:
        """Write a moment or a day in its usual form; without its kind, or in another form, ask."""
        if field.format not in {None, "iso"} or isinstance(field, fields.Time):
            return None
        kind = "date" if isinstance(field, fields.Date) else "datetime"
        is_kind = f"{v}.__class__ is {kind}"
        native = is_kind if kind == "date" else f"{is_kind} and {v}.tzinfo is UTC"
        taken = f"{v} is None or {native}" if self._native else f"{v} is None"
        return f"{v} if {taken} else {v}.isoformat() if {is_kind} else {self.asking(field, v, where)}"

    def uuid(self, _field: Any, v: str, _where: str) -> str:
        """Write an id in its usual form."""
        taken = f"{v}.__class__ is UUID or {v} is None" if self._native else f"{v} is None"
        return f"{v} if {taken} else str({v})"

    def list(self, field: Any, v: str, where: str) -> str:
        """Write each of a list as its own field does."""
        return self._each(v, lambda one: self.written(field.inner, one, where))

    def dict(self, field: Any, v: str, _where: str) -> str | None:
        """Write names and members as their own fields do."""
        if field.mapping_type is not dict or field.key_field is None or field.value_field is None:
            return None
        key, one = self._fresh(), self._fresh()
        keys = self.written(field.key_field, key, "None, None")
        values = self.written(field.value_field, one, "None, None")
        # Most are empty, and a loop over nothing costs a call.
        return (
            f"None if {v} is None else {{({keys}): ({values}) for {key}, {one} in {v}.items()}}"
            f" if {v} else {{**{v}}}"
        )

    def nested(self, field: Any, v: str, _where: str) -> str | None:
        """Write a nested object, or each of many, by the dump of its schema."""
        dump = self._nested(field.schema)
        if dump is None:
            return None
        name = self._named(dump)
        if field.schema.many or field.many:
            return self._each(v, lambda one: f"{name}({one})")
        # Of most days nothing more is said.
        empty = f" else {{}} if {v}.__class__ is dict and not {v}" if self._says_nothing(field.schema) else ""
        return f"None if {v} is None{empty} else {name}({v})"

    def _says_nothing(self, schema: Schema) -> bool:
        """Return whether of an empty dict nothing is dumped."""
        return all(
            self._is_plain(schema, name, field)
            and field.dump_default is missing
            and not hasattr(dict, field.attribute or name)
            for name, field in schema.dump_fields.items()
        )

    def _each(self, v: str, written: Callable[[str], str]) -> str:
        one = self._fresh()
        made = written(one)
        each = f"[*{v}]"
        full = each if made == one else f"[{made} for {one} in {v}] if {v} else {each}"
        return f"None if {v} is None else {full}"

    def _fresh(self) -> str:
        self._depth += 1
        return f"v{self._depth}"

    def _named(self, thing: Any) -> str:
        name = f"n{len(self._names)}"
        self._names[name] = thing
        return name


def _text(_source: Source, _field: Any, v: str, _where: str) -> str:
    coded = f"{v}._value_ if isinstance({v}, StrEnum)"
    return f"{v} if {v}.__class__ is str or {v} is None else {coded} else text({v})"


# By the way a kind of field writes: a field with a way of its own is none of these.
_KNOWN: dict[Any, Callable[[Source, Any, str, str], str | None]] = {
    fields.Field._serialize: lambda _source, _field, v, _where: v,
    fields.String._serialize: _text,
    fields.UUID._serialize: Source.uuid,
    fields.Integer._serialize: Source.number,
    fields.DateTime._serialize: Source.moment,
    fields.List._serialize: Source.list,
    fields.Dict._serialize: Source.dict,
    fields.Nested._serialize: Source.nested,
}
