"""The log of a webhook, an event sent once more, and a test of the way, for the clinic's admin."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert
from uuid_utils.compat import uuid7

from jobs import deliver
from jobs.around import Around
from server.clinical.vocabulary import AlertClass, Channel, Role
from server.database import Database
from server.gateways.egress import Egress
from server.gateways.message import RecordingGateway
from server.gateways.webhook import WebhookGateway
from server.models import Delivery
from server.services.messages.webhook_delivery import MOST_REPLAYED
from server.settings import Settings
from tests.cast import Cast, new_staff
from tests.conftest import Clock
from tests.faults.ward import Ward
from tests.hooks import Listener, listening, send_now, told
from tests.visits import Visits

NEW = {
    "type": "visit_suggestion.created",
    "state": "suggested",
    "version": 2,
    "status": "queued",
    "tries": 0,
    "failure": None,
    "finished_at": None,
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A service that may write to this machine."""
    return replace(settings, allow_loopback_egress="yes")


@pytest.fixture
def around(database: Database, settings: Settings) -> Around:
    """The surroundings of the job, with real webhooks."""
    gateways = {channel: RecordingGateway(channel) for channel in Channel}
    return Around(
        database, settings, {**gateways, Channel.WEBHOOK: WebhookGateway(Egress(allow_loopback=True))}
    )


@pytest.fixture
def listener(cast: Cast) -> Iterator[Listener]:
    """The clinic's scheduling system listens."""
    with listening(cast) as found:
        yield found


def log(cast: Cast, listener: Listener, query: str = "") -> list[dict[str, Any]]:
    """Return what the log of a webhook says, newest first."""
    answer = cast.admin.get(f"{listener.path}/deliveries{query}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def test_the_log_says_what_went_out_how_often_it_was_tried_and_why_it_failed(
    cast: Cast, visits: Visits, listener: Listener, around: Around, clock: Clock
) -> None:
    suggestion = visits.approved()
    (line,) = log(cast, listener)
    assert NEW.items() <= line.items()
    assert line["suggestion_id"] == suggestion
    listener.peer.status = 503
    listener.peer.headers["X-Word"] = "secret of the far end"
    deliver.run(around, clock.now)
    failed = cast.admin.get(f"{listener.path}/deliveries")
    assert "secret" not in failed.text
    (line,) = failed.json["items"]
    assert (line["status"], line["tries"], line["failure"]) == ("queued", 1, "refused_503")
    listener.peer.status = 204
    deliver.run(around, clock.forward(seconds=10))
    (line,) = log(cast, listener)
    assert (line["status"], line["tries"], line["failure"]) == ("delivered", 2, None)
    assert line["finished_at"] is not None
    assert {request.headers["webhook-id"] for request in listener.received} == {line["id"]}


def test_the_newest_come_first_page_by_page(cast: Cast, visits: Visits, listener: Listener) -> None:
    suggestion = visits.booked()
    visits.book(cast.scheduler, suggestion, version=4, days=4)
    first = cast.admin.get(f"{listener.path}/deliveries?limit=3").json
    rest = cast.admin.get(f"{listener.path}/deliveries?limit=3&cursor={first['next_cursor']}").json
    assert [line["version"] for page in (first, rest) for line in page["items"]] == [5, 4, 3, 2]
    assert rest["next_cursor"] is None


def test_texts_of_an_account_are_in_the_log_of_its_webhook_without_what_they_are_about(
    app: Flask, cast: Cast, clock: Clock, around: Around
) -> None:
    ward = Ward(app, cast, clock, around)
    with listening(cast, cast.bo) as listener:
        alert = ward.alert(AlertClass.P1)
        (line,) = log(cast, listener)
        assert line["type"] == "notice.patient_needs_review"
        assert str(alert) not in json.dumps(line)
        refused = cast.admin.post(f"{listener.path}/deliveries/{line['id']}/replay")
    assert (refused.status_code, refused.json["code"]) == (409, "not-an-event")


def test_an_event_that_arrived_is_sent_once_more_under_its_own_id(
    cast: Cast, visits: Visits, listener: Listener, around: Around
) -> None:
    visits.approved()
    send_now(around)
    (line,) = log(cast, listener)
    for _ in range(2):
        again = cast.admin.post(f"{listener.path}/deliveries/{line['id']}/replay")
        assert (again.status_code, again.json["id"], again.json["status"]) == (202, line["id"], "queued")
    assert send_now(around)
    first, second = listener.events()
    assert first == second
    (line,) = log(cast, listener)
    assert (line["status"], line["tries"]) == ("delivered", 2)
    assert len({request.headers["webhook-id"] for request in listener.received}) == 1


def test_what_is_waiting_is_only_hurried(
    cast: Cast, visits: Visits, listener: Listener, around: Around, clock: Clock
) -> None:
    listener.peer.status = 500
    visits.approved()
    deliver.run(around, clock.now)
    deliver.run(around, clock.forward(seconds=10))  # the next one in five minutes
    listener.peer.status = 204
    (line,) = log(cast, listener)
    cast.admin.post(f"{listener.path}/deliveries/{line['id']}/replay")
    deliver.run(around, clock.forward(seconds=1))
    assert (log(cast, listener)[0]["status"], len(listener.received)) == ("delivered", 3)


def test_all_that_was_lost_since_a_moment_is_sent_once_more_and_nothing_else(
    cast: Cast, visits: Visits, listener: Listener, around: Around, clock: Clock, database: Database
) -> None:
    suggestion = visits.approved()
    lost_at = clock.forward(hours=1)
    visits.book(cast.scheduler, suggestion, version=2)
    _lose_all(database)
    visits.book(cast.scheduler, suggestion, version=4, days=5)
    answer = cast.admin.post(f"{listener.path}/deliveries/replay", {"since": lost_at.isoformat()})
    assert (answer.status_code, answer.json) == (202, {"replayed": 2, "more": False})
    assert [line["status"] for line in log(cast, listener)] == ["queued", "queued", "queued", "given_up"]
    again = cast.admin.post(f"{listener.path}/deliveries/replay", {"since": lost_at.isoformat()})
    assert again.json == {"replayed": 0, "more": False}
    for _ in range(4):
        deliver.run(around, clock.forward(seconds=2))
    assert [json.loads(one.body)["data"]["version"] for one in listener.received] == [3, 4, 5]


@pytest.mark.long
def test_a_long_outage_is_sent_once_more_a_part_at_a_time(
    cast: Cast, visits: Visits, listener: Listener, database: Database
) -> None:
    visits.booked()
    _lose_all(database)
    with database.write() as session:
        lost = told(database)[0]
        values = {column.key: getattr(lost, column.key) for column in Delivery.__table__.columns}
        more = [values | {"id": uuid7(), "key": str(n)} for n in range(MOST_REPLAYED)]
        session.execute(insert(Delivery), more)
    since = {"since": (visits.now - timedelta(days=1)).isoformat()}
    answers = [cast.admin.post(f"{listener.path}/deliveries/replay", since).json for _ in range(2)]
    assert answers == [{"replayed": MOST_REPLAYED, "more": True}, {"replayed": 3, "more": False}]


def _lose_all(database: Database) -> None:
    """Let every event so far be given up, as three days of an outage would."""
    for row in told(database):
        with database.write() as session:
            lost = session.merge(row)
            lost.state, lost.failure, lost.finished_at = "given_up", "unreachable", lost.created_at


def test_a_test_goes_the_way_of_every_event_and_is_in_the_log(
    cast: Cast, listener: Listener, around: Around, clock: Clock
) -> None:
    first, again = (cast.admin.post(f"{listener.path}/test") for _ in range(2))
    assert (first.status_code, first.json["type"]) == (202, "webhook.test")
    assert again.json["id"] == first.json["id"], "it is under way"
    deliver.run(around, clock.now)
    (request,) = listener.received
    body = json.loads(request.body)
    assert body == {
        "type": "webhook.test",
        "timestamp": clock.now.isoformat().replace("+00:00", "Z"),
        "data": {"id": listener.id, "clinic_id": str(cast.admin.clinic_id)},
    }
    (line,) = log(cast, listener)
    assert (line["status"], line["state"], line["version"], line["suggestion_id"]) == (
        *("delivered", None, None),
        None,
    )
    assert cast.admin.post(f"{listener.path}/test").json["id"] != first.json["id"]


def test_a_test_that_does_not_arrive_within_the_hour_is_over_and_switches_nothing_off(
    cast: Cast, listener: Listener, around: Around, clock: Clock
) -> None:
    listener.peer.status = 500
    cast.admin.post(f"{listener.path}/test")
    for minutes in (0, 1, 7, 40, 150):  # two hours and the jitter
        deliver.run(around, clock.forward(minutes=minutes))
    (line,) = log(cast, listener)
    assert (line["status"], line["failure"], line["tries"]) == ("given_up", "expired", 4)
    (hook,) = cast.admin.get("/clinic/webhooks").json["items"]
    assert hook["retired_at"] is None
    listener.peer.status = 204
    cast.admin.post(f"{listener.path}/deliveries/{line['id']}/replay")
    deliver.run(around, clock.forward(seconds=1))
    assert log(cast, listener)[0]["status"] == "delivered"


def test_all_of_it_is_the_clinics_admins_alone(
    app: Flask, cast: Cast, visits: Visits, listener: Listener
) -> None:
    visits.approved()
    one = f"{listener.path}/deliveries/{log(cast, listener)[0]['id']}/replay"
    calls = [
        *(("GET", f"{listener.path}/deliveries", None), ("POST", one, None)),
        ("POST", f"{listener.path}/deliveries/replay", {"since": "2026-03-01T00:00:00Z"}),
        *(("POST", f"{listener.path}/test", None), ("POST", f"{listener.path}/enable", None)),
        ("PATCH", listener.path, {"events": ["visits"]}),
    ]
    theirs = new_staff(app, cast.cyd.clinic_id, Role.CLINIC_ADMIN, "Gil")
    for method, path, body in calls:
        for person in (cast.bo, cast.coordinator, cast.scheduler, cast.ana, cast.cyd):
            assert person.send(method, path, body).status_code == 403, path
        assert theirs.send(method, path, body).status_code == 404, path


def test_of_another_webhook_or_of_none_nothing_is_sent_again(
    cast: Cast, visits: Visits, listener: Listener
) -> None:
    with listening(cast) as other:
        visits.approved()
        event = log(cast, other)[0]["id"]
    for delivery in (event, uuid7()):
        answer = cast.admin.post(f"{listener.path}/deliveries/{delivery}/replay")
        assert answer.status_code == 404
    assert cast.admin.get(f"/clinic/webhooks/{uuid7()}/deliveries").status_code == 404


def test_the_quiet_hours_of_whoever_a_webhook_belongs_to_hold_no_event_and_no_test(
    cast: Cast, clock: Clock, around: Around, visits: Visits
) -> None:
    cast.bo.put("/me/quiet-hours", {"quiet_from": "22:00", "quiet_until": "07:00"})
    with listening(cast, cast.bo, events=["visits"]) as tool:
        visits.approved()
        clock.now = clock.now.replace(hour=23)
        assert cast.admin.post(f"{tool.path}/test").status_code == 202
        deliver.run(around, clock.now)
        kinds = [json.loads(request.body)["type"] for request in tool.received]
    assert kinds == ["visit_suggestion.created", "webhook.test"]
