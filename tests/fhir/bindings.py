"""Are the codes of a resource in the sets that FHIR R4 requires, and is a choice made only once?

Held against the structure definitions; the other two validators don't look everywhere.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.fhir.definitions import Resource, entries, structures

Codes = frozenset[tuple[str, str]]  # system and code


@dataclass
class Element:
    """One element of a type: its name (`value[x]` for `valueString`), its own type, the value set it is
    bound to, and where its children are.
    """

    name: str
    kind: str
    value_set: str | None
    children: str


def code_faults(resource: Resource) -> list[str]:
    """Return where a code is not one of those required there, and where a choice is made twice."""
    return list(_faults_of_type(resource["resourceType"], resource))


def _faults_of_type(name: str, value: Mapping[str, Any]) -> Iterator[str]:
    if name in structures():
        yield from _faults_inside(name, name, value)


def _faults_inside(name: str, path: str, value: Mapping[str, Any]) -> Iterator[str]:
    known = _elements(name).get(path, {})
    chosen = Counter(known[key].name for key in value if key in known)
    yield from (f"{path}.{choice}: more than one" for choice, times in chosen.items() if times > 1)
    for key, member in value.items():
        if key in known:
            for one in member if isinstance(member, list) else [member]:
                yield from (f"{path}.{fault}" for fault in _faults_at(name, key, known[key], one))


def _faults_at(name: str, key: str, element: Element, value: Any) -> Iterator[str]:
    allowed = _codes(element.value_set) if element.value_set else None
    if allowed is not None and not _is_among(value, allowed):
        yield f"{key}: not one of {element.value_set}"
    if not isinstance(value, dict):
        return
    if element.kind in ("Resource", "DomainResource"):
        yield from (f"{key}.{fault}" for fault in _faults_of_type(str(value.get("resourceType")), value))
    elif element.children in _elements(name):
        yield from _faults_inside(name, element.children, value)
    else:
        yield from (f"{key}.{fault}" for fault in _faults_of_type(element.kind, value))


def _is_among(value: Any, allowed: Codes) -> bool:
    if isinstance(value, str):
        return value in {code for _, code in allowed}
    codings = value.get("coding", [value] if "code" in value else []) if isinstance(value, dict) else []
    return any((coding.get("system"), coding.get("code")) in allowed for coding in codings)


@cache
def _elements(name: str) -> dict[str, dict[str, Element]]:
    """Return the elements of type ``name``: by the path of what they are in, then by their JSON names."""
    found: dict[str, dict[str, Element]] = {}
    for raw in structures()[name]["snapshot"]["element"]:
        above, _, last = raw["path"].rpartition(".")
        if above:
            found.setdefault(above, {}).update(_named(raw, last))
    return found


def _named(raw: Resource, last: str) -> Iterator[tuple[str, Element]]:
    binding = raw.get("binding", {})
    required = binding.get("strength") == "required"
    value_set = binding["valueSet"].partition("|")[0] if required else None
    children = raw.get("contentReference", "#" + raw["path"]).removeprefix("#")
    for kind in [one["code"] for one in raw.get("type", [])] or ["Element"]:
        name = last.replace("[x]", kind[0].upper() + kind[1:])
        bound = value_set if kind in ("code", "Coding", "CodeableConcept", "string", "uri") else None
        yield name, Element(last, kind, bound, children)


@cache
def _codes(url: str) -> Codes | None:
    """Return what the value set holds; None where it cannot be listed (all languages, all media types)."""
    known = _terminology("ValueSet").get(url)
    if known is None or "compose" not in known:
        return None
    parts = [_included(part) for part in known["compose"]["include"]]
    left_out = [_included(part) for part in known["compose"].get("exclude", [])]
    if None in parts or None in left_out:
        return None
    without = frozenset[tuple[str, str]]().union(*(part for part in left_out if part))
    return frozenset[tuple[str, str]]().union(*(part for part in parts if part)) - without


def _included(part: Resource) -> Codes | None:
    if "filter" in part:
        return None
    if "valueSet" in part:
        sets = [_codes(url) for url in part["valueSet"]]
        return None if None in sets else frozenset.intersection(*(one for one in sets if one is not None))
    if "concept" in part:
        return frozenset((part["system"], concept["code"]) for concept in part["concept"])
    system = _terminology("CodeSystem").get(part["system"])
    if system is None or system["content"] != "complete":
        return None
    return frozenset((part["system"], code) for code in _all_codes(system.get("concept", [])))


def _all_codes(concepts: list[Resource]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _all_codes(concept.get("concept", []))


@cache
def _terminology(kind: str) -> dict[str, Resource]:
    return {
        found["url"]: found
        for name in ("valuesets", "v3-codesystems")
        for found in entries(name)
        if found["resourceType"] == kind
    }
