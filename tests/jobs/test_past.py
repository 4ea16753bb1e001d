"""A past that is written many days at a time leaves what day by day would have left."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import event

from jobs.past import Past, Tally, dated_id, take_all
from jobs.virtual import Registration, beginning, register
from server.clinical.vocabulary import AlertFamily, Role
from server.database import Database
from server.keys.sealing import Keyring
from server.services.journal.incoming import Incoming
from server.services.people import account as accounts
from server.services.people import clinic as clinics
from server.services.people.account import NewAccount
from server.services.people.passwords import Passwords
from server.services.work import Work, system
from server.simulator.clinic import demo_clinic, simulate_clinic
from server.simulator.shapes import VirtualPatient
from tests.conftest import NOON, empty
from tests.past_by_day import Left, left_of, write_by_day

END = (NOON - timedelta(days=1)).date()
CLINIC = UUID(int=7)
Change = Callable[[Past], Past]


def as_it_is(past: Past) -> Past:
    return past


def twice_a_day(past: Past) -> Past:
    """Every entry once more two hours later, a little worse or better."""
    again = [_moved(one, timedelta(hours=2), number % 3 - 1) for number, one in enumerate(past.entries)]
    return replace(past, entries=[*past.entries, *again])


def before_breakfast(past: Past) -> Past:
    """Entries come in before the session of their day."""
    entries = [_moved(one, timedelta(hours=-13), 0) for one in past.entries]
    return replace(past, entries=[one for one in entries if _at(one).hour > 4])


def with_late_sessions(past: Past) -> Past:
    """Two more sessions, long after the others: the second answers what returned."""
    last = max(past.sessions)
    return replace(past, sessions=[*past.sessions, last + timedelta(days=31), last + timedelta(days=45)])


def amid_weekly_sessions(past: Past) -> Past:
    """Sessions every week, the first of them long before the first entry."""
    first, last = min(map(_at, past.entries)), max(map(_at, past.entries))
    weeks = range(-15, (last - first).days // 7)
    return replace(past, sessions=[first + timedelta(days=7 * n, hours=-5) for n in weeks])


def silent_on_days_of_sessions(past: Past) -> Past:
    """Nobody logs on a day with a session, which come every week."""
    weekly = amid_weekly_sessions(past)
    days = {at.date() for at in weekly.sessions}
    return replace(weekly, entries=[one for one in past.entries if _at(one).date() not in days])


def not_closed(past: Past) -> Past:
    """Nobody waits for the end of the days after the last entry."""
    return replace(past, until=None)


def _at(one: Incoming) -> datetime:
    at: datetime = one.content["occurred_at"]
    return at


def _moved(one: Incoming, by: timedelta, worse: int) -> Incoming:
    at = _at(one) + by
    items = {key: min(max(value + worse, 0), 10) for key, value in one.content["items"].items()}
    content = {**one.content, "occurred_at": at, "items": items}
    return Incoming(dated_id(at, "again", str(one.id)), content, None, one.source)


def cast() -> Iterator[tuple[VirtualPatient, Change]]:
    """Who relapses, falls silent or is in danger, and somebody of a clinic, each with a way to log."""
    ana, _, _, silent, endangered = demo_clinic(END)
    yield from ((ana, with_late_sessions), (silent, as_it_is), (endangered, twice_a_day))
    yield ana, amid_weekly_sessions
    (virtual,) = simulate_clinic(1, 60, 11, END)
    yield from ((virtual, before_breakfast), (virtual, not_closed), (virtual, silent_on_days_of_sessions))


@pytest.fixture(scope="module")
def by_day(sqlite_url: str) -> Iterator[Left]:
    """What day by day leaves, as SQLite has it."""
    database = Database(sqlite_url, Keyring({0: b"m" * 32}, 0))
    yield left_by(database, write_by_day)
    empty(database)
    database.close()


def left_by(database: Database, write: Callable[[Work, Past], None]) -> Left:
    """Return what writing the pasts of the cast leaves in an empty database."""
    empty(database)
    with database.write() as session:
        work = Work(session, NOON - timedelta(days=400), system(CLINIC))
        clinics.create(work, slug="virtual", name="Virtual", zone="Europe/London", country="GB")
        bo = NewAccount(Role.CLINICIAN, "Bo", "bo@virtual.example", "a password of Bo")
        bo_id = accounts.create(work, bo, Passwords("cheap")).id
    for number, (virtual, change) in enumerate(cast()):
        with database.write() as session:
            work = Work(session, beginning(virtual), system(CLINIC))
            write(work, change(register(work, virtual, Registration(f"test:{number}", "GB", NOON, bo_id))))
    with database.read() as session:
        return left_of(session, Work(session, NOON, system(CLINIC)))


@pytest.mark.long
def test_many_days_at_a_time_leave_what_day_by_day_leaves(database: Database, by_day: Left) -> None:
    at_once = left_by(database, lambda work, past: take_all(work, past, Tally()))
    assert at_once.keys() == by_day.keys()
    for table in by_day:
        assert at_once[table] == by_day[table], table
    kinds = {row["family"] for row in by_day["alerts"]}
    assert {AlertFamily.SAFETY, AlertFamily.MOOD_RELAPSE, AlertFamily.SILENCE} <= kinds
    assert by_day["watch_moves"]
    assert by_day["booking_suggestions"]
    assert by_day["scale_requests"]


@pytest.mark.long
@pytest.mark.parametrize(("change", "part"), [(as_it_is, 10), (silent_on_days_of_sessions, 5)])
def test_a_calm_past_asks_a_part_of_the_questions(database: Database, change: Change, part: int) -> None:
    asked: Counter[str] = Counter()
    _, holding, *_ = demo_clinic(END)
    for write in (write_by_day, lambda work, past: take_all(work, past, Tally())):
        empty(database)
        with database.write() as session:
            work = Work(session, beginning(holding), system(CLINIC))
            clinics.create(work, slug="virtual", name="Virtual", zone="Europe/London", country="GB")
            past = change(register(work, holding, Registration("test", "GB", NOON)))
            count = partial(_count, asked, write.__name__)
            event.listen(database.engine, "before_cursor_execute", count)
            write(work, past)
            event.remove(database.engine, "before_cursor_execute", count)
    by_day, at_once = asked.values()
    assert at_once < by_day / part


def _count(asked: Counter[str], name: str, *_told: object) -> None:
    asked[name] += 1
