"""Every version of one thing, as FHIR tells a resource's history: a Bundle, the newest first."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.fhir.identifiers import Resource

Row = Mapping[str, Any]


def bundle(name: str, versions: Sequence[tuple[Resource | None, str]]) -> Resource:
    """Return the history of the form ``name``.

    ``versions``, the oldest first: what was filled in, None where it was taken back, and when that came in.
    """
    labels = [label for form, _ in versions if form for label in form["meta"]["security"]]
    told = [_version(name, number, *one) for number, one in enumerate(versions, 1)]
    return {
        "resourceType": "Bundle",
        "id": name,
        # A label of any version counts for the whole.
        "meta": {"security": [one for place, one in enumerate(labels) if one not in labels[:place]]},
        "type": "history",
        "entry": told[::-1],
    }


def _version(name: str, number: int, form: Resource | None, received_at: str) -> Resource:
    request = {"method": "DELETE" if form is None else "PUT", "url": f"QuestionnaireResponse/{name}"}
    status = "204" if form is None else ("201" if number == 1 else "200")
    response = {"status": status, "etag": f'W/"{number}"', "lastModified": received_at}
    told = {"request": request, "response": response}
    return told if form is None else {"resource": form, **told}
