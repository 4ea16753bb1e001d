"""What R4 has no resource for, as `Basic`: changes of zone, the check-in plan, the end of the file."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from server.fhir.codes import ZONE, coding, concept, instant
from server.fhir.identifiers import Resource
from server.fhir.own import codes
from server.fhir.own.codes import extension
from server.fhir.reported import patient


def zone_change(whose: UUID, place: int, change: Mapping[str, Any]) -> Resource:
    """Return a change of zone; the zone stands at its moment, as at every moment that was told in one."""
    since = extension(codes.SINCE, valueDateTime=change["since"])
    since["_valueDateTime"] = {"extension": [extension(ZONE, valueCode=change["zone"])]}
    told = extension(codes.TOLD, valueInstant=_instant(change["recorded_at"]))
    return _basic(whose, f"zone.{place + 1}", "zone-change", [since, told])


def check_in_plan(whose: UUID, plan: Mapping[str, Any]) -> Resource:
    """Return the check-in plan (`server.services.journal.check_in_plan.content`)."""
    times = ("remind_at", "quiet_from", "quiet_until")
    told = [
        extension("reminders", valueBoolean=plan["reminders"]),
        extension("every_days", valueInteger=plan["every_days"]),
        *(extension(name, valueTime=f"{plan[name]}:00") for name in times),
    ]
    if pause := plan["pause"]:
        told.append(extension("pause", valuePeriod={"start": pause["first"], "end": pause["last"]}))
    told += [extension("scale", extension=_scale(scale)) for scale in plan["scales"]]
    return _basic(whose, "plan", "check-in-plan", [extension(codes.PLAN, extension=told)])


def end(whose: UUID, exported_at: str, resources: int) -> Resource:
    """Return the last line: how many ``resources`` came before it. A file without it is not whole."""
    told = [
        extension(codes.EXPORTED, valueInstant=_instant(exported_at)),
        extension(codes.RESOURCES, valueUnsignedInt=resources),
    ]
    made = _basic(whose, "end", "end", told)
    return made | {"code": concept(coding(codes.EXPORT, codes.END), text="End of the export")}


def _scale(scale: Mapping[str, Any]) -> list[Resource]:
    told = [extension(name, valueCode=scale[name]) for name in ("instrument", "anchor")]
    told += [extension("offset", valueInteger=days) for days in scale["offsets"]]
    told += [extension(n, valueInteger=scale[n]) for n in ("every_days", "open_days") if scale[n] is not None]
    if scale["first_day"] is not None:
        told.append(extension("first_day", valueDate=scale["first_day"]))
    return told


def _basic(whose: UUID, name: str, code: str, told: list[Resource]) -> Resource:
    return {
        "resourceType": "Basic",
        "id": f"{whose}.{name}",
        "extension": told,
        "code": concept(coding(codes.RECORD, code), text=code.replace("-", " ").capitalize()),
        "subject": patient(whose),
    }


def _instant(text: str) -> str:
    return instant(datetime.fromisoformat(text))
