"""Is it FHIR R4? Three judges, because each one passes what another one refuses.

The R4 JSON schema knows shapes and most codes; Medplum's validator the invariants; our own check every
required code, and that an end comes after its start.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import IO, Any

import jsonschema_rs

from tests.fhir.bindings import code_faults
from tests.fhir.definitions import PEERS, R4, Resource, read
from tests.fhir.rules import rule_faults
from tests.source import ROOT

SCRIPT = ROOT / "tests" / "fhir" / "validate.mjs"
ABSENT = "FHIR's definitions and Medplum's validator are not installed: `make peers`"


def are_here() -> bool:
    """Return whether definitions, validator and what runs it are installed."""
    return shutil.which("node") is not None and R4.exists()


@dataclass(frozen=True)
class Validators:
    """The three judges; Medplum's works in a process of its own, resource by resource."""

    resources: IO[str]
    answers: IO[str]

    def problems(self, resource: Resource) -> list[str]:
        """Return what any of the judges has against ``resource``, with the judge's name; nothing if valid."""
        found = {
            "schema": self.schema(resource),
            "medplum": self.medplum(resource),
            "ours": self.ours(resource),
        }
        return [f"{judge}: {fault}" for judge, faults in found.items() for fault in faults]

    def schema(self, resource: Resource) -> list[str]:
        """Ask the JSON schema; what is contained or in a bundle is asked about by itself."""
        found = list(_schema_faults(resource))
        return found + [fault for inner in _inside(resource) for fault in self.schema(inner)]

    def medplum(self, resource: Resource) -> list[str]:
        """Ask Medplum's validator."""
        self.resources.write(json.dumps(resource) + "\n")
        self.resources.flush()
        faults: list[str] = json.loads(self.answers.readline())
        return faults

    def ours(self, resource: Resource) -> list[str]:
        """Ask our own checks."""
        return [*code_faults(resource), *rule_faults(resource)]


@contextmanager
def at_work() -> Iterator[Validators]:
    """Start Medplum's validator and stop it in the end."""
    command = [str(shutil.which("node")), str(SCRIPT), str(PEERS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8") as process:
        assert process.stdin
        assert process.stdout
        try:
            yield Validators(process.stdin, process.stdout)
        finally:
            process.kill()
            process.wait(5)


def _schema_faults(resource: Resource) -> Iterator[str]:
    kind = str(resource.get("resourceType"))
    if kind not in _definitions():
        yield f"{kind}: no such resource"
        return
    for error in _validator(kind).iter_errors(resource):
        path = ".".join(str(part) for part in [kind, *error.instance_path])
        yield f"{path}: {error.message}"


def _inside(resource: Resource) -> Iterator[Resource]:
    yield from resource.get("contained", [])
    if resource.get("resourceType") == "Bundle":
        yield from (entry["resource"] for entry in resource.get("entry", []) if "resource" in entry)


@cache
def _validator(kind: str) -> Any:
    schema = {"$schema": "http://json-schema.org/draft-06/schema#", "$ref": f"#/definitions/{kind}"}
    return jsonschema_rs.validator_for({**schema, "definitions": _definitions()})


@cache
def _definitions() -> dict[str, Any]:
    found: dict[str, Any] = read(R4 / "fhir.schema.json")["definitions"]
    # The schema points at the first two and does not have them; the third one is a choice of every kind of
    # resource, whose errors nobody can read. `_inside` finds what is in those places.
    some_resource = {"type": "object", "required": ["resourceType"]}
    return {
        **found,
        "integer64": {"type": "string"},
        "Resource": some_resource,
        "ResourceList": some_resource,
    }
