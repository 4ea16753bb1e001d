"""The machines that take part: what a report came in with, and the rules that found something.

They stand inside the resources that speak of them: nobody can ask for more than their name and version.
"""

from collections.abc import Mapping
from types import MappingProxyType

from server.clinical.vocabulary import Source
from server.fhir.identifiers import Resource

ASSEMBLER, RULES = "assembler", "rules"
_ASSEMBLERS: Mapping[Source, str] = MappingProxyType(
    {
        Source.APP: "The patient's app",
        Source.CLINIC: "Afterglow, for the clinic",
        Source.IMPORT: "Afterglow's import",
        Source.SIMULATOR: "Afterglow's simulator",
    }
)


def assembler(source: Source) -> Resource:
    """Return what a report came in with. The app says no version of itself, so none is told."""
    return _device(ASSEMBLER, _ASSEMBLERS[source])


def source_of(device: Resource) -> Source:
    """Return what ``device``, an assembler of ours, stands for. ValueError for any other."""
    name = device["deviceName"][0]["name"]
    found = next((source for source, known in _ASSEMBLERS.items() if known == name), None)
    if found is None:
        raise ValueError("is no assembler of ours")
    return found


def rules(policy: int) -> Resource:
    """Return the rules that found something, by version ``policy`` of the clinic's thresholds."""
    version = {"type": {"text": "policy"}, "value": str(policy)}
    return _device(RULES, "Afterglow's rules") | {"version": [version]}


def _device(name: str, title: str) -> Resource:
    return {
        "resourceType": "Device",
        "id": name,
        "deviceName": [{"name": title, "type": "user-friendly-name"}],
    }
