"""Admins hear of a gap before an alert falls into it, once a gap."""

from datetime import datetime

from jobs import coverage
from jobs.around import Around
from server.clinical.rota import DEFAULT_WEEK
from server.gateways.templates import render
from server.models import Account
from server.services.alerts import rota as rotas
from server.services.alerts import shift as shifts
from server.services.alerts.shift import NewShift
from tests.cast import Cast
from tests.conftest import Clock
from tests.jobs.deeds import deliveries, working


def cover(around: Around, cast: Cast, clock: Clock, first: str, last: str) -> None:
    with working(around, cast.bo, clock.now) as work:
        starts, ends = datetime.fromisoformat(first), datetime.fromisoformat(last)
        shifts.add(work, NewShift(cast.bo.account_id, starts, ends, None))


def armed_with_shifts_only(around: Around, cast: Cast, clock: Clock) -> None:
    cover(around, cast, clock, "2026-03-01T12:00", "2026-03-18T12:00")
    changes = {"hours": DEFAULT_WEEK, "holidays": [], "steps": [["on_call"]], "fallback_account_id": None}
    with working(around, cast.bo, clock.now) as work:
        rotas.change(work, changes, 1)
        rotas.arm(work)


def test_a_gap_is_told_a_week_ahead_and_once(cast: Cast, clock: Clock, around: Around) -> None:
    armed_with_shifts_only(around, cast, clock)
    cover(around, cast, clock, "2026-03-18T14:00", "2026-03-31T12:00")
    assert coverage.run(around, clock.forward(days=8)) == 0
    assert coverage.run(around, clock.forward(days=2)) == 1
    (written,) = deliveries(around)
    assert (written.template, written.subject_id) == ("coverage_gap", cast.bo.clinic_id)
    assert written.account_id == cast.admin.account_id
    render(written.template, "en", "https://afterglow.example", written.subject_id)
    for hours in (1, 120, 23, 1):
        assert coverage.run(around, clock.forward(hours=hours)) == 0  # also while it lasts
    assert coverage.run(around, clock.forward(days=6)) == 1  # the next one, from 31 March on


def test_a_gap_that_opens_at_once_is_told_at_once(cast: Cast, clock: Clock, around: Around) -> None:
    armed_with_shifts_only(around, cast, clock)
    assert coverage.run(around, clock.now) == 0
    with around.database.write() as session:
        session.get_one(Account, (cast.bo.clinic_id, cast.bo.account_id)).disabled_at = clock.now
    assert coverage.run(around, clock.now) == 1
    assert coverage.run(around, clock.forward(hours=1)) == 0


def test_a_clinic_that_is_not_armed_is_left_alone(cast: Cast, clock: Clock, around: Around) -> None:
    armed_with_shifts_only(around, cast, clock)
    with working(around, cast.bo, clock.now) as work:
        rotas.disarm(work)
    assert coverage.run(around, clock.forward(days=30)) == 0


def test_a_gap_that_the_fallback_closes_wakes_nobody(cast: Cast, clock: Clock, around: Around) -> None:
    armed_with_shifts_only(around, cast, clock)
    with working(around, cast.bo, clock.now) as work:
        rotas.of(work).fallback_account_id = cast.coordinator.account_id
    assert coverage.run(around, clock.forward(days=30)) == 0


def test_a_gap_that_was_closed_and_opens_again_is_told_again(
    cast: Cast, clock: Clock, around: Around
) -> None:
    armed_with_shifts_only(around, cast, clock)

    def works(disabled_at: datetime | None) -> int:
        with around.database.write() as session:
            session.get_one(Account, (cast.bo.clinic_id, cast.bo.account_id)).disabled_at = disabled_at
        return coverage.run(around, clock.forward(hours=1))

    assert [works(clock.now), works(None), works(clock.now), works(clock.now)] == [1, 0, 1, 0]
    assert coverage.run(around, clock.now) == 0
    assert {row.account_id for row in deliveries(around)} == {cast.admin.account_id}
