"""A FHIR system passes what every adapter passes, with Medplum's router behind it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import Any

import pytest

from server.clinical.visit import Mapped, Proposed, RawEvent
from server.gateways.egress import Egress
from server.gateways.scheduling.fhir import FhirScheduling
from server.gateways.scheduling.port import Outside, SchedulingPort
from tests.fhir.definitions import Resource
from tests.gateways.scheduling import contract
from tests.gateways.scheduling import proxy as proxies
from tests.gateways.scheduling import rig as rigs
from tests.peers.fhir_router import FhirClinic
from tests.ports import free_port

pytestmark = pytest.mark.peers

TOKEN = "a-token-of-the-clinic"
WAYS: dict[str, dict[str, Any]] = {
    "one after the other": {"slots": "fhir"},
    "a transaction": {"transaction": True, "slots": "fhir"},
}


class FhirRig(rigs.Rig):
    """The system is reached through a proxy that can lose answers; the staff's client goes by it."""

    mapped = Mapped("patient-0815", "http://clinic.example/kinds|V2", "bo", "room-2")

    def __init__(self, clinic: FhirClinic, proxy: proxies.Proxy, way: dict[str, Any]) -> None:
        self.clinic, self.proxy, self.way = clinic, proxy, way
        self.secrets = (TOKEN, clinic.name)
        self.port: SchedulingPort = self._scheduling(proxy.port)

    def _scheduling(self, port: int) -> FhirScheduling:
        base_url = f"http://127.0.0.1:{port}/{self.clinic.name}"
        auth = {"kind": "bearer", "token": TOKEN}
        return FhirScheduling(
            {"base_url": base_url, "auth": auth, **self.way}, Outside(Egress(allow_loopback=True))
        )

    def _only(self, visit: Proposed) -> Resource:
        (found,) = self.clinic.all("Appointment", visit.id)
        return found

    def visits(self, visit: Proposed) -> int:
        found = self.clinic.all("Appointment", visit.id)
        return sum(one["status"] != "cancelled" for one in found)

    def confirm(self, visit: Proposed, starts_at: datetime) -> None:
        self.clinic.book(self._only(visit), starts_at)

    def cancel(self, visit: Proposed) -> None:
        self.clinic.change(self._only(visit), status="cancelled")

    def complete(self, visit: Proposed) -> None:
        self.clinic.change(self._only(visit), status="fulfilled")

    def forget(self, visit: Proposed) -> None:
        self.clinic.remove(self._only(visit))

    def open_times(self, starts: list[datetime]) -> None:
        for starts_at in starts:
            end = starts_at + timedelta(minutes=90)
            times = {"start": starts_at.isoformat(), "end": end.isoformat()}
            schedule = {"reference": "Schedule/bo"}
            self.clinic.make({"resourceType": "Slot", "status": "free", "schedule": schedule, **times})

    def event(self, visit: Proposed) -> RawEvent:
        return RawEvent(json.dumps(self._only(visit)).encode())

    def lose_answer(self, number: int) -> None:
        self.proxy.lose_answer(number)

    def has_lost(self) -> bool:
        return bool(self.proxy.has_lost())

    def away(self) -> SchedulingPort:
        return self._scheduling(free_port())

    def sent(self) -> bytes:
        sent: bytes = self.proxy.sent
        return sent


class TestFhir(contract.SchedulingContract):
    @pytest.fixture(params=WAYS)
    def rig(self, request: pytest.FixtureRequest, fhir_router: int) -> Iterator[FhirRig]:
        with ExitStack() as stack:
            proxy = stack.enter_context(proxies.passing_on(proxies.Proxy(fhir_router)))
            yield FhirRig(FhirClinic(fhir_router), proxy, WAYS[request.param])
