"""Whatever happens in whatever order: worse always gets through, and what somebody has taken on stays calm.

A run of random reports, clicks and hours is played against one patient's episode. Beside it stands a
small account of what the team knows, written apart from the code under test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.api.edge import Surroundings
from server.clinical.vocabulary import AlertClass, AlertFamily, AlertState
from server.isolation import Extent
from server.models import Alert, Delivery, Patient
from server.services.alerts import alert_handling
from server.services.alerts import episode as episodes
from server.services.alerts import escalation as escalations
from server.services.alerts.episode import Finding
from server.services.work import Actor, Work
from tests.cast import Cast
from tests.conftest import NOON

ANSWERS = {
    "safety_passing": AlertClass.P2,
    "safety_often": AlertClass.P1,
    "safety_plan": AlertClass.P0,
}
GRAVEST_LAST = tuple(ANSWERS)
steps = st.lists(
    st.one_of(
        st.sampled_from([("report", code) for code in ANSWERS]),
        st.sampled_from([("acknowledge", None), ("tick", None)]),
        st.tuples(st.just("wait"), st.sampled_from([1, 10, 31, 60 * 5, 60 * 25, 60 * 24 * 9])),
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Play:
    """One example under way: its transaction, its clock, and what the care team knows."""

    session: Session
    cast: Cast
    now: datetime = NOON
    known: set[str] = field(default_factory=set)
    last_report: datetime = NOON

    def work(self, by_bo: bool = False) -> Work:
        account = self.cast.bo.account_id if by_bo else None
        return Work(self.session, self.now, Actor(self.cast.bo.clinic_id, account))

    def alert(self) -> Alert | None:
        return self.session.scalar(select(Alert).where(Alert.state != AlertState.RESOLVED))

    def state(self) -> AlertState | None:
        alert = self.alert()
        return None if alert is None else alert.state

    def told(self) -> int:
        return self.session.scalar(select(func.count()).select_from(Delivery)) or 0

    def report(self, code: str) -> None:
        patient = self.session.get_one(Patient, (self.cast.ana.clinic_id, self.cast.ana.patient_id))
        finding = Finding(
            AlertFamily.SAFETY,
            ANSWERS[code],
            self.now.date(),
            (code,),
            "said so",
            {"flags": [{"code": code}]},
        )
        episodes.raise_alert(self.work(), patient, finding)


@contextmanager
def played(app: Flask, cast: Cast) -> Iterator[Play]:
    with Surroundings.of(app).database.write(Extent.ALL) as session:
        yield Play(session, cast)
        session.rollback()


def is_worse(play: Play, code: str, before: Alert | None) -> bool:
    """Say what must get through, by the words of the design and not by the code."""
    if before is None:
        return True
    graver = GRAVEST_LAST.index(code) > max(GRAVEST_LAST.index(known) for known in play.known)
    taken = before.state is AlertState.ACKNOWLEDGED
    as_urgent = taken and ANSWERS[code] is before.urgency
    returned = as_urgent and (play.now.date() - play.last_report.date()).days > 7
    return graver or returned


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps)
def test_worse_always_gets_through_and_the_rest_stays_calm(
    app: Flask, cast: Cast, run: list[tuple[str, Any]]
) -> None:
    with played(app, cast) as play:
        for verb, detail in run:
            _step(play, verb, detail)


def _step(play: Play, verb: str, detail: Any) -> None:
    alert, told = play.alert(), play.told()
    state = alert and (alert.state, alert.urgency, alert.acknowledged_until)
    if verb == "wait":
        play.now += timedelta(minutes=detail)
    elif verb == "report":
        worse = is_worse(play, detail, alert)
        play.report(detail)
        _reported(play, detail, worse, told, state)
    elif alert is None:
        return
    elif verb == "acknowledge":
        alert_handling.acknowledge(play.work(by_bo=True), alert.id)
        assert (play.state(), play.told()) == (AlertState.ACKNOWLEDGED, told)
    else:
        escalations.attend(play.work(), alert.id)
        _ticked(play, told, state)


def _reported(play: Play, code: str, worse: bool, told: int, before: Any) -> None:
    after = play.alert()
    assert after is not None
    play.known.add(code)
    play.last_report = play.now
    if worse:
        assert after.state is AlertState.OPEN, "worse is open again"
        assert play.told() > told, "and somebody hears of it"
    else:
        in_hand = code == "safety_plan" and before[0] is AlertState.ACKNOWLEDGED
        assert play.told() == told + in_hand, "a repeat tells nobody but who has the emergency in hand"
        assert after.state is before[0], "and wakes nobody"
    if before is not None:
        assert after.urgency <= before[1], "urgency only rises"


def _ticked(play: Play, told: int, before: Any) -> None:
    state, _, until = before
    if state is AlertState.ACKNOWLEDGED:
        ran_out = until <= play.now
        assert (play.told() > told) is ran_out, "calm until the word that was given has run out"
        assert (play.state() is AlertState.OPEN) is ran_out
