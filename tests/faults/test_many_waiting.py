"""What a far end that is away keeps waiting costs no more the more there is of it, once all was done."""

from collections.abc import Callable

import pytest
from uuid_utils.compat import uuid7

from jobs import escalate
from server.clinical.vocabulary import AlertClass, AlertState, Channel
from server.gateways.message import SendError
from server.models import Alert
from tests.cast import Person
from tests.faults.conftest import Twins
from tests.faults.test_untaken import told
from tests.faults.ward import Ward
from tests.test_statements import sent

NUMBER = "+4740000001"
AWAY = SendError(False, "timeout", away=True)
BUSY = SendError(False, "busy_452")


def called(ward: Ward, twins: Twins) -> None:
    """Raise an alert whose call Bo's telephone does not take."""
    ward.alert(AlertClass.P1)


def written(ward: Ward, twins: Twins) -> None:
    """Write to Bo about the rota."""
    told(ward, ward.cast.bo, str(uuid7()))


def nobody_reached(ward: Ward, twins: Twins) -> None:
    """Raise an alert that nobody at all is told of."""
    for name in ("bo", "dee", "eli"):
        twins[Channel.EMAIL].refusals[f"{name}@clinic.example"] = BUSY
    ward.alert(AlertClass.P1)


@pytest.mark.long
@pytest.mark.parametrize("raised", [called, written, nobody_reached])
def test_a_look_at_many_that_wait_asks_the_database_no_more_often_than_one_at_few(
    ward: Ward, twins: Twins, raised: Callable[[Ward, Twins], None]
) -> None:
    ward.watched()
    ward.phone(ward.cast.bo, NUMBER)
    twins[Channel.SMS].refusals[NUMBER] = AWAY

    def settled(many: int) -> int:
        for _ in range(many):
            raised(ward, twins)
        ward.minutes(25)
        # In the few minutes after a look nothing falls due.
        looked = sent(ward.app, lambda: escalate.run(ward.around, ward.clock.forward(seconds=10)))
        return len(looked)

    assert settled(2) == settled(6)


def test_an_exhausted_alert_is_looked_at_again_once_somebody_has_another_way(
    ward: Ward, twins: Twins
) -> None:
    ward.watched()
    nobody_reached(ward, twins)
    ward.minutes(25)
    assert escalate.run(ward.around, ward.clock.forward(seconds=10)) == 0
    ward.phone(ward.cast.admin, NUMBER)
    ward.look()
    assert [message.to for message in twins[Channel.SMS].sent] == [NUMBER]


def test_an_exhausted_alert_is_looked_at_again_once_somebody_new_is_there(ward: Ward, twins: Twins) -> None:
    ward.watched()
    nobody_reached(ward, twins)
    ward.minutes(25)
    (alert,) = {row.subject_id for row in ward.deliveries()}
    eva: Person = ward.hire("eva")
    ward.look()
    assert ("eva", Channel.EMAIL) in ward.told(alert)
    assert eva.account_id in {row.account_id for row in ward.deliveries(alert)}
    known: Alert = ward.the(alert)
    assert known.state is AlertState.OPEN
