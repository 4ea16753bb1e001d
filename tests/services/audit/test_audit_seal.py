"""Chaining: everything committed, once, in one order, whoever does it and however late it comes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from server.database import Database
from server.isolation import Extent
from server.models import AuditEvent, AuditSeal
from server.services.audit import audit_seal as seals
from server.services.audit.chain import START, Recorded, link, written
from server.services.work import Work, system
from tests.conftest import NOON, owner_of
from tests.services.audit.ledger import (
    A_DAY,
    an_event,
    event_at,
    fault,
    happen,
    open_clinic,
    put_in,
    ruling,
    seal_all,
)

WRITERS, SEALERS, EACH = 50, 4, 4


def test_the_bytes_of_a_link_are_fixed() -> None:
    event = Recorded(UUID(int=1), UUID(int=2), NOON, None, "patient.read", UUID(int=3), "å")
    assert link(START, 1, event).hex() == "5c3114ad492d3f85171a13f4a3e77bb99d173fc57da2106798c2a1f4820c9f0b"
    assert written(datetime(2026, 3, 2, 12, 0, 0, 7, tzinfo=UTC)) == "2026-03-02T12:00:00.000007Z"


def test_a_field_that_is_absent_differs_from_an_empty_one_and_no_text_flows_into_its_neighbour() -> None:
    def digest(action: str, object_id: str | None) -> bytes:
        return link(START, 1, Recorded(UUID(int=1), UUID(int=2), NOON, None, action, None, object_id))

    assert len({digest("a", None), digest("a", ""), digest("ab", ""), digest("a", "b")}) == 4


def test_every_event_is_chained_once_and_a_second_run_finds_nothing(database: Database) -> None:
    river, hill = open_clinic(database), open_clinic(database, "hill")
    happen(database, river, 8)
    assert seal_all(database, river) == 10  # two came with the clinic
    assert seal_all(database, river) == 0
    happen(database, river)
    assert seal_all(database, river) == 1
    with database.read() as session:
        ours = select(AuditSeal.position).where(AuditSeal.clinic_id == river)
        assert sorted(session.scalars(ours)) == list(range(1, 12))
        assert seals.head(Work(session, NOON, system(hill))).position == 0
        assert seals.unsealed_count(Work(session, NOON, system(hill))) == 2
    assert fault(database, river) is None


@pytest.mark.parametrize("deed", ["UPDATE {} SET clinic_id = clinic_id", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["audit_events", "audit_seals"])
def test_the_database_refuses_to_change_or_remove_a_row(database: Database, table: str, deed: str) -> None:
    seal_all(database, open_clinic(database))
    # Also to the owner of the tables: the service's own role may not even try.
    with (
        pytest.raises(DBAPIError, match="append-only"),
        owner_of(database).write(Extent.ALL) as session,
    ):
        session.execute(text(deed.format(table)))


def test_no_roundabout_way_changes_a_row_either(database: Database) -> None:
    river = open_clinic(database)
    with database.read() as session:
        row = session.execute(select(*seals.RECORDED).where(AuditEvent.clinic_id == river).limit(1)).one()
    deed = "REPLACE INTO" if database.is_sqlite else "TRUNCATE audit_seals,"
    values = " VALUES (:c, :i, :a, NULL, 'x', NULL, NULL)" if database.is_sqlite else ""
    named = {"c": row.clinic_id.hex, "i": row.id.hex, "a": str(NOON)} if database.is_sqlite else {}
    with (
        pytest.raises(DBAPIError, match="append-only"),
        owner_of(database).write(Extent.ALL) as session,
    ):
        session.execute(text(f"{deed} audit_events{values}"), named)


def test_fifty_writers_and_four_sealers_at_once_make_no_fork_and_lose_nothing(database: Database) -> None:
    river = open_clinic(database)
    start = Barrier(WRITERS + SEALERS)

    def writes() -> None:
        start.wait(20)
        happen(database, river, EACH)

    def seals_() -> None:
        start.wait(20)
        for _ in range(5):
            seal_all(database, river, size=20)

    deeds: list[Callable[[], None]] = [writes] * WRITERS + [seals_] * SEALERS
    with ThreadPoolExecutor(len(deeds)) as threads:
        for done in [threads.submit(deed) for deed in deeds]:
            done.result(60)
    seal_all(database, river)
    count = 2 + WRITERS * EACH
    with database.read() as session:
        positions = session.scalars(select(AuditSeal.position).order_by(AuditSeal.position)).all()
        assert session.scalar(select(func.count(AuditSeal.event_id.distinct()))) == count
    assert positions == list(range(1, count + 1))
    assert fault(database, river) is None


def test_a_long_transaction_comes_after_younger_events_and_is_no_break(database: Database) -> None:
    river = open_clinic(database)
    early = an_event(river, datetime.now(UTC) - 0.01 * A_DAY)
    seal_all(database, river, datetime.now(UTC))
    put_in(database, early)  # committed only now
    assert seal_all(database, river, datetime.now(UTC)) == 1
    assert event_at(database, river, 3) == early["id"]
    assert fault(database, river, datetime.now(UTC)) is None


def test_a_runner_that_stood_still_for_days_chains_all_that_came_meanwhile(database: Database) -> None:
    river = open_clinic(database)
    with ruling(database) as connection:
        connection.execute(text("DELETE FROM audit_events"))
    for days in (0, 1, 4, 5):
        put_in(database, an_event(river, NOON + days * A_DAY))
        if days == 0:
            seal_all(database, river, NOON)
    assert seal_all(database, river, NOON + 5 * A_DAY) == 3
    assert fault(database, river, NOON + 5 * A_DAY) is None


def test_a_clock_that_ran_ahead_once_keeps_nothing_from_the_chain(database: Database) -> None:
    river = open_clinic(database)
    with ruling(database) as connection:
        connection.execute(text("DELETE FROM audit_events"))
    put_in(database, an_event(river, NOON))
    put_in(database, an_event(river, NOON + A_DAY))
    assert seal_all(database, river, NOON) == 2
    put_in(database, an_event(river, NOON + A_DAY / 100))
    assert seal_all(database, river, NOON + A_DAY / 2) == 1
    assert fault(database, river, NOON + A_DAY / 2) is None
