"""The systems and extensions that only a patient's own export has (docs/fhir.md has their table)."""

from typing import Any

from server.fhir.codes import UCUM
from server.fhir.identifiers import Resource

EXPORT = "urn:afterglow:export"
CHECK_IN = "urn:afterglow:check-in"
PHASE = "urn:afterglow:course-phase"
ROUTE = "urn:afterglow:route"
CONDITION = "urn:afterglow:condition"
SESSION = "urn:afterglow:treatment-session"
RECORD = "urn:afterglow:record"

EXACT = "urn:afterglow:exact-text"
UTC_OFFSET = "urn:afterglow:utc-offset"
WRITTEN_DOWN = "urn:afterglow:written-down"
CLOCK_BEHIND = "urn:afterglow:clock-behind"
SINCE = "urn:afterglow:since"
TOLD = "urn:afterglow:told"
PLAN = "urn:afterglow:check-in-plan"
EXPORTED = "urn:afterglow:exported"
RESOURCES = "urn:afterglow:resources"

# The codes of `EXPORT`: the first line's, and the last one's.
OWN, END = "own", "end"
# Answers of a form that no facade gives.
NOTE, TAGS, TOTAL = "note", "tags", "total"


def extension(url: str, **value: Any) -> Resource:
    """Return an extension with its one ``value`` (`valueInstant=…`)."""
    return {"url": url, **value}


def seconds(count: int) -> Resource:
    """Return a duration."""
    return {"value": count, "unit": "s", "system": UCUM, "code": "s"}
