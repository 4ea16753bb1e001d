"""Who is told at a level: step by step, and never silently nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from uuid_utils.compat import uuid7

from server.clinical.rota import DEFAULT_WEEK
from server.database import Database
from server.models import Account, Patient, Rota, Shift
from server.services.alerts import rota as rotas
from server.services.alerts import shift as shifts
from server.services.alerts.shift import MOST_SHIFTS, NewShift
from server.services.errors import AllInvalid, Conflict
from server.services.work import Work
from tests.cast import Cast, Person, as_work

STARTS, ENDS = (datetime.fromisoformat(f"2026-03-02T{hour}:00") for hour in ("12", "20"))


@pytest.fixture
def at_work(app: Flask, cast: Cast, database: Database) -> "AtWork":
    """The admin's work."""
    return AtWork(app, cast, database)


class AtWork:
    """Opens the admin's transactions."""

    def __init__(self, app: Flask, cast: Cast, database: Database) -> None:
        self.app, self.cast, self.database = app, cast, database

    @contextmanager
    def __call__(self) -> Iterator[Work]:
        """Open one."""
        with self.database.write() as session:
            yield as_work(self.app, self.cast.admin, session)

    def told(self, level: int) -> list[str]:
        """Return the names of who hears of Ana at ``level``."""
        with self() as work:
            ana = work.session.get_one(Patient, (work.clinic_id, self.cast.ana.patient_id))
            return [account.name for account in rotas.told_at(work, ana, level, work.now)]

    def steps(self, *steps: list[str], fallback: Person | None = None) -> None:
        """Set the steps and the fallback."""
        fallback_id = None if fallback is None else fallback.account_id
        changes = {"hours": DEFAULT_WEEK, "holidays": [], "steps": steps, "fallback_account_id": fallback_id}
        with self() as work:
            rotas.change(work, changes, rotas.of(work).version)

    def close(self, *people: Person) -> None:
        """Close accounts."""
        with self() as work:
            for person in people:
                account = work.session.get_one(Account, (work.clinic_id, person.account_id))
                account.disabled_at = work.now

    def shift(self, who: Person) -> UUID:
        """Put somebody on call now."""
        with self() as work:
            return shifts.add(work, NewShift(who.account_id, STARTS, ENDS, None)).id


def test_the_usual_steps_tell_the_own_clinician_then_the_team_then_everybody(at_work: AtWork) -> None:
    assert [at_work.told(level) for level in (0, 1, 2, 7)] == [
        ["Bo"],
        ["Bo", "Dee"],
        ["Bo", "Dee", "Eli"],
        ["Bo", "Dee", "Eli"],
    ]
    with at_work() as work:
        assert rotas.last_step(work) == 2


def test_who_is_on_call_comes_first_and_is_told_once(at_work: AtWork, cast: Cast) -> None:
    at_work.shift(cast.coordinator)
    assert at_work.told(1) == ["Dee", "Bo"]
    at_work.close(cast.coordinator)
    assert at_work.told(1) == ["Bo"]


def test_a_first_step_that_stands_for_nobody_gives_way_to_the_next(at_work: AtWork, cast: Cast) -> None:
    at_work.close(cast.bo)
    assert at_work.told(0) == ["Dee"]
    at_work.steps(["on_call"], ["admins"])
    assert at_work.told(0) == ["Eli"]


def test_a_later_step_that_stands_for_nobody_gives_way_to_the_fallback(at_work: AtWork, cast: Cast) -> None:
    at_work.steps(["own_clinician"], ["on_call"], ["admins"], fallback=cast.coordinator)
    assert at_work.told(1) == ["Dee"]
    at_work.close(cast.bo)
    assert at_work.told(0) == ["Dee"]


def test_without_a_fallback_everybody_who_works_is_told(at_work: AtWork, cast: Cast) -> None:
    at_work.steps(["on_call"], fallback=cast.coordinator)
    at_work.close(cast.coordinator)
    assert at_work.told(0) == ["Bo", "Eli"]
    at_work.close(cast.bo, cast.admin)
    assert at_work.told(0) == []  # nobody is left


def test_a_named_account_is_told(at_work: AtWork, cast: Cast) -> None:
    at_work.steps([f"account:{cast.coordinator.account_id}", "admins"])
    assert at_work.told(0) == ["Dee", "Eli"]


def test_a_system_hears_of_no_alert_for_it_could_not_read_one(at_work: AtWork, cast: Cast) -> None:
    with pytest.raises(AllInvalid):
        at_work.steps([f"account:{cast.scheduler.account_id}", "admins"])
    with pytest.raises(AllInvalid):
        at_work.steps(["admins"], fallback=cast.scheduler)
    with at_work() as work:  # a rota from before that was so
        rotas.of(work).steps = [[f"account:{cast.scheduler.account_id}", "admins"]]
    assert at_work.told(0) == ["Eli"]


def test_a_clinic_without_a_rota_has_the_usual_one_and_gets_it_when_armed(
    at_work: AtWork, cast: Cast
) -> None:
    with at_work() as work:
        work.session.delete(work.session.get_one(Rota, work.clinic_id))
    assert at_work.told(1) == ["Bo", "Dee"]
    with at_work() as work:
        assert rotas.arm(work).armed_by == cast.admin.account_id
        assert rotas.is_armed(work)


def test_hours_are_read_once_and_anew_after_a_change(at_work: AtWork) -> None:
    with at_work() as work:
        first = rotas.hours(work)
        assert rotas.hours(work) is first
        changes = {"hours": ((),) * 7, "holidays": [], "steps": [["admins"]], "fallback_account_id": None}
        rotas.change(work, changes, 1)
        assert rotas.hours(work).always


def filled(work: Work, cast: Cast, many: int) -> None:
    """Put Bo on call so often that hardly another shift is taken."""
    kept = {"clinic_id": work.clinic_id, "account_id": cast.bo.account_id, "created_at": work.now}
    work.session.add_all(Shift(**kept, id=uuid7(), starts=STARTS, ends=ENDS) for _ in range(many))


def test_a_clinic_has_so_many_shifts_and_no_more(at_work: AtWork, cast: Cast) -> None:
    new = NewShift(cast.bo.account_id, STARTS, ENDS, None)
    with at_work() as work:
        filled(work, cast, MOST_SHIFTS - 1)
        shifts.add(work, new)
        with pytest.raises(Conflict):
            shifts.add(work, new)


def test_whoever_goes_home_hands_over_however_many_shifts_there_are(at_work: AtWork, cast: Cast) -> None:
    with at_work() as work:
        filled(work, cast, 1)
    with at_work() as work:
        later = NewShift(cast.coordinator.account_id, STARTS.replace(month=4), ENDS.replace(month=4), None)
        for _ in range(MOST_SHIFTS - 1):
            work.session.add(
                Shift(clinic_id=work.clinic_id, id=uuid7(), created_at=work.now, **asdict(later))
            )
    body = {"account_id": str(cast.coordinator.account_id), "note": "Good night."}
    handed = cast.bo.post("/alerts/hand-over", body)
    assert (handed.status_code, handed.json["shift_ends"]) == (200, "2026-03-02T19:00:00+00:00")
    on_call = cast.bo.get("/rota/on-call").json["items"]
    assert [one["account_id"] for one in on_call] == [body["account_id"]]
