"""The definitions of FHIR R4 as they come with Medplum (structures, value sets), and official examples."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.source import ROOT

# Where `make peers` puts them.
PEERS = ROOT / ".peers"
R4 = PEERS / "node_modules" / "@medplum" / "definitions" / "dist" / "fhir" / "r4"
EXAMPLES = PEERS / "node_modules" / "hl7.fhir.r4.examples"

Resource = dict[str, Any]


def read(path: Path) -> Any:
    """Return what the JSON file says."""
    return json.loads(path.read_text("utf-8"))


def entries(name: str) -> list[Resource]:
    """Return the resources of one bundle of definitions."""
    return [entry["resource"] for entry in read(R4 / f"{name}.json")["entry"]]


def examples(kind: str) -> dict[str, Resource]:
    """Return the official examples of one kind of resource, by the name of the file."""
    found = sorted(EXAMPLES.glob(f"{kind}-*.json"))
    return {path.stem: read(path) for path in found}


@cache
def structures() -> dict[str, Resource]:
    """Return the structure definitions of data types and resources, by type."""
    both = [*entries("profiles-types"), *entries("profiles-resources")]
    known = [found for found in both if found["resourceType"] == "StructureDefinition"]
    # A profile has its type's name, too (`Quantity` and `MoneyQuantity`): the type itself is meant.
    return {found["type"]: found for found in known if found.get("derivation") != "constraint"}
