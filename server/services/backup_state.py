"""What a database holds, to hold a restored one against it: rows a table, ends of audit chains."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, inspect, select, table, text
from sqlalchemy.orm import Session

from server.models import Base
from server.services.audit import audit_seal as seals
from server.services.people import clinic as clinics
from server.services.work import Work, system


@dataclass(frozen=True, slots=True)
class State:
    """Rows by table, and by clinic the position and digest at which its audit chain ends."""

    revision: str
    counts: dict[str, int] = field(default_factory=dict)
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)


def exported(session: Session) -> str:
    """Return PostgreSQL's name of what ``session``, a snapshot, sees: others can see the same by it."""
    return str(session.scalar(text("SELECT pg_export_snapshot()")))


def is_empty(session: Session) -> bool:
    """Say whether there is nothing to lose: no tables of ours, or no clinic in them."""
    if not inspect(session.connection()).has_table("clinics"):
        return True
    return session.execute(text("SELECT 1 FROM clinics LIMIT 1")).first() is None


def revision(session: Session) -> str:
    """Return which migration made the tables."""
    return str(session.scalar(text("SELECT version_num FROM alembic_version")))


def counts(session: Session, names: list[str] | None = None) -> dict[str, int]:
    """Return the rows of each table (of ``names``: those of an older version)."""
    return {name: _count(session, name) for name in names or Base.metadata.tables}


def state(session: Session) -> State:
    """Return what the database holds."""
    return State(revision(session), counts(session), ends(session))


def size(session: Session) -> int:
    """Return about how many bytes the database takes."""
    if session.get_bind().dialect.name == "postgresql":
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages, of = (session.scalar(text(f"PRAGMA {one}")) or 0 for one in ("page_count", "page_size"))
    return int(pages * of)


def _count(session: Session, name: str) -> int:
    return session.scalar(select(func.count()).select_from(table(name))) or 0


def ends(session: Session) -> dict[str, tuple[int, str]]:
    """Return where each clinic's audit chain ends."""
    found: dict[str, Any] = {}
    for clinic in clinics.ever(session):
        end = seals.head(Work(session, clinic.created_at, system(clinic.id)))
        found[str(clinic.id)] = (end.position, end.digest.hex())
    return found
