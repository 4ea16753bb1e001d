"""Somebody whose account is closed holds nothing back any more: what they had in hand is told anew."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select
from uuid_utils.compat import uuid7

from jobs import deliver, escalate
from jobs.around import Around
from server.clinical.vocabulary import AlertState, DeliveryState
from server.isolation import Extent
from server.models import AuditEvent, Delivery
from tests.cast import Cast, Person
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, deliveries, kinds


def leaves(cast: Cast, person: Person) -> None:
    assert cast.admin.post(f"/clinic/accounts/{person.account_id}/disable").status_code == 204


def does(person: Person, around: Around, what: str, body: dict[str, Any] | None = None) -> None:
    (alert,) = alerts(around)
    answer = person.post(f"/alerts/{alert.id}/{what}", body or {}, version=alert.version)
    assert answer.status_code == 200, answer.text


def told(around: Around) -> list[UUID]:
    return [row.account_id for row in deliveries(around)]


def test_what_somebody_acknowledged_is_open_again_when_their_account_is_closed(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    does(cast.bo, around, "acknowledge")
    leaves(cast, cast.bo)
    (alert,) = alerts(around)
    assert (alert.state, alert.level, alert.acknowledged_by) == (AlertState.OPEN, 0, None)
    assert kinds(around, alert) == ["opened", "acknowledged", "acknowledgement_expired"]
    assert told(around) == [cast.bo.account_id, cast.coordinator.account_id]
    deliver.run(around, clock.now)
    assert escalate.run(around, clock.forward(minutes=119)) == 0
    assert escalate.run(around, clock.forward(minutes=1)) == 1, "the ladder began anew"
    with around.database.read() as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.action == "alert.release"))
    assert (event.account_id, event.patient_id) == (cast.admin.account_id, cast.ana.patient_id)


def test_what_somebody_put_off_is_not_put_off_any_longer(cast: Cast, clock: Clock, around: Around) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    until = (clock.now + timedelta(hours=8)).isoformat()
    does(cast.bo, around, "snooze", {"until": until, "reason": "Called."})
    leaves(cast, cast.bo)
    (alert,) = alerts(around)
    assert (alert.state, alert.snoozed) == (AlertState.OPEN, False)
    assert kinds(around, alert)[-1] == "snooze_ended"
    assert told(around)[1:] == [cast.coordinator.account_id]


def test_what_waits_for_somebody_who_leaves_is_told_to_whoever_else_is_due(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    given = {"account_id": str(cast.bo.account_id), "note": "Yours."}
    does(cast.coordinator, around, "assign", given)
    leaves(cast, cast.bo)
    (alert,) = alerts(around)
    assert (alert.state, alert.assigned_to, kinds(around, alert)[-1]) == (AlertState.OPEN, None, "released")
    assert told(around)[-1] == cast.coordinator.account_id


def test_what_a_colleague_has_in_hand_meanwhile_stays_calm(cast: Cast, clock: Clock, around: Around) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    does(cast.bo, around, "acknowledge")
    given = {"account_id": str(cast.coordinator.account_id), "note": "Mine until today."}
    assert cast.bo.post("/alerts/hand-over", given).status_code == 200
    before = told(around)
    leaves(cast, cast.bo)
    (alert,) = alerts(around)
    assert (alert.state, alert.assigned_to) == (AlertState.ACKNOWLEDGED, cast.coordinator.account_id)
    assert told(around) == before


@pytest.mark.parametrize("how", ["hand-over", "assign"])
def test_what_somebody_gave_on_to_one_who_leaves_is_in_nobodys_hands(
    cast: Cast, clock: Clock, around: Around, how: str
) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    does(cast.bo, around, "acknowledge")
    given = {"account_id": str(cast.coordinator.account_id), "note": "Yours from now on."}
    if how == "assign":
        does(cast.bo, around, "assign", given)
    else:
        assert cast.bo.post("/alerts/hand-over", given).status_code == 200
    before = told(around)
    leaves(cast, cast.coordinator)
    (alert,) = alerts(around)
    assert (alert.state, alert.assigned_to, alert.acknowledged_by) == (AlertState.OPEN, None, None)
    assert told(around) == [*before, cast.bo.account_id], "who gave it on does not know that it is theirs"


def test_what_nobody_else_was_told_of_is_told_when_who_was_told_leaves(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    deliver.run(around, clock.now)
    leaves(cast, cast.bo)
    (alert,) = alerts(around)
    assert (alert.state, alert.level, kinds(around, alert)) == (AlertState.OPEN, 0, ["opened", "released"])
    assert told(around) == [cast.bo.account_id, cast.coordinator.account_id]
    leaves(cast, cast.bo)
    assert len(told(around)) == 2, "once"


def test_what_others_were_told_of_as_well_is_told_to_nobody_again(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    deliver.run(around, clock.now)
    escalate.run(around, clock.forward(minutes=120))
    before, (alert,) = told(around), alerts(around)
    assert cast.coordinator.account_id in before
    leaves(cast, cast.bo)
    assert (told(around), kinds(around, alert)[-1]) == (before, "escalated")


def test_closing_an_account_again_tells_nobody_twice(cast: Cast, clock: Clock, around: Around) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    does(cast.bo, around, "acknowledge")
    leaves(cast, cast.bo)
    before = told(around)
    leaves(cast, cast.bo)
    assert told(around) == before


def test_one_whose_message_reached_nobody_does_not_count_as_told(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock, "often")
    with around.database.write(Extent.ALL) as session:
        row = session.query(Delivery).one()
        copied = {column.name: getattr(row, column.name) for column in Delivery.__table__.columns}
        lost = {"id": uuid7(), "key": "lost|email", "account_id": cast.coordinator.account_id}
        session.execute(insert(Delivery), [copied | lost | {"state": DeliveryState.GIVEN_UP}])
    given = {"account_id": str(cast.bo.account_id), "note": "Yours."}
    does(cast.coordinator, around, "assign", given)
    leaves(cast, cast.bo)
    waits = [row.account_id for row in deliveries(around) if row.state is DeliveryState.QUEUED]
    assert cast.coordinator.account_id in waits
