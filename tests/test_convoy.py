"""Rows and questions that travel with the next statement: nothing is lost, or comes too early or twice."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from uuid_utils.compat import uuid7

from benchmarks.ground import treat
from server import convoy
from server.database import Database
from server.models import AuditEvent
from server.services import apart
from server.services.foresight import foresight
from server.services.people import patient as patients
from server.services.visits import course as courses
from server.services.visits import treatment_session as treatment_sessions
from server.services.work import Work, system
from server.settings import Settings
from tests.cast import Cast
from tests.conftest import NOON, owner_of

_COUNT = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "convoy.test")


@pytest.fixture
def work(database: Database, cast: Cast) -> Iterator[Work]:
    """A transaction at Ana's clinic."""
    with database.write() as session:
        yield Work(session, NOON, system(cast.ana.clinic_id))


@pytest.fixture
def away(database: Database) -> None:
    """Only where there is a way to go."""
    if database.is_sqlite:
        pytest.skip("an embedded database is no way off")


class _TakenBack(Exception):
    """What a test takes a part of its work back with."""


def say(work: Work, times: int = 1) -> None:
    work.audit_each("convoy.test", None, [uuid7() for _ in range(times)])


def said(database: Database, cast: Cast) -> int:
    with database.read(cast.ana.clinic_id) as session:
        return session.scalar(_COUNT) or 0


@contextmanager
def trips(database: Database) -> Iterator[list[str]]:
    """Give the statements that are sent by the library meanwhile: those that wait go along."""
    found: list[str] = []

    def note(*about: Any) -> None:
        found.append(about[2])

    event.listen(database.engine, "before_cursor_execute", note)
    yield found
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.mark.usefixtures("away")
def test_rows_go_with_the_next_question_which_sees_them(work: Work, database: Database) -> None:
    with trips(database) as sent:
        say(work), say(work, times=3)
        assert sent == []
        assert work.session.scalar(_COUNT) == 4
    assert len(sent) == 1


def test_the_commit_sends_what_still_waits(database: Database, cast: Cast) -> None:
    with database.write() as session:
        say(Work(session, NOON, system(cast.ana.clinic_id)), times=2)
    assert said(database, cast) == 2


def test_what_is_taken_back_is_never_sent(database: Database, cast: Cast) -> None:
    with suppress(_TakenBack), database.write() as session:
        say(Work(session, NOON, system(cast.ana.clinic_id)))
        raise _TakenBack
    for _ in range(3):  # whoever has the connection next
        with database.write() as session:
            work = Work(session, NOON, system(cast.ana.clinic_id))
            assert work.session.scalar(_COUNT) == 0


def test_what_a_savepoint_takes_back_goes_alone(work: Work, database: Database, cast: Cast) -> None:
    say(work)
    with suppress(_TakenBack), work.session.begin_nested():
        say(work, times=2)
        raise _TakenBack
    say(work)
    work.session.commit()
    assert said(database, cast) == 2


def test_a_refusal_inside_a_savepoint_shows_inside_it(work: Work, database: Database, cast: Cast) -> None:
    say(work)
    twice = work.event("convoy.test", None, None)
    with pytest.raises(IntegrityError), work.session.begin_nested():
        work.record([twice]), work.record([twice])
    say(work)
    work.session.commit()
    assert said(database, cast) == 2


def test_a_refusal_at_the_commit_leaves_nothing(database: Database, cast: Cast) -> None:
    def say_twice() -> None:
        with database.write() as session:
            work = Work(session, NOON, system(cast.ana.clinic_id))
            say(work)
            twice = work.event("convoy.test", None, None)
            work.record([twice]), work.record([twice])

    with pytest.raises(IntegrityError):
        say_twice()
    assert said(database, cast) == 0


def test_the_library_s_own_many_rows_and_rows_read_piece_by_piece_find_them_there(work: Work) -> None:
    say(work)
    work.session.execute(insert(AuditEvent), [work.event("convoy.test", None, None) for _ in range(2)])
    assert work.session.scalar(_COUNT) == 3
    say(work)
    piecemeal = select(AuditEvent.id).where(AuditEvent.action == "convoy.test")
    assert len([*work.session.scalars(piecemeal.execution_options(yield_per=1))]) == 4


@pytest.mark.usefixtures("away")
def test_a_connection_that_dies_with_rows_on_it_is_told_as_such(
    work: Work, database: Database, cast: Cast
) -> None:
    pid = work.session.scalar(text("SELECT pg_backend_pid()"))
    say(work)
    with database.read(cast.ana.clinic_id) as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    with pytest.raises(DBAPIError) as raised:
        work.session.scalar(_COUNT)
    assert raised.value.connection_invalidated
    work.session.rollback()
    assert said(database, cast) == 0


def test_a_question_asked_ahead_is_answered_as_it_would_have_been(
    cast: Cast, work: Work, database: Database
) -> None:
    patient = cast.ana.patient_id
    assert patient is not None
    treat(work, patient, [NOON - timedelta(days=9), NOON - timedelta(days=2)])
    usual = courses.active_conditions(work, patient), treatment_sessions.delivered_moments(work, patient)
    assert len(usual[1]) == 2
    work.session.info.pop(patients.DELIVERED)
    with foresight(work) as ahead, trips(database) as sent:
        courses.foresee(ahead, [patient])
        treatment_sessions.foresee(ahead, [patient])
        say(work)
        found = courses.active_conditions(work, patient), treatment_sessions.delivered_moments(work, patient)
    assert found == usual
    if not database.is_sqlite:
        assert len(sent) == 1, "the first asked carries the other"


@pytest.mark.usefixtures("away")
def test_a_question_that_nobody_asks_in_the_end_is_not_sent(work: Work, cast: Cast) -> None:
    assert cast.ana.patient_id is not None
    with foresight(work) as ahead:
        courses.foresee(ahead, [cast.ana.patient_id])
    say(work)
    convoy.settle(work.session)
    assert convoy.go_ahead(work.session.connection(), None, lambda: None) is False


def test_a_transaction_in_which_nothing_is_asked_is_none(database: Database, cast: Cast) -> None:
    assert cast.ana.patient_id is not None
    with trips(database) as sent, database.write() as session:
        work = Work(session, NOON, system(cast.ana.clinic_id))
        work.session.connection()
        with foresight(work) as ahead:
            courses.foresee(ahead, [cast.ana.patient_id])
    assert [statement for statement in sent if "BEGIN" not in statement] == []


def test_a_question_that_was_taken_back_is_asked_again(work: Work, cast: Cast) -> None:
    patient = cast.ana.patient_id
    assert patient is not None
    usual = courses.active_conditions(work, patient)
    with foresight(work) as ahead:
        with suppress(_TakenBack), work.session.begin_nested():
            courses.foresee(ahead, [patient])
            raise _TakenBack
        assert courses.active_conditions(work, patient) == usual


def test_what_begins_still_waits_where_only_questions_were_settled(database: Database, cast: Cast) -> None:
    assert cast.ana.patient_id is not None
    with database.write() as session:
        work = Work(session, NOON, system(cast.ana.clinic_id))
        with foresight(work) as ahead:
            courses.foresee(ahead, [cast.ana.patient_id])
            assert apart.tried(session, lambda: say(work)) is None
    with database.write() as session:
        work = Work(session, NOON, system(cast.ana.clinic_id))
        with foresight(work) as ahead:
            courses.foresee(ahead, [cast.ana.patient_id])
        session.add(AuditEvent(**work.event("convoy.test", None, None)))  # written at the commit
    assert said(database, cast) == 2


def test_what_failed_under_way_can_be_asked_again(cast: Cast, settings: Settings) -> None:
    question = text("SELECT 'what is asked again and again'")

    def fail(work: Work) -> None:
        twice = work.event("convoy.test", None, None)
        with suppress(IntegrityError), work.session.begin_nested():
            work.record([twice]), work.record([twice])
            work.session.execute(question)

    # After five answers the driver prepares what comes again: of the two that fail this is the second.
    with closing(Database(settings.sqlalchemy_url)) as fresh:
        for fails, asked in ((1, 1), (0, 4), (1, 1)):
            with fresh.write() as session:
                work = Work(session, NOON, system(cast.ana.clinic_id))
                for _ in range(fails):
                    fail(work)
                for _ in range(asked):
                    assert session.scalar(question)


@pytest.mark.usefixtures("away")
def test_a_glance_that_was_kept_waiting_too_long_is_answered_the_next_time(
    cast: Cast, settings: Settings, database: Database
) -> None:
    def glance(most: int) -> int | None:
        with fresh.glance(cast.ana.clinic_id) as connection:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"SET lock_timeout = {most}")
            return connection.scalar(_COUNT)

    with closing(Database(settings.sqlalchemy_url)) as fresh:
        for _ in range(5):
            glance(9000)
        with owner_of(database).write(cast.ana.clinic_id) as session:  # as a migration does
            session.execute(text("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(OperationalError):
                glance(50)
        assert glance(9000) == 0


@pytest.mark.usefixtures("away")
def test_what_is_prepared_outlasts_a_reading(cast: Cast, settings: Settings) -> None:
    known = []
    with closing(Database(settings.sqlalchemy_url)) as fresh:
        for _ in range(8):
            with fresh.read(cast.ana.clinic_id) as session:
                known.append(session.scalar(text("SELECT count(*) FROM pg_prepared_statements")))
    assert known[-1], "what comes for the sixth time is prepared"
