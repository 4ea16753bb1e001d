"""What is wrong at one clinic stops no job for the others, and the run says that it passed something over."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from uuid_utils.compat import uuid7

from jobs import escalate, tidy
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import Channel, ConnectionKind, SuggestionState
from server.isolation import Extent
from server.models import ContactPoint, Recovery, SchedulingConnection, SchedulingEvent
from server.services.visits import scheduling_connection
from server.services.visits.scheduling_connection import System
from server.services.work import Work, system
from tests.cast import Cast, entry
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag
from tests.practice import Practice

NO_SEAL = b"\0\1 no seal"


def spoil(around: Around, table: Any, *where: Any, **values: Any) -> None:
    """Let some rows be as nobody of us writes them."""
    with around.database.write(Extent.ALL) as session:
        session.execute(update(table).where(*where).values(**values))


def test_alerts_climb_beside_a_clinic_whose_rota_cannot_be_read(
    around: Around, cast: Cast, clock: Clock
) -> None:
    ana_raises_a_red_flag(cast, clock)
    cast.other_patient.put(f"/entries/{uuid7()}", entry(clock.now, safety="plan"))
    with around.database.write(Extent.ALL) as session:
        wrong = text("UPDATE rotas SET hours = '[7]' WHERE clinic_id = :clinic")
        clinic_id = cast.bo.clinic_id
        session.execute(wrong, {"clinic": clinic_id.hex if around.database.is_sqlite else clinic_id})
    with pytest.raises(Incomplete):
        escalate.run(around, clock.forward(minutes=15))
    levels = {alert.clinic_id: alert.level for alert in alerts(around)}
    assert levels == {cast.bo.clinic_id: 0, cast.cyd.clinic_id: 1}


def test_visits_are_told_and_asked_beside_a_system_whose_settings_do_not_open(
    practice: Practice, cast: Cast
) -> None:
    with practice.around.database.write() as session:
        work = Work(session, practice.clock.now, system(cast.cyd.clinic_id))
        scheduling_connection.create(work, System(ConnectionKind.HTTP, "Desk", {}, {}))
    theirs = SchedulingConnection.clinic_id == cast.cyd.clinic_id
    spoil(practice.around, SchedulingConnection, theirs, sealed_config=NO_SEAL)
    with pytest.raises(Incomplete):
        practice.sync()
    assert practice.state() == SuggestionState.SENT


def test_a_system_s_message_that_does_not_open_goes_to_a_person_and_the_next_one_is_followed(
    practice: Practice,
) -> None:
    practice.sync()
    for name in ("bad", "good"):
        assert practice.send(*practice.message(name=name)).status_code == 202
    spoil(practice.around, SchedulingEvent, SchedulingEvent.event_id == "bad", sealed_raw=NO_SEAL)
    practice.sync()
    with practice.around.database.read(Extent.ALL) as session:
        states = dict(session.execute(select(SchedulingEvent.event_id, SchedulingEvent.state)).all())
    assert {name: str(state) for name, state in states.items()} == {"bad": "review", "good": "applied"}
    assert practice.tasks() == ["unreadable"]


def test_what_is_old_is_forgotten_beside_a_webhook_whose_secret_does_not_open(
    app: Flask, around: Around, cast: Cast, clock: Clock
) -> None:
    body = {"url": "https://hooks.example.org/x", "account_id": str(cast.scheduler.account_id)}
    assert cast.admin.post("/clinic/webhooks", body).status_code == 201
    spoil(around, ContactPoint, ContactPoint.channel == Channel.WEBHOOK, sealed_address=NO_SEAL)
    spoil(around, ContactPoint, ContactPoint.channel == Channel.WEBHOOK, rotated_at=clock.now)
    asked = {"clinic": "elsewhere", "email": "cyd@clinic.example"}
    assert app.test_client().post("/v1/recoveries", json=asked).status_code == 204
    with pytest.raises(Incomplete):
        tidy.run(around, clock.forward(days=8))
    with around.database.read(Extent.ALL) as session:
        assert session.scalars(select(Recovery)).all() == []
