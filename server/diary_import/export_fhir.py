"""Read an export's FHIR file back into the shape that its JSON has: a resource a line, or a Bundle.

What was filled in says it all but for where it came from (`Provenance`) and a total that was typed in
(`Observation`); every other number of it is worked out again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from server.clinical.instruments.catalog import RATED
from server.diary_import.export_file import ExportError, ExportFile, of_sections
from server.diary_import.fhir_form import UNSAID, entry_of, response_of
from server.fhir import codes

FHIR_LACKS = (
    *("notes and tags", "earlier versions and what was taken back", "the phone's clock"),
    *("which check-in a scale answers", "courses, sessions and changes of zone", "the check-in plan"),
)
_TAKEN_BACK = "entered-in-error"
Resource = Mapping[str, Any]
Known = Mapping[tuple[str, str], Resource]


def read_fhir(data: bytes) -> ExportFile:
    """Return what is in an export's FHIR file; ExportError names its problems by place, never by content."""
    resources = list(_resources(data))
    known = {(kind, str(one.get("id"))): one for kind, one in resources}
    if any(kind == "OperationOutcome" for kind, _ in resources):
        raise ExportError("was cut off: its rest could not be sent")
    forms = [(n, one) for n, (kind, one) in enumerate(resources, 1) if kind == "QuestionnaireResponse"]
    if not forms:
        raise ExportError("holds nothing that was filled in")
    if len({json.dumps(form.get("subject"), sort_keys=True) for _, form in forms}) > 1:
        raise ExportError("is about more than one patient")
    entries: list[dict[str, Any]] = []
    responses: list[dict[str, Any]] = []
    for number, form in forms:
        _read(form, known, (entries, responses), number)
    sections = {"entries": entries, "questionnaire_responses": responses}
    nothing: dict[str, Sequence[Any]] = {"courses": (), "treatment_sessions": (), "zone_changes": ()}
    file = of_sections({**sections, **{name: list(rows) for name, rows in nothing.items()}}, FHIR_LACKS)
    return replace(file, unsaid=UNSAID, latest_only=True)


def _read(
    form: Resource, known: Known, into: tuple[list[dict[str, Any]], list[dict[str, Any]]], number: int
) -> None:
    entries, responses = into
    try:
        name = str(form["questionnaire"])
        if form["status"] == _TAKEN_BACK or name.startswith(_RATED):
            return
        origin = known["Provenance", form["id"]]
        if name == codes.DIARY_FORM:
            entries.append(entry_of(form, origin))
        elif name.startswith(f"{codes.QUESTIONNAIRE}:"):
            responses.append(response_of(form, origin, known.get(("Observation", f"{form['id']}.1"))))
        else:
            raise ValueError("is no form of ours")
    except (LookupError, ValueError, TypeError, AttributeError, StopIteration):
        raise ExportError(f"resource {number}: can't be read") from None


# What a clinician judged: no export has it, but everything of one patient does.
_RATED = tuple(f"{codes.QUESTIONNAIRE}:{key}|" for key in RATED)


def _resources(data: bytes) -> Iterator[tuple[str, Resource]]:
    for one in _loaded(data):
        if not isinstance(one, dict):
            raise ExportError("is no FHIR")
        yield str(one.get("resourceType")), one


def _loaded(data: bytes) -> Iterator[Any]:
    try:
        text = data.decode("utf-8-sig")
        # Line feeds only: a text may hold other ends of lines.
        first, _, rest = text.strip().partition("\n")
        bundle = json.loads(text) if '"Bundle"' in first or first == "{" else None
        if bundle is None:
            yield from (json.loads(line) for line in (first, *rest.split("\n")) if line.strip())
        else:
            yield from (entry["resource"] for entry in bundle.get("entry", ()))
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise ExportError("is no FHIR: neither a Bundle nor a resource a line") from None
