"""Free times are read from a search and from published files, whatever else is in them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.clinical.visit import Slot
from server.fhir.slots import (
    Calendar,
    read_calendar,
    read_calendars,
    read_manifest,
    read_slot_lines,
    read_slots,
)
from tests.fhir.definitions import examples
from tests.fhir.proposals import TEN
from tests.fhir.validators import ABSENT, are_here

needs_examples = pytest.mark.skipif(not are_here(), reason=ABSENT)
GUIDE = "http://hl7.org/fhir/uv/smart-scheduling-links/StructureDefinition"
OLD_GUIDE = "http://fhir-registry.smarthealthit.org/StructureDefinition"
LINK = "https://ehr.example/booking/slots/17"


def slot(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Slot",
        "id": "17",
        "schedule": {"reference": "Schedule/bo"},
        "status": "free",
        "start": TEN.isoformat(),
        "end": (TEN + timedelta(minutes=90)).isoformat(),
        **changes,
    }


def lines(*resources: dict[str, Any]) -> str:
    return "".join(json.dumps(resource) + "\n" for resource in resources)


def found(name: str | None = "17", link: str | None = None) -> Slot:
    return Slot(TEN, TEN + timedelta(minutes=90), name, link)


def test_a_search_tells_free_times_that_can_be_referred_to() -> None:
    busy = slot(id="18", status="busy")
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in (slot(), busy, {"a": 1})]}
    assert read_slots(bundle) == [found("Slot/17")]
    assert read_slots({"resourceType": "Bundle"}) == []


def test_a_file_tells_free_times() -> None:
    assert read_slot_lines(lines(slot(), slot(status="busy-tentative"))) == [found()]
    assert read_slot_lines("") == []
    assert read_slot_lines("\n\r\n" + lines(slot(id=None))) == [found(None)]


def test_a_line_that_was_cut_off_is_left_out_and_a_whole_one_is_not() -> None:
    whole = lines(slot())
    assert read_slot_lines(whole + whole[:40]) == [found()]
    assert read_slot_lines(whole.strip()) == [found()]


def test_a_separator_inside_a_text_is_no_end_of_a_line() -> None:
    comment = slot(comment="first\u2028second")
    assert read_slot_lines(json.dumps(comment, ensure_ascii=False) + "\n") == [found()]


@pytest.mark.parametrize(
    ("extension", "link"),
    [
        ([{"url": f"{GUIDE}/booking-deep-link", "valueUrl": LINK}], LINK),
        ([{"url": f"{OLD_GUIDE}/booking-deep-link", "valueUrl": LINK}], LINK),
        ([{"url": f"{GUIDE}/booking-phone", "valueString": "+1 555 123 4567"}], "tel:+1-555-123-4567"),
        (
            [{"url": f"{GUIDE}/booking-phone", "valueContactPoint": {"system": "phone", "value": "112"}}],
            "tel:112",
        ),
        (
            [
                {"url": f"{GUIDE}/booking-phone", "valueString": "112"},
                {"url": f"{GUIDE}/booking-deep-link", "valueUrl": LINK},
            ],
            LINK,
        ),
        ([{"url": f"{GUIDE}/booking-deep-link", "valueUrl": "javascript:alert(1)"}], None),
        ([{"url": f"{GUIDE}/booking-deep-link", "valueUrl": 17}, "x", {"valueUrl": LINK}], None),
        ("x", None),
    ],
)
def test_a_time_says_where_it_can_be_booked(extension: Any, link: str | None) -> None:
    assert read_slot_lines(lines(slot(extension=extension))) == [found(link=link)]


def test_times_of_a_schedule_that_is_not_in_use_are_left_out() -> None:
    schedules = lines({"resourceType": "Schedule", "id": "bo", "active": False})
    assert read_slot_lines(lines(slot()), read_calendars(schedules)) == []
    used = [Calendar("bo", True, ("Practitioner/bo",))]
    assert read_slot_lines(lines(slot()), used) == [found()]


@pytest.mark.parametrize(
    "bad",
    [
        "no json\n{}\n",
        lines(slot(start="soon")),
        lines(slot(start="2026-12-03T10:00:00")),
        lines(slot(end=(TEN - timedelta(hours=1)).isoformat())),
    ],
)
def test_nonsense_in_a_file_is_refused(bad: str) -> None:
    with pytest.raises(ValueError):
        read_slot_lines(bad)


@pytest.mark.parametrize("bad", [[], {}, {"resourceType": "Slot"}])
def test_what_is_no_answer_to_a_search_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError):
        read_slots(bad)


def test_a_manifest_tells_where_the_files_are() -> None:
    output = [
        {"type": "Schedule", "url": "https://a.example/schedules.ndjson"},
        {"type": "Slot", "url": "https://a.example/1.ndjson", "extension": {"state": ["MA"]}},
        {"type": "Location", "url": "https://a.example/locations.ndjson"},
        {"type": "Slot", "url": "https://b.example/2.ndjson"},
        {"type": "Slot"},
        "x",
    ]
    files = read_manifest({"transactionTime": "2026-01-01T00:00:00Z", "output": output})
    assert files.schedules == ("https://a.example/schedules.ndjson",)
    assert files.slots == ("https://a.example/1.ndjson", "https://b.example/2.ndjson")


@pytest.mark.parametrize("bad", [[], {}, {"output": {}}, None])
def test_what_is_no_manifest_is_refused(bad: Any) -> None:
    with pytest.raises(ValueError):
        read_manifest(bad)


@pytest.mark.peers
@needs_examples
def test_every_official_slot_and_schedule_is_read() -> None:
    slots = examples("Slot")
    entries = [{"resource": resource} for resource in slots.values()]
    assert len(entries) == 4
    free = Slot(
        datetime(2013, 12, 25, 9, 15, tzinfo=UTC),
        datetime(2013, 12, 25, 9, 30, tzinfo=UTC),
        "Slot/example",
    )
    assert read_slots({"resourceType": "Bundle", "entry": entries}) == [free]
    calendars = [read_calendar(resource) for resource in examples("Schedule").values()]
    assert [calendar.actors for calendar in calendars] == [
        ("Location/1",),
        ("Practitioner/1", "Location/3"),
        ("Practitioner/1", "Location/2"),
    ]
    assert all(calendar.active for calendar in calendars)
