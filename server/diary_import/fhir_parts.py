"""What each resource of a patient's own export (`server.fhir.own`) says, in the shape of its JSON.

LookupError, ValueError, TypeError, AttributeError or StopIteration for what is none of it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from server.diary_import.fhir_form import Resource, head_of
from server.diary_import.moment import in_utc
from server.fhir.codes import ZONE
from server.fhir.own import codes
from server.fhir.own.treatment import STATUS

Said = Callable[[Resource], dict[str, Any]]
_SESSION_STATUS = {fhir: ours for ours, fhir in STATUS.items()}


def is_own(resource: Resource) -> bool:
    """Return whether ``resource``, a patient, begins a patient's own export."""
    return any(
        (one.get("system"), one.get("code")) == (codes.EXPORT, codes.OWN)
        for one in resource.get("meta", {}).get("tag", ())
    )


def reported_of(form: Resource, origin: Resource, history: Resource | None, said: Said) -> dict[str, Any]:
    """Return what was filled in with every version; ``history``: its Bundle where it has more than one."""
    told = {one["url"]: one for one in origin.get("extension", ())}
    written = told.get(codes.WRITTEN_DOWN)
    behind = told.get(codes.CLOCK_BEHIND)
    return {
        **head_of(form, origin),
        "recorded_at": None if written is None else written["valueInstant"],
        **({} if behind is None else {"clock_skew_seconds": behind["valueDuration"]["value"]}),
        "revisions": [_only(form, said)] if history is None else _versions(history, said),
    }


def _only(form: Resource, said: Said) -> dict[str, Any]:
    return {"version": 1, "received_at": form["meta"]["lastUpdated"], "content": said(form)}


def _versions(history: Resource, said: Said) -> list[dict[str, Any]]:
    return [
        {
            "version": number,
            "received_at": one["response"]["lastModified"],
            "content": said(one["resource"]) if "resource" in one else None,
        }
        for number, one in enumerate(reversed(history["entry"]), 1)
    ]


def course_of(plan: Resource) -> dict[str, Any]:
    """Return a course."""
    (detail,) = (one["detail"] for one in plan["activity"])
    repeat = detail["scheduledTiming"]["repeat"]
    return {
        "route": _code(detail["code"], codes.ROUTE),
        "condition": _code(detail["reasonCode"][0], codes.CONDITION),
        "phase": _code(plan["category"][0], codes.PHASE),
        "started_on": plan["period"]["start"],
        "ended_on": plan["period"].get("end"),
        "min_interval_days": repeat["period"],
        "max_interval_days": repeat["periodMax"],
    }


def session_of(procedure: Resource, places: Mapping[str, int]) -> dict[str, Any]:
    """Return a session. ``places``: the place of each course in the file, by the id of its CarePlan."""
    return {
        "course": places[procedure["basedOn"][0]["reference"].removeprefix("CarePlan/")],
        "at": in_utc(procedure["performedDateTime"]),
        "status": _SESSION_STATUS[procedure["status"]],
        "route": _code(procedure["code"], codes.ROUTE),
    }


def kind_of(basic: Resource) -> str:
    """Return what a `Basic` of ours is: `zone-change`, `check-in-plan` or `end`."""
    (one,) = basic["code"]["coding"]
    if one["system"] not in (codes.RECORD, codes.EXPORT):
        raise ValueError("is no record of ours")
    return str(one["code"])


def zone_change_of(basic: Resource) -> dict[str, Any]:
    """Return a change of zone."""
    told = {one["url"]: one for one in basic["extension"]}
    since = told[codes.SINCE]
    zones = {one["url"]: one["valueCode"] for one in since["_valueDateTime"]["extension"]}
    times = {"since": since["valueDateTime"], "recorded_at": told[codes.TOLD]["valueInstant"]}
    return {"zone": zones[ZONE], **times}


def plan_of(basic: Resource) -> dict[str, Any]:
    """Return the check-in plan."""
    ((_, told),) = ((one["url"], one["extension"]) for one in basic["extension"])
    found = {one["url"]: one for one in told}
    pause = found["pause"]["valuePeriod"] if "pause" in found else None
    return {
        "reminders": found["reminders"]["valueBoolean"],
        "every_days": found["every_days"]["valueInteger"],
        **{n: found[n]["valueTime"].removesuffix(":00") for n in ("remind_at", "quiet_from", "quiet_until")},
        "pause": pause and {"first": pause["start"], "last": pause["end"]},
        "scales": [_scale(one["extension"]) for one in told if one["url"] == "scale"],
    }


def resources_of(basic: Resource) -> int:
    """Return how many resources the end of a file says came before it."""
    found = {one["url"]: one for one in basic["extension"]}
    return int(found[codes.RESOURCES]["valueUnsignedInt"])


def _scale(told: list[dict[str, Any]]) -> dict[str, Any]:
    found = {one["url"]: next(v for key, v in one.items() if key != "url") for one in told}
    names = ("instrument", "anchor", "every_days", "open_days", "first_day")
    offsets = [one["valueInteger"] for one in told if one["url"] == "offset"]
    return {name: found.get(name) for name in names} | {"offsets": offsets}


def _code(concept: Resource, system: str) -> str:
    return str(next(one["code"] for one in concept["coding"] if one["system"] == system))
