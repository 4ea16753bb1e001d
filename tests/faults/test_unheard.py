"""What somebody was given and never heard of is in nobody's hands: no way of theirs took the message."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from jobs import deliver
from server.clinical.vocabulary import AlertClass, AlertState, Channel
from server.gateways.message import Handed, Receipt, SendError
from server.isolation import Extent
from server.services.messages import contact_point as contact_points
from server.services.messages import outbox_outcome
from tests.cast import entry
from tests.faults.conftest import Twins
from tests.faults.ward import Ward

NUMBER, BO, DEE = "+4740000001", "bo@clinic.example", "dee@clinic.example"
REFUSED, AWAY = SendError(True, "refused_550"), SendError(False, "timeout", away=True)


def assigned(ward: Ward, alert: UUID) -> None:
    body = {"account_id": str(ward.cast.coordinator.account_id), "note": "Yours."}
    answer = ward.cast.bo.post(f"/alerts/{alert}/assign", body, version=ward.the(alert).version)
    assert answer.status_code == 200


def handed_over(ward: Ward, alert: UUID) -> None:
    body = {"account_id": str(ward.cast.coordinator.account_id), "note": "Yours."}
    assert ward.cast.bo.post("/alerts/hand-over", body).json["alerts"] == [str(alert)]


def bo_has(ward: Ward, urgency: AlertClass) -> UUID:
    alert = ward.alert(urgency)
    ward.look()
    assert ward.cast.bo.post(f"/alerts/{alert}/acknowledge").status_code == 200
    return alert


@pytest.mark.parametrize("give", [assigned, handed_over])
@pytest.mark.parametrize("urgency", [AlertClass.P0, AlertClass.P1, AlertClass.P2])
def test_what_was_given_to_somebody_whom_no_message_reaches_is_open_again(
    ward: Ward, twins: Twins, give: Callable[[Ward, UUID], None], urgency: AlertClass
) -> None:
    alert, phone = bo_has(ward, urgency), twins[Channel.SMS]
    ward.phone(ward.cast.coordinator, NUMBER)
    phone.refusals[NUMBER] = twins[Channel.EMAIL].refusals[DEE] = REFUSED
    give(ward, alert)
    ward.look()
    found = ward.the(alert)
    assert (found.state, found.assigned_to, found.acknowledged_by) == (AlertState.OPEN, None, None)
    assert phone.tried, "every way of theirs is tried before"
    assert ward.told(alert)[-1] == ("Bo", Channel.EMAIL), "who gave it on does not know that it is theirs"
    before = ward.told(alert)
    ward.minutes(10)
    assert ward.told(alert) == before, "once"


@pytest.mark.parametrize("give", [assigned, handed_over])
def test_what_they_have_taken_on_before_the_message_is_lost_stays_theirs(
    ward: Ward, twins: Twins, give: Callable[[Ward, UUID], None]
) -> None:
    alert = bo_has(ward, AlertClass.P1)
    give(ward, alert)
    assert ward.cast.coordinator.post(f"/alerts/{alert}/acknowledge").status_code == 200
    twins[Channel.EMAIL].refusals[DEE] = REFUSED
    ward.look()
    found = ward.the(alert)
    assert (found.state, found.acknowledged_by) == (AlertState.ACKNOWLEDGED, ward.cast.coordinator.account_id)


@pytest.mark.parametrize("give", [assigned, handed_over])
@pytest.mark.parametrize("how", ["given up", "reported"])
def test_what_another_way_has_told_stays_given_when_the_first_one_is_lost_at_last(
    ward: Ward, twins: Twins, give: Callable[[Ward, UUID], None], how: str
) -> None:
    alert, phone = bo_has(ward, AlertClass.P2), twins[Channel.SMS]
    ward.phone(ward.cast.coordinator, NUMBER)
    phone.receipts[NUMBER] = Receipt(Handed.ACCEPTED, reports=True)
    if how == "given up":
        phone.refusals[NUMBER] = SendError(False, "timeout", away=True)
    give(ward, alert)
    ward.look()
    ward.minutes(7 * 60)
    assert [message.to for message in twins[Channel.EMAIL].sent[1:]] == [DEE]
    for message in phone.sent:
        with ward.around.database.write(Extent.ALL) as session:
            outbox_outcome.report(session, ward.clock.now, message.id, arrived=False)
    ward.look()
    assert ward.the(alert).state is AlertState.ACKNOWLEDGED


def test_what_somebody_was_given_another_time_is_not_let_go_of_with_a_hand_over(
    ward: Ward, twins: Twins
) -> None:
    before = bo_has(ward, AlertClass.P1)
    handed_over(ward, before)
    ward.look()
    ward.minutes(1)
    alert = bo_has(ward, AlertClass.P1)
    handed_over(ward, alert)
    twins[Channel.EMAIL].refusals[DEE] = REFUSED
    ward.look()
    assert [ward.the(one).state for one in (before, alert)] == [AlertState.ACKNOWLEDGED, AlertState.OPEN]


def test_what_was_put_off_is_told_when_that_ends_and_not_before(ward: Ward, twins: Twins) -> None:
    alert = bo_has(ward, AlertClass.P1)
    until = ward.clock.now + timedelta(hours=2)
    body = {"until": until.isoformat(), "reason": "After work."}
    ward.cast.bo.post(f"/alerts/{alert}/snooze", body, version=ward.the(alert).version)
    assigned(ward, alert)
    twins[Channel.EMAIL].refusals[DEE] = REFUSED
    ward.look()
    assert ward.the(alert).snoozed
    ward.until(until)
    assert ("Bo", Channel.EMAIL) in ward.told(alert)[2:], "where the message of then is lost, others hear"


def test_an_emergency_reported_again_is_told_to_others_where_who_has_it_is_not_reached(
    ward: Ward, twins: Twins
) -> None:
    ward.cast.ana.put(f"/entries/{uuid7()}", entry(ward.clock.now, safety="plan"))
    ward.look()
    (first,) = ward.deliveries()
    alert = first.subject_id
    assert ward.cast.bo.post(f"/alerts/{alert}/acknowledge").status_code == 200
    ward.phone(ward.cast.bo, NUMBER)
    twins[Channel.EMAIL].refusals[BO] = REFUSED
    ward.minutes(1)
    ward.cast.ana.put(f"/entries/{uuid7()}", entry(ward.clock.now, safety="plan"))
    ward.look()
    assert ward.the(alert).state is AlertState.ACKNOWLEDGED, "the telephone took it"
    twins[Channel.SMS].refusals[NUMBER] = REFUSED
    ward.minutes(1)
    ward.cast.ana.put(f"/entries/{uuid7()}", entry(ward.clock.now, safety="plan"))
    deliver.run(ward.around, ward.clock.now)
    assert (ward.the(alert).state, ward.told(alert)[-1]) == (AlertState.OPEN, ("Dee", Channel.EMAIL))


@pytest.mark.parametrize("give", [assigned, handed_over])
@pytest.mark.parametrize("far_end", ["telephone", "webhook"])
def test_nobody_waits_for_a_far_end_that_is_away_where_the_last_way_is_refused(
    ward: Ward, twins: Twins, give: Callable[[Ward, UUID], None], far_end: str
) -> None:
    """Else it stood as acknowledged for six hours, behind a webhook for three days."""
    alert, dee = bo_has(ward, AlertClass.P2), ward.cast.coordinator
    if far_end == "telephone":
        ward.phone(dee, NUMBER)
        twins[Channel.SMS].refusals[NUMBER] = AWAY
    else:
        hook = ward.hook(dee, "https://pager.example/dee")
        with ward.work() as work:
            twins[Channel.WEBHOOK].refusals[contact_points.open_address(work, hook)] = AWAY
    twins[Channel.EMAIL].refusals[DEE] = REFUSED
    give(ward, alert)
    ward.look()
    ward.minutes(6)
    found = ward.the(alert)
    assert (found.state, found.assigned_to) == (AlertState.OPEN, None)
    assert ward.told(alert)[-1] == ("Bo", Channel.EMAIL)


def test_what_they_were_given_once_more_stays_theirs_when_the_first_message_is_lost_at_last(
    ward: Ward, twins: Twins
) -> None:
    alert = bo_has(ward, AlertClass.P2)
    ward.phone(ward.cast.coordinator, NUMBER)
    twins[Channel.SMS].refusals[NUMBER], twins[Channel.EMAIL].refusals[DEE] = AWAY, REFUSED
    assigned(ward, alert)
    ward.look()
    ward.minutes(5)
    assert ward.the(alert).assigned_to is None
    del twins[Channel.EMAIL].refusals[DEE]
    assigned(ward, alert)
    ward.look()
    ward.minutes(7 * 60)
    found = ward.the(alert)
    assert (found.assigned_to, twins[Channel.EMAIL].sent[-1].to) == (ward.cast.coordinator.account_id, DEE)


@pytest.mark.parametrize("urgency", [AlertClass.P0, AlertClass.P1, AlertClass.P2])
def test_what_was_given_on_before_anybody_took_it_is_told_anew(
    ward: Ward, twins: Twins, urgency: AlertClass
) -> None:
    """Who gave it on takes it for a colleague's: nobody would look before the next clock, for P2 a day."""
    alert = ward.alert(urgency)
    ward.look()
    twins[Channel.EMAIL].refusals[DEE] = REFUSED
    assigned(ward, alert)
    ward.look()
    found = ward.the(alert)
    assert (found.state, found.assigned_to) == (AlertState.OPEN, None)
    assert [message.to for message in twins[Channel.EMAIL].sent] == [BO, BO]
