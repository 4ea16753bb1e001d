"""OperationOutcomes: what went wrong, in FHIR's words."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from server.fhir.identifiers import Resource

_KINDS: Mapping[int, str] = MappingProxyType(
    {
        400: "invalid",
        401: "login",
        403: "forbidden",
        404: "not-found",
        405: "not-supported",
        406: "not-supported",
        408: "timeout",
        409: "conflict",
        410: "deleted",
        412: "conflict",
        413: "too-long",
        415: "not-supported",
        422: "invalid",
        428: "required",
        429: "throttled",
        503: "transient",
    }
)
_OURS: Mapping[str, str] = MappingProxyType({"illegal-move": "business-rule"})
_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PLACES = ("pointer", "parameter", "header")
# What the services call what a resource calls otherwise.
_MEMBERS: Mapping[str, str] = MappingProxyType({"starts_at": "start", "ends_at": "end"})


def operation_outcome(
    status: int, code: str, detail: str, errors: Sequence[Mapping[str, str]] = ()
) -> Resource:
    """Return what an answer with ``status`` says. ``code`` is ours; ``errors`` name places in the request."""
    kind = _OURS.get(code) or _KINDS.get(status, "exception" if status >= 500 else "processing")
    return {
        "resourceType": "OperationOutcome",
        "issue": [_issue(kind, code, error["detail"], _where(error)) for error in errors]
        or [_issue(kind, code, detail, None)],
    }


def _issue(kind: str, code: str, text: str, where: str | None) -> Resource:
    made: Resource = {
        "severity": "error",
        "code": kind,
        "details": {"coding": [{"system": "urn:afterglow:problem", "code": code}]},
        "diagnostics": text,
    }
    return made | ({} if where is None else {"expression": [where]})


def _where(error: Mapping[str, str]) -> str | None:
    """Return a place as FHIRPath would write it: `/participant/0/status` is `participant[0].status`."""
    place = next((error[name] for name in _PLACES if name in error), "")
    if "pointer" not in error:
        return f"http.{place}" if place else None
    steps = [f"[{step}]" if step.isdecimal() else f".{_member(step)}" for step in place.split("/") if step]
    return "".join(steps).removeprefix(".") or None


def _member(step: str) -> str:
    """Return a step of a JSON pointer as FHIRPath names it: a name that is none there stands in backticks."""
    said = step.replace("~1", "/").replace("~0", "~")
    name = _MEMBERS.get(said, said)
    return name if _NAME.fullmatch(name) else "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
