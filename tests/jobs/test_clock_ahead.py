"""What a machine wrote whose clock was ahead, once the clock is put right."""

import pytest

from jobs import deliver
from jobs.around import Around
from server.gateways.message import RecordingGateway, SendError
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag

BO = "bo@clinic.example"


@pytest.mark.parametrize("minutes", [10, 120])
def test_an_emergency_that_it_took_down_leaves_at_once(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway, minutes: int
) -> None:
    """It waited for the hour that the clock had shown, and nothing told so: it was not due."""
    true_time = clock.now
    clock.forward(minutes=minutes)
    ana_raises_a_red_flag(cast, clock)
    assert deliver.run(around, true_time) == 1
    assert [message.to for message in email.sent] == [BO]
    assert deliver.run(around, true_time) == 0
    assert deliver.run(around, clock.forward(hours=3)) == 0


def test_what_it_does_not_take_is_tried_again_with_pauses(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    clock.forward(hours=2)
    ana_raises_a_red_flag(cast, clock)
    clock.forward(hours=-2)
    email.refusals[BO] = SendError(False, "busy")
    for _ in range(3):
        deliver.run(around, clock.forward(seconds=5))
    assert len(email.tried) == 1
    email.refusals.clear()
    deliver.run(around, clock.forward(minutes=2))
    assert len(email.sent) == 1
