"""What the tests of the audit log do again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from uuid_utils.compat import uuid7

from jobs.audit_walk import Chain
from server.database import Database
from server.isolation import Extent
from server.models import AuditEvent
from server.services.audit import audit_seal as seals
from server.services.audit.verifying import Found
from server.services.people import clinic as clinics
from server.services.work import Work, system
from tests.conftest import NOON, owner_of


def open_clinic(database: Database, slug: str = "river") -> UUID:
    """Open a clinic: that alone writes two events."""
    with database.write() as session:
        work = Work(session, NOON, system(clinics.new_clinic_id()))
        clinics.create(work, slug=slug, name=slug, zone="Europe/Oslo", country="NO")
        return work.clinic_id


def happen(database: Database, clinic_id: UUID, times: int = 1) -> None:
    """Let a patient be read, ``times`` times, each in a transaction of its own."""
    for _ in range(times):
        with database.write() as session:
            Work(session, NOON, system(clinic_id)).audit("patient.read", uuid7(), "somebody")


def seal_all(database: Database, clinic_id: UUID, now: datetime = NOON, size: int = 3) -> int:
    """Chain everything, a few at a time; return how many."""
    done = 0
    while True:
        with database.write() as session:
            work = Work(session, now, system(clinic_id))
            got = seals.seal(work, seals.since(work), size)
        if not got:
            return done
        done += len(got)


def fault(database: Database, clinic_id: UUID, now: datetime = NOON) -> Found | None:
    """Walk the chain."""
    return Chain(database, now, clinic_id).whole().found


def event_at(database: Database, clinic_id: UUID, position: int) -> UUID:
    """Return the event at a position."""
    query = seals.select(seals.AuditSeal.event_id).where(
        seals.AuditSeal.clinic_id == clinic_id, seals.AuditSeal.position == position
    )
    with database.read() as session:
        return session.scalars(query).one()


@contextmanager
def ruling(database: Database) -> Iterator[Connection]:
    """Give what somebody with all rights over the database can do: the guards are taken off and put back."""
    with owner_of(database).write(Extent.ALL) as session:
        connection = session.connection()
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            yield connection
            return
        guards = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        for name, _ in guards:
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        yield connection
        for _, sql in guards:
            connection.execute(text(sql))


def an_event(clinic_id: UUID, at: datetime, **parts: Any) -> dict[str, Any]:
    """Return the row of an event whose id says that it was made at ``at``."""
    made = UUID(int=int(at.timestamp() * 1000) << 80 | uuid7().int & (1 << 80) - 1)
    known = {"clinic_id": clinic_id, "id": made, "at": at, "account_id": None, "patient_id": None}
    return {**known, "action": "patient.read", "object_id": None, **parts}


def put_in(database: Database, row: dict[str, Any]) -> None:
    """Put an event in by hand."""
    with database.write() as session:
        session.add(AuditEvent(**row))


A_DAY = timedelta(days=1)
