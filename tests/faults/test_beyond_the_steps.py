"""Where nobody of any step can be reached, whoever else works at the clinic hears: the fallback, then all."""

from datetime import datetime

import pytest

from server.clinical.rota import DEFAULT_WEEK
from server.clinical.vocabulary import AlertClass, Channel
from server.gateways.message import SendError
from server.services.alerts import rota as rotas
from server.services.alerts import shift as shifts
from server.services.alerts.shift import NewShift
from server.services.messages import contact_point as contact_points
from tests.cast import Person
from tests.faults.conftest import Twins
from tests.faults.ward import Ward

BO, DEE, ELI, GIL = (f"{name}@clinic.example" for name in ("bo", "dee", "eli", "gil"))
REFUSED = SendError(True, "refused_550")
AWAY = SendError(False, "refused_451")


@pytest.fixture
def gil(ward: Ward) -> Person:
    """Both steps stand for Bo alone, who is on call; Gil is the fallback."""
    ward.watched()
    person = ward.hire("Gil")
    starts, ends = (datetime.fromisoformat(day) for day in ("2026-03-02", "2026-03-30"))
    with ward.work() as work:
        shifts.add(work, NewShift(ward.cast.bo.account_id, starts, ends, None))
    with_fallback(ward, person)
    return person


def with_fallback(ward: Ward, person: Person | None, second: tuple[str, ...] = ("on_call",)) -> None:
    changes = {
        "hours": DEFAULT_WEEK,
        "holidays": [],
        "steps": (("own_clinician",), second),
        "fallback_account_id": None if person is None else person.account_id,
    }
    with ward.work() as work:
        rotas.change(work, changes, rotas.of(work).version)


def told(twins: Twins) -> list[str]:
    """Return which of the clinic's staff mail has reached, in order."""
    return [message.to for message in twins[Channel.EMAIL].sent if message.to.endswith("@clinic.example")]


@pytest.mark.parametrize("urgency", [AlertClass.P0, AlertClass.P1, AlertClass.P2])
def test_the_fallback_hears_at_once_where_whoever_a_step_stands_for_cannot_be_reached(
    ward: Ward, twins: Twins, gil: Person, urgency: AlertClass
) -> None:
    """The check ahead counts on it: such a clinic may arm its monitoring."""
    twins[Channel.EMAIL].refusals[BO] = REFUSED
    ward.alert(urgency)
    ward.look()
    assert (told(twins), ward.pages()) == ([GIL], [])
    gaps = ward.cast.admin.get("/rota/coverage?days=14").json
    assert ([gap["why"] for gap in gaps["gaps"]], gaps["can_arm"]) == (["fallback_only"], True)


def test_it_hears_within_minutes_where_their_messages_only_wait(
    ward: Ward, twins: Twins, gil: Person
) -> None:
    twins[Channel.EMAIL].refusals[BO] = AWAY
    ward.alert(AlertClass.P0)
    ward.look()
    ward.minutes(12)
    assert (told(twins), ward.pages()) == ([GIL], [])


def test_with_the_next_levels_the_whole_team_hears_and_never_falls_silent(
    ward: Ward, twins: Twins, gil: Person
) -> None:
    twins[Channel.EMAIL].refusals[BO] = REFUSED
    ward.alert(AlertClass.P0)
    ward.look()
    ward.minutes(30)
    assert sorted(told(twins)[1:]) == [DEE, ELI, GIL]
    ward.minutes(30)
    assert sorted(told(twins)[4:]) == [DEE, ELI, GIL]
    assert "ladder_exhausted" not in ward.pages()
    ward.minutes(15)
    assert "ladder_exhausted" in ward.pages()


@pytest.mark.parametrize("has_fallback", [True, False])
def test_where_it_is_not_reached_or_there_is_none_the_care_team_hears_and_then_operations(
    ward: Ward, twins: Twins, gil: Person, has_fallback: bool
) -> None:
    with_fallback(ward, gil if has_fallback else None)
    mail = twins[Channel.EMAIL]
    mail.refusals |= {BO: REFUSED, GIL: REFUSED}
    ward.alert(AlertClass.P0)
    ward.look()
    assert (sorted(told(twins)), ward.pages()) == ([DEE, ELI], [])
    mail.refusals |= {DEE: REFUSED, ELI: REFUSED}
    ward.alert(AlertClass.P0)
    ward.look()
    assert "ladder_exhausted" in ward.pages()


@pytest.mark.parametrize("refusal", [REFUSED, AWAY])
@pytest.mark.parametrize("all_sleep", [False, True])
def test_a_fallback_that_sleeps_keeps_nobody_else_from_hearing_at_night(
    ward: Ward, twins: Twins, gil: Person, refusal: SendError, all_sleep: bool
) -> None:
    cast = ward.cast
    for person in (gil, cast.coordinator, cast.admin) if all_sleep else (gil,):
        hours = {"quiet_from": "22:00", "quiet_until": "07:00"}
        assert person.put("/me/quiet-hours", hours).status_code == 200
    twins[Channel.EMAIL].refusals[BO] = refusal
    ward.clock.forward(hours=11)  # 23:00
    ward.alert(AlertClass.P1)
    ward.look()
    ward.minutes(12)
    assert (sorted(told(twins)), ward.pages()) == (
        ([], ["ladder_exhausted"]) if all_sleep else ([DEE, ELI], [])
    )


def test_nobody_hears_for_those_who_sleep_because_a_webhook_is_away_of_somebody_whom_mail_told(
    ward: Ward, twins: Twins
) -> None:
    cast, gil = ward.cast, ward.hire("Gil")
    with_fallback(ward, gil, ("coordinators",))
    hook = ward.hook(cast.bo, "https://pager.example/bo")
    with ward.work() as work:
        twins[Channel.WEBHOOK].refusals[contact_points.open_address(work, hook)] = AWAY
    hours = {"quiet_from": "13:30", "quiet_until": "07:00"}
    assert cast.coordinator.put("/me/quiet-hours", hours).status_code == 200
    alert = ward.alert(AlertClass.P1)
    ward.look()
    ward.minutes(130)
    assert (ward.the(alert).level, told(twins)) == (1, [BO])
