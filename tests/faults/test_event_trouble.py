"""Events of visits under trouble (fault 10): thin, signed, in order, tried to the end; no alert waits."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import select

from jobs import deliver
from server.clinical.vocabulary import AlertClass, Channel, DeliveryState, Role
from server.gateways.egress import Egress
from server.gateways.exchange import Limits
from server.gateways.webhook import WebhookGateway
from server.models import ContactPoint, Delivery
from server.services.messages import retry
from server.settings import Settings
from tests.cast import Cast, new_staff
from tests.faults.conftest import Twins
from tests.faults.ward import Ward
from tests.gateways.web_peers import Answering, answering, never_accepting
from tests.hooks import HOOKS, Listener, listening, send_now, told
from tests.visits import CANARY, Visits

LONGEST = 1.5
WEBHOOK = Channel.WEBHOOK


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A service that may write to this machine."""
    return replace(settings, allow_loopback_egress="yes")


@pytest.fixture
def ward(ward: Ward) -> Ward:
    """Ana's clinic with real webhooks."""
    egress = Egress(allow_loopback=True, limits=Limits(connect=LONGEST, total=LONGEST))
    ward.around.gateways[WEBHOOK] = WebhookGateway(egress)
    return ward


@pytest.fixture
def listener(ward: Ward) -> Iterator[Listener]:
    """The clinic's scheduling system listens."""
    with listening(ward.cast) as found:
        yield found


class Picky(Answering):
    """A receiver that has a defect: one state of a visit it can't take."""

    @property
    def status(self) -> int:
        """Refuse what was just approved."""
        return 500 if b'"suggested"' in self.received[-1].body else 204

    @status.setter
    def status(self, _: int) -> None:
        pass


def run(ward: Ward, **later: float) -> None:
    """Let time pass and the job run once."""
    deliver.run(ward.around, ward.clock.forward(**later))


def versions(listener: Listener) -> list[int]:
    """Return the versions in the order in which they came in."""
    return [json.loads(request.body)["data"]["version"] for request in listener.received]


def row_of(ward: Ward, version: int) -> Delivery:
    (found,) = [row for row in told(ward.around.database) if row.event_version == version]
    return found


def point(ward: Ward, listener: Listener) -> ContactPoint:
    with ward.around.database.read() as session:
        return session.scalars(select(ContactPoint).where(ContactPoint.channel == WEBHOOK)).one()


def admins_told(ward: Ward) -> int:
    with ward.around.database.read() as session:
        query = select(Delivery.account_id).where(Delivery.template == "endpoint_disabled")
        people = list(session.scalars(query))
    assert set(people) <= {ward.cast.admin.account_id}
    return len(people)


def to_the_end(ward: Ward, version: int) -> list[timedelta]:
    """Run the job whenever the event is due, until it has ended; return the pauses."""
    pauses = []
    while (row := row_of(ward, version)).finished_at is None:
        pauses.append(max(row.due_at - ward.clock.now, timedelta()))
        ward.clock.now = max(row.due_at, ward.clock.now)
        run(ward)
    return pauses


def test_a_receiver_reads_ids_a_state_and_a_version_and_no_word_of_health(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener
) -> None:
    suggestion = visits.approved()
    written = row_of(ward, 2)
    send_now(ward.around)
    (request,) = listener.received
    assert json.loads(request.body) == {
        "type": "visit_suggestion.created",
        "timestamp": written.created_at.isoformat().replace("+00:00", "Z"),
        "data": {
            "id": suggestion,
            "clinic_id": str(cast.ana.clinic_id),
            "state": "suggested",
            "version": 2,
            "link": f"http://127.0.0.1:8000/v1/inbox/booking-suggestions/{suggestion}",
        },
    }
    assert listener.events() == [json.loads(request.body)]
    # Of letters by chance, a signature may spell anything.
    plain = {name: value for name, value in request.headers.items() if "signature" not in name.lower()}
    everything = f"{request.path} {plain} {request.body!r}"
    for word in (CANARY, "Ana", "mood", "relapse", "P2", "maintenance", str(cast.ana.patient_id)):
        assert word not in everything.replace(f"/{suggestion}", "")
    pulled = cast.scheduler.get(json.loads(request.body)["data"]["link"].partition("/v1")[2])
    assert (pulled.status_code, pulled.json["version"]) == (200, 2)


def test_somebody_of_the_staff_who_listens_gets_a_link_they_can_read(
    ward: Ward, visits: Visits, cast: Cast
) -> None:
    with listening(cast, cast.bo, events=["visits"]) as listener:
        visits.approved()
        send_now(ward.around)
    ((event),) = listener.events()
    assert cast.bo.get(event["data"]["link"].partition("/v1")[2]).status_code == 200


def test_while_a_secret_is_changed_both_open_an_event(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener
) -> None:
    new = cast.admin.post(f"{listener.path}/rotate").json["secret"]
    visits.approved()
    run(ward)  # by the clinic's clock: by the real one, the day of two secrets would be over
    (request,) = listener.received
    assert len(request.headers["webhook-signature"].split()) == 2
    assert new != listener.secret


def test_a_repeat_is_the_same_body_and_id_with_a_stamp_of_its_own(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener
) -> None:
    listener.peer.status = 500
    visits.approved()
    run(ward), run(ward, seconds=10)
    first, second = listener.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == str(row_of(ward, 2).id)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_what_is_told_is_the_move_and_not_what_has_become_of_it_by_the_time_it_is_sent(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener
) -> None:
    visits.booked()
    for _ in range(3):
        run(ward, seconds=2)
    told_states = [json.loads(request.body)["data"]["state"] for request in listener.received]
    assert told_states == ["suggested", "sent", "booked"]


def test_events_of_a_visit_come_in_order_also_where_the_first_try_fails(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener
) -> None:
    listener.peer.status = 500
    suggestion = visits.approved()
    run(ward)
    visits.book(cast.scheduler, suggestion, version=2)
    listener.peer.status = 204
    run(ward)
    assert versions(listener) == [2], "the later ones stand behind it"
    for _ in range(8):
        run(ward, seconds=2)
    assert versions(listener) == [2, 2, 3, 4]


def test_an_event_that_a_receiver_can_not_take_holds_the_later_ones_up_for_a_minute_at_most(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener
) -> None:
    listener.peer.status = 500
    suggestion = visits.approved()
    for later in (0, 6):
        run(ward, seconds=later)
    listener.peer.status = 204
    visits.book(cast.scheduler, suggestion, version=2)  # the next try of the first is in five minutes
    for _ in range(3):
        run(ward, seconds=2)
    assert versions(listener) == [2, 2, 3, 4]


def test_a_whole_schedule_of_errors_switches_it_off_and_mended_it_gets_what_it_missed(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener, twins: Twins
) -> None:
    """F10: all ten tries of the standard, an admin told by mail, and a way back."""
    listener.peer.status = 500
    suggestion = visits.approved()
    began = ward.clock.now
    pauses = to_the_end(ward, 2)[1:]
    for pause, plain in zip(pauses, retry.WEBHOOK_PAUSES, strict=True):
        assert plain <= pause <= plain * (1 + retry.JITTER) + timedelta(seconds=2)
    assert (len(listener.received), row_of(ward, 2).state) == (10, DeliveryState.GIVEN_UP)
    assert (point(ward, listener).retired_why, admins_told(ward)) == ("refused_500", 1)
    run(ward, seconds=1)
    assert twins[Channel.EMAIL].sent[-1].kind == "notice.endpoint_disabled"
    assert cast.admin.post(f"{listener.path}/test").json["code"] == "switched-off"
    visits.book(cast.scheduler, suggestion, version=2)
    assert len(told(ward.around.database)) == 1, "nobody listens"

    listener.peer.status = 204
    assert cast.admin.post(f"{listener.path}/enable").json["retired_at"] is None
    answer = cast.admin.post(f"{listener.path}/deliveries/replay", {"since": began.isoformat()})
    assert answer.json == {"replayed": 1, "more": False}
    run(ward, seconds=1)
    assert len({request.headers["webhook-id"] for request in listener.received}) == 1
    assert (row_of(ward, 2).state, row_of(ward, 2).attempt) == (DeliveryState.DELIVERED, 11)


def test_a_second_outage_is_told_like_the_first_and_a_replay_has_a_whole_schedule(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener
) -> None:
    listener.peer.status = 500
    visits.approved()
    to_the_end(ward, 2)
    cast.admin.post(f"{listener.path}/enable")
    cast.admin.post(f"{listener.path}/deliveries/{row_of(ward, 2).id}/replay")
    pauses = to_the_end(ward, 2)[1:]
    assert len(pauses) == len(retry.WEBHOOK_PAUSES)
    assert pauses[0] < timedelta(seconds=7)
    assert (len(listener.received), admins_told(ward)) == (20, 2)


def test_gone_means_gone(ward: Ward, visits: Visits, cast: Cast, listener: Listener) -> None:
    """F10: 410."""
    listener.peer.status = 410
    visits.approved()
    run(ward)
    assert (point(ward, listener).retired_why, admins_told(ward)) == ("refused_410", 1)


def test_an_endpoint_that_takes_all_but_one_event_is_not_switched_off(
    ward: Ward, visits: Visits, cast: Cast
) -> None:
    with answering(picky := Picky()) as port:
        body = {"account_id": str(cast.scheduler.account_id), "url": f"http://127.0.0.1:{port}/hook"}
        made = cast.admin.post(HOOKS, body).json
        listener = Listener(made["webhook"]["id"], made["secret"], body["url"], picky)
        suggestion = visits.approved()
        run(ward), run(ward, seconds=6)
        visits.book(cast.scheduler, suggestion, version=2)
        for _ in range(3):
            run(ward, seconds=2)
        to_the_end(ward, 2)
    assert [row.state for row in told(ward.around.database)] == [
        *(DeliveryState.GIVEN_UP, DeliveryState.DELIVERED, DeliveryState.DELIVERED)
    ]
    assert (point(ward, listener).retired_at, admins_told(ward)) == (None, 0)


def test_what_a_system_did_not_hear_is_mailed_to_nobody(
    ward: Ward, visits: Visits, cast: Cast, listener: Listener, twins: Twins
) -> None:
    visits.approved()
    cast.admin.delete(listener.path)
    run(ward), run(ward, minutes=10)
    assert (row_of(ward, 2).state, row_of(ward, 2).failure) == (DeliveryState.GIVEN_UP, "retired")
    assert listener.received == []
    assert {message.to for message in twins[Channel.EMAIL].sent} == {"bo@clinic.example"}  # of her alert


def test_twenty_slow_systems_hold_up_no_alert_and_no_other_system(
    ward: Ward, visits: Visits, cast: Cast, twins: Twins
) -> None:
    """F10: raised while they all hang, an alert leaves by mail and by webhook at once."""
    systems = [cast.scheduler, new_staff(ward.app, cast.bo.clinic_id, Role.INTEGRATION, "Second")]
    with ExitStack() as peers, answering(quick := Answering()) as port:
        for number in range(20):
            slow = peers.enter_context(never_accepting())
            who = str(systems[number % 2].account_id)
            cast.admin.post(HOOKS, {"account_id": who, "url": f"http://127.0.0.1:{slow}/{number}"})
        ward.hook(cast.bo, f"http://127.0.0.1:{port}/alerts")
        visits.booked()
        worker = Thread(target=run, args=(ward,))
        worker.start()
        time.sleep(0.5)
        began = time.monotonic()
        ward.alert(AlertClass.P0)
        while len(_emergencies(quick, twins)) < 2 and worker.is_alive():
            time.sleep(0.05)
        took = time.monotonic() - began
        worker.join()
    assert _emergencies(quick, twins) == {Channel.EMAIL, WEBHOOK}
    assert took < LONGEST - 0.5


def _emergencies(hook: Answering, twins: Twins) -> set[Channel]:
    """Return over which channels the emergency has come."""
    kind = "notice.emergency_needs_review"
    mailed = any(message.kind == kind for message in list(twins[Channel.EMAIL].sent))
    hooked = any(json.loads(request.body)["type"] == kind for request in list(hook.received))
    return {channel for channel, came in ((Channel.EMAIL, mailed), (WEBHOOK, hooked)) if came}


def test_an_event_is_not_sent_where_the_webhook_listens_to_visits_no_more(
    ward: Ward, visits: Visits, cast: Cast
) -> None:
    with listening(cast, cast.coordinator, events=["visits"]) as hook:
        visits.approved()
        assert cast.admin.patch(hook.path, {"events": ["alerts"]}).status_code == 200
        run(ward)
        row = row_of(ward, 2)
        assert (hook.received, row.state, row.failure) == ([], DeliveryState.GIVEN_UP, "retired")


def test_who_was_to_hear_of_an_alert_over_a_webhook_that_listens_to_none_any_more_hears_another_way(
    ward: Ward, twins: Twins, cast: Cast
) -> None:
    with listening(cast, cast.bo) as hook:
        ward.alert(AlertClass.P1, cast.bo)
        assert cast.admin.patch(hook.path, {"events": ["visits"]}).status_code == 200
        run(ward)
        assert hook.received == []
    assert [one.to for one in twins[Channel.EMAIL].sent] == ["bo@clinic.example"]
