"""Candidate times come from the system's own slots, page after page, or from files that anybody may read."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from server.clinical.visit import MOST_SLOTS
from server.gateways.egress import Egress
from server.gateways.message import SendError
from server.gateways.scheduling.fhir import FhirScheduling
from server.gateways.scheduling.fhir_slots import published_slots
from server.gateways.scheduling.port import Outside
from tests.fhir.proposals import TEN, proposal
from tests.fhir.test_slots import lines, slot
from tests.gateways.web_peers import Answering, answering
from tests.peers.fhir_router import FhirClinic
from tests.peers.front_door import FrontDoor, Trouble, opened

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
OUTSIDE = Outside(Egress(allow_loopback=True))
SCHEDULE = {"resourceType": "Schedule", "actor": [{"reference": "Practitioner/bo"}]}


@pytest.fixture
def door(fhir_router: int) -> Iterator[FrontDoor]:
    with opened(FrontDoor(fhir_router)) as found:
        yield found


def free(starts_at: datetime, minutes: int = 90, **changes: Any) -> dict[str, Any]:
    end = starts_at + timedelta(minutes=minutes)
    found = slot(start=starts_at.isoformat(), end=end.isoformat(), **changes)
    return {key: value for key, value in found.items() if key != "id"}


def port(base_url: str, **config: Any) -> FhirScheduling:
    return FhirScheduling({"base_url": base_url, **config}, OUTSIDE)


@pytest.mark.peers
def test_the_earliest_free_times_of_the_window_are_found(door: FrontDoor) -> None:
    clinic = FhirClinic(door.peer_port)
    for days in (6, 4, 2, 0, 1, 3, 5):
        clinic.make(free(TEN + timedelta(days=days - 1)))
    clinic.make(free(TEN - timedelta(days=5)))
    clinic.make(free(TEN + timedelta(days=30)))
    clinic.make(free(TEN + timedelta(hours=2), minutes=30))
    clinic.make(free(TEN + timedelta(hours=3), status="busy"))
    there = port(f"http://127.0.0.1:{door.port}/{clinic.name}", slots="fhir")
    assert there.capabilities.slots
    found = there.find_slots(proposal(), NOW)
    assert [one.starts_at for one in found] == [TEN + timedelta(days=days - 1) for days in range(MOST_SLOTS)]
    assert all(one.external_id and one.external_id.startswith("Slot/") for one in found)
    late = there.find_slots(proposal(), TEN + timedelta(days=3))
    assert [one.starts_at for one in late] == [TEN + timedelta(days=days) for days in (3, 4, 5)]


@pytest.mark.peers
def test_the_last_minute_of_the_window_counts_and_the_next_day_does_not(door: FrontDoor) -> None:
    clinic = FhirClinic(door.peer_port)
    last = datetime.fromisoformat("2026-12-08T23:59:00-05:00")
    clinic.make(free(last))
    clinic.make(free(last + timedelta(minutes=1)))
    there = port(f"http://127.0.0.1:{door.port}/{clinic.name}", slots="fhir")
    assert [one.starts_at for one in there.find_slots(proposal(), NOW)] == [last]


@pytest.mark.peers
def test_every_page_is_read_up_to_a_bound(door: FrontDoor) -> None:
    clinic = FhirClinic(door.peer_port)
    for minutes in range(130):
        clinic.make(free(TEN + timedelta(minutes=130 - minutes)))
    there = port(f"http://127.0.0.1:{door.port}/{clinic.name}", slots="fhir")
    assert there.find_slots(proposal(), NOW)[0].starts_at == TEN + timedelta(minutes=1)
    assert door.count("GET Slot") == 2


@pytest.mark.peers
def test_pages_without_an_end_are_read_to_a_bound(door: FrontDoor) -> None:
    there = port(f"http://127.0.0.1:{door.port}/c", slots="fhir")
    url = f"http://127.0.0.1:{door.port}/c/Slot?page=next"
    page = {"resourceType": "Bundle", "entry": [], "link": [{"relation": "next", "url": url}]}
    for _ in range(10):
        door.make(Trouble(status=200, body=json.dumps(page).encode()), "GET Slot")
    assert there.find_slots(proposal(), NOW) == []
    assert door.count("GET Slot") == 5


@pytest.mark.peers
@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/c/Slot?page=2",
        "/other/Slot?page=2",
        "../other/Slot",
        "//elsewhere.example/c/Slot",
        "/c/../other/Slot",
        "/c/%2e%2e/other/Slot",
        "/cc/Slot",
    ],
)
def test_a_next_page_elsewhere_is_not_followed_with_our_token(door: FrontDoor, url: str) -> None:
    there = port(f"http://127.0.0.1:{door.port}/c", slots="fhir", auth={"kind": "bearer", "token": "abc"})
    page = {"resourceType": "Bundle", "entry": [], "link": [{"relation": "next", "url": url}]}
    door.make(Trouble(status=200, body=json.dumps(page).encode()), "GET Slot")
    with pytest.raises(SendError) as caught:
        there.find_slots(proposal(), NOW)
    assert (str(caught.value), len(door.passed)) == ("led_elsewhere", 1)


@pytest.mark.peers
def test_published_files_are_read_without_a_token(door: FrontDoor) -> None:
    base = f"http://127.0.0.1:{door.port}/pub"
    manifest = {
        "transactionTime": "2026-11-22T00:00:00Z",
        "request": f"{base}/$bulk-publish",
        "output": [
            {"type": "Location", "url": f"{base}/locations"},
            {"type": "Schedule", "url": f"{base}/schedules"},
            {"type": "Slot", "url": f"{base}/week-1"},
            {"type": "Slot", "url": f"{base}/week-2"},
        ],
        "error": [],
    }
    idle = {"resourceType": "Schedule", "id": "idle", "active": False, "actor": SCHEDULE["actor"]}
    texts = {
        "$bulk-publish": json.dumps(manifest),
        "schedules": lines(idle),
        "week-1": lines(
            {**free(TEN + timedelta(hours=5)), "id": "2"},
            {**free(TEN), "id": "3", "schedule": {"reference": "Schedule/idle"}},
        ),
        "week-2": lines({**free(TEN), "id": "1"}),
    }
    for name, text in texts.items():
        door.make(Trouble(status=200, body=text.encode()), f"GET {name}")
    there = port(
        "https://ehr.example/r4",
        slots={"links": f"{base}/$bulk-publish"},
        auth={"kind": "bearer", "token": "abc"},
    )
    assert [one.external_id for one in there.find_slots(proposal(), NOW)] == ["1", "2"]
    assert all("authorization" not in request.headers for request in door.passed)
    assert door.count("GET locations") == 0


def test_whoever_publishes_slowly_is_not_read_to_the_end() -> None:
    asked: list[str] = []

    class Slowly(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            time.sleep(0.1 if "file" in self.path else 0)
            text = lines({**free(TEN + timedelta(hours=len(asked))), "id": str(len(asked))})
            base = f"http://127.0.0.1:{server.server_port}"
            kinds = [("Schedule", 0), *(("Slot", number) for number in range(9))]
            output = [{"type": kind, "url": f"{base}/file-{kind}-{number}"} for kind, number in kinds]
            manifest = {
                "transactionTime": "2026-11-22T00:00:00Z",
                "request": base,
                "output": output,
                "error": [],
            }
            body = json.dumps(manifest) if self.path == "/" else text if "Slot" in self.path else lines()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Slowly) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        url, longest = f"http://127.0.0.1:{server.server_port}/", timedelta(seconds=0.15)
        found = published_slots(OUTSIDE.egress, url, proposal(), NOW, longest)
        server.shutdown()
    assert 1 <= len(found) == len(asked) - 2 <= 2


def test_no_slots_are_asked_for_where_there_are_none() -> None:
    there = port("https://ehr.example/r4")
    assert not there.capabilities.slots
    assert list(there.find_slots(proposal(), NOW)) == []


def test_files_that_are_not_there_or_make_no_sense_are_an_error() -> None:
    with answering(Answering(404)) as number:
        there = port("https://ehr.example/r4", slots={"links": f"http://127.0.0.1:{number}/$bulk-publish"})
        with pytest.raises(SendError) as caught:
            there.find_slots(proposal(), NOW)
    assert str(caught.value) == "refused_404"
    with answering(Answering(200)) as number:
        there = port("https://ehr.example/r4", slots={"links": f"http://127.0.0.1:{number}/$bulk-publish"})
        with pytest.raises(SendError) as caught:
            there.find_slots(proposal(earliest=date(2026, 12, 1)), NOW)
    assert str(caught.value) == "unreadable"
