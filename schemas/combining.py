"""Which members of a body go together: said once, for validation and for the contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from marshmallow import ValidationError


class Rule(Protocol):
    """Something that members of a body have to fit together."""

    def schema(self) -> Mapping[str, Any]:
        """Return what stands beside the members in the contract."""
        ...


@dataclass(frozen=True, slots=True)
class ExactlyOne:
    """One of some members and no other."""

    names: tuple[str, ...]
    problem: str
    field: str = "_schema"

    def check(self, data: Mapping[str, Any]) -> None:
        """Raise ValidationError where ``data`` holds none of them, or several."""
        if sum(name in data for name in self.names) != 1:
            raise ValidationError(self.problem, self.field)

    def schema(self) -> Mapping[str, Any]:
        """Return what stands beside the members in the contract."""
        return {"oneOf": _each_required(self.names)}


@dataclass(frozen=True, slots=True)
class OneThatSays:
    """One of some members and no other; what is null, or an object without members, says nothing."""

    names: tuple[str, ...]
    problem: str
    field: str = "_schema"

    def check(self, data: Mapping[str, Any]) -> None:
        """Raise ValidationError where none of them says something in ``data``, or several do."""
        if sum(data.get(name) not in (None, {}) for name in self.names) != 1:
            raise ValidationError(self.problem, self.field)

    def schema(self) -> Mapping[str, Any]:
        """Return what stands beside the members in the contract."""
        return {"oneOf": [self._only(name) for name in self.names]}

    def _only(self, name: str) -> Mapping[str, Any]:
        silent: dict[str, Any] = {"enum": [None, {}]}
        others = {other: silent for other in self.names if other != name}
        return {"required": [name], "properties": {name: {"not": silent}, **others}}


@dataclass(frozen=True, slots=True)
class AtLeastOne:
    """One of some members, or several."""

    names: tuple[str, ...]
    problem: str

    def check(self, data: Mapping[str, Any]) -> None:
        """Raise ValidationError where ``data`` holds none of them."""
        if not data.keys() & set(self.names):
            raise ValidationError(self.problem)

    def schema(self) -> Mapping[str, Any]:
        """Return what stands beside the members in the contract."""
        return {"anyOf": _each_required(self.names)}


@dataclass(frozen=True, slots=True)
class ByValue:
    """Which member goes with each value of another one; those of the other values are refused."""

    name: str
    members: Mapping[str, str]

    def check(self, data: Mapping[str, Any]) -> None:
        """Raise ValidationError where ``data`` misses the member of its value, or holds another's."""
        value = data[self.name]
        needed = self.members[value]
        if needed not in data:
            raise ValidationError(f"Is needed for {value}.", needed)
        for other in set(self.members.values()) - {needed}:
            if other in data:
                raise ValidationError(f"Is not for {value}.", other)

    def schema(self) -> Mapping[str, Any]:
        """Return what stands beside the members in the contract."""
        return {"oneOf": [self._with(value, needed) for value, needed in self.members.items()]}

    def _with(self, value: str, needed: str) -> Mapping[str, Any]:
        others: dict[str, Any] = {other: {"not": {}} for other in self.members.values() if other != needed}
        return {"properties": {self.name: {"const": value}, **others}, "required": [needed]}


@dataclass(frozen=True, slots=True)
class BothOrNeither:
    """Two members of which none or both are null."""

    names: tuple[str, str]
    problem: str

    def check(self, data: Mapping[str, Any]) -> None:
        """Raise ValidationError under the one that is missing."""
        missing = [name for name in self.names if data[name] is None]
        if len(missing) == 1:
            raise ValidationError(self.problem, missing[0])

    def schema(self) -> Mapping[str, Any]:
        """Return what stands beside the members in the contract."""
        return {"oneOf": [{"properties": {n: {"type": t} for n in self.names}} for t in ("string", "null")]}


def _each_required(names: tuple[str, ...]) -> list[Mapping[str, Any]]:
    return [{"required": [name]} for name in names]
