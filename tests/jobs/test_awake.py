"""What quiet hours hold leaves once there are none: whoever comes on call in the night hears of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from jobs import deliver, escalate
from jobs.around import Around
from server.clinical.vocabulary import AlertClass, AlertState, DeliverySubject
from server.gateways.message import RecordingGateway, SendError
from server.models import Account
from server.services.alerts import alert_handling, escalation
from server.services.messages import delivery as deliveries
from server.services.messages.delivery import Notice
from tests.cast import Cast, Person
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, kinds, working
from tests.jobs.deeds import deliveries as written
from tests.jobs.test_escalate import runs, stays_put
from tests.test_statements import sent

NIGHT = {"quiet_from": "22:00", "quiet_until": "07:00"}
MORNING = datetime.fromisoformat("2026-03-03T07:00+01:00")


@pytest.fixture
def asleep(cast: Cast, clock: Clock) -> None:
    """It is midnight where they are, Bo sleeps, nobody is on call: what is urgent waits for the morning."""
    assert cast.bo.put("/me/quiet-hours", NIGHT).status_code == 200
    clock.forward(hours=11)
    ana_raises_a_red_flag(cast, clock, "often")


def on_call(cast: Cast, who: Person, starts: str = "2026-03-03T00:30") -> None:
    shift = {"account_id": str(who.account_id), "starts": starts, "ends": "2026-03-03T08:00"}
    assert cast.admin.post("/rota/shifts", shift).status_code == 201


def looks(around: Around, clock: Clock, **later: float) -> None:
    """Let the jobs look twice, as they do every minute."""
    clock.forward(**later)
    for _ in range(2):
        escalate.run(around, clock.now)
        deliver.run(around, clock.now)


def told(email: RecordingGateway) -> list[str]:
    return [one.to.partition("@")[0] for one in email.sent]


@pytest.mark.usefixtures("asleep")
def test_whoever_comes_on_call_while_all_who_were_told_sleep_hears_of_what_is_urgent(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    on_call(cast, cast.coordinator)
    looks(around, clock, minutes=29)
    assert told(email) == []
    looks(around, clock, minutes=2)
    assert told(email) == ["dee"]
    (alert,) = alerts(around)
    assert (alert.state, alert.level, kinds(around, alert)) == (AlertState.OPEN, 0, ["opened", "escalated"])
    clock.now = MORNING
    looks(around, clock)
    assert told(email) == ["dee", "bo"]


def goes_on_call(cast: Cast) -> None:
    on_call(cast, cast.bo, "2026-03-03T00:00")


def has_none_any_more(cast: Cast) -> None:
    assert cast.bo.put("/me/quiet-hours", {"quiet_from": None, "quiet_until": None}).status_code == 200


def is_elsewhere(cast: Cast) -> None:
    assert cast.admin.patch("/clinic", {"zone": "Asia/Tokyo"}).status_code == 200


@pytest.mark.usefixtures("asleep")
@pytest.mark.parametrize("change", [goes_on_call, has_none_any_more, is_elsewhere])
def test_what_waited_for_the_end_of_quiet_hours_leaves_when_there_are_none_any_more(
    change: Any, cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    looks(around, clock, minutes=1)
    assert told(email) == []
    change(cast)
    looks(around, clock, minutes=1)
    assert (told(email), alerts(around)[0].level) == (["bo"], 0)


@pytest.mark.usefixtures("asleep")
def test_what_was_let_go_and_is_tried_again_waits_for_its_next_try(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    email.refusals["bo@clinic.example"] = SendError(False, "refused_451")
    has_none_any_more(cast)
    looks(around, clock, minutes=1)
    (row,) = written(around)
    assert (row.attempt, row.tried_since) == (1, clock.now)
    assert row.due_at > clock.now + timedelta(seconds=1)


@pytest.mark.usefixtures("asleep")
def test_what_somebody_has_taken_on_in_the_night_is_not_looked_at_until_the_morning_for_who_is_on_call(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    on_call(cast, cast.coordinator)
    with working(around, cast.bo, clock.forward(minutes=5)) as work:
        alert_handling.acknowledge(work, alerts(around)[0].id)
    with working(around, cast.bo, clock.forward(minutes=40)) as work:
        assert escalation.due(work) == []
    looks(around, clock)
    assert told(email) == []


def sleeps(cast: Cast, *people: Person) -> None:
    """Let each of these have a step of the rota to themselves, and their nights."""
    for one in people:
        assert one.put("/me/quiet-hours", NIGHT).status_code == 200
    known = cast.admin.get("/rota").json
    rota = {name: known[name] for name in ("hours", "holidays", "fallback_account_id")}
    steps = [[f"account:{one.account_id}"] for one in people]
    changed = cast.admin.put("/rota", {**rota, "steps": steps}, version=known["version"])
    assert changed.status_code == 200, changed.text


def test_whose_message_waits_is_not_called_anew_at_each_step_that_sleeps(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    sleeps(cast, cast.bo, cast.admin)
    on_call(cast, cast.coordinator, "2026-03-02T23:30")
    stays_put(email, "dee")
    clock.forward(hours=11)
    ana_raises_a_red_flag(cast, clock, "often")
    runs(around, clock, 10)
    # Dee once: as if only called now, she would keep the next step waiting as long again.
    assert [row.account_id for row in written(around)] == [
        *(cast.bo.account_id, cast.coordinator.account_id, cast.admin.account_id)
    ]
    assert alerts(around)[0].exhausted_at is not None


def test_of_however_many_who_sleep_a_look_asks_no_more(
    app: Flask, cast: Cast, clock: Clock, around: Around
) -> None:
    clock.forward(hours=11)
    asked = []
    for people in ([cast.bo], [cast.coordinator, cast.admin]):
        for one in people:
            assert one.put("/me/quiet-hours", NIGHT).status_code == 200
            with working(around, one, clock.now) as work:
                told = Notice(
                    f"w:{one.account_id}", "weekly_digest", DeliverySubject.DIGEST, uuid7(), AlertClass.P3
                )
                deliveries.call(work, work.session.get_one(Account, (one.clinic_id, one.account_id)), told)
        asked.append(len(sent(app, lambda: escalate.run(around, clock.now))))
    assert asked[0] == asked[1]
