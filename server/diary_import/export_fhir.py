"""Read an export's FHIR file back into the shape that its JSON has: a resource a line, or a Bundle.

A patient's own export says it all (`fhir_own`). Of everything of one patient, which the facade gives, what
was filled in says it all but for where it came from (`Provenance`) and a total that was typed in
(`Observation`); every other number of it is worked out again.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from server.clinical.instruments.catalog import RATED
from server.diary_import.export_file import ExportError, ExportFile, of_sections
from server.diary_import.fhir_form import UNSAID, entry_of, response_of
from server.diary_import.fhir_own import OwnFile, take
from server.diary_import.fhir_parts import is_own
from server.fhir import codes

FHIR_LACKS = (
    *("notes and tags", "earlier versions and what was taken back", "the phone's clock"),
    *("which check-in a scale answers", "courses, sessions and changes of zone", "the check-in plan"),
)
_TAKEN_BACK = "entered-in-error"
# What a clinician judged: no export has it, but everything of one patient does.
_RATED = tuple(f"{codes.QUESTIONNAIRE}:{key}|" for key in RATED)
Resource = Mapping[str, Any]
Known = Mapping[tuple[str, str], Resource]
Resources = Sequence[tuple[str, Resource]]


def read_fhir(data: bytes) -> ExportFile:
    """Return what is in an export's FHIR file; ExportError names its problems by place, never by content."""
    resources = list(_resources(data))
    if any(kind == "OperationOutcome" for kind, _ in resources):
        raise ExportError("was cut off: its rest could not be sent")
    if len({json.dumps(one["subject"], sort_keys=True) for _, one in resources if "subject" in one}) > 1:
        raise ExportError("is about more than one patient")
    known = {(kind, str(one.get("id"))): one for kind, one in resources}
    with _readable(1):
        own = any(is_own(one) for kind, one in resources if kind == "Patient")
    return _own(resources, known) if own else _facade(resources, known)


def _own(resources: Resources, known: Known) -> ExportFile:
    read = OwnFile(known)
    for number, (kind, one) in enumerate(resources, 1):
        with _readable(number):
            take(read, kind, one)
    if read.count != len(resources) - 1:
        raise ExportError("is not whole: it does not hold what its end says")
    return of_sections(read.sections(), (), read.plan)


def _facade(resources: Resources, known: Known) -> ExportFile:
    forms = [(n, one) for n, (kind, one) in enumerate(resources, 1) if kind == "QuestionnaireResponse"]
    if not forms:
        raise ExportError("holds nothing that was filled in")
    read = OwnFile(known)
    for number, form in forms:
        with _readable(number):
            _form(read, form)
    return replace(of_sections(read.sections(), FHIR_LACKS), unsaid=UNSAID, latest_only=True)


def _form(read: OwnFile, form: Resource) -> None:
    name = str(form["questionnaire"])
    if form["status"] == _TAKEN_BACK or name.startswith(_RATED):
        return
    origin = read.known["Provenance", form["id"]]
    if name == codes.DIARY_FORM:
        read.entries.append(entry_of(form, origin))
    elif name.startswith(f"{codes.QUESTIONNAIRE}:"):
        score = read.known.get(("Observation", f"{form['id']}.1"))
        read.questionnaire_responses.append(response_of(form, origin, score))
    else:
        raise ValueError("is no form of ours")


@contextmanager
def _readable(number: int) -> Iterator[None]:
    """Name resource ``number`` where what is read in here makes no sense."""
    try:
        yield
    except (LookupError, ValueError, TypeError, AttributeError, StopIteration):
        raise ExportError(f"resource {number}: can't be read") from None


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
