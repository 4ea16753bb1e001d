"""What a machine wrote whose clock was ahead, once the clock is put right."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs import day_close, deliver, remind
from jobs.around import Around
from server.clinical.vocabulary import AlertClass
from server.gateways.message import RecordingGateway, SendError
from server.models import CheckInPlan
from tests.api.test_today import set_rhythm
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import ana_raises_a_red_flag, patient_of
from tests.jobs.test_day_close import is_logged, silences
from tests.jobs.test_remind import AFTER, reminders

BO = "bo@clinic.example"


def plan(around: Around, cast: Cast) -> CheckInPlan:
    """Return Ana's check-in plan."""
    with around.database.read() as session:
        return session.get_one(CheckInPlan, (cast.ana.clinic_id, cast.ana.patient_id))


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


@pytest.mark.parametrize("ahead", [{"hours": 11}, {"days": 10}])
def test_nobody_goes_without_reminders_until_the_day_that_it_had_shown(
    cast: Cast, clock: Clock, around: Around, ahead: dict[str, float]
) -> None:
    remind.run(around, clock.now)
    clock.forward(**ahead)
    remind.run(around, clock.now)
    clock.forward(**{unit: -number for unit, number in ahead.items()})
    remind.run(around, clock.now)
    assert remind.run(around, AFTER) == 2
    assert remind.run(around, AFTER + timedelta(minutes=1)) == 0
    assert reminders(around, cast)[-1] == "diary:2026-03-02"


def test_who_is_on_holiday_is_not_looked_at_for_it(cast: Cast, clock: Clock, around: Around) -> None:
    pause = {"first": "2026-03-02", "last": "2026-03-20"}
    assert set_rhythm(cast.ana, pause=pause).status_code == 200
    planned = plan(around, cast).next_at
    assert planned is not None
    assert planned > clock.now + timedelta(days=18)
    assert remind.run(around, AFTER) == 1  # the other clinic's Fay
    assert plan(around, cast).next_at == planned


def test_the_days_that_it_closed_before_they_began_end_when_they_do(
    cast: Cast, clock: Clock, around: Around
) -> None:
    """Nobody who fell silent meanwhile was missed before the day that it had shown."""
    is_logged(cast.ana, clock)
    clock.forward(days=6)
    assert day_close.run(around, clock.now) == 12
    clock.forward(days=-6)
    assert day_close.run(around, clock.now) == 0
    for day in range(3):
        assert day_close.run(around, clock.forward(days=1)) == 2, day
        is_logged(cast.ana, clock)
    clock.forward(days=11)
    day_close.run(around, clock.now)
    assert silences(around, cast)[-1] == (AlertClass.P2, 10)


def test_a_clock_that_began_anew_in_1970_ends_no_day_and_reminds_nobody(
    cast: Cast, clock: Clock, around: Around
) -> None:
    remind.run(around, clock.now)
    before = patient_of(around, cast.ana).next_close_at, plan(around, cast).next_at
    in_1970 = datetime(1970, 1, 2, 19, 15, tzinfo=UTC)
    assert (day_close.run(around, in_1970), remind.run(around, in_1970)) == (0, 0)
    assert (patient_of(around, cast.ana).next_close_at, plan(around, cast).next_at) == before
