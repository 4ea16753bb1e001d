"""How the fields of our own stand in the contract."""

from collections.abc import Mapping
from typing import Any

from flask_smorest import Api
from marshmallow import Schema

from schemas import spelling
from schemas.base import Answer
from schemas.fhir import resource
from schemas.fields import Choice, Named
from schemas.policy import ThresholdValues, threshold_schema
from schemas.sync import ByKind


def describe(api: Api) -> None:
    """Teach the contract of ``api`` our fields, and the spellings that requests are held to."""
    assert api.spec is not None
    for one in spelling.ALL:
        api.spec.components.schema(one.name, one.schema())
    api.spec.components.schema("ThresholdValues", dict(threshold_schema()))
    for kind in resource.KINDS:
        api.spec.components.schema(kind, resource.shape(kind))
    ours = (
        _choice_properties,
        _named_properties,
        _kind_properties,
        _spelled_properties,
        _threshold_properties,
        _words_beside_null,
    )
    for properties in ours:
        api.ma_plugin.converter.add_attribute_function(properties)


def put_together(api: Api, spec: dict[str, Any]) -> None:
    """Say in ``spec`` which members of each body go together."""
    for key, name in api.ma_plugin.converter.refs.items():
        together = getattr(key[0], "TOGETHER", None)
        if together is not None:
            spec["components"]["schemas"][name] |= _beside_members(together.schema())


def with_examples(part: Any) -> Any:
    """Return ``part`` with the examples of its schemas as 3.1 has them, in `examples`.

    Swagger UI fills an `example` into every parameter that is tried out, also where it narrows down what is
    asked for, or says what a phone's clock shows; of `examples` it makes bodies alone.
    """
    if isinstance(part, list):
        return [with_examples(one) for one in part]
    if not isinstance(part, dict):
        return part
    said = {k: one if k in ("example", "examples") else with_examples(one) for k, one in part.items()}
    # What has a schema beside it is the example of a whole body.
    if "example" in said and "schema" not in said:
        said["examples"] = [said.pop("example")]
    return said


def _beside_members(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``rule`` under a condition that always holds.

    Tools that make clients take each way of a `oneOf` for a shape of its own, without the members beside it.
    """
    return {"if": {}, "then": rule}


def _spelled_properties(_converter: Any, field: Any, ret: dict[str, Any]) -> dict[str, Any]:
    """Refer to how the values of ``field`` are written, where they come in."""
    spelled = getattr(field, "spelled", None)
    if spelled is None or isinstance(_schema_of(field), Answer):
        return {}
    said = spelled.schema()
    for key in ("type", *said):
        if key in ret and key != "description" and (key != "example" or ret[key] == said[key]):
            del ret[key]
    named = {"$ref": f"#/components/schemas/{spelled.name}"}
    if not field.allow_none:
        return named
    # With what spells it, not beside null: whoever makes values of it knows then how long which one may be.
    bounds = {key: ret.pop(key) for key in ("minLength", "maxLength") if key in ret}
    return {"anyOf": [named | bounds, {"type": "null"}]}


def _threshold_properties(_converter: Any, field: Any, ret: dict[str, Any]) -> dict[str, Any]:
    """Refer to what values of thresholds may be; of one patient some families only."""
    if not isinstance(field, ThresholdValues):
        return {}
    del ret["type"]
    names = {"propertyNames": {"pattern": rf"^({'|'.join(field.families)})\."}} if field.families else {}
    return {"$ref": "#/components/schemas/ThresholdValues", **names}


def _words_beside_null(_converter: Any, _field: Any, ret: dict[str, Any]) -> dict[str, Any]:
    """Say that a field with words of its own may be null beside them, not as one of them.

    Tools that make clients take null among the words for three sets of the same words.
    """
    words = ret.get("enum", ())
    if None not in words:
        return {}
    del ret["enum"], ret["type"]
    return {"anyOf": [{"type": "string", "enum": [w for w in words if w is not None]}, {"type": "null"}]}


def _schema_of(field: Any) -> Schema | None:
    while field is not None and not isinstance(field, Schema):
        field = field.parent
    return field


def _choice_properties(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """Spell out the vocabulary of a `Choice`, each word with its bounds."""
    if not isinstance(field, Choice):
        return {}
    members = {key: converter.field2property(member) for key, member in field.members.items()}
    return {"properties": members, "additionalProperties": False}


def _named_properties(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """Say what the members of a `Named` hold."""
    if not isinstance(field, Named):
        return {}
    names = {"pattern": spelling.NAME}
    member = converter.field2property(field.member)
    return {"additionalProperties": member, "propertyNames": names, "maxProperties": field.most}


def _kind_properties(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """List the shapes of a `ByKind`."""
    if not isinstance(field, ByKind):
        return {}
    shapes = [converter.resolve_nested_schema(shape) for shape in field.shapes.values()]
    return {"anyOf": [*shapes, {"type": "null"}] if field.allow_none else shapes}
