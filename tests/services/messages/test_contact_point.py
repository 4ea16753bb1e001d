"""The ways to reach somebody, whether any is left, and when a message may go out."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.clinical.vocabulary import AlertClass, Channel, DeliveryState, DeliverySubject
from server.database import Database
from server.isolation import Extent
from server.models import Account, AuditEvent, Delivery
from server.services.errors import NotFound
from server.services.messages import contact_point as contact_points
from server.services.messages import quiet
from server.services.messages.contact_point import Way
from server.services.work import Work
from tests.cast import Cast, as_work
from tests.conftest import Clock

NUMBER = "+4740000001"


def bo_of(work: Work, cast: Cast) -> Account:
    return work.session.get_one(Account, (work.clinic_id, cast.bo.account_id))


def outcome(work: Work, cast: Cast, channel: Channel, failure: str | None) -> None:
    """Store what became of a message to Bo."""
    state = DeliveryState.GIVEN_UP if failure else DeliveryState.DELIVERED
    moments = dict.fromkeys(("due_at", "created_at", "finished_at"), work.now)
    about = {"subject": DeliverySubject.ALERT, "subject_id": uuid7(), "urgency": AlertClass.P1}
    key = {"clinic_id": work.clinic_id, "id": uuid7(), "account_id": cast.bo.account_id}
    rest = {"key": str(uuid7()), "template": "x", "attempt": 1, "state": state, "failure": failure}
    work.session.add(Delivery(**key, **about, **moments, **rest, channel=channel.value))
    work.session.flush()


def test_ways_come_in_order_and_the_e_mail_last(app: Flask, cast: Cast, database: Database) -> None:
    with database.write() as session:
        work = as_work(app, cast.bo, session)
        assert contact_points.ways(work, bo_of(work, cast)) == [Way(Channel.EMAIL)]
        sms = contact_points.add(work, cast.bo.account_id, Channel.SMS, NUMBER)
        assert contact_points.ways(work, bo_of(work, cast)) == [
            Way(Channel.SMS, sms.id),
            Way(Channel.EMAIL),
        ]
        assert contact_points.open_address(work, sms.id) == NUMBER


def test_a_dead_point_is_retired_once_and_leads_nowhere(app: Flask, cast: Cast, database: Database) -> None:
    with database.write(Extent.ALL) as session:
        work = as_work(app, cast.bo, session)
        clinic_id = work.clinic_id
        sms = contact_points.add(work, cast.bo.account_id, Channel.SMS, NUMBER)
        assert contact_points.retire(session, clinic_id, sms.id, work.now, "gone")
        assert not contact_points.retire(session, clinic_id, sms.id, work.now, "gone")
        assert not contact_points.retire(session, cast.cyd.clinic_id, sms.id, work.now, "gone")
        assert sms.retired_why == "gone"
        for unknown in (sms.id, uuid7()):
            with pytest.raises(NotFound):
                contact_points.open_address(work, unknown)
        assert contact_points.ways(work, bo_of(work, cast)) == [Way(Channel.EMAIL)]


def test_who_is_reachable(app: Flask, cast: Cast, clock: Clock, database: Database) -> None:
    def reachable() -> bool:
        return cast.bo.account_id in contact_points.reachable(work, [bo_of(work, cast)])

    with database.write() as session:
        work = as_work(app, cast.bo, session)
        assert reachable()
        outcome(work, cast, Channel.SMS, "refused_550")
        outcome(work, cast, Channel.EMAIL, "expired")
        assert reachable(), "that says nothing about the e-mail"
        outcome(work, cast, Channel.EMAIL, "refused_550")
        assert not reachable()
        clock.forward(hours=1)
        work = as_work(app, cast.bo, session)
        outcome(work, cast, Channel.PUSH, None)
        assert not reachable(), "the e-mail is still dead"
        sms = contact_points.add(work, cast.bo.account_id, Channel.SMS, NUMBER)
        assert reachable()
        contact_points.retire(session, work.clinic_id, sms.id, work.now, "gone")
        assert not reachable()
        outcome(work, cast, Channel.EMAIL, None)
        assert reachable()
        bo_of(work, cast).disabled_at = work.now
        assert not reachable()


def test_a_webhook_opens_as_its_gateway_takes_it(app: Flask, cast: Cast, database: Database) -> None:
    body = {"account_id": str(cast.scheduler.account_id), "url": "https://hooks.example.org/a"}
    made = cast.admin.post("/clinic/webhooks", body).json
    with database.read() as session:
        work = as_work(app, cast.admin, session)
        opened = json.loads(contact_points.open_address(work, UUID(made["webhook"]["id"])))
    assert opened == {"url": "https://hooks.example.org/a", "secrets": [made["secret"]]}


def test_quiet_hours_hold_for_the_clinics_clock_and_never_p0(
    app: Flask, cast: Cast, clock: Clock, database: Database
) -> None:
    cast.bo.put("/me/quiet-hours", {"quiet_from": "12:00", "quiet_until": "14:00"})  # it is 13:00 in Oslo
    with database.read() as session:
        work = as_work(app, cast.bo, session)
        bo, dee = (
            session.get_one(Account, (work.clinic_id, one.account_id)) for one in (cast.bo, cast.coordinator)
        )
        assert quiet.released_at(work, bo, AlertClass.P1) == clock.now + timedelta(hours=1)
        assert quiet.released_at(work, bo, AlertClass.P0) == clock.now
        assert quiet.released_at(work, dee, AlertClass.P1) == clock.now


def test_what_was_done_is_in_the_audit_log_without_an_address(
    app: Flask, cast: Cast, database: Database
) -> None:
    cast.bo.post("/me/contact-points", {"channel": "sms", "number": NUMBER})
    with database.read() as session:
        events = [event for event in session.query(AuditEvent) if event.action.startswith("contact-point.")]
    assert [event.action for event in events] == ["contact-point.create"]
    assert NUMBER not in str([vars(event) for event in events])
