"""Free times from a FHIR system: its own Slots, or the files it publishes as SMART Scheduling Links."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from typing import TypeVar
from zoneinfo import ZoneInfo

from server.clinical.visit import MOST_SLOTS, Proposed, Slot
from server.fhir.slots import Files, read_calendars, read_manifest, read_slot_lines, read_slots
from server.gateways.egress import Egress
from server.gateways.exchange import Reply, Request, refusal
from server.gateways.message import SendError
from server.gateways.scheduling.fhir_client import FhirClient
from server.gateways.scheduling.json_reply import read_object

MOST_FILES = 10  # of a kind, in one manifest
# So long is looked for them. Whoever tells them slowly must not keep what became of the visit itself from
# being recorded: that is heard before, and its worker has it only for a while.
LONGEST = timedelta(seconds=20)
_PAGE = "100"

T = TypeVar("T")


def server_slots(client: FhirClient, proposed: Proposed, now: datetime) -> Sequence[Slot]:
    """Search the system's free Slots in the window."""
    first, last = _window(proposed, now)
    asked = [("status", "free"), ("start", f"ge{_text(first)}"), ("start", f"le{_text(last)}")]
    pages = client.search("Slot", [*asked, ("_count", _PAGE)], now)
    in_time = _in_time(pages, monotonic() + LONGEST.total_seconds())
    return _best((slot for page in in_time for slot in read_slots(page)), proposed, now)


def published_slots(
    egress: Egress, manifest: str, proposed: Proposed, now: datetime, longest: timedelta = LONGEST
) -> Sequence[Slot]:
    """Read the published files. They are public, so no token goes with the requests.

    What is not read after ``longest`` is left out.
    """
    end = monotonic() + longest.total_seconds()
    files = _manifest(_fetched(egress, manifest, "application/json", now))
    calendars = [
        calendar
        for url in _in_time(files.schedules[:MOST_FILES], end)
        for calendar in read_calendars(_lines(egress, url, now))
    ]
    texts = (_lines(egress, url, now) for url in _in_time(files.slots[:MOST_FILES], end))
    return _best((slot for text in texts for slot in read_slot_lines(text, calendars)), proposed, now)


def _in_time(sources: Iterable[T], end: float) -> Iterator[T]:
    """Yield ``sources`` until ``end`` on the monotonic clock, the first one always."""
    for one in sources:
        yield one
        if monotonic() >= end:
            return


def _best(slots: Iterable[Slot], proposed: Proposed, now: datetime) -> Sequence[Slot]:
    """Return those of the window that are long enough, earliest first."""
    first, last = _window(proposed, now)
    needed = timedelta(minutes=proposed.minutes)
    fitting = {slot for slot in slots if first <= slot.starts_at <= last and _lasts(slot) >= needed}
    return sorted(fitting, key=lambda slot: (slot.starts_at, slot.ends_at, slot.external_id or ""))[
        :MOST_SLOTS
    ]


def _lasts(slot: Slot) -> timedelta:
    return slot.ends_at - slot.starts_at


def _window(proposed: Proposed, now: datetime) -> tuple[datetime, datetime]:
    zone = ZoneInfo(proposed.zone)
    first = datetime.combine(proposed.earliest, time(), zone)
    return max(first, now), datetime.combine(proposed.latest, time(23, 59, 59), zone)


def _manifest(reply: Reply) -> Files:
    try:
        return read_manifest(read_object(reply))
    except ValueError:
        raise SendError(True, "unreadable") from None


def _lines(egress: Egress, url: str, now: datetime) -> str:
    # A file too long for us is read as far as it came: some candidate times are better than none.
    return _fetched(egress, url, "application/fhir+ndjson", now).body.decode("utf-8", "replace")


def _fetched(egress: Egress, url: str, kind: str, now: datetime) -> Reply:
    reply = egress.send(url, Request("GET", {"Accept": kind}))
    if reply.status != 200:
        raise refusal(reply, now)
    return reply


def _text(at: datetime) -> str:
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
