"""A real FHIR router is the clinic's system: we propose once, and what the clinic does is seen."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from server.clinical.visit import Proposed, RawEvent, SchedulingEvent, Seen
from server.clinical.vocabulary import DeclineCode, PeerStatus, SuggestionState
from server.gateways.egress import Egress
from server.gateways.exchange import Limits
from server.gateways.message import SendError
from server.gateways.scheduling.fhir import FhirScheduling
from server.gateways.scheduling.port import Outside
from tests.fhir.proposals import MAPPED, TEN, proposal
from tests.fhir.validators import Validators
from tests.gateways.web_peers import Answering, answering
from tests.peers.fhir_router import FhirClinic
from tests.peers.front_door import LOST, STRANGER, TOO_MANY, FrontDoor, Trouble, opened
from tests.ports import free_port

pytestmark = pytest.mark.peers
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
OUTSIDE = Outside(Egress(allow_loopback=True, limits=Limits(connect=1, total=3)))


@dataclass
class World:
    """One clinic, the door to its system, and our connection to it."""

    clinic: FhirClinic
    door: FrontDoor

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.door.port}/{self.clinic.name}"

    def port(self, **config: Any) -> FhirScheduling:
        return FhirScheduling({"base_url": self.base_url, **config}, OUTSIDE)

    def there(self) -> tuple[int, int]:
        """Count the proposals and the appointments."""
        return len(self.clinic.all("ServiceRequest")), len(self.clinic.all("Appointment"))


@pytest.fixture
def world(fhir_router: int) -> Iterator[World]:
    with opened(FrontDoor(fhir_router)) as door:
        yield World(FhirClinic(fhir_router), door)


def known(visit: Proposed, seen: Seen | None, state: SuggestionState) -> Proposed:
    assert seen is not None
    return replace(visit, external_id=seen.external_id, etag=seen.version, state=state)


def failure(port: FhirScheduling, visit: Proposed) -> SendError:
    with pytest.raises(SendError) as caught:
        port.suggest(visit, NOW)
    return caught.value


def test_proposed_booked_moved_and_cancelled_it_is_seen_each_time(world: World) -> None:
    port, visit = world.port(), proposal()
    assert port.fetch(visit, NOW) is None
    sent = port.suggest(visit, NOW)
    assert (sent.status, sent.starts_at, world.there()) == (PeerStatus.PROPOSED, None, (1, 1))
    visit = known(visit, sent, SuggestionState.SENT)

    world.clinic.book(world.clinic.only("Appointment"), TEN)
    booked = port.fetch(visit, NOW)
    assert booked
    assert (booked.status, booked.starts_at, booked.ends_at) == (
        PeerStatus.BOOKED,
        TEN,
        TEN + timedelta(minutes=90),
    )
    visit = known(visit, booked, SuggestionState.BOOKED)
    world.clinic.book(world.clinic.only("Appointment"), TEN + timedelta(days=1))
    moved = port.fetch(visit, NOW)
    assert moved
    assert (moved.status, moved.starts_at) == (PeerStatus.BOOKED, TEN + timedelta(days=1))
    assert moved.version != booked.version
    assert moved.changed_at
    assert booked.changed_at
    assert moved.changed_at >= booked.changed_at

    for status, seen in (
        ("arrived", PeerStatus.ARRIVED),
        ("checked-in", PeerStatus.ARRIVED),
        ("fulfilled", PeerStatus.FULFILLED),
        ("noshow", PeerStatus.NOSHOW),
        ("cancelled", PeerStatus.CANCELLED),
    ):
        world.clinic.change(world.clinic.only("Appointment"), status=status)
        found = port.fetch(visit, NOW)
        assert found
        assert found.status is seen


@pytest.mark.parametrize("config", [{}, {"transaction": True}, {"appointment_only": True}], ids=str)
def test_the_same_proposal_twice_is_there_once(world: World, config: dict[str, Any]) -> None:
    port, visit = world.port(**config), proposal()
    first = port.suggest(visit, NOW)
    assert port.suggest(visit, NOW) == first
    assert port.suggest(known(visit, first, SuggestionState.SENT), NOW) == first
    assert world.there() == (0 if "appointment_only" in config else 1, 1)
    assert port.capabilities.once


def test_the_appointment_names_the_proposal_it_is_based_on_however_it_was_made(world: World) -> None:
    for transaction in (False, True):
        visit = proposal(id=uuid4())
        world.port(transaction=transaction).suggest(visit, NOW)
        (request,) = world.clinic.all("ServiceRequest", visit.id)
        (meeting,) = world.clinic.all("Appointment", visit.id)
        assert meeting["basedOn"] == [{"reference": f"ServiceRequest/{request['id']}"}]


@pytest.mark.parametrize(
    ("at", "config"),
    [
        ("POST ServiceRequest", {}),
        ("POST Appointment", {}),
        ("POST Appointment", {"appointment_only": True}),
        ("POST", {"transaction": True}),
    ],
)
def test_a_lost_answer_makes_no_second_one(world: World, at: str, config: dict[str, Any]) -> None:
    port, visit = world.port(**config), proposal()
    world.door.make(LOST, at)
    lost = failure(port, visit)
    assert (lost.in_doubt, lost.permanent) == (True, False)
    assert port.suggest(visit, NOW).status is PeerStatus.PROPOSED
    assert world.there() == (0 if "appointment_only" in config else 1, 1)


@pytest.mark.parametrize("config", [{}, {"transaction": True}, {"appointment_only": True}], ids=str)
def test_a_search_that_lags_behind_makes_no_second_one(world: World, config: dict[str, Any]) -> None:
    port, visit = world.port(**config), proposal()
    first, nothing = port.suggest(visit, NOW), b'{"resourceType": "Bundle", "type": "searchset"}'
    for kind in ("Appointment", "ServiceRequest"):
        world.door.make(Trouble(status=200, body=nothing), f"GET {kind}")
    assert port.suggest(visit, NOW) == first
    assert world.there() == (0 if "appointment_only" in config else 1, 1)


def test_a_lost_answer_to_a_withdrawal_leaves_it_withdrawn(world: World) -> None:
    port, visit = world.port(), proposal()
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    world.door.make(LOST, "PUT Appointment")
    with pytest.raises(SendError):
        port.withdraw(visit, NOW)
    seen = port.withdraw(visit, NOW)
    assert seen
    assert seen.status is PeerStatus.DECLINED
    assert world.clinic.only("Appointment")["status"] == "cancelled"
    assert world.clinic.only("ServiceRequest")["status"] == "revoked"


def test_an_answer_that_says_nothing_is_looked_up(world: World) -> None:
    world.door.make(Trouble(does=True, status=201), "POST Appointment")
    world.door.make(
        Trouble(does=True, status=200, body=b'{"resourceType": "OperationOutcome"}'), "PUT Appointment"
    )
    port, visit = world.port(), proposal()
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    assert port.suggest(replace(visit, minutes=60), NOW).status is PeerStatus.PROPOSED
    assert world.clinic.only("Appointment")["minutesDuration"] == 60


def test_a_new_window_brings_both_up_to_date_and_keeps_what_the_clinic_wrote(world: World) -> None:
    port, visit = world.port(), proposal()
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    world.clinic.change(world.clinic.only("Appointment"), comment="Room is being painted.")
    later = replace(visit, version=4, latest=visit.latest + timedelta(days=7))
    port.suggest(later, NOW)
    meeting, request = world.clinic.only("Appointment"), world.clinic.only("ServiceRequest")
    assert meeting["requestedPeriod"][0]["end"] == "2026-12-15T23:59:59-05:00"
    assert request["occurrencePeriod"]["end"] == "2026-12-15"
    assert meeting["comment"] == "Room is being painted."


def test_what_the_clinic_did_between_reading_and_writing_is_not_overwritten(world: World) -> None:
    port, visit = world.port(), proposal()
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    there = world.clinic.only("Appointment")
    # What we read is answered from before the booking: our change comes too late.
    world.clinic.book(there, TEN)
    old = Trouble(status=200, body=json.dumps(there).encode())
    world.door.make(old, "GET Appointment")
    seen = port.suggest(replace(visit, version=4, minutes=60), NOW)
    assert (seen.status, seen.starts_at) == (PeerStatus.BOOKED, TEN)
    assert world.clinic.only("Appointment")["minutesDuration"] == 90
    world.door.make(old, "GET Appointment")
    withdrawn = port.withdraw(visit, NOW)
    assert withdrawn
    assert withdrawn.status is PeerStatus.BOOKED
    assert world.clinic.only("Appointment")["status"] == "booked"
    assert world.clinic.only("ServiceRequest")["status"] == "active"


def test_what_changes_faster_than_we_read_is_left_for_later(world: World) -> None:
    port, visit = world.port(appointment_only=True), proposal()
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    for _ in range(3):
        world.door.make(Trouble(status=409), "PUT Appointment")
    told = failure(port, replace(visit, minutes=60))
    assert (str(told), told.permanent) == ("changes_too_fast", False)


def test_a_withdrawn_visit_is_cancelled_and_its_proposal_revoked(world: World) -> None:
    port, visit = world.port(), proposal()
    assert port.withdraw(visit, NOW) is None
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    seen = port.withdraw(visit, NOW)
    assert seen
    assert seen.status is PeerStatus.DECLINED
    assert world.clinic.only("Appointment")["status"] == "cancelled"
    assert world.clinic.only("ServiceRequest")["status"] == "revoked"
    assert port.withdraw(visit, NOW) == seen


def test_the_clinic_declines_by_its_appointment_or_by_the_proposal(world: World) -> None:
    port, visit = world.port(), proposal()
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    world.clinic.change(world.clinic.only("ServiceRequest"), status="on-hold")
    seen = port.fetch(visit, NOW)
    assert seen
    assert (seen.status, seen.external_id) == (PeerStatus.PENDING, visit.external_id)
    world.clinic.change(world.clinic.only("ServiceRequest"), status="revoked")
    seen = port.fetch(visit, NOW)
    assert seen
    assert (seen.status, seen.decline) == (PeerStatus.DECLINED, DeclineCode.OTHER)
    other = proposal(id=uuid4())
    other = known(other, port.suggest(other, NOW), SuggestionState.SENT)
    world.clinic.change(world.clinic.all("Appointment", other.id)[0], status="cancelled")
    seen = port.fetch(other, NOW)
    assert seen
    assert seen.status is PeerStatus.DECLINED


def test_an_appointment_that_the_clinic_made_for_the_proposal_counts(world: World) -> None:
    port, visit = world.port(), proposal()
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    ours = world.clinic.only("Appointment")
    members = {key: value for key, value in ours.items() if key not in ("id", "meta", "identifier")}
    own = world.clinic.make(members)
    seen = port.fetch(visit, NOW)
    assert seen
    assert seen.external_id == ours["id"]  # theirs is only proposed, like ours
    world.clinic.book(own, TEN)
    beside = port.fetch(visit, NOW)
    world.clinic.remove(ours)
    assert port.fetch(visit, NOW) == beside
    assert beside
    assert (beside.external_id, beside.status, beside.starts_at) == (own["id"], PeerStatus.BOOKED, TEN)
    # It is theirs: whatever we are told to do, we leave it alone.
    visit = known(visit, beside, SuggestionState.BOOKED)
    theirs = world.clinic.only("Appointment")
    assert port.withdraw(visit, NOW) == beside
    assert port.suggest(replace(visit, minutes=60), NOW) == beside
    assert world.clinic.only("Appointment") == theirs


def test_appointments_of_others_are_never_taken_for_ours(world: World) -> None:
    # A server may leave out what it does not understand, and tell of everybody's.
    stranger = {"resourceType": "Appointment", "id": "17", "status": "proposed", "participant": []}
    answer = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": stranger}]}
    for call in (world.port().fetch, world.port().withdraw):
        world.door.make(Trouble(status=200, body=json.dumps(answer).encode()), "GET Appointment")
        assert call(proposal(), NOW) is None
    assert world.door.count("PUT Appointment") == 0


def test_we_never_book_whatever_we_take_it_for(world: World) -> None:
    seen = world.port().suggest(proposal(SuggestionState.BOOKED), NOW)
    assert (seen.status, seen.starts_at) == (PeerStatus.PROPOSED, None)
    assert world.clinic.only("Appointment")["status"] == "proposed"


def test_what_is_removed_there_is_nothing(world: World) -> None:
    port, visit = world.port(), proposal()
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    world.clinic.remove(world.clinic.only("Appointment"))
    assert port.fetch(visit, NOW) is None
    world.door.make(Trouble(status=410), "GET Appointment")
    assert port.fetch(visit, NOW) is None


def test_an_id_that_is_none_there_is_not_put_into_an_address(world: World) -> None:
    port, visit = world.port(), proposal(external_id="../../admin")
    port.suggest(visit, NOW)
    assert all("admin" not in request.path for request in world.door.passed)


def test_several_with_our_identifier_need_a_person(world: World) -> None:
    port, visit = world.port(), proposal()
    port.suggest(visit, NOW)
    copy = {
        key: value for key, value in world.clinic.only("Appointment").items() if key not in ("id", "meta")
    }
    world.clinic.make(copy)
    told = failure(port, visit)
    assert (str(told), told.permanent) == ("ambiguous", True)


def test_several_found_by_the_server_itself_need_a_person_too(world: World) -> None:
    port, visit = world.port(appointment_only=True), proposal()
    world.door.make(Trouble(status=412), "POST Appointment")
    told = failure(port, visit)
    assert (str(told), told.permanent) == ("ambiguous", True)


def test_a_busy_server_is_asked_again_when_it_said(world: World) -> None:
    for at in ("GET Appointment", "POST Appointment", "PUT Appointment"):
        port, visit = world.port(), proposal(id=uuid4())
        if at.startswith("PUT"):
            visit = replace(known(visit, port.suggest(visit, NOW), SuggestionState.SENT), minutes=60)
        world.door.make(TOO_MANY, at)
        told = failure(port, visit)
        assert (told.retry_after, told.permanent, told.away) == (timedelta(seconds=7), False, True), at
        port.suggest(visit, NOW)


@pytest.mark.parametrize(
    ("status", "permanent", "in_doubt"),
    [(400, True, False), (403, True, False), (422, True, False), (500, False, True), (503, False, True)],
)
def test_a_refusal_is_final_where_asking_again_cannot_help(
    world: World, status: int, permanent: bool, in_doubt: bool
) -> None:
    world.door.make(Trouble(status=status, body=b"Ana's secret"), "POST Appointment")
    told = failure(world.port(), proposal())
    assert (str(told), told.permanent, told.in_doubt) == (f"refused_{status}", permanent, in_doubt)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        b'{"resourceType": "Patient"}',
        b'{"resourceType": "Appointment", "id": "17", "status": "agreed"}',
    ],
)
def test_an_answer_that_makes_no_sense_is_said_to(world: World, body: bytes) -> None:
    world.door.make(Trouble(status=200, body=body), "GET Appointment")
    assert str(failure(world.port(), proposal(external_id="17"))) == "unreadable"


def test_a_fixed_token_goes_along_and_a_refused_one_stops_the_lane(world: World) -> None:
    port = world.port(auth={"kind": "bearer", "token": "abc"})
    port.suggest(proposal(), NOW)
    assert {request.headers["authorization"] for request in world.door.passed} == {"Bearer abc"}
    world.door.make(STRANGER, "GET Appointment")
    told = failure(port, proposal())
    assert (str(told), told.permanent, told.away) == ("unauthorized", False, True)


def test_nobody_there_is_away() -> None:
    base_url = f"http://127.0.0.1:{free_port()}/r4"
    told = failure(FhirScheduling({"base_url": base_url}, OUTSIDE), proposal())
    assert (told.away, told.permanent) == (True, False)


def test_a_clinic_cannot_make_us_write_to_this_machine() -> None:
    with answering(Answering(200)) as port:
        there = FhirScheduling({"base_url": f"http://127.0.0.1:{port}"}, Outside(Egress()))
        assert str(failure(there, proposal())) == "egress_refused"


def test_a_lane_names_the_host_and_not_the_clinic() -> None:
    port = FhirScheduling({"base_url": "https://ehr.example/tenants/bergen"}, OUTSIDE)
    other = FhirScheduling({"base_url": "https://ehr.example/tenants/oslo"}, OUTSIDE)
    assert port.lane().startswith("ehr.example:443#")
    assert "bergen" not in port.lane()
    assert port.lane() != other.lane()


@pytest.mark.parametrize("config", [{}, {"transaction": True}, {"patient_system": "urn:mrn"}], ids=str)
def test_everything_that_is_pushed_is_valid_fhir(
    world: World, validators: Validators, config: dict[str, Any]
) -> None:
    port, visit = world.port(**config), proposal(mapped=MAPPED)
    visit = known(visit, port.suggest(visit, NOW), SuggestionState.SENT)
    visit = replace(visit, version=4, latest=visit.latest + timedelta(days=7))
    port.suggest(visit, NOW)
    port.withdraw(visit, NOW)
    bodies = [json.loads(request.body) for request in world.door.passed if request.body]
    assert len(bodies) >= 5
    for body in bodies:
        assert validators.problems(body) == []


def test_a_notification_points_at_the_visit() -> None:
    port = FhirScheduling({"base_url": "https://ehr.example/r4"}, OUTSIDE)
    meeting = {"resourceType": "Appointment", "id": "17", "identifier": _ours(), "meta": {}}
    changed_at = "2026-11-25T09:00:00Z"
    reference = {"reference": "https://ehr.example/r4/Appointment/17/_history/2"}
    for resource, event in (
        (meeting, SchedulingEvent("17", proposal().id)),
        ({**meeting, "meta": {"lastUpdated": changed_at}}, _event("17", changed_at)),
        ({"resourceType": "ServiceRequest", "id": "9", "identifier": _ours()}, _event(None, None)),
        ({"resourceType": "AppointmentResponse", "appointment": reference}, SchedulingEvent("17")),
        (_bundle(meeting), SchedulingEvent("17", proposal().id)),
        (_bundle(_status(reference)), SchedulingEvent("17")),
    ):
        assert port.parse_event(RawEvent(json.dumps(resource).encode())) == [event]


def _event(name: str | None, changed_at: str | None) -> SchedulingEvent:
    at = None if changed_at is None else datetime.fromisoformat(changed_at)
    return SchedulingEvent(name, proposal().id, at)


def _ours() -> list[dict[str, str]]:
    return [{"system": "urn:afterglow:suggestion", "value": str(proposal().id)}]


def _bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "history", "entry": [{"resource": one} for one in resources]}


def _status(focus: dict[str, str]) -> dict[str, Any]:
    event = {"name": "notification-event", "part": [{"name": "focus", "valueReference": focus}]}
    return {"resourceType": "Parameters", "parameter": [event]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"resourceType": "Patient", "id": "1"}',
        b'{"resourceType": "Appointment", "id": "../1"}',
        b'{"resourceType": "Appointment", "id": "1", "meta": {"lastUpdated": "soon"}}',
        b'{"resourceType": "ServiceRequest", "identifier": [{"system": "urn:afterglow:suggestion"}]}',
    ],
)
def test_a_notification_of_nothing_is_refused(body: bytes) -> None:
    port = FhirScheduling({"base_url": "https://ehr.example/r4"}, OUTSIDE)
    with pytest.raises(ValueError):
        port.parse_event(RawEvent(body))
