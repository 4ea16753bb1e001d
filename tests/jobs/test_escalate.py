"""Alerts that nobody answers climb; answered ones stay calm, until the word that was given runs out."""

from contextlib import suppress
from datetime import timedelta

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from jobs import deliver, escalate
from jobs.around import Around, Incomplete
from server.clinical.vocabulary import AlertClass, AlertState, Outcome, Role
from server.gateways.message import RecordingGateway, SendError
from server.isolation import Extent
from server.models import Account
from server.services.alerts import alert_handling
from server.services.messages import outbox, outbox_outcome
from tests.cast import Cast, new_clinic, new_staff
from tests.conftest import Clock
from tests.jobs.deeds import alerts, ana_raises_a_red_flag, deliveries, kinds, working
from tests.test_statements import sent
from tests.visits import Visits


def told(around: Around) -> int:
    return len(deliveries(around))


def test_an_unanswered_alert_climbs_once_a_level_and_tells_more_people(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock)
    deliver.run(around, clock.now)
    assert (escalate.run(around, clock.forward(minutes=14)), told(around)) == (0, 1)
    assert (escalate.run(around, clock.forward(minutes=1)), told(around)) == (1, 3)  # Bo and Dee
    assert (escalate.run(around, clock.now), told(around)) == (0, 3)
    deliver.run(around, clock.now)
    assert (escalate.run(around, clock.forward(minutes=15)), told(around)) == (1, 6)  # and Eli
    assert alerts(around)[0].level == 2


def test_however_many_clinics_are_quiet_a_look_asks_no_more_and_attends_to_the_one_that_waits(
    app: Flask, cast: Cast, clock: Clock, around: Around
) -> None:
    few = len(sent(app, lambda: escalate.run(around, clock.now)))
    for number in range(5):
        new_clinic(app, uuid7(), f"quiet-{number}")
    assert len(sent(app, lambda: escalate.run(around, clock.now))) == few
    ana_raises_a_red_flag(cast, clock)
    assert escalate.run(around, clock.forward(minutes=15)) == 1


def test_a_job_that_slept_through_a_level_goes_straight_to_the_right_one(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock)
    assert escalate.run(around, clock.forward(hours=8)) == 1
    assert alerts(around)[0].level == 10  # once, however many steps were slept through


def test_an_acknowledged_alert_is_calm_until_the_contact_clock_has_run_out(
    cast: Cast, clock: Clock, around: Around
) -> None:
    ana_raises_a_red_flag(cast, clock)
    (alert,) = alerts(around)
    with working(around, cast.bo, clock.forward(minutes=5)) as work:
        alert_handling.acknowledge(work, alert.id)
    assert escalate.run(around, clock.forward(minutes=29)) == 0
    assert (escalate.run(around, clock.forward(minutes=1)), told(around)) == (1, 2)
    assert kinds(around, alert) == ["opened", "acknowledged", "acknowledgement_expired"]
    assert alerts(around)[0].state is AlertState.OPEN
    deliver.run(around, clock.now)
    assert escalate.run(around, clock.forward(minutes=14)) == 0  # and the ladder begins anew
    assert escalate.run(around, clock.forward(minutes=1)) == 1
    assert alerts(around)[0].level == 1


def test_a_clinic_without_a_reachable_clinician_is_told_as_soon_as_there_is_one(
    cast: Cast, clock: Clock, around: Around
) -> None:
    with around.database.write() as session:
        session.query(Account).update({"disabled_at": clock.now})
        session.query(Account).filter_by(id=cast.ana.account_id).update({"disabled_at": None})
    ana_raises_a_red_flag(cast, clock)
    escalate.run(around, clock.forward(days=3))
    assert told(around) == 0
    with around.database.write() as session:
        session.query(Account).filter_by(id=cast.bo.account_id).update({"disabled_at": None})
    assert escalate.run(around, clock.forward(hours=1)) == 1
    assert told(around) == 1


def test_an_alert_that_nobody_takes_for_years_is_told_again_and_again(
    cast: Cast, clock: Clock, around: Around, visits: Visits
) -> None:
    visits.relapse()
    escalate.run(around, clock.forward(days=7 * 100))  # on a Monday at noon, as ever
    for _ in range(3):
        before = told(around)
        deliver.run(around, clock.now)
        escalate.run(around, clock.forward(days=7))  # the ladder of a P2 has three working days
        assert told(around) > before


def test_a_resolved_alert_never_climbs(cast: Cast, clock: Clock, around: Around) -> None:
    ana_raises_a_red_flag(cast, clock)
    (alert,) = alerts(around)
    with working(around, cast.bo, clock.now) as work:
        alert_handling.resolve(work, alert.id, Outcome.CONTACTED, "", alert.version)
    assert escalate.run(around, clock.forward(days=1)) == 0


def stays_put(email: RecordingGateway, *names: str) -> None:
    """Let the mail server put off whatever is for these, and never refuse it."""
    for name in names:
        email.refusals[f"{name}@clinic.example"] = SendError(False, "busy_452")


def runs(around: Around, clock: Clock, minutes: int) -> None:
    """Send and climb every minute."""
    for _ in range(minutes):
        clock.forward(minutes=1)
        with suppress(Incomplete):  # something urgent waits: it is said
            deliver.run(around, clock.now)
        escalate.run(around, clock.now)


def test_who_has_no_way_left_and_a_message_that_does_not_leave_keeps_nobody_else_waiting(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    stays_put(email, "bo")
    ana_raises_a_red_flag(cast, clock, "often")
    runs(around, clock, 4)
    assert (alerts(around)[0].level, email.sent) == (0, [])
    runs(around, clock, 2)
    assert [one.to for one in email.sent] == ["dee@clinic.example"]
    runs(around, clock, 60)  # Dee was told: from here on the clock says who is next
    assert (alerts(around)[0].level, len(deliveries(around))) == (1, 2)


def test_where_no_message_leaves_everybody_is_tried_and_the_ladder_is_at_its_end(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    stays_put(email, "bo", "dee", "eli")
    ana_raises_a_red_flag(cast, clock, "often")
    runs(around, clock, 20)
    (alert,) = alerts(around)
    assert (alert.level, alert.exhausted_at is not None) == (2, True)
    # Each once: who is called already is not called as if it were the first time.
    assert [row.account_id for row in deliveries(around)] == [
        *(cast.bo.account_id, cast.coordinator.account_id, cast.admin.account_id)
    ]
    assert kinds(around, alert) == ["opened", "escalated", "escalated", "exhausted"]


def test_who_has_been_told_of_the_same_call_keeps_it_from_climbing(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    stays_put(email, "eli")
    ana_raises_a_red_flag(cast, clock)
    runs(around, clock, 29)
    assert alerts(around)[0].level == 1
    runs(around, clock, 11)  # level 2: Bo and Dee have it, Eli's waits
    (alert,) = alerts(around)
    assert (alert.level, alert.exhausted_at) == (2, None)


@pytest.mark.parametrize(("days", "level"), [(5, 0), (7, 2)])
def test_what_can_wait_until_the_clinic_is_at_work_goes_to_nobody_else_before(
    visits: Visits, clock: Clock, around: Around, email: RecordingGateway, days: int, level: int
) -> None:
    stays_put(email, "bo", "dee", "eli")
    clock.forward(days=days)  # a Saturday, a Monday
    visits.relapse()
    runs(around, clock, 20)
    (alert,) = alerts(around)
    assert (alert.urgency, alert.level) == (AlertClass.P2, level)


def test_who_is_awake_but_cannot_be_reached_does_not_stand_for_those_on_call(
    app: Flask, cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    flo = new_staff(app, cast.bo.clinic_id, Role.CLINICIAN, "Flo")
    rota = cast.admin.get("/rota").json
    kept = {name: rota[name] for name in ("hours", "holidays", "fallback_account_id")}
    steps = [["own_clinician"], ["own_clinician", "coordinators"]]
    assert cast.admin.put("/rota", {**kept, "steps": steps}, version=rota["version"]).status_code == 200
    shift = {"account_id": str(flo.account_id), "starts": "2026-03-02T20:00", "ends": "2026-03-03T08:00"}
    assert cast.admin.post("/rota/shifts", shift).status_code == 201
    hours = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert cast.coordinator.put("/me/quiet-hours", hours).status_code == 200
    stays_put(email, "bo")
    clock.forward(hours=11)  # 23:00
    ana_raises_a_red_flag(cast, clock, "often")
    runs(around, clock, 7)
    assert [one.to for one in email.sent] == ["flo@clinic.example"]


@pytest.mark.parametrize("how", ["refused", "waits"])
def test_who_is_on_call_for_those_who_sleep_and_cannot_be_reached_keeps_nobody_else_from_hearing(
    app: Flask, cast: Cast, clock: Clock, around: Around, email: RecordingGateway, how: str
) -> None:
    new_staff(app, cast.bo.clinic_id, Role.CLINICIAN, "Flo")
    shift = {"account_id": str(cast.coordinator.account_id), "starts": "2026-03-02T20:00"}
    assert cast.admin.post("/rota/shifts", {**shift, "ends": "2026-03-03T08:00"}).status_code == 201
    hours = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert cast.bo.put("/me/quiet-hours", hours).status_code == 200
    email.refusals["dee@clinic.example"] = SendError(how == "refused", "refused_550")
    clock.forward(hours=11)  # 23:00
    ana_raises_a_red_flag(cast, clock, "often")
    runs(around, clock, 7)
    assert [one.to for one in email.sent] == ["flo@clinic.example"]
    assert (alerts(around)[0].level, len(deliveries(around))) == (1, 3 + (how == "refused"))


def test_what_quiet_hours_hold_where_nobody_is_on_call_waits_for_the_morning(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    hours = {"quiet_from": "22:00", "quiet_until": "07:00"}
    assert cast.bo.put("/me/quiet-hours", hours).status_code == 200
    clock.forward(hours=11)  # 23:00
    ana_raises_a_red_flag(cast, clock, "often")
    runs(around, clock, 20)
    assert (email.sent, alerts(around)[0].level) == ([], 0)


@pytest.mark.parametrize("is_given_back", [False, True])
def test_a_message_that_quiet_hours_held_waits_since_their_end_also_once_it_is_in_hand(
    cast: Cast, clock: Clock, around: Around, is_given_back: bool
) -> None:
    clock.forward(hours=11)  # 23:00
    with around.database.write(Extent.ALL) as session:
        bo = session.get_one(Account, (cast.bo.clinic_id, cast.bo.account_id))
        bo.quiet_from, bo.quiet_until = "22:00", "07:00"
    ana_raises_a_red_flag(cast, clock, "often")
    (held,) = deliveries(around)
    clock.now = held.due_at + timedelta(seconds=5)
    with around.database.write(Extent.ALL) as session:
        (claimed,) = outbox.claim(session, clock.now, 5, deliver.LEASE)
    if is_given_back:
        with around.database.write(Extent.ALL) as session:
            outbox_outcome.finish(session, clock.now, claimed, outbox_outcome.Returned())
    assert escalate.run(around, clock.now) == 0
    assert (alerts(around)[0].level, len(deliveries(around))) == (0, 1)


def test_that_it_was_reported_again_is_told_to_nobody_once_a_colleague_has_closed_the_emergency(
    cast: Cast, clock: Clock, around: Around, email: RecordingGateway
) -> None:
    ana_raises_a_red_flag(cast, clock)
    deliver.run(around, clock.now)
    path = f"/alerts/{alerts(around)[0].id}"
    assert cast.coordinator.post(f"{path}/acknowledge").status_code == 200
    ana_raises_a_red_flag(cast, clock)
    done = {"outcome": "contacted", "note": "Called her: she is safe."}
    assert cast.bo.post(f"{path}/resolve", done, alerts(around)[0].version).status_code == 200
    deliver.run(around, clock.forward(minutes=1))
    assert [one.to for one in email.sent] == ["bo@clinic.example"]
    assert [(row.template, row.failure) for row in deliveries(around)][1:] == [
        ("emergency_again", "not_needed")
    ]
