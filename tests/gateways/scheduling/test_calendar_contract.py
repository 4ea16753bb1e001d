"""A CalDAV calendar passes what every adapter passes, with Radicale behind it."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import pytest

from server.clinical.visit import Proposed
from server.gateways.egress import Egress
from server.gateways.scheduling.calendar import CalendarScheduling
from server.gateways.scheduling.port import Outside, SchedulingPort
from tests.gateways.scheduling import contract
from tests.gateways.scheduling import proxy as proxies
from tests.gateways.scheduling import rig as rigs
from tests.gateways.scheduling.calendar_program import CalendarProgram, at, saying
from tests.gateways.scheduling.radicale import COLLECTION, PASSWORD, USER, radicale
from tests.ports import free_port

pytestmark = pytest.mark.peers


def scheduling(port: int) -> CalendarScheduling:
    url = f"http://127.0.0.1:{port}{COLLECTION}"
    config = {"way": "caldav", "url": url, "user": USER, "password": PASSWORD}
    return CalendarScheduling(config, Outside(Egress(allow_loopback=True)))


class CalendarRig(rigs.Rig):
    """The calendar is reached through a proxy that can lose answers; the staff's program goes by it."""

    secrets = (PASSWORD, "clinic/visits")

    def __init__(self, peer_port: int, proxy: proxies.Proxy) -> None:
        self.program = CalendarProgram(peer_port)
        self.proxy = proxy
        self.port: SchedulingPort = scheduling(proxy.port)

    def visits(self, visit: Proposed) -> int:
        return int(self.program.is_there(visit.id))

    def confirm(self, visit: Proposed, starts_at: datetime) -> None:
        assert self.program.change(visit.id, at(starts_at, status="CONFIRMED")) == 204

    def cancel(self, visit: Proposed) -> None:
        assert self.program.change(visit.id, saying("CANCELLED")) == 204

    def complete(self, visit: Proposed) -> None:
        pytest.skip("a calendar has no word for a visit that took place")

    def forget(self, visit: Proposed) -> None:
        self.program.delete(visit.id)

    def lose_answer(self, number: int) -> None:
        self.proxy.lose_answer(number)

    def has_lost(self) -> bool:
        return bool(self.proxy.has_lost())

    def away(self) -> SchedulingPort:
        return scheduling(free_port())

    def sent(self) -> bytes:
        sent: bytes = self.proxy.sent
        return sent


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("radicale")
    with radicale(folder) as port:
        yield port


class TestCalendar(contract.SchedulingContract):
    @pytest.fixture
    def rig(self, peer: int) -> Iterator[CalendarRig]:
        with ExitStack() as stack:
            yield CalendarRig(peer, stack.enter_context(proxies.passing_on(proxies.Proxy(peer))))
