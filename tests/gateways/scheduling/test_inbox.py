"""The adapter for systems that pull: nothing leaves, and a booked visit stays the clinic's."""

from dataclasses import replace
from datetime import datetime

import pytest

from server.clinical.visit import Proposed
from server.clinical.vocabulary import PeerStatus, SuggestionState
from server.gateways.egress import Egress
from server.gateways.scheduling.inbox import InboxScheduling
from server.gateways.scheduling.port import Outside, SchedulingPort
from tests.gateways.scheduling.contract import SchedulingContract
from tests.gateways.scheduling.rig import Rig, moment, ten_oclock


class InboxRig(Rig):
    """There is no far end: the list that is pulled is our own, and shows what is not withdrawn."""

    def __init__(self) -> None:
        self.port: SchedulingPort = InboxScheduling({}, Outside(Egress()))

    def visits(self, visit: Proposed) -> int:
        pytest.skip("the list that is pulled is our own")

    def lose_answer(self, number: int) -> None:
        pytest.skip("nothing is asked")

    def away(self) -> SchedulingPort:
        pytest.skip("nobody is asked")

    def sent(self) -> bytes:
        return b""


@pytest.fixture
def rig() -> Rig:
    """The adapter, with nobody behind it."""
    return InboxRig()


class TestInbox(SchedulingContract):
    """Nothing is pushed, so most of the contract has nothing to try."""


def test_a_booked_visit_stays_the_clinics(rig: Rig) -> None:
    visit = rig.proposal()
    at: datetime = ten_oclock(visit)
    booked = replace(visit, state=SuggestionState.BOOKED, external_id="apt-1", starts_at=at)
    seen = rig.port.withdraw(booked, moment())
    assert seen is not None
    assert (seen.external_id, seen.status, seen.starts_at) == ("apt-1", PeerStatus.BOOKED, at)


def test_it_has_no_settings() -> None:
    with pytest.raises(ValueError, match="no settings"):
        InboxScheduling({"base_url": "https://clinic.example"}, Outside(Egress()))
