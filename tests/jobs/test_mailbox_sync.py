"""A suggestion and the clinic's mailbox, over a real SMTP server: another mailbox is told anew."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from jobs import booking_sync
from jobs.around import Around
from server.clinical.vocabulary import Channel
from server.database import Database
from server.gateways.email import SmtpGateway
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import Clock
from tests.gateways.peers import Peer, listening
from tests.visits import Visits

CONNECTIONS = "/clinic/scheduling-connections"
SENDER = "Afterglow <visits@journal.example>"


def mailbox(name: str, **parts: str) -> dict[str, Any]:
    return {"name": "Desk", "config": {"way": "imip", "mailbox": f"{name}@clinic.example", **parts}}


@pytest.mark.long
@pytest.mark.parametrize("booked", [False, True])
def test_another_mailbox_is_told_of_every_open_visit_and_the_same_one_of_none(
    app: Flask, database: Database, settings: Settings, clock: Clock, cast: Cast, booked: bool
) -> None:
    peer, visits = Peer(), Visits(app, cast)
    with listening(peer) as port:
        mail = {Channel.EMAIL: SmtpGateway(f"smtp://127.0.0.1:{port}", SENDER)}
        around = Around(database, replace(settings, mail_from=SENDER), mail)
        made = cast.admin.post(CONNECTIONS, {"kind": "calendar", **mailbox("dsek")})
        suggestion = visits.approved()
        booking_sync.run(around, clock.now)
        if booked:
            visits.book(cast.scheduler, suggestion, version=3)
            booking_sync.run(around, clock.forward(minutes=1))
        told = len(peer.received)
        path = f"{CONNECTIONS}/{made.json['connection']['id']}"
        assert cast.admin.patch(path, mailbox("dsek", language="de"), version=1).status_code == 200
        booking_sync.run(around, clock.forward(minutes=1))
        assert len(peer.received) == told
        assert cast.admin.patch(path, mailbox("desk"), version=2).status_code == 200
        for _ in range(3):
            booking_sync.run(around, clock.forward(minutes=1))
    assert [one["To"] for one in peer.received[told:]] == ["desk@clinic.example"]
    state = cast.bo.get(f"/booking-suggestions/{suggestion}").json
    assert (state["state"], state["version"]) == (("booked", 4) if booked else ("sent", 3))
    assert cast.bo.get("/review-tasks").json["items"] == []
