"""Free times as FHIR R4 tells them: a search's Bundle of Slots, or the files of SMART Scheduling Links.

Source: HL7 SMART Scheduling Links 1.0.0-ballot (manifest, Schedule and Slot files, two ways to book).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.clinical.visit import Slot
from server.fhir.visit_reading import Read, read_times

# The guide's extensions were published under another address before HL7 took it over: the end of it decides.
_LINK, _PHONE = "/booking-deep-link", "/booking-phone"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A Schedule: its id, whether it is in use, and whose it is (references)."""

    id: str
    active: bool
    actors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files of a manifest are."""

    schedules: tuple[str, ...]
    slots: tuple[str, ...]


def read_slots(bundle: Read) -> list[Slot]:
    """Return the free times in a search's answer; other resources in it are left alone."""
    if not isinstance(bundle, Mapping) or bundle.get("resourceType") != "Bundle":
        raise ValueError("is no Bundle")
    entries = _list(bundle, "entry")
    resources = [entry.get("resource") for entry in entries if isinstance(entry, Mapping)]
    return list(_free(_of_kind(resources, "Slot"), "Slot/"))


def read_slot_lines(text: str, calendars: Sequence[Calendar] = ()) -> list[Slot]:
    """Return the free times of a Slot file, without those of a Schedule that is not in use.

    A last line that was cut off is no resource.
    """
    idle = {f"Schedule/{calendar.id}" for calendar in calendars if not calendar.active}
    found = [one for one in _of_kind(_lines(text), "Slot") if _schedule(one) not in idle]
    return list(_free(found, ""))


def read_calendars(text: str) -> list[Calendar]:
    """Return the calendars of a Schedule file."""
    return [read_calendar(one) for one in _of_kind(_lines(text), "Schedule")]


def read_calendar(resource: Read) -> Calendar:
    """Read a Schedule; one that does not say is in use."""
    actors = (actor.get("reference") for actor in _list(resource, "actor") if isinstance(actor, Mapping))
    named = tuple(actor for actor in actors if isinstance(actor, str))
    return Calendar(str(resource.get("id", "")), resource.get("active", True) is not False, named)


def read_manifest(manifest: Any) -> Files:
    """Return where the Schedule and Slot files are, as a `$bulk-publish` manifest says."""
    outputs = manifest.get("output") if isinstance(manifest, Mapping) else None
    if not isinstance(outputs, list):
        raise ValueError("is no manifest")
    named = [one for one in outputs if isinstance(one, Mapping) and isinstance(one.get("url"), str)]
    by_type = {kind: tuple(one["url"] for one in named if one.get("type") == kind) for kind in _KINDS}
    return Files(by_type["Schedule"], by_type["Slot"])


_KINDS = ("Schedule", "Slot")


def _free(resources: Iterable[Read], prefix: str) -> Iterator[Slot]:
    for one in resources:
        starts_at, ends_at = read_times(one)
        if one.get("status") == "free" and starts_at is not None and ends_at is not None:
            name = one.get("id")
            yield Slot(starts_at, ends_at, f"{prefix}{name}" if name else None, _way_to_book(one))


def _way_to_book(slot: Read) -> str | None:
    """Return the address where this time can be booked, or the number to call, as an address."""
    extensions = [one for one in _list(slot, "extension") if isinstance(one, Mapping)]
    links = (one.get("valueUrl") or one.get("valueUri") for one in _named(extensions, _LINK))
    phones = (one.get("valueString") or _number(one) for one in _named(extensions, _PHONE))
    link = next((link for link in links if isinstance(link, str) and link.startswith("https://")), None)
    phone = next((phone for phone in phones if isinstance(phone, str) and phone.strip()), None)
    return link or (f"tel:{phone.strip().replace(' ', '-')}" if phone else None)


def _number(extension: Read) -> object:
    point = extension.get("valueContactPoint")
    return point.get("value") if isinstance(point, Mapping) else None


def _named(extensions: Iterable[Read], end: str) -> Iterator[Read]:
    return (one for one in extensions if str(one.get("url", "")).endswith(end))


def _schedule(slot: Read) -> object:
    found = slot.get("schedule")
    return found.get("reference") if isinstance(found, Mapping) else None


def _lines(text: str) -> Iterator[Any]:
    *whole, rest = text.split("\n")
    yield from (json.loads(line) for line in whole if line.strip())
    if _is_json(rest):
        yield json.loads(rest)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _of_kind(resources: Iterable[Any], kind: str) -> Iterator[Read]:
    return (one for one in resources if isinstance(one, Mapping) and one.get("resourceType") == kind)


def _list(resource: Read, name: str) -> Sequence[Any]:
    found = resource.get(name, [])
    return found if isinstance(found, list) else []
