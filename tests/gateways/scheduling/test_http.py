"""The generic HTTP kind against a small practice's own system, asked in two ways, and its sharp edges."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from server.clinical.visit import Mapped, Proposed, RawEvent
from server.clinical.vocabulary import DeclineCode, PeerStatus, SuggestionState
from server.gateways.egress import Egress
from server.gateways.message import SendError
from server.gateways.scheduling.http import HttpScheduling
from server.gateways.scheduling.port import PEER_LIMITS, Outside, SchedulingPort
from tests.gateways.scheduling import http_configs
from tests.gateways.scheduling.contract import SchedulingContract
from tests.gateways.scheduling.proxy import Proxy, passing_on
from tests.gateways.scheduling.rig import Rig, known, moment, ten_oclock
from tests.gateways.scheduling.small_clinic import LIVE, SECRET, SmallClinic, open_for_business
from tests.gateways.web_peers import Answering, answering
from tests.ports import free_port

OUTSIDE = Outside(Egress(allow_loopback=True, limits=PEER_LIMITS))
CONFIGS = {"searched": http_configs.SEARCHED, "once": http_configs.once()}


class SmallClinicRig(Rig):
    """Our adapter on one side, the practice's staff on the other."""

    mapped = Mapped(patient="patient-card 4711/b")
    secrets = (SECRET,)

    def __init__(self, clinic: SmallClinic, proxy: Proxy, config: dict[str, Any]) -> None:
        self.clinic, self.proxy, self.config = clinic, proxy, config
        clinic.honours_keys, clinic.slow = config.get("once", False), False
        self.port: SchedulingPort = self.adapter()

    def adapter(self, port: int = 0, **changes: Any) -> HttpScheduling:
        base_url = f"http://127.0.0.1:{port or self.proxy.port}/api"
        return HttpScheduling({**self.config, "base_url": base_url, **changes}, OUTSIDE)

    def visits(self, visit: Proposed) -> int:
        return sum(row.phase in LIVE for row in self.clinic.labelled(str(visit.id)))

    def confirm(self, visit: Proposed, starts_at: datetime) -> None:
        self.clinic.change(str(visit.external_id), "fixed", starts_at)

    def cancel(self, visit: Proposed) -> None:
        self.clinic.change(str(visit.external_id), "dropped", why="full")

    def complete(self, visit: Proposed) -> None:
        self.clinic.change(str(visit.external_id), "closed")

    def forget(self, visit: Proposed) -> None:
        del self.clinic.book[str(visit.external_id)]

    def open_times(self, starts: list[datetime]) -> None:
        self.clinic.openings = starts

    def event(self, visit: Proposed) -> RawEvent:
        about = {"number": str(visit.external_id), "yours": str(visit.id)}
        if self.config["event"]["encoding"] == "form":
            return RawEvent(urlencode(about).encode())
        return RawEvent(json.dumps({"about": about, "at": moment().isoformat()}).encode())

    def lose_answer(self, number: int) -> None:
        self.proxy.lose_answer(number)

    def has_lost(self) -> bool:
        return self.proxy.has_lost()

    def away(self) -> SchedulingPort:
        return self.adapter(free_port())

    def sent(self) -> bytes:
        return self.proxy.sent


@pytest.fixture(scope="module")
def practice() -> Iterator[tuple[SmallClinic, Proxy]]:
    """The practice's system, and the proxy before it."""
    with open_for_business(SmallClinic()) as clinic, passing_on(Proxy(clinic.port)) as proxy:
        yield clinic, proxy


@pytest.fixture(params=CONFIGS)
def rig(practice: tuple[SmallClinic, Proxy], request: pytest.FixtureRequest) -> SmallClinicRig:
    """Both sides, for each way of asking."""
    return SmallClinicRig(*practice, CONFIGS[request.param])


@pytest.fixture
def searched(practice: tuple[SmallClinic, Proxy]) -> SmallClinicRig:
    """Both sides; it is looked for first."""
    return SmallClinicRig(*practice, deepcopy(http_configs.SEARCHED))


class TestSmallClinic(SchedulingContract):
    """The contract."""


def test_values_keep_their_kind_and_are_never_text_in_json(searched: SmallClinicRig) -> None:
    searched.mapped = Mapped(patient='Ana", "length": 7, "x": "{provider}')
    visit = searched.proposal()
    searched.port.suggest(visit, moment())
    (row,) = searched.clinic.labelled(str(visit.id))
    assert row.wish["who"] == searched.mapped.patient
    assert row.wish["length"] == 90
    assert row.wish["note"] == f"Visit between {visit.earliest} and {visit.latest}"
    begins, ends = (datetime.fromisoformat(row.wish["times"][0][name]) for name in ("from", "to"))
    assert begins.date() == visit.earliest
    assert (begins.hour, ends.hour) == (0, 0)
    assert ends.date() == visit.latest + timedelta(days=1)


def test_an_id_with_a_slash_is_one_step_of_the_address(searched: SmallClinicRig) -> None:
    visit = searched.suggested()
    assert "/" in str(visit.external_id)
    searched.fetched(visit)
    assert searched.clinic.requests[-1][1].startswith("/api/visits/V%2F")


@pytest.mark.parametrize("external_id", ["..", ".", ""])
def test_an_id_that_would_lead_elsewhere_is_not_asked(searched: SmallClinicRig, external_id: str) -> None:
    asked = len(searched.clinic.requests)
    with pytest.raises(SendError) as caught:
        searched.port.fetch(replace(searched.proposal(), external_id=external_id), moment())
    assert (caught.value.permanent, caught.value.reason) == (True, "external_id_unusable")
    assert len(searched.clinic.requests) == asked


def test_what_the_clinic_has_not_mapped_is_said_and_nothing_is_made(searched: SmallClinicRig) -> None:
    searched.mapped = Mapped()
    visit = searched.proposal()
    with pytest.raises(SendError) as caught:
        searched.port.suggest(visit, moment())
    assert (caught.value.permanent, caught.value.reason) == (True, "patient_unmapped")
    assert searched.clinic.labelled(str(visit.id)) == []


def test_a_system_that_passes_over_our_question_does_not_give_us_somebody_elses_visit(
    searched: SmallClinicRig,
) -> None:
    searched.config["operations"]["find"]["query"] = {"labl": "{id}"}  # a slip: it lists all it has
    other, visit = searched.suggested(), searched.proposal()
    seen = searched.adapter().suggest(visit, moment())
    assert seen.external_id != other.external_id
    assert searched.visits(visit) == 1


def test_of_two_there_the_one_staff_have_dealt_with_counts(searched: SmallClinicRig) -> None:
    visit = searched.suggested()
    double = searched.clinic.enter({"label": str(visit.id)})
    searched.clinic.change(double.number, "fixed", ten_oclock(visit))
    seen = searched.fetched(replace(visit, external_id=None))
    assert (seen.external_id, seen.status) == (double.number, PeerStatus.BOOKED)


def test_a_new_window_is_told_where_there_is_a_way(searched: SmallClinicRig) -> None:
    visit = searched.suggested()
    searched.port.suggest(replace(visit, version=3, latest=visit.earliest), moment())
    (row,) = searched.clinic.labelled(str(visit.id))
    assert row.wish["note"] == f"Visit between {visit.earliest} and {visit.earliest}"


def test_what_changes_between_reading_and_withdrawing_is_not_withdrawn(searched: SmallClinicRig) -> None:
    visit = searched.suggested()
    stale = replace(visit, etag='"V/0.0"')
    with pytest.raises(SendError) as caught:
        HttpScheduling._asked(searched.adapter(), "withdraw", stale, moment(), "key")
    assert (caught.value.permanent, caught.value.reason) == (False, "changed_meanwhile")
    assert searched.visits(visit) == 1


def test_a_key_keeps_it_one_visit_also_when_its_window_changed_meanwhile(
    practice: tuple[SmallClinic, Proxy],
) -> None:
    config = http_configs.once()
    config["operations"]["suggest"]["ok"] = [202]
    rig = SmallClinicRig(*practice, config)
    rig.clinic.slow = True
    visit = rig.proposal()
    rig.lose_answer(2)  # the first one says that it is not there
    with pytest.raises(SendError):
        rig.port.suggest(visit, moment())
    assert rig.has_lost()
    rig.port.suggest(replace(visit, version=9, latest=visit.earliest), moment())
    rig.clinic.work()
    assert rig.visits(visit) == 1


def test_what_is_accepted_stays_proposed_until_it_is_there(practice: tuple[SmallClinic, Proxy]) -> None:
    rig = SmallClinicRig(*practice, http_configs.slow())
    rig.clinic.slow = True
    visit = rig.suggested()
    assert rig.port.capabilities.asynchronous
    assert (visit.external_id, visit.state) == (str(visit.id), SuggestionState.SENT)
    assert rig.port.suggest(visit, moment()).status is PeerStatus.PROPOSED
    assert rig.fetched(visit).status is PeerStatus.PROPOSED
    rig.clinic.work()
    seen = rig.fetched(visit)
    assert (seen.external_id != visit.external_id, seen.status) == (True, PeerStatus.PROPOSED)
    assert rig.visits(visit) == 1
    rig.forget(known(visit, seen))
    assert rig.port.fetch(known(visit, seen), moment()) is None


def test_a_refusal_by_the_clinic_has_its_reason_in_our_words(searched: SmallClinicRig) -> None:
    for why, code in (("full", DeclineCode.NO_CAPACITY), ("dog ate it", DeclineCode.OTHER), (None, None)):
        visit = searched.suggested()
        searched.clinic.change(str(visit.external_id), "dropped", why=why)
        assert searched.fetched(visit).decline is code


def test_a_word_that_is_in_no_table_is_for_a_person(searched: SmallClinicRig) -> None:
    visit = searched.suggested()
    searched.clinic.change(str(visit.external_id), "pencilled_in")
    with pytest.raises(SendError) as caught:
        searched.port.fetch(visit, moment())
    assert (caught.value.permanent, caught.value.reason) == (True, "status_unmapped")


def test_a_time_it_only_thinks_of_is_no_booking(searched: SmallClinicRig) -> None:
    visit = searched.suggested()
    searched.clinic.change(str(visit.external_id), "in_review", ten_oclock(visit))
    seen = searched.fetched(visit)
    assert (seen.status, seen.starts_at, seen.ends_at) == (PeerStatus.PENDING, None, None)


def test_a_wrong_secret_is_named_and_may_be_mended(searched: SmallClinicRig) -> None:
    auth = {**searched.config["auth"], "secret": "another"}
    with pytest.raises(SendError) as caught:
        searched.adapter(auth=auth).suggest(searched.proposal(), moment())
    assert (caught.value.permanent, caught.value.reason, caught.value.away) == (False, "sign_in", True)


@pytest.mark.parametrize(("status", "permanent"), [(422, True), (400, True), (429, False), (500, False)])
def test_a_refusal_is_final_only_where_it_is_about_the_request(
    searched: SmallClinicRig, status: int, permanent: bool
) -> None:
    with answering(Answering(status, {"Retry-After": "30"})) as port, pytest.raises(SendError) as caught:
        searched.adapter(port).suggest(searched.proposal(), moment())
    assert caught.value.permanent is permanent
    assert caught.value.retry_after == (timedelta(seconds=30) if status == 429 else None)


def test_an_answer_that_is_none_leaves_it_in_doubt(searched: SmallClinicRig) -> None:
    with answering(Answering(200)) as port, pytest.raises(SendError) as caught:
        searched.adapter(port).suggest(searched.proposal(), moment())
    assert (caught.value.reason, caught.value.in_doubt) == ("unreadable", True)


def test_without_a_way_to_withdraw_it_is_only_looked_at(searched: SmallClinicRig) -> None:
    del searched.config["operations"]["withdraw"]
    visit, port = searched.suggested(), searched.adapter()
    assert not port.capabilities.cancel
    seen = port.withdraw(visit, moment())
    assert seen is not None
    assert seen.status is PeerStatus.PROPOSED


def test_slots_say_where_to_book_and_how_long_they_are(searched: SmallClinicRig) -> None:
    visit = searched.proposal()
    searched.open_times([ten_oclock(visit)])
    (slot,) = searched.port.find_slots(visit, moment())
    assert slot.ends_at - slot.starts_at == timedelta(minutes=90)
    assert (slot.external_id, slot.link) == ("0", "https://practice.example/0")


def test_a_message_tells_when_it_happened(searched: SmallClinicRig) -> None:
    visit = searched.suggested()
    (event,) = searched.port.parse_event(searched.event(visit))
    assert (event.external_id, event.suggestion_id) == (visit.external_id, visit.id)
    assert event.changed_at is not None


def test_a_message_may_hold_several(searched: SmallClinicRig) -> None:
    event = {"external_id": "/id", "changed_at": "/at", "items": "/changes"}
    port = searched.adapter(event=event, times="milliseconds")
    body = {"changes": [{"id": 7, "at": 1_772_452_800_000}, {"id": "V/8", "at": "whenever"}]}
    first, second = port.parse_event(RawEvent(json.dumps(body).encode()))
    assert (first.external_id, first.changed_at) == ("7", datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    assert (second.external_id, second.changed_at) == ("V/8", None)
    for count in (0, 101):
        with pytest.raises(ValueError):
            port.parse_event(RawEvent(json.dumps({"changes": [{"id": 7}] * count}).encode()))
