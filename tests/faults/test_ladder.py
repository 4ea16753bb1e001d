"""Fault 38: an alert nobody answers climbs on time, also at night and on holidays, and never falls silent."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from uuid_utils.compat import uuid7

from jobs import deliver, escalate
from schemas.rota import RotaBody
from server.clinical.rota import DEFAULT_STEPS, DEFAULT_WEEK
from server.clinical.vocabulary import AlertClass, AlertState, Channel, DeliveryState
from server.gateways.message import SendError
from server.services.alerts import alert_handling
from server.services.alerts import rota as rotas
from server.services.alerts import shift as shifts
from server.services.alerts.shift import NewShift
from tests.cast import entry
from tests.conftest import Clock
from tests.faults.conftest import Twins
from tests.faults.ward import OPERATIONS, Ward

OSLO = ZoneInfo("Europe/Oslo")
MINUTE = timedelta(minutes=1)
# The Tuesday after is a holiday of the clinic.
HOLIDAY = date(2026, 3, 10)
FRIDAY = datetime(2026, 3, 6, 17, 0, tzinfo=OSLO)


@pytest.fixture
def rota(ward: Ward) -> Ward:
    """Office hours, a holiday on Tuesday, Dee on call at the weekend. It is Friday, 17:00."""
    holidays = [{"day": HOLIDAY, "name": "Founder's day"}]
    changes = {
        "hours": DEFAULT_WEEK,
        "holidays": holidays,
        "steps": DEFAULT_STEPS,
        "fallback_account_id": None,
    }
    ward.watched()
    with ward.work() as work:
        rotas.change(work, changes, rotas.of(work).version)
        starts, ends = (datetime.fromisoformat(f"2026-03-{day}") for day in ("07", "09"))
        shifts.add(work, NewShift(ward.cast.coordinator.account_id, starts, ends, None))
    ward.clock.now = FRIDAY
    return ward


def level_at(ward: Ward, alert: UUID, moment: datetime) -> int:
    """Look at ``moment``, as the worker does every minute, send, and return the alert's level."""
    ward.clock.now = moment
    escalate.run(ward.around, moment)
    deliver.run(ward.around, moment)
    return ward.the(alert).level


def oslo(text: str) -> datetime:
    """Return a moment by the clinic's clock, in March 2026: "06 17:15"."""
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=OSLO)


@pytest.mark.parametrize(
    ("urgency", "expected"),
    [
        # Every minute counts, whatever the hour; past the last step it rings every hour.
        (AlertClass.P0, {"06 17:15": 1, "06 17:30": 2, "06 18:00": 3, "06 19:00": 4, "06 20:00": 5}),
        # Friday's last working hour is one, and Monday's first would be the second: a day is the hard limit.
        (AlertClass.P1, {"07 17:00": 3, "08 17:00": 4}),
        # Days on which the clinic works: Friday's last seven hours, Monday's first seventeen; no Tuesday.
        (AlertClass.P2, {"09 17:00": 1, "12 17:00": 2}),
    ],
)
def test_every_level_is_reached_to_the_minute_over_weekend_and_holiday(
    rota: Ward, urgency: AlertClass, expected: dict[str, int]
) -> None:
    """F38."""
    alert, before = rota.alert(urgency), 0
    deliver.run(rota.around, rota.clock.now)
    for text, level in expected.items():
        due = oslo(text)
        assert level_at(rota, alert, due - (due - rota.clock.now) / 2) == before
        assert level_at(rota, alert, due - MINUTE) == before
        assert level_at(rota, alert, due) == level
        before = level


def test_at_the_weekend_whoever_is_on_call_is_told_in_the_second_step(rota: Ward) -> None:
    """F38."""
    rota.clock.now = oslo("07 03:00")
    alert = rota.alert(AlertClass.P0)
    rota.look(), rota.minutes(15)
    assert rota.told(alert)[:2] == [("Bo", Channel.EMAIL), ("Dee", Channel.EMAIL)]


@pytest.mark.parametrize(
    ("urgency", "begins", "looks"),
    [
        # Friday evening: the working hours of steps 1 and 2 come after the hard limit of a day.
        (AlertClass.P1, "06 18:30", "07 18:30"),
        # Saturday: the job was stopped for longer than step 1 takes.
        (AlertClass.P0, "07 03:00", "07 03:31"),
    ],
)
def test_whoever_is_on_call_is_told_also_where_several_levels_are_reached_at_once(
    rota: Ward, urgency: AlertClass, begins: str, looks: str
) -> None:
    """F38."""
    with rota.work() as work:
        known = rotas.of(work)
        kept = {"hours": DEFAULT_WEEK, "holidays": [], "fallback_account_id": None}
        rotas.change(work, {**kept, "steps": (("own_clinician",), ("on_call",), ("admins",))}, known.version)
    rota.clock.now = oslo(begins)
    alert = rota.alert(urgency)
    rota.look()
    rota.clock.now = oslo(looks)
    rota.look()
    assert [name for name, _ in rota.told(alert)] == ["Bo", "Dee", "Eli"]


def test_an_exhausted_ladder_is_shown_and_paged_once_and_it_goes_on_ringing(rota: Ward, twins: Twins) -> None:
    """F38."""
    alert = rota.alert(AlertClass.P0)
    rota.look(), rota.minutes(5 * 60)
    assert rota.the(alert).exhausted_at is not None
    assert (rota.pages(), rota.kinds(alert).count("exhausted")) == (["ladder_exhausted"], 1)
    mails = [(message.at, message.to) for message in twins[Channel.EMAIL].sent]
    assert [to for _, to in mails].count(OPERATIONS) == 1
    bos = [at for at, to in mails if to == "bo@clinic.example"]
    assert max(later - earlier for earlier, later in pairwise(bos)) <= timedelta(hours=1, minutes=1)
    assert rota.clock.now - bos[-1] <= timedelta(hours=1, minutes=1)
    assert rota.the(alert).state is AlertState.OPEN


def test_a_ladder_whose_messages_all_fail_is_exhausted_at_once_and_not_after_an_hour(
    rota: Ward, twins: Twins
) -> None:
    """F38: nobody can be reached over any way, so whoever runs the service hears at once."""
    for name in ("bo", "dee", "eli"):
        twins[Channel.EMAIL].refusals[f"{name}@clinic.example"] = SendError(True, "refused_550")
    alert = rota.alert(AlertClass.P0)
    rota.look()
    assert {row.state for row in rota.deliveries(alert)} == {DeliveryState.GIVEN_UP}
    assert rota.pages() == ["ladder_exhausted"]
    assert [message.to for message in twins[Channel.EMAIL].sent] == [OPERATIONS]


@pytest.mark.parametrize("calm", ["acknowledged", "snoozed", "never answered"])
def test_calm_never_hides_an_emergency(rota: Ward, twins: Twins, calm: str) -> None:
    """F38: whatever was done about "often thinks of it", "has a plan" rings at once, again and again."""
    answer(rota, "often")
    rota.look()
    (row,) = rota.deliveries()
    _made_calm(rota, row.subject_id, calm)
    before = len(twins[Channel.EMAIL].sent)
    rota.clock.forward(minutes=1)
    answer(rota, "plan")
    rota.look()
    loud = rota.the(row.subject_id)
    assert (loud.urgency, loud.state, loud.snoozed) == (AlertClass.P0, AlertState.OPEN, False)
    assert len(twins[Channel.EMAIL].sent) == before + 1
    rota.minutes(75)
    assert rota.the(row.subject_id).level == 3
    assert rota.the(row.subject_id).exhausted_at is not None


def answer(ward: Ward, safety: str) -> None:
    """Let Ana answer the safety question."""
    made = ward.cast.ana.put(f"/entries/{uuid7()}", entry(ward.clock.now, safety=safety))
    assert made.status_code == 201, made.text


def _made_calm(ward: Ward, alert: UUID, how: str) -> None:
    with ward.work() as work:
        if how == "acknowledged":
            alert_handling.acknowledge(work, alert)
        elif how == "snoozed":
            until = work.now + timedelta(hours=8)
            alert_handling.snooze(work, alert, until, "She called.", ward.the(alert).version)


def test_a_ladder_with_many_steps_is_exhausted_only_when_the_last_one_was_told(
    ward: Ward, clock: Clock
) -> None:
    steps = [["own_clinician"], ["coordinators"], ["on_call"], ["clinicians"], ["admins"]]
    rota = {**RotaBody.EXAMPLE, "steps": steps, "holidays": []}
    admin = ward.cast.admin
    assert admin.put("/rota", rota, version=admin.get("/rota").json["version"]).status_code == 200
    alert, began = ward.alert(AlertClass.P0), clock.now
    ward.until(began + timedelta(minutes=90))
    assert ward.the(alert).exhausted_at is None
    ward.until(began + timedelta(minutes=121))
    row = ward.the(alert)
    assert (row.level, row.exhausted_at is not None) == (4, True)


def test_an_admin_hears_of_how_many_nobody_has_answered(ward: Ward, twins: Twins) -> None:
    for _ in range(3):
        ward.alert(AlertClass.P0)
    ward.look()
    ward.minutes(30)
    told = [one.subject for one in twins[Channel.EMAIL].sent if one.to == "eli@clinic.example"]
    assert told == ["Alerts about 3 patients at your clinic have not been answered"]
