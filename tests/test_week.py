"""One clinic's week: every channel fails for a day, the worker dies, people sleep, forget and go on holiday.

At its end every alert is closed or shown as exhausted, and each says who was told what, and when.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select
from uuid_utils.compat import uuid7

from jobs.around import Around
from server.clinical.rota import DEFAULT_STEPS, DEFAULT_WEEK
from server.clinical.vocabulary import LOST, TAKEN, AlertClass, AlertState, Channel
from server.database import Database
from server.gateways.message import Message, Receipt, RecordingGateway, SendError
from server.models import Alert, Delivery
from server.services.alerts import rota as rotas
from server.services.alerts import shift as shifts
from server.services.alerts.shift import NewShift
from server.services.messages import quiet
from server.services.messages.delivery_loss import NOT_NEEDED
from server.services.work import Actor, Work
from server.settings import Settings
from tests.cast import Cast, Person, entry, new_patient
from tests.conftest import Clock
from tests.faults.ward import OPERATIONS, Ward

OSLO = ZoneInfo("Europe/Oslo")
NIGHT = (time(22), time(7))
HOOK = "https://hooks.example.org/alerts"
SUBSCRIPTION = '{"endpoint": "https://push.example.org/1", "keys": {"p256dh": "a", "auth": "b"}}'
SHUT_DOWN = SendError(False, "unreachable", away=True)
# The worker looks more often; for a week's story this is often enough.
TICK = timedelta(minutes=5)
DAYS = {"Mon": 2, "Tue": 3, "Wed": 4, "Thu": 5, "Fri": 6, "Sat": 7, "Sun": 8, "Next": 9}


def at(text: str) -> datetime:
    """Return a moment of the week by the clinic's clock: "Tue 08:00"."""
    day, _, clock = text.partition(" ")
    return datetime.combine(datetime(2026, 3, DAYS[day], tzinfo=OSLO), time.fromisoformat(clock), OSLO)


@dataclass
class Fickle(RecordingGateway):
    """A twin whose far end is away at times; it notes when each message was taken."""

    clock: Clock = field(default_factory=Clock)
    away: bool = False
    log: list[tuple[datetime, Message]] = field(default_factory=list)

    def send(self, message: Message) -> Receipt:
        """Take it, or be away."""
        if self.away:
            raise SHUT_DOWN
        self.log.append((self.clock.now, message))
        return super().send(message)


@dataclass
class Week:
    """The clinic, its people, its channels, and the diary of what happens when."""

    ward: Ward
    channels: dict[Channel, Fickle]
    gil: Person
    hal: Person
    kim: Person
    ida: Person
    works: bool = True

    def play(self, plan: Sequence[tuple[str, Callable[[], object]]]) -> None:
        """Let it all happen in its order, and the worker work in between."""
        for when, happens in plan:
            self._work_until(at(when))
            happens()
            self._look()
        self._work_until(at("Next 07:30"))

    def _work_until(self, end: datetime) -> None:
        if self.works:
            self.ward.until(end, TICK)
        self.ward.clock.now = end

    def _look(self) -> None:
        if self.works:
            self.ward.look()

    def fails(self, channel: Channel) -> Callable[[], object]:
        """Let a channel's far end go away."""
        return lambda: setattr(self.channels[channel], "away", True)

    def mends(self, channel: Channel) -> Callable[[], object]:
        """Let it come back."""
        return lambda: setattr(self.channels[channel], "away", False)

    def worker(self, works: bool) -> Callable[[], object]:
        """Let the worker die, or live again."""
        return lambda: setattr(self, "works", works)

    def says(self, who: Person, **parts: Any) -> Callable[[], object]:
        """Let a patient report it."""
        path = f"/entries/{uuid7()}"
        return lambda: _ok(who.put(path, entry(self.ward.clock.now, **parts)))

    def does(self, who: Person, verb: str, about: Person, **body: Any) -> Callable[[], object]:
        """Let somebody act on the newest alert of a patient, as they see it then."""
        return lambda: self._act(who, verb, about, body)

    def _act(self, who: Person, verb: str, about: Person, body: dict[str, Any]) -> object:
        (first, *_) = self.alerts(about)
        seen = who.get(f"/alerts/{first.id}").json["version"]
        return _ok(who.post(f"/alerts/{first.id}/{verb}", body, seen))

    def alerts(self, about: Person | None = None) -> Sequence[Alert]:
        """Return the alerts (of one patient), newest first."""
        query = select(Alert).order_by(Alert.opened_at.desc(), Alert.id)
        if about is not None:
            query = query.where(Alert.patient_id == about.patient_id)
        with self.ward.around.database.read() as session:
            return list(session.scalars(query))


def _ok(answer: Any) -> Any:
    assert answer.status_code < 300, answer.text
    return answer


@pytest.fixture
def week(app: Flask, cast: Cast, clock: Clock, database: Database, settings: Settings) -> Week:
    """Monday noon: Gil is on holiday; Hal has the nights and Dee the weekend; Bo and Dee sleep at night."""
    channels = {channel: Fickle(channel, clock=clock) for channel in Channel}
    ward = Ward(app, cast, clock, Around(database, settings, channels))
    gil, hal = ward.hire("Gil"), ward.hire("Hal")
    kim, ida = (
        new_patient(app, cast.ana.clinic_id, name, own.account_id)
        for name, own in (("Kim", gil), ("Ida", hal))
    )
    ward.watched()
    ward.phone(cast.bo, "+4740000001")
    ward.browser(gil, SUBSCRIPTION)
    ward.hook(hal, HOOK)
    _rota(ward, hal)
    for sleeper in (cast.bo, cast.coordinator):
        with database.write() as session:
            quiet.set_hours(Work(session, clock.now, Actor(sleeper.clinic_id, sleeper.account_id)), *NIGHT)
    return Week(ward, channels, gil, hal, kim, ida)


def _rota(ward: Ward, hal: Person) -> None:
    changes = {"hours": DEFAULT_WEEK, "holidays": [], "steps": DEFAULT_STEPS, "fallback_account_id": None}
    with ward.work() as work:
        rotas.change(work, changes, rotas.of(work).version)
        for day in ("Mon", "Tue", "Wed", "Thu"):
            _shift(work, hal, at(f"{day} 18:00"), timedelta(hours=14))
        _shift(work, ward.cast.coordinator, at("Fri 18:00"), timedelta(hours=62))


def _shift(work: Work, who: Person, starts: datetime, lasts: timedelta) -> None:
    begins = starts.replace(tzinfo=None)
    shifts.add(work, NewShift(who.account_id, begins, begins + lasts, None))


def the_plan(week: Week) -> list[tuple[str, Callable[[], object]]]:
    """Return what happens in the week besides what the worker does."""
    cast, done = week.ward.cast, {"outcome": "contacted", "note": "Called."}
    ana, bo, dee, kim, ida, hal = cast.ana, cast.bo, cast.coordinator, week.kim, week.ida, week.hal
    return [
        ("Mon 13:30", week.says(ana, safety="often")),
        ("Mon 14:00", week.does(bo, "acknowledge", ana)),
        ("Mon 15:00", week.does(bo, "resolve", ana, **done)),
        ("Tue 08:00", week.fails(Channel.EMAIL)),
        ("Tue 10:00", week.says(kim, safety="often")),  # Gil is told, and on holiday
        ("Tue 12:30", week.does(bo, "acknowledge", kim)),
        ("Tue 13:00", week.does(bo, "resolve", kim, **done)),
        ("Tue 20:00", week.mends(Channel.EMAIL)),
        ("Wed 08:00", week.fails(Channel.SMS)),
        ("Wed 09:00", week.says(ana, safety="often")),
        ("Wed 09:30", week.does(bo, "snooze", ana, until=at("Wed 16:00").isoformat(), reason="In sessions.")),
        ("Wed 17:00", week.does(bo, "acknowledge", ana)),
        ("Wed 18:05", lambda: _ok(bo.post("/alerts/hand-over", _to(hal)))),
        ("Wed 19:00", week.does(hal, "resolve", ana, **done)),
        ("Wed 20:00", week.mends(Channel.SMS)),
        ("Thu 08:00", week.fails(Channel.PUSH)),
        ("Thu 09:00", week.says(kim, side_effects={"fall": 2})),
        ("Thu 11:10", week.does(dee, "acknowledge", kim)),
        ("Thu 11:30", week.does(bo, "resolve", kim, **done)),
        ("Thu 20:00", week.mends(Channel.PUSH)),
        ("Thu 23:00", lambda: week.ward.relapse(ana)),  # Bo sleeps
        ("Fri 08:00", week.does(bo, "acknowledge", ana)),
        ("Fri 08:30", week.fails(Channel.WEBHOOK)),
        ("Fri 10:00", week.says(ida, safety="often")),
        ("Fri 10:30", week.does(hal, "acknowledge", ida)),
        ("Fri 11:00", week.does(hal, "resolve", ida, **done)),
        ("Fri 12:00", week.worker(works=False)),
        ("Fri 13:00", week.says(ida, safety="often")),
        ("Fri 16:00", week.worker(works=True)),
        ("Fri 16:30", week.does(hal, "acknowledge", ida)),
        ("Fri 17:00", week.does(hal, "resolve", ida, **done)),
        ("Fri 17:30", week.mends(Channel.WEBHOOK)),
        ("Sat 10:00", week.says(kim, safety="often")),  # nobody ever answers
        ("Sun 02:00", week.says(ana, safety="plan")),
        ("Sun 02:20", week.does(dee, "acknowledge", ana)),
        ("Sun 02:45", week.does(bo, "resolve", ana, **done)),
    ]


def _to(who: Person) -> dict[str, str]:
    return {"account_id": str(who.account_id), "note": "Please ring her again."}


def test_a_week_of_outages_ends_with_everybody_told_and_nothing_forgotten(week: Week) -> None:
    week.play(the_plan(week))
    _each_is_closed_or_shown(week)
    _nobody_is_woken_but_for_an_emergency(week)
    _nothing_is_lost(week)
    _each_says_who_was_told(week)
    _told_in_time(week)


def _each_is_closed_or_shown(week: Week) -> None:
    states = Counter(alert.state for alert in week.alerts())
    assert states == {AlertState.RESOLVED: 7, AlertState.ACKNOWLEDGED: 1, AlertState.OPEN: 1}
    (forgotten,) = (alert for alert in week.alerts() if alert.state is AlertState.OPEN)
    assert forgotten.exhausted_at is not None
    pages = [message.to for message in week.channels[Channel.EMAIL].sent if message.to == OPERATIONS]
    assert len(pages) == 1


def _nobody_is_woken_but_for_an_emergency(week: Week) -> None:
    sleeper = week.ward.cast.bo.account_id
    rows = _rows(week)
    woken = [row for row in rows if row.account_id == sleeper and row.state in TAKEN and _at_night(row)]
    assert woken
    assert {row.urgency for row in woken} == {AlertClass.P0}
    held = [row for row in rows if row.held]
    assert held
    assert all(row.finished_at is None or row.finished_at >= row.due_at for row in held)


def _at_night(row: Delivery) -> bool:
    assert row.finished_at is not None
    clock = row.finished_at.astimezone(OSLO).time()
    return clock >= NIGHT[0] or clock < NIGHT[1]


def _nothing_is_lost(week: Week) -> None:
    """Every message was taken, or not needed any more, or its person was told another way."""
    rows = _rows(week)
    reached = {row.key.partition("|")[0] for row in rows if row.state in TAKEN}
    for row in rows:
        assert row.state in (*TAKEN, *LOST), (row.key, row.state)
        assert row.state in TAKEN or row.failure == NOT_NEEDED or row.key.partition("|")[0] in reached


def _each_says_who_was_told(week: Week) -> None:
    shown: Counter[tuple[str, str]] = Counter()
    for alert in week.alerts():
        record = week.ward.cast.bo.get(f"/alerts/{alert.id}").json
        taken = [one for one in record["deliveries"] if one["state"] in TAKEN]
        assert taken
        assert all(one["account"] and one["finished_at"] for one in taken)
        shown.update((one["account"], one["channel"]) for one in taken)
    assert {name for name, _ in shown} >= {"Bo", "Dee", "Eli", "Gil", "Hal"}
    assert {channel for _, channel in shown} == set(Channel)


def _told_in_time(week: Week) -> None:
    """Somebody had heard of each within minutes, or when the worker was back; at night, in the morning."""
    waited = {}
    for alert in week.alerts():
        taken = [row for row in _rows(week, alert.id) if row.state in TAKEN and row.finished_at is not None]
        first = min(row.finished_at for row in taken)
        waited[f"{alert.opened_at.astimezone(OSLO):%a %H:%M}"] = first - alert.opened_at
    late = {when: wait for when, wait in waited.items() if wait > 2 * TICK}
    assert set(late) == {"Thu 23:00", "Fri 13:00"}
    assert late["Thu 23:00"] <= timedelta(hours=8) + TICK
    assert late["Fri 13:00"] <= timedelta(hours=3) + TICK


def _rows(week: Week, alert_id: UUID | None = None) -> Sequence[Delivery]:
    return week.ward.deliveries(alert_id)
